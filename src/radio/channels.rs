//! The channels of all devices over a run, wherever they come from: drawn anew for every
//! coherence block, correlated in time, or read from a trace.

use super::coherence::Coherence;
use super::config::RadioConfig;
use super::doppler::Scatterers;
use super::error::RadioError;
use super::fading::{Fading, Moments};
use super::matrix::Matrix;
use super::trace::{ChannelTrace, PastEnd};
use crate::rng::Streams;
use crate::units::{FieldFault, Instant};
use std::sync::Arc;

/// H_n of every device n at every time of one run.
#[derive(Debug, Clone)]
pub struct Channels {
    fading: Fading,
    source: Realisations,
    coherence: Coherence,
    moments: Vec<Moments>,
    antennas: Vec<usize>,
    server_antennas: usize,
    streams: Streams,
}

#[derive(Debug, Clone)]
enum Realisations {
    /// Independent draws per block.
    Blocks,
    /// One process in time per device.
    Processes(Vec<Scatterers>),
    /// One slot per block.
    Trace(Arc<ChannelTrace>, PastEnd),
}

impl Channels {
    /// The channels of `devices` devices under `config`; `trace` is what its
    /// [`FadingModel::trace`](super::FadingModel::trace) names, where it is one.
    ///
    /// # Errors
    /// If `config` names a trace and none is given, or one of another shape.
    pub fn new(
        config: &RadioConfig,
        devices: usize,
        streams: Streams,
        trace: Option<Arc<ChannelTrace>>,
    ) -> Result<Self, RadioError> {
        let antennas: Vec<usize> = (0..devices).map(|n| config.antennas(n)).collect();
        let rows = config.server_antennas;
        let model = config.fading.model();
        let source = match (model.trace(), config.doppler.shift()) {
            (Some(file), _) => {
                let trace = trace.ok_or_else(|| {
                    FieldFault::new("fading", format!("the trace {} was not read", file.file))
                })?;
                trace
                    .shape()
                    .validate(devices, rows, config.most_antennas(devices))
                    .map_err(|fault| fault.under("fading"))?;
                Realisations::Trace(trace, file.past_end)
            }
            (None, None) => Realisations::Blocks,
            (None, Some(shift)) => Realisations::Processes(
                (0..devices)
                    .map(|n| Scatterers::draw(shift, streams, n, rows, antennas[n]))
                    .collect(),
            ),
        };
        let moments = (0..devices)
            .map(|device| match &source {
                Realisations::Trace(trace, _) => trace.moments(device),
                _ => model.moments(streams, device),
            })
            .collect();
        Ok(Self {
            fading: config.fading.clone(),
            source,
            coherence: config.coherence,
            moments,
            antennas,
            server_antennas: rows,
            streams,
        })
    }

    /// N.
    pub fn devices(&self) -> usize {
        self.antennas.len()
    }

    /// What they are drawn from.
    pub(super) fn streams(&self) -> Streams {
        self.streams
    }

    /// Mean and variance of the entries of `device`'s channel: as its model says, or
    /// over the whole trace.
    pub fn moments(&self, device: usize) -> Moments {
        self.moments[device]
    }

    /// H_n ∈ C^{N_r×N_t} of `device` in coherence block `block`, which is entered at
    /// `now`.
    ///
    /// With Doppler that is the process at the block's own start where blocks have one
    /// ([`Coherence::Time`]), else at `now`.
    ///
    /// # Errors
    /// If the trace has ended.
    pub fn block(&self, device: usize, block: u64, now: Instant) -> Result<Matrix, RadioError> {
        match &self.source {
            Realisations::Blocks => Ok(self.fading.draw(
                self.streams,
                device,
                block,
                self.server_antennas,
                self.antennas[device],
            )),
            Realisations::Processes(processes) => {
                let start = self.coherence.start(block).unwrap_or(now);
                Ok(processes[device].at(self.moments[device], start))
            }
            Realisations::Trace(trace, past_end) => {
                // Where every transfer has a slot of its own, each request begins the trace anew.
                let place = match self.coherence {
                    Coherence::PerAllReduce => block & (Coherence::DRAWS_OF_REQUEST - 1),
                    Coherence::Static | Coherence::Time(_) => block,
                };
                let slot = trace.slot(place, *past_end)?;
                Ok(trace.channel(slot, device, self.antennas[device]))
            }
        }
    }

    /// Whether the time at which a block is entered may decide its channels.
    pub(super) fn follow_time(&self) -> bool {
        matches!(self.source, Realisations::Processes(_))
    }

    /// Sample number `index` of all channels, for decisions that are made before a run:
    /// independent draws of the run's own statistics, from the streams (`"radio.sample"`,
    /// device, index) that no run draws from. Of a trace, whose slots are all that is known,
    /// they are those slots, again and again.
    pub fn sample(&self, index: u64) -> Vec<Matrix> {
        let one = |device: usize| {
            let antennas = self.antennas[device];
            if let Realisations::Trace(trace, _) = &self.source {
                let slot = (index % trace.shape().slots) as usize;
                return trace.channel(slot, device, antennas);
            }
            let stream = self.streams.open("radio.sample", device as u32, index);
            let (model, rows) = (self.fading.model(), self.server_antennas);
            model.draw(self.moments[device], stream, rows, antennas)
        };
        (0..self.devices()).map(one).collect()
    }

    /// H_n of `device` at the instant `time`, where channels are a process in time: what
    /// a measurement at `time` would see, whatever block a run is in. `None` without
    /// Doppler.
    pub fn at(&self, device: usize, time: Instant) -> Option<Matrix> {
        match &self.source {
            Realisations::Processes(processes) => {
                Some(processes[device].at(self.moments[device], time))
            }
            _ => None,
        }
    }
}
