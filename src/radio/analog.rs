//! What analog schemes have in common: entries packed into complex symbols, sent through
//! L×L channels M_n, and summed with Gaussian noise.
//!
//! **Packing.** Entries go in their order: one symbol takes `reals_per_symbol` of them
//! (two: real part, then imaginary part), one channel use takes L symbols, stream by
//! stream. The last use is filled with zeros. Scale: [`super::scale`].
//!
//! The received sum is formed as s + Σ_n(M_n − I)s_n + noise, so that a perfect channel
//! is exact.

use super::all_reduce::{
    Distortion, Expected, Layout, Link, Schedule, Transmission, Uplink, duration_of,
};
use super::error::RadioError;
use super::hermitian::semidefinite_factor;
use super::matrix::{Matrix, power, scaled};
use super::scale::shared_scale;
use super::subchannels::rounding;
use super::superposition::{Columns, Misfit, Round, superpose};
use super::synchronisation::{Offset, SUBCARRIERS};
use super::transceiver::minus_identity;
use crate::rng::Stream;
use crate::units::FieldFault;
use num_complex::Complex;

/// Σ_n ‖M_n − I‖² up to which devices count as aligned: zero-forcing leaves the rounding
/// of A, H_n and B_n in double precision, a millionth of what an f32 tensor can show.
const ALIGNED: f64 = 1e-24;

/// How one device is turned on every subcarrier.
type Turns = [Complex<f64>; SUBCARRIERS];

/// How entries become symbols.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    /// L, complex entries per channel use.
    pub streams: usize,
    /// Real entries per complex symbol, 1 or 2.
    pub reals: usize,
}

impl Packing {
    /// Channel uses of `entries` real entries.
    pub(super) fn uses(self, entries: usize) -> usize {
        entries.div_ceil(self.streams * self.reals)
    }

    /// Checks both numbers against the antennas.
    ///
    /// # Errors
    /// The first that does not fit, by its field.
    pub(super) fn validate(self, layout: Layout) -> Result<(), FieldFault> {
        let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
        if self.streams == 0 {
            return fault(
                "streams",
                "0 streams carry nothing; use 1 or more".to_owned(),
            );
        }
        let device = match layout.fewest_antennas {
            None => "each device".to_owned(),
            Some(device) => format!("device {device}"),
        };
        for (side, antennas) in [
            (device.as_str(), layout.device_antennas),
            (layout.receiver, layout.server_antennas),
        ] {
            if self.streams > antennas {
                return fault(
                    "streams",
                    format!(
                        "{} streams, but {side} has {antennas} antennas; use at most {antennas}",
                        self.streams
                    ),
                );
            }
        }
        if !(1..=2).contains(&self.reals) {
            return fault(
                "reals_per_symbol",
                format!(
                    "a complex symbol carries 1 or 2 real entries, not {}",
                    self.reals
                ),
            );
        }
        Ok(())
    }
}

/// What the server's combining makes of the antennas' noise: CN(0, σ_z² K) on the L symbols
/// of a use.
#[derive(Debug, Clone)]
pub(super) struct CombinedNoise {
    /// σ_z².
    pub variance: f64,
    /// K ∈ C^{L×L}.
    pub covariance: Matrix,
    /// σ_z² tr K.
    pub power: f64,
}

/// One device's way to the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    /// Seconds per channel use.
    pub symbol_time: f64,
    /// Radiated while it sends, where the size of a power unit is known.
    pub watts: Option<f64>,
    /// That of its sub-channel, if the band is divided in whole ones.
    pub stretch: Option<f64>,
}

/// When devices send, and for how much energy.
#[derive(Debug)]
pub(super) struct AnalogSchedule {
    packing: Packing,
    /// In device order.
    senders: Vec<Sender>,
    /// What every round takes on top, in seconds.
    overhead: f64,
}

impl AnalogSchedule {
    pub(super) fn new(packing: Packing, senders: Vec<Sender>, overhead: f64) -> Self {
        Self {
            packing,
            senders,
            overhead,
        }
    }
}

/// An analog link, prepared for one coherence block.
#[derive(Debug)]
pub(super) struct AnalogLink {
    schedule: AnalogSchedule,
    /// M_n.
    effective: Vec<Matrix>,
    /// M_n − I, unless all are aligned.
    deviations: Option<Vec<Columns>>,
    /// Lower triangular C with C w distributed as the noise for w of independent standard
    /// normal parts.
    colouring: Columns,
    analytic: f64,
    /// σ_z² tr K.
    noise: f64,
}

impl AnalogLink {
    /// `effective` are the M_n of the schedule's devices, in device order. The covariance may
    /// be singular: a design may leave a stream that costs more than it tells without a
    /// combiner.
    pub(super) fn new(
        schedule: AnalogSchedule,
        effective: Vec<Matrix>,
        noise: &CombinedNoise,
    ) -> Self {
        let colouring = semidefinite_factor(&noise.covariance);
        let deviations: Vec<Matrix> = effective.iter().map(minus_identity).collect();
        let misalignment = deviations.iter().fold(0.0, |sum, m| sum + power(m));
        Self {
            deviations: (misalignment > ALIGNED)
                .then(|| deviations.iter().map(Columns::new).collect()),
            // Each of the two parts of a CN(0, σ²) has variance σ²/2.
            colouring: Columns::new(&scaled(&colouring, (noise.variance / 2.0).sqrt())),
            analytic: (misalignment + noise.power) / schedule.packing.streams as f64,
            noise: noise.power,
            effective,
            schedule,
        }
    }

    /// Equation (7) over L for devices that are turned by `turns`, over `uses` uses: with
    /// ḡ_n the mean turn of device n, (Σ_n ‖M_n‖² − 2 Re(ḡ_n tr M_n) + L + noise)/L.
    fn turned(&self, turns: &[Turns], uses: usize) -> f64 {
        let streams = self.schedule.packing.streams;
        let devices = self.effective.iter().zip(turns);
        let misalignment = devices.fold(0.0, |sum, (channel, turns)| {
            let mean = (0..uses.max(1)).fold(Complex::ZERO, |sum, u| sum + turns[u % SUBCARRIERS])
                / uses.max(1) as f64;
            let trace = (0..streams).fold(Complex::ZERO, |sum, l| sum + channel[(l, l)]);
            sum + power(channel) - 2.0 * (mean * trace).re + streams as f64
        });
        (misalignment + self.noise) / streams as f64
    }

    fn receive(
        &self,
        parts: &[&[f32]],
        misfits: Option<&[Misfit<'_>]>,
        analytic: f64,
        noise: &Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        let Packing { streams, reals } = self.schedule.packing;
        let scale = shared_scale(parts, reals, sum.len())?;
        let round = Round {
            streams,
            reals,
            misfits,
            colouring: &self.colouring,
            scale,
        };
        let measured = superpose(&round, parts, noise, sum);
        let symbols = sum.len().div_ceil(reals) as u64;
        let mean = |total: f64| {
            if symbols > 0 {
                total / symbols as f64
            } else {
                0.0
            }
        };
        Ok(Distortion {
            symbols,
            error: mean(measured.error),
            misalignment: mean(measured.misalignment),
            noise: mean(measured.noise),
            analytic,
            quantised: false,
            nmse: if measured.signal > 0.0 {
                measured.squared / measured.signal
            } else {
                0.0
            },
            scale,
        })
    }
}

impl Schedule for AnalogSchedule {
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError> {
        let uses = self.packing.uses(entries);
        let transmission = |(device, sender): (usize, &Sender)| {
            let airtime = uses as f64 * sender.symbol_time;
            Ok(Transmission {
                duration: duration_of(device, airtime + self.overhead)?,
                bits: 0,
                channel_uses: uses as u64,
                joules: sender.watts.map(|watts| watts * airtime),
            })
        };
        Ok(Uplink {
            transmissions: self
                .senders
                .iter()
                .enumerate()
                .map(transmission)
                .collect::<Result<_, RadioError>>()?,
            rounding_s: rounding(
                self.senders
                    .iter()
                    .map(|sender| (uses as f64 * sender.symbol_time, sender.stretch)),
            ),
        })
    }
}

impl Schedule for AnalogLink {
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError> {
        self.schedule.plan(entries)
    }
}

impl Link for AnalogLink {
    fn expected(&self, entries: usize) -> Option<Expected> {
        Some(Expected {
            symbols: entries.div_ceil(self.schedule.packing.reals) as u64,
            error: self.analytic,
        })
    }

    fn reduce(
        &self,
        parts: &[&[f32]],
        noise: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        let misfits: Option<Vec<Misfit<'_>>> = self
            .deviations
            .as_ref()
            .map(|deviations| deviations.iter().map(Misfit::Fixed).collect());
        self.receive(parts, misfits.as_deref(), self.analytic, &noise, sum)
    }

    fn reduce_out_of_step(
        &self,
        parts: &[&[f32]],
        offsets: &[Offset],
        noise: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        let offsets = offsets.iter().zip(&self.schedule.senders);
        let turns: Vec<Turns> = offsets
            .map(|(offset, sender)| offset.turns(sender.symbol_time))
            .collect();
        let channels: Vec<Columns> = self.effective.iter().map(Columns::new).collect();
        let devices = channels.iter().zip(&turns);
        let misfits: Vec<Misfit<'_>> = devices
            .map(|(channel, turns)| Misfit::Turned(channel, turns))
            .collect();
        let analytic = self.turned(&turns, self.schedule.packing.uses(sum.len()));
        self.receive(parts, Some(&misfits), analytic, &noise, sum)
    }
}
