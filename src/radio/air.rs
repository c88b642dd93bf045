//! One run's air: draws the channels, prepares the scheme once per coherence block,
//! and hands out rounds.
//!
//! Randomness: channels come from [`Channels`] and its streams of each device, the
//! noise of a round from (`"radio.noise"`, no device, all-reduce index). So the noise of
//! an all-reduce is the same whatever happened before it, and two schemes of one seed
//! see the same channels.

use super::all_reduce::{Block, Distortion, Link, Transmission, Uplink, duration_of};
use super::budget::LinkPower;
use super::channels::Channels;
use super::config::RadioConfig;
use super::convention::{PowerConvention, VectorLoad};
use super::doppler::Doppler;
use super::downlink::Multicast;
use super::error::RadioError;
use super::ideal::IdealLink;
use super::matrix::Matrix;
use super::scheme::Scheme;
use super::synchronisation::Synchronisation;
use super::transceiver::TransceiverDesign;
use crate::rng::{NO_DEVICE, Streams};
use crate::units::{Duration, FieldFault, Instant};

/// The air between one server and its devices, for one run.
#[derive(Debug)]
pub struct Air {
    config: RadioConfig,
    scheme: Scheme,
    design: Box<dyn TransceiverDesign>,
    channels: Channels,
    power: LinkPower,
    /// What each device may radiate per channel use.
    powers: Option<Vec<f64>>,
    streams: Streams,
    current: Option<Prepared>,
}

/// What holds for one coherence block.
#[derive(Debug)]
struct Prepared {
    block: u64,
    /// The all-reduce that it was prepared for.
    first: u64,
    /// What that one needs on top, to learn the channels.
    pilots: Pilots,
    link: Box<dyn Link>,
    downlink: Option<Multicast>,
}

/// The pilots of one coherence block.
#[derive(Debug, Default)]
struct Pilots {
    /// Of all devices, which take turns.
    duration: Duration,
    /// Radiated by each device, in their order.
    joules: Option<Vec<f64>>,
}

/// The air time of one all-reduce.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the devices send.
    pub uplink: Uplink,
    /// What the server sends back, if that takes time.
    pub downlink: Option<Transmission>,
}

impl Air {
    /// Opens the air for a fleet of `devices`. With
    /// [`PowerConvention::EnergyPerVector`] it carries nothing before
    /// [`charge`](Self::charge).
    ///
    /// # Errors
    /// If a field of `config` or `scheme` is impossible.
    pub fn new(
        config: RadioConfig,
        scheme: Scheme,
        design: Box<dyn TransceiverDesign>,
        devices: usize,
        streams: Streams,
    ) -> Result<Self, RadioError> {
        config.validate(devices)?;
        let channels = Channels::new(&config, devices, streams, None)?;
        Self::over(channels, config, scheme, design)
    }

    /// Opens the air over `channels`, which were made under `config`.
    ///
    /// # Errors
    /// If a field of `config` or `scheme` is impossible.
    pub fn over(
        channels: Channels,
        config: RadioConfig,
        scheme: Scheme,
        design: Box<dyn TransceiverDesign>,
    ) -> Result<Self, RadioError> {
        config.validate(channels.devices())?;
        scheme
            .all_reduce()
            .validate(config.layout(channels.devices()))?;
        Ok(Self {
            power: config.budget.resolve(config.bandwidth),
            powers: (config.convention == PowerConvention::PowerPerUse)
                .then(|| config.budgets(channels.devices())),
            config,
            scheme,
            design,
            streams: channels.streams(),
            channels,
            current: None,
        })
    }

    /// Takes from every device's budget what it computes for each vector that it sends.
    /// With [`PowerConvention::PowerPerUse`] that is nothing.
    ///
    /// # Errors
    /// [`RadioError::NoEnergy`] if compute leaves a device nothing to send with; a
    /// [`FieldFault`] if the scheme cannot tell how long it radiates.
    pub fn charge(mut self, load: &VectorLoad) -> Result<Self, RadioError> {
        let scheme = self.scheme.all_reduce();
        self.powers = Some(self.config.limits(scheme, load)?);
        Ok(self)
    }

    /// Whether all-reduces go through the air at all: not with the ideal scheme, and not
    /// with one device unless asked for.
    pub fn is_used(&self) -> bool {
        self.scheme.all_reduce().uses_radio()
            && (self.channels.devices() > 1 || self.config.lone_device_transmits)
    }

    /// H_n ∈ C^{N_r×N_t} of coherence block `block`, entered at `now`, in device order.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub fn channels(&self, block: u64, now: Instant) -> Result<Vec<Matrix>, RadioError> {
        (0..self.channels.devices())
            .map(|device| self.channels.block(device, block, now))
            .collect()
    }

    /// Ĥ_n, what devices and server take for `channels` in coherence block `block`, entered at
    /// `now`, in device order; `None` if they know them.
    pub fn estimates(&self, channels: &[Matrix], block: u64, now: Instant) -> Option<Vec<Matrix>> {
        let RadioConfig { csi, coherence, .. } = &self.config;
        let start = coherence.start(block).unwrap_or(now);
        let estimate = |(device, channel)| {
            // A process in time is measured as it was.
            let past = csi.measured_at(start);
            let measured = past.and_then(|time| self.channels.at(device, time));
            let moments = self.channels.moments(device);
            csi.estimate(self.streams, device, block, channel, measured, moments)
        };
        let perfect =
            csi.is_perfect() && (csi.delay.0 == 0.0 || self.config.doppler == Doppler::Off);
        (!perfect).then(|| channels.iter().enumerate().map(estimate).collect())
    }

    /// The all-reduce number `index` of the run, planned at `now`.
    ///
    /// # Errors
    /// If the block's channels cannot carry what the scheme asks of them.
    pub fn round(&mut self, index: u64, now: Instant) -> Result<Round<'_>, RadioError> {
        let block = if self.is_used() {
            self.config.coherence.block(index, now)
        } else {
            0
        };
        if self
            .current
            .as_ref()
            .is_none_or(|current| current.block != block)
        {
            self.current = Some(self.prepare(block, index, now)?);
        }
        Ok(Round {
            prepared: self.current.as_ref().expect("prepared just above"),
            streams: self.streams,
            synchronisation: self.config.synchronisation,
            index,
        })
    }

    fn prepare(&self, block: u64, first: u64, now: Instant) -> Result<Prepared, RadioError> {
        if !self.is_used() {
            return Ok(Prepared {
                block,
                first,
                pilots: Pilots::default(),
                link: Box::new(IdealLink {
                    devices: self.channels.devices(),
                }),
                downlink: None,
            });
        }
        let powers = self.powers.as_deref().ok_or_else(|| {
            FieldFault::new(
                "convention",
                "EnergyPerVector needs to know what devices compute for a vector",
            )
        })?;
        let channels = self.channels(block, now)?;
        let estimates = self.estimates(&channels, block, now);
        let link = self.scheme.all_reduce().prepare(&Block {
            channels: &channels,
            powers,
            estimates: estimates.as_deref().unwrap_or(&channels),
            power: self.power,
            bandwidth: self.config.bandwidth,
            round_overhead: self.config.round_overhead,
            design: self.design.as_ref(),
        })?;
        let downlink =
            self.config
                .downlink
                .prepare(&channels, self.power, self.config.bandwidth)?;
        let seconds = f64::from(self.config.csi.pilot_symbols) / self.config.bandwidth.0;
        let own = seconds / self.channels.devices() as f64;
        Ok(Prepared {
            block,
            first,
            pilots: Pilots {
                duration: duration_of(0, seconds)?,
                joules: self.power.watts.map(|unit| {
                    let joules = powers.iter().map(|power| unit * power * own);
                    joules.collect()
                }),
            },
            link,
            downlink,
        })
    }
}

/// One all-reduce on the block that is current.
#[derive(Debug)]
pub struct Round<'a> {
    prepared: &'a Prepared,
    streams: Streams,
    synchronisation: Synchronisation,
    index: u64,
}

impl Round<'_> {
    /// The coherence block it happens in.
    pub fn block(&self) -> u64 {
        self.prepared.block
    }

    /// How long it takes and what it costs, for `entries` real entries.
    ///
    /// # Errors
    /// If a transmission is too long for the clock.
    pub fn plan(&self, entries: usize) -> Result<Plan, RadioError> {
        let downlink = self.prepared.downlink.map(|link| link.plan(entries));
        let mut uplink = self.prepared.link.plan(entries)?;
        if self.index == self.prepared.first && self.prepared.pilots.duration != Duration::ZERO {
            let Pilots { duration, joules } = &self.prepared.pilots;
            for (device, sent) in uplink.transmissions.iter_mut().enumerate() {
                sent.duration += *duration;
                let pilots = joules.as_ref().map(|joules| joules[device]);
                sent.joules = sent.joules.zip(pilots).map(|(data, pilots)| data + pilots);
            }
        }
        Ok(Plan {
            uplink,
            downlink: downlink.transpose()?,
        })
    }

    /// Sends the devices' partial outputs through it: `sum` is what every device holds
    /// afterwards, the downlink included.
    ///
    /// # Errors
    /// If a part has another length than `sum`, or holds a NaN or an infinity.
    pub fn reduce(&self, parts: &[&[f32]], sum: &mut [f32]) -> Result<Distortion, RadioError> {
        let noise = self.streams.open("radio.noise", NO_DEVICE, self.index);
        let link = &self.prepared.link;
        let offsets = self
            .synchronisation
            .draw(self.streams, parts.len(), self.index);
        let distortion = match offsets {
            None => link.reduce(parts, noise, sum)?,
            Some(offsets) => link.reduce_out_of_step(parts, &offsets, noise, sum)?,
        };
        if let Some(downlink) = self.prepared.downlink {
            downlink.deliver(sum);
        }
        Ok(distortion)
    }
}
