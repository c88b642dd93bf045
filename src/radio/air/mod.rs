//! One run's air: draws the channels, prepares the scheme once per coherence block,
//! and hands out rounds. Both are done when something needs them: a run that sends no
//! tensors draws and designs only what its times and joules depend on. Once one block has
//! needed them, those that follow are prepared ahead.
//!
//! Randomness: channels come from [`Channels`] and its streams of each device, the
//! noise of a round from (`"radio.noise"`, no device, all-reduce index). So the noise of
//! an all-reduce is the same whatever happened before it, and two schemes of one seed
//! see the same channels.

mod ahead;
mod round;
mod setup;

pub use round::{Plan, Round};

use self::ahead::{Ahead, Prepared};
use self::setup::Setup;
use super::all_reduce::{AllReduce, Link, Schedule, Terms, duration_of};
use super::budget::LinkPower;
use super::channels::Channels;
use super::config::RadioConfig;
use super::convention::{PowerConvention, VectorLoad};
use super::downlink::{Downlink, Multicast, Receivers};
use super::error::RadioError;
use super::exchange::Exchange;
use super::hierarchy::{self, ClusterAir, LevelAir};
use super::matrix::Matrix;
use super::subchannels::SubchannelPower;
use super::transceiver::TransceiverDesign;
use crate::rng::Streams;
use crate::units::{Duration, Hertz, Instant};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// The air between one server and its devices, for one run.
#[derive(Debug)]
pub struct Air {
    setup: Arc<Setup>,
    /// The levels below the hub, from the devices up.
    levels: Vec<LevelAir>,
    /// Time and energy of rounds; `None` inside where the drawn channels decide them.
    schedule: OnceLock<Option<Box<dyn Schedule>>>,
    current: Option<Current>,
    ahead: Ahead,
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
    /// Whether anything depends on the link. It may be there although nothing does, and then
    /// nobody may tell.
    needed: AtomicBool,
}

impl Current {
    fn is_needed(&self) -> bool {
        self.needed.load(Relaxed)
    }
}

/// The pilots of one coherence block.
#[derive(Debug, Default)]
struct Pilots {
    /// Of all devices, which take turns.
    duration: Duration,
    /// Radiated by each device, in their order.
    joules: Option<Vec<f64>>,
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
        let (scheme, senders, levels): (Arc<dyn AllReduce>, _, _) = match scheme.hierarchy() {
            None => (Arc::new(scheme), (0..devices).collect(), Vec::new()),
            Some(fields) => {
                let opened = hierarchy::open(fields, &config, devices, streams, &design)?;
                (Arc::new(opened.top), opened.senders, opened.levels)
            }
        };
        let mut setup = Setup {
            power: config.budget.resolve(config.bandwidth),
            powers: None,
            config,
            scheme,
            design,
            channels,
            senders,
            exchange: None,
        };
        if setup.config.convention == PowerConvention::PowerPerUse {
            setup.powers = Some(setup.of_senders(setup.config.budgets(devices)));
        }
        Ok(Self {
            setup: Arc::new(setup),
            levels,
            schedule: OnceLock::new(),
            current: None,
            ahead: Ahead::default(),
        })
    }

    /// The same air on a `share` of a band of `bandwidth`.
    #[must_use]
    pub(super) fn on_part(mut self, bandwidth: Hertz, share: f64, power: SubchannelPower) -> Self {
        let setup = Arc::make_mut(&mut self.setup);
        let whole = setup.config.budget.resolve(bandwidth);
        setup.power = LinkPower {
            watts: whole.watts.map(|watts| watts * share),
            ..whole
        };
        if power == SubchannelPower::Whole {
            let powers = setup.powers.iter_mut().flatten();
            powers.for_each(|power| *power /= share);
        }
        self
    }

    /// Takes from every device's budget what it computes for each vector that it sends.
    /// With [`PowerConvention::PowerPerUse`] that is nothing.
    ///
    /// # Errors
    /// [`RadioError::NoEnergy`] if compute leaves a device nothing to send with; a
    /// [`FieldFault`](crate::units::FieldFault) if the scheme cannot tell how long it radiates.
    pub fn charge(mut self, load: &VectorLoad) -> Result<Self, RadioError> {
        let setup = Arc::make_mut(&mut self.setup);
        let limits = setup.config.limits(setup.scheme.as_ref(), load)?;
        setup.powers = Some(setup.of_senders(limits));
        Ok(self)
    }

    /// Tells an all-reduce by messages which member sums, if one of them does, and how many entries
    /// a token has.
    #[must_use]
    pub fn rooted(mut self, root: Option<usize>, width: usize) -> Self {
        Arc::make_mut(&mut self.setup).exchange = Some((root, width));
        self
    }

    /// The messages by which several members sum, if they do.
    pub fn exchange(&self) -> Option<Exchange> {
        self.setup.exchange()
    }

    /// Whether all-reduces go through the air at all: not with the ideal scheme, and not
    /// with one device unless asked for.
    pub fn is_used(&self) -> bool {
        let below = self.levels.iter().flat_map(LevelAir::clusters);
        self.setup.sends() || below.into_iter().any(ClusterAir::is_used)
    }

    /// The levels at which clusters sum before the hub does, from the devices up.
    pub fn levels(&self) -> &[LevelAir] {
        &self.levels
    }

    /// The devices that send to the hub, in order, by their numbers in the cell.
    pub fn senders(&self) -> &[usize] {
        &self.setup.senders
    }

    /// What it was opened with: the radio's fields, and the channels of all devices.
    pub fn terms(&self) -> (&RadioConfig, &Channels) {
        (&self.setup.config, &self.setup.channels)
    }

    /// Whether the sum returns through the air in time of its own.
    pub fn answers(&self) -> bool {
        self.is_used() && self.setup.config.downlink != Downlink::Ideal
    }

    /// P_n in joules per vector, in device order; `None` if budgets are watts.
    pub fn energy_budgets(&self) -> Option<Vec<f64>> {
        let Setup {
            config, channels, ..
        } = &*self.setup;
        let counted = config.convention.charge().is_some();
        counted.then(|| config.budgets(channels.devices()))
    }

    /// H_n ∈ C^{N_r×N_t} of coherence block `block`, entered at `now`, of those who send to the
    /// hub, in device order.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub fn channels(&self, block: u64, now: Instant) -> Result<Vec<Matrix>, RadioError> {
        self.setup.channels(block, now)
    }

    /// Ĥ_n, what devices and server take for `channels`, those of all senders, in coherence block
    /// `block`, entered at `now`, in device order; `None` if they know them.
    pub fn estimates(&self, channels: &[Matrix], block: u64, now: Instant) -> Option<Vec<Matrix>> {
        self.setup.estimates(channels, block, now)
    }

    /// The all-reduce number `index` of the run, planned at `now`.
    ///
    /// # Errors
    /// If the block's channels are needed and a trace of them has ended, or the downlink
    /// has no rate.
    pub fn round(&mut self, index: u64, now: Instant) -> Result<Round<'_>, RadioError> {
        let block = if self.is_used() {
            self.setup.config.coherence.block(index, now)
        } else {
            0
        };
        let current = self.current.as_ref();
        if current.is_none_or(|current| current.block != block) {
            let foreseen = current.is_some_and(|current| {
                current.is_needed() && self.setup.foresees(current.block, block)
            });
            if foreseen {
                self.ahead.ask(&self.setup, block);
            }
            let prepared = self.ahead.take(block, &self.setup);
            self.current = Some(self.enter(block, index, now, prepared)?);
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

    fn enter(
        &self,
        block: u64,
        first: u64,
        entered: Instant,
        prepared: Option<Prepared>,
    ) -> Result<Current, RadioError> {
        let (channels, link) = match prepared {
            Some(Prepared { channels, link }) => (channels.into(), link.into()),
            None => (OnceLock::new(), OnceLock::new()),
        };
        let mut current = Current {
            block,
            entered,
            first,
            pilots: Pilots::default(),
            downlink: None,
            channels,
            link,
            needed: AtomicBool::new(false),
        };
        if !self.is_used() {
            return Ok(current);
        }
        let Setup {
            config,
            channels: weather,
            power,
            ..
        } = &*self.setup;
        let downlink = config.downlink;
        let all;
        let channels = match (downlink.follows_channels(), self.levels.is_empty()) {
            (true, true) => self.drawn(&current)?,
            // Those who send nothing to the hub hear it too.
            (true, false) => {
                let devices = 0..weather.devices();
                let channel = |device| weather.block(device, block, entered);
                all = devices.map(channel).collect::<Result<Vec<_>, _>>()?;
                &all
            }
            (false, _) => &[],
        };
        let receivers = Receivers {
            channels,
            count: weather.devices(),
        };
        let RadioConfig {
            bandwidth, coding, ..
        } = *config;
        current.downlink = downlink.prepare(receivers, *power, bandwidth, coding)?;
        if config.csi.pilot_symbols > 0 {
            current.pilots = self.pilots()?;
        }
        Ok(current)
    }

    fn pilots(&self) -> Result<Pilots, RadioError> {
        let Setup {
            config,
            senders,
            power,
            ..
        } = &*self.setup;
        let seconds = f64::from(config.csi.pilot_symbols) / config.bandwidth.0;
        let own = seconds / senders.len() as f64;
        let powers = self.setup.powers()?;
        Ok(Pilots {
            duration: duration_of(0, seconds)?,
            joules: power.watts.map(|unit| {
                let joules = powers.iter().map(|power| unit * power * own);
                joules.collect()
            }),
        })
    }

    /// The channels of the current block.
    fn drawn<'a>(&self, current: &'a Current) -> Result<&'a [Matrix], RadioError> {
        if current.channels.get().is_none() {
            let channels = self.setup.channels(current.block, current.entered)?;
            current.channels.get_or_init(|| channels);
        }
        Ok(current.channels.get().expect("drawn just above"))
    }

    /// Time and energy of rounds in the current block.
    fn schedule<'a>(&'a self, current: &'a Current) -> Result<&'a dyn Schedule, RadioError> {
        if self.schedule.get().is_none() {
            let setup = &*self.setup;
            let schedule = match setup.sends() {
                true => setup.scheme.schedule(&Terms {
                    powers: setup.powers()?,
                    power: setup.power,
                    bandwidth: setup.config.bandwidth,
                    coding: setup.config.coding,
                    round_overhead: setup.config.round_overhead,
                })?,
                false => Some(Box::new(setup.silence()) as Box<dyn Schedule>),
            };
            self.schedule.get_or_init(|| schedule);
        }
        match self.schedule.get().and_then(Option::as_deref) {
            Some(schedule) => Ok(schedule),
            None => Ok(self.link(current)?),
        }
    }

    /// The link of the current block.
    fn link<'a>(&self, current: &'a Current) -> Result<&'a dyn Link, RadioError> {
        current.needed.store(true, Relaxed);
        if current.link.get().is_none() {
            let link = self.prepare(current)?;
            current.link.get_or_init(|| link);
        }
        Ok(current.link.get().expect("prepared just above").as_ref())
    }

    fn prepare(&self, current: &Current) -> Result<Box<dyn Link>, RadioError> {
        if let Some(link) = self.setup.without_channels() {
            return Ok(link);
        }
        let channels = self.drawn(current)?;
        self.setup.prepare(channels, current.block, current.entered)
    }
}
