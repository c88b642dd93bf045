//! One run's air: draws the channels, prepares the scheme once per coherence block,
//! and hands out rounds. Both are done when something needs them: a run that sends no
//! tensors draws and designs only what its times and joules depend on.
//!
//! Randomness: channels come from [`Channels`] and its streams of each device, the
//! noise of a round from (`"radio.noise"`, no device, all-reduce index). So the noise of
//! an all-reduce is the same whatever happened before it, and two schemes of one seed
//! see the same channels.

use super::all_reduce::{
    AllReduce, Block, Distortion, Expected, Link, Schedule, Terms, Transmission, Uplink,
    duration_of,
};
use super::budget::LinkPower;
use super::channels::Channels;
use super::config::RadioConfig;
use super::convention::{PowerConvention, VectorLoad};
use super::doppler::Doppler;
use super::downlink::{Downlink, Multicast, Receivers};
use super::error::RadioError;
use super::exchange::{Exchange, ExchangeLink};
use super::hierarchy::{self, ClusterAir, LevelAir};
use super::ideal::IdealLink;
use super::matrix::Matrix;
use super::subchannels::SubchannelPower;
use super::synchronisation::Synchronisation;
use super::transceiver::TransceiverDesign;
use crate::rng::{NO_DEVICE, Streams};
use crate::units::{Duration, FieldFault, Hertz, Instant};
use std::sync::{Arc, OnceLock};

/// The air between one server and its devices, for one run.
#[derive(Debug)]
pub struct Air {
    config: RadioConfig,
    scheme: Box<dyn AllReduce>,
    design: Arc<dyn TransceiverDesign>,
    channels: Channels,
    /// The devices that send to the hub, in order: all, or the heads of the last level.
    senders: Vec<usize>,
    /// The levels below it, from the devices up.
    levels: Vec<LevelAir>,
    power: LinkPower,
    /// What each of the senders may radiate per channel use.
    powers: Option<Vec<f64>>,
    streams: Streams,
    /// Of an all-reduce by messages: which member sums, if one does, and entries per token.
    exchange: Option<(Option<usize>, usize)>,
    /// Time and energy of rounds; `None` inside where the drawn channels decide them.
    schedule: OnceLock<Option<Box<dyn Schedule>>>,
    current: Option<Current>,
}

/// What holds for one coherence block.
#[derive(Debug)]
struct Current {
    block: u64,
    /// When it was entered.
    entered: Instant,
    /// The all-reduce that entered it.
    first: u64,
    /// What that one needs on top, to learn the channels.
    pilots: Pilots,
    downlink: Option<Multicast>,
    /// H_n of the senders, once drawn.
    channels: OnceLock<Vec<Matrix>>,
    link: OnceLock<Box<dyn Link>>,
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
        scheme: impl AllReduce + 'static,
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
        scheme: impl AllReduce + 'static,
        design: Box<dyn TransceiverDesign>,
    ) -> Result<Self, RadioError> {
        Self::open(channels, config, scheme, Arc::from(design))
    }

    pub(super) fn open(
        channels: Channels,
        config: RadioConfig,
        scheme: impl AllReduce + 'static,
        design: Arc<dyn TransceiverDesign>,
    ) -> Result<Self, RadioError> {
        let devices = channels.devices();
        config.validate(devices)?;
        scheme.validate(config.layout(devices))?;
        let streams = channels.streams();
        let (scheme, senders, levels): (Box<dyn AllReduce>, _, _) = match scheme.hierarchy() {
            None => (Box::new(scheme), (0..devices).collect(), Vec::new()),
            Some(fields) => {
                let opened = hierarchy::open(fields, &config, devices, streams, &design)?;
                (Box::new(opened.top), opened.senders, opened.levels)
            }
        };
        let mut air = Self {
            power: config.budget.resolve(config.bandwidth),
            powers: None,
            config,
            scheme,
            design,
            streams,
            channels,
            senders,
            levels,
            exchange: None,
            schedule: OnceLock::new(),
            current: None,
        };
        if air.config.convention == PowerConvention::PowerPerUse {
            air.powers = Some(air.of_senders(air.config.budgets(devices)));
        }
        Ok(air)
    }

    /// The same air on a `share` of a band of `bandwidth`.
    #[must_use]
    pub(super) fn on_part(mut self, bandwidth: Hertz, share: f64, power: SubchannelPower) -> Self {
        let whole = self.config.budget.resolve(bandwidth);
        self.power = LinkPower {
            watts: whole.watts.map(|watts| watts * share),
            ..whole
        };
        if power == SubchannelPower::Whole {
            let powers = self.powers.iter_mut().flatten();
            powers.for_each(|power| *power /= share);
        }
        self
    }

    /// Of what all devices have, in their order, that of the senders.
    fn of_senders<T: Clone>(&self, all: Vec<T>) -> Vec<T> {
        match self.levels.is_empty() {
            true => all,
            false => self.senders.iter().map(|n| all[*n].clone()).collect(),
        }
    }

    /// Takes from every device's budget what it computes for each vector that it sends.
    /// With [`PowerConvention::PowerPerUse`] that is nothing.
    ///
    /// # Errors
    /// [`RadioError::NoEnergy`] if compute leaves a device nothing to send with; a
    /// [`FieldFault`] if the scheme cannot tell how long it radiates.
    pub fn charge(mut self, load: &VectorLoad) -> Result<Self, RadioError> {
        let limits = self.config.limits(self.scheme.as_ref(), load)?;
        self.powers = Some(self.of_senders(limits));
        Ok(self)
    }

    /// Tells an all-reduce by messages which member sums, if one of them does, and how many entries
    /// a token has.
    #[must_use]
    pub fn rooted(mut self, root: Option<usize>, width: usize) -> Self {
        self.exchange = Some((root, width));
        self
    }

    /// The messages by which several members sum, if they do.
    pub fn exchange(&self) -> Option<Exchange> {
        let several = self.channels.devices() > 1 && self.exchange.is_some();
        self.scheme.exchange().filter(|_| several)
    }

    /// Whether all-reduces go through the air at all: not with the ideal scheme, and not
    /// with one device unless asked for.
    pub fn is_used(&self) -> bool {
        let below = self.levels.iter().flat_map(LevelAir::clusters);
        self.sends() || below.into_iter().any(ClusterAir::is_used)
    }

    /// Whether anything is sent to the hub itself.
    fn sends(&self) -> bool {
        self.scheme.uses_radio()
            && (self.channels.devices() > 1 || self.config.lone_device_transmits)
    }

    /// The levels at which clusters sum before the hub does, from the devices up.
    pub fn levels(&self) -> &[LevelAir] {
        &self.levels
    }

    /// The devices that send to the hub, in order, by their numbers in the cell.
    pub fn senders(&self) -> &[usize] {
        &self.senders
    }

    /// What it was opened with: the radio's fields, and the channels of all devices.
    pub fn terms(&self) -> (&RadioConfig, &Channels) {
        (&self.config, &self.channels)
    }

    /// Whether the sum returns through the air in time of its own.
    pub fn answers(&self) -> bool {
        self.is_used() && self.config.downlink != Downlink::Ideal
    }

    /// P_n in joules per vector, in device order; `None` if budgets are watts.
    pub fn energy_budgets(&self) -> Option<Vec<f64>> {
        let counted = self.config.convention.charge().is_some();
        counted.then(|| self.config.budgets(self.channels.devices()))
    }

    /// H_n ∈ C^{N_r×N_t} of coherence block `block`, entered at `now`, of those who send to the
    /// hub, in device order.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub fn channels(&self, block: u64, now: Instant) -> Result<Vec<Matrix>, RadioError> {
        let senders = self.senders.iter();
        senders
            .map(|device| self.channels.block(*device, block, now))
            .collect()
    }

    /// Ĥ_n, what devices and server take for `channels`, those of all senders, in coherence block
    /// `block`, entered at `now`, in device order; `None` if they know them.
    pub fn estimates(&self, channels: &[Matrix], block: u64, now: Instant) -> Option<Vec<Matrix>> {
        let RadioConfig { csi, coherence, .. } = &self.config;
        let start = coherence.start(block).unwrap_or(now);
        let estimate = |(device, channel): (&usize, &Matrix)| {
            let device = *device;
            // A process in time is measured as it was.
            let past = csi.measured_at(start);
            let measured = past.and_then(|time| self.channels.at(device, time));
            let moments = self.channels.moments(device);
            csi.estimate(self.streams, device, block, channel, measured, moments)
        };
        let perfect =
            csi.is_perfect() && (csi.delay.0 == 0.0 || self.config.doppler == Doppler::Off);
        (!perfect).then(|| self.senders.iter().zip(channels).map(estimate).collect())
    }

    /// The all-reduce number `index` of the run, planned at `now`.
    ///
    /// # Errors
    /// If the block's channels are needed and a trace of them has ended, or the downlink
    /// has no rate.
    pub fn round(&mut self, index: u64, now: Instant) -> Result<Round<'_>, RadioError> {
        let block = if self.is_used() {
            self.config.coherence.block(index, now)
        } else {
            0
        };
        let current = self.current.as_ref();
        if current.is_none_or(|current| current.block != block) {
            self.current = Some(self.enter(block, index, now)?);
        }
        hierarchy::enter(&mut self.levels, index, now)?;
        Ok(self.entered(index))
    }

    /// The all-reduce number `index`, in the block that was entered last.
    pub(super) fn entered(&self, index: u64) -> Round<'_> {
        Round {
            air: self,
            current: self.current.as_ref().expect("a round is entered before"),
            index,
        }
    }

    fn enter(&self, block: u64, first: u64, entered: Instant) -> Result<Current, RadioError> {
        let mut current = Current {
            block,
            entered,
            first,
            pilots: Pilots::default(),
            downlink: None,
            channels: OnceLock::new(),
            link: OnceLock::new(),
        };
        if !self.is_used() {
            return Ok(current);
        }
        let downlink = self.config.downlink;
        let all;
        let channels = match (downlink.follows_channels(), self.levels.is_empty()) {
            (true, true) => self.drawn(&current)?,
            // Those who send nothing to the hub hear it too.
            (true, false) => {
                let devices = 0..self.channels.devices();
                let channel = |device| self.channels.block(device, block, entered);
                all = devices.map(channel).collect::<Result<Vec<_>, _>>()?;
                &all
            }
            (false, _) => &[],
        };
        let receivers = Receivers {
            channels,
            count: self.channels.devices(),
        };
        let RadioConfig {
            bandwidth, coding, ..
        } = self.config;
        current.downlink = downlink.prepare(receivers, self.power, bandwidth, coding)?;
        if self.config.csi.pilot_symbols > 0 {
            current.pilots = self.pilots()?;
        }
        Ok(current)
    }

    /// What every device may radiate, once that is known.
    fn powers(&self) -> Result<&[f64], RadioError> {
        self.powers.as_deref().ok_or_else(|| {
            let message = "EnergyPerVector needs to know what devices compute for a vector";
            FieldFault::new("convention", message).into()
        })
    }

    fn pilots(&self) -> Result<Pilots, RadioError> {
        let seconds = f64::from(self.config.csi.pilot_symbols) / self.config.bandwidth.0;
        let own = seconds / self.senders.len() as f64;
        let powers = self.powers()?;
        Ok(Pilots {
            duration: duration_of(0, seconds)?,
            joules: self.power.watts.map(|unit| {
                let joules = powers.iter().map(|power| unit * power * own);
                joules.collect()
            }),
        })
    }

    /// The channels of the current block.
    fn drawn<'a>(&self, current: &'a Current) -> Result<&'a [Matrix], RadioError> {
        if current.channels.get().is_none() {
            let channels = self.channels(current.block, current.entered)?;
            current.channels.get_or_init(|| channels);
        }
        Ok(current.channels.get().expect("drawn just above"))
    }

    /// Time and energy of rounds in the current block.
    fn schedule<'a>(&'a self, current: &'a Current) -> Result<&'a dyn Schedule, RadioError> {
        if self.schedule.get().is_none() {
            let schedule = match self.sends() {
                true => self.scheme.schedule(&Terms {
                    powers: self.powers()?,
                    power: self.power,
                    bandwidth: self.config.bandwidth,
                    coding: self.config.coding,
                    round_overhead: self.config.round_overhead,
                })?,
                false => Some(Box::new(self.silence()) as Box<dyn Schedule>),
            };
            self.schedule.get_or_init(|| schedule);
        }
        match self.schedule.get().and_then(Option::as_deref) {
            Some(schedule) => Ok(schedule),
            None => Ok(self.link(current)?),
        }
    }

    fn silence(&self) -> IdealLink {
        IdealLink {
            devices: self.senders.len(),
        }
    }

    /// The link of the current block.
    fn link<'a>(&self, current: &'a Current) -> Result<&'a dyn Link, RadioError> {
        if current.link.get().is_none() {
            let link = self.prepare(current)?;
            current.link.get_or_init(|| link);
        }
        Ok(current.link.get().expect("prepared just above").as_ref())
    }

    fn prepare(&self, current: &Current) -> Result<Box<dyn Link>, RadioError> {
        if let Some((exchange, (root, width))) = self.exchange().zip(self.exchange) {
            let devices = self.channels.devices();
            return Ok(Box::new(ExchangeLink {
                exchange,
                root,
                width,
                devices,
            }));
        }
        if !self.sends() {
            return Ok(Box::new(self.silence()));
        }
        let channels = self.drawn(current)?;
        let estimates = self.estimates(channels, current.block, current.entered);
        self.scheme.prepare(&Block {
            channels,
            powers: self.powers()?,
            estimates: estimates.as_deref().unwrap_or(channels),
            power: self.power,
            bandwidth: self.config.bandwidth,
            coding: self.config.coding,
            round_overhead: self.config.round_overhead,
            design: self.design.as_ref(),
        })
    }
}

/// One all-reduce on the block that is current.
#[derive(Debug)]
pub struct Round<'a> {
    air: &'a Air,
    current: &'a Current,
    index: u64,
}

impl Round<'_> {
    /// The coherence block it happens in.
    pub fn block(&self) -> u64 {
        self.current.block
    }

    /// How long it takes and what it costs, for `entries` real entries.
    ///
    /// # Errors
    /// If a transmission is too long for the clock, or the block's channels decide its time
    /// and cannot carry what the scheme asks of them.
    pub fn plan(&self, entries: usize) -> Result<Plan, RadioError> {
        let Current {
            pilots,
            downlink,
            first,
            ..
        } = self.current;
        let downlink = downlink.map(|link| link.plan(entries));
        let schedule = self.air.schedule(self.current);
        let uplink = schedule.and_then(|schedule| schedule.plan(entries));
        let mut uplink = uplink.map_err(|error| error.renumbered(&self.air.senders))?;
        if self.index == *first && pilots.duration != Duration::ZERO {
            let Pilots { duration, joules } = pilots;
            for (device, sent) in uplink.transmissions.iter_mut().enumerate() {
                sent.duration += *duration;
                let pilots = joules.as_ref().map(|joules| joules[device]);
                sent.joules = sent.joules.zip(pilots).map(|(data, pilots)| data + pilots);
            }
        }
        Ok(Plan {
            uplink: self.with_levels(uplink, entries)?,
            downlink: downlink.transpose()?,
        })
    }

    /// What all devices send, given that of those who send to the hub.
    fn with_levels(&self, top: Uplink, entries: usize) -> Result<Uplink, RadioError> {
        let Air {
            levels,
            senders,
            channels,
            ..
        } = self.air;
        if levels.is_empty() {
            return Ok(top);
        }
        let mut sent = vec![Transmission::default(); channels.devices()];
        for (device, own) in senders.iter().zip(top.transmissions) {
            sent[*device] = own;
        }
        let below = hierarchy::plan(levels, (self.index, entries), &mut sent)?;
        let rounding_s = match (below, top.rounding_s) {
            (Some(below), Some(top)) => Some(below + top),
            (below, top) => below.or(top),
        };
        Ok(Uplink {
            transmissions: sent,
            rounding_s,
        })
    }

    /// The error to be expected of `entries` real entries, as far as that is known for
    /// nothing: if the link was prepared for something else, tensors do not decide it, and
    /// no device is out of step.
    pub fn expected(&self, entries: usize) -> Option<Expected> {
        if self.air.config.synchronisation != Synchronisation::default() {
            return None;
        }
        let own = self.current.link.get()?.expected(entries)?;
        let (levels, senders) = (&self.air.levels, &self.air.senders);
        match levels.is_empty() {
            true => Some(own),
            false => hierarchy::expected(levels, (self.index, entries), senders, own),
        }
    }

    /// Sends the devices' partial outputs through it: `sum` is what every device holds
    /// afterwards, the downlink included.
    ///
    /// # Errors
    /// If a part has another length than `sum`, or holds a NaN or an infinity; if the
    /// block's channels cannot carry what the scheme asks of them.
    pub fn reduce(&self, parts: &[&[f32]], sum: &mut [f32]) -> Result<Distortion, RadioError> {
        let Air {
            levels, senders, ..
        } = self.air;
        let at_hub = |parts: &[&[f32]], sum: &mut [f32]| {
            let done = self.reduce_at_hub(parts, sum);
            done.map_err(|error| error.renumbered(senders))
        };
        let distortion = match levels.is_empty() {
            true => at_hub(parts, sum)?,
            false => hierarchy::reduce(levels, (self.index, senders), parts, sum, at_hub)?,
        };
        if let Some(downlink) = self.current.downlink {
            downlink.deliver(sum);
        }
        Ok(distortion)
    }

    fn reduce_at_hub(&self, parts: &[&[f32]], sum: &mut [f32]) -> Result<Distortion, RadioError> {
        let Air {
            streams, config, ..
        } = self.air;
        let noise = streams.open("radio.noise", NO_DEVICE, self.index);
        let link = self.air.link(self.current)?;
        let offsets = config
            .synchronisation
            .draw(*streams, parts.len(), self.index);
        match offsets {
            None => link.reduce(parts, noise, sum),
            Some(offsets) => link.reduce_out_of_step(parts, &offsets, noise, sum),
        }
    }
}
