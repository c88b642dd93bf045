//! Point to point over a radio cell: between its hub and one member, either way, and from one
//! member to another through the hub, in two hops.
//!
//! On a part s of the band B a hop carries
//!
//! R(s) = s B η(H, P/s, σ_z²)/(attempts)
//!
//! bit/s, with η the capacity of the channel as the radio's [`Coding`](crate::radio::Coding)
//! reaches it, log₂ det(I + P/(s N_t Γ σ_z²) H Hᴴ) up to the ceiling: the sender's whole power P
//! stays on the narrower band, whose noise is s σ_z². R is concave and grows with s. Down the
//! channel is Hᵀ (reciprocity) and all of the hub's antennas send, as in a
//! [`Downlink`](crate::radio::Downlink). While it sends, the sender radiates P, whatever its part of the band.
//!
//! **Weather.** The channel is that of the member in its coherence block. Where blocks are spans of
//! time, a hop that outlasts one goes on in the next; where every transfer has a channel of its
//! own, it keeps that one to its end.

use crate::radio::{Channels, Matrix, PowerConvention, RadioConfig, RadioError};
use crate::units::{Decibels, FieldFault, Instant};
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::fluid::Rate;

/// Which way a hop goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From the member to the hub.
    Up,
    /// From the hub to the member.
    Down,
}

/// One transmission between the hub and a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The member, in the order of the cell's.
    pub member: usize,
    /// Which way.
    pub way: Way,
    /// The number of what is transferred ([`Numbering`](super::weather::Numbering)).
    pub index: u64,
    /// When it began: a channel of its own is drawn there.
    pub began: Instant,
}

/// One end of a transfer in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The hub.
    Hub,
    /// A member, in the order of the cell's.
    Member(usize),
}

/// The hops from one end to another, in order: none from an end to itself.
pub fn route(from: End, to: End) -> Vec<(usize, Way)> {
    match (from, to) {
        (End::Member(from), End::Member(to)) if from == to => Vec::new(),
        (End::Member(from), End::Member(to)) => vec![(from, Way::Up), (to, Way::Down)],
        (End::Member(from), End::Hub) => vec![(from, Way::Up)],
        (End::Hub, End::Member(to)) => vec![(to, Way::Down)],
        (End::Hub, End::Hub) => Vec::new(),
    }
}

/// A radio cell that carries messages.
#[derive(Debug)]
pub struct Cell {
    config: RadioConfig,
    channels: Channels,
    /// P of the members, and of the hub, in units.
    powers: Vec<f64>,
    hub_power: f64,
    noise: f64,
    watts: Option<f64>,
    /// H of the block that each member was last asked for.
    drawn: RefCell<BTreeMap<usize, (u64, Instant, Matrix)>>,
}

impl Cell {
    /// The cell over `channels`, which were made under `config`; the hub's power over the
    /// members' common one is `hub_power`.
    ///
    /// # Errors
    /// If a field is impossible, or budgets are joules per vector, which no message is.
    pub fn new(
        config: RadioConfig,
        channels: Channels,
        hub_power: Decibels,
    ) -> Result<Self, FieldFault> {
        config.validate(channels.devices())?;
        FieldFault::unless_positive("server_power", hub_power.ratio())?;
        if config.convention != PowerConvention::PowerPerUse {
            let message = "messages from one node to another have watts, not joules per \
                           all-reduce; use PowerPerUse";
            return Err(FieldFault::new("convention", message));
        }
        let power = config.budget.resolve(config.bandwidth);
        Ok(Self {
            powers: config.budgets(channels.devices()),
            hub_power: power.power * hub_power.ratio(),
            noise: power.noise,
            watts: power.watts,
            drawn: RefCell::default(),
            config,
            channels,
        })
    }

    /// What carries `hop` on the part `share` of the band at `at`, and until when.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub fn rate(&self, hop: &Hop, share: f64, at: Instant) -> Result<Rate, RadioError> {
        let coherence = self.config.coherence;
        let block = coherence.block(hop.index, at);
        let next = coherence.start(block.saturating_add(1));
        // One block for the whole run, or for the whole transfer, has no end.
        let until = next.filter(|next| *next > at);
        let entered = coherence.start(block).unwrap_or(hop.began);
        let mut drawn = self.drawn.borrow_mut();
        let known = drawn.get(&hop.member);
        if known.is_none_or(|(number, time, _)| (*number, *time) != (block, entered)) {
            let channel = self.channels.block(hop.member, block, entered)?;
            drawn.insert(hop.member, (block, entered, channel));
        }
        let (_, _, channel) = &drawn[&hop.member];
        let power = self.power(hop.member, hop.way) / share;
        let coding = self.config.coding;
        let efficiency = match hop.way {
            Way::Up => coding.efficiency(channel, power, self.noise),
            Way::Down => coding.efficiency(&channel.transpose(), power, self.noise),
        };
        Ok(Rate {
            bits_per_second: efficiency / coding.attempts() * self.config.bandwidth.0 * share,
            until,
        })
    }

    /// Watts that a sender radiates; `None` if a unit of power has none.
    pub fn watts(&self, member: usize, way: Way) -> Option<f64> {
        self.watts.map(|unit| unit * self.power(member, way))
    }

    fn power(&self, member: usize, way: Way) -> f64 {
        match way {
            Way::Up => self.powers[member],
            Way::Down => self.hub_power,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{Coding, Coherence, Fading, LinkBudget, mimo_capacity};
    use crate::rng::Streams;
    use crate::units::{Hertz, Seconds, SpectralEfficiency, Watts};

    const STREAMS: Streams = Streams { seed: 8, run: 0 };

    fn cell(config: RadioConfig, hub: f64) -> Cell {
        let channels = Channels::new(&config, 3, STREAMS, None).unwrap();
        Cell::new(config, channels, Decibels(hub)).unwrap()
    }

    /// One antenna each, no fading: 20 dB in 10 MHz, 0.2 W a unit.
    fn plain() -> RadioConfig {
        RadioConfig {
            bandwidth: Hertz(10e6),
            device_antennas: 1,
            server_antennas: 1,
            fading: Fading::Rician {
                mean: 1.0,
                variance: 0.0,
            },
            coherence: Coherence::Static,
            budget: LinkBudget::Normalised {
                snr: Decibels(20.0),
                reference_power: Some(Watts(0.2)),
            },
            budget_offsets: [(2, Decibels(-10.0))].into(),
            ..RadioConfig::default()
        }
    }

    fn hop(member: usize, way: Way) -> Hop {
        Hop {
            member,
            way,
            index: 5,
            began: Instant::ZERO,
        }
    }

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    }

    /// s B log₂(1 + γ/s), with γ = 100 up, 10 from the weak member, 1000 down.
    #[test]
    fn one_antenna_each_is_shannons() {
        let cell = cell(plain(), 10.0);
        for share in [1.0, 0.5, 0.01] {
            for (member, way, ratio) in [
                (0, Way::Up, 100.0),
                (2, Way::Up, 10.0),
                (0, Way::Down, 1000.0),
                (2, Way::Down, 1000.0),
            ] {
                let rate = cell.rate(&hop(member, way), share, Instant(3)).unwrap();
                let expected = share * 10e6 * (1.0 + ratio / share).log2();
                close(rate.bits_per_second, expected);
                assert_eq!(rate.until, None);
            }
        }
        close(cell.watts(0, Way::Up).unwrap(), 0.2);
        close(cell.watts(2, Way::Up).unwrap(), 0.02);
        close(cell.watts(2, Way::Down).unwrap(), 2.0);
    }

    #[test]
    fn codes_stay_behind_capacity_either_way() {
        let coding = Coding {
            gap: Decibels(10.0),
            ceiling: Some(SpectralEfficiency(5.0)),
            block_error_rate: 0.2,
        };
        let cell = cell(RadioConfig { coding, ..plain() }, 10.0);
        let rate = |way| cell.rate(&hop(0, way), 1.0, Instant::ZERO).unwrap();
        close(rate(Way::Up).bits_per_second, 0.8 * 10e6 * 11f64.log2());
        close(rate(Way::Down).bits_per_second, 0.8 * 10e6 * 5.0);
    }

    /// Up, a member's antennas share its power; down, the hub's many share the hub's.
    #[test]
    fn many_antennas_are_reciprocal() {
        let config = RadioConfig {
            coherence: Coherence::PerAllReduce,
            ..RadioConfig::default()
        };
        let channels = Channels::new(&config, 3, STREAMS, None).unwrap();
        let channel = channels.block(1, 5, Instant::ZERO).unwrap();
        let cell = cell(config, 0.0);
        let rate = |way| cell.rate(&hop(1, way), 0.25, Instant::ZERO).unwrap();
        let up = mimo_capacity(&channel, 4.0, 0.01);
        let down = mimo_capacity(&channel.transpose(), 4.0, 0.01);
        close(rate(Way::Up).bits_per_second, 2.5e6 * up);
        close(rate(Way::Down).bits_per_second, 2.5e6 * down);
        assert!(down < up);
        assert_eq!(cell.watts(1, Way::Up), None);
    }

    #[test]
    fn blocks_in_time_end_and_own_channels_last() {
        let fading = RadioConfig {
            coherence: Coherence::Time(Seconds(1e-3)),
            ..RadioConfig::default()
        };
        let timed = cell(fading.clone(), 0.0);
        let at = |cell: &Cell, index, at| {
            let hop = Hop {
                index,
                ..hop(1, Way::Up)
            };
            cell.rate(&hop, 1.0, Instant(at)).unwrap()
        };
        let first = at(&timed, 5, 999_999_999);
        assert_eq!(first.until, Some(Instant(1_000_000_000)));
        assert_eq!(at(&timed, 6, 0), first);
        let second = at(&timed, 5, 1_000_000_000);
        assert_eq!(second.until, Some(Instant(2_000_000_000)));
        assert_ne!(first.bits_per_second, second.bits_per_second);
        let own = cell(
            RadioConfig {
                coherence: Coherence::PerAllReduce,
                ..fading
            },
            0.0,
        );
        assert_eq!(at(&own, 5, 0), at(&own, 5, 5_000_000_000));
        assert_eq!(at(&own, 5, 0).until, None);
        assert_ne!(at(&own, 5, 0), at(&own, 6, 0));
    }

    #[test]
    fn members_meet_at_the_hub() {
        let (hub, one, two) = (End::Hub, End::Member(1), End::Member(2));
        assert_eq!(route(one, two), [(1, Way::Up), (2, Way::Down)]);
        assert_eq!(route(one, hub), [(1, Way::Up)]);
        assert_eq!(route(hub, two), [(2, Way::Down)]);
        assert!(route(one, one).is_empty() && route(hub, hub).is_empty());
    }

    #[test]
    fn what_has_no_watts_is_refused() {
        let config = RadioConfig {
            convention: PowerConvention::EnergyPerVector {
                energy: crate::units::Joules(1.0),
                charge: Default::default(),
            },
            ..plain()
        };
        let channels = Channels::new(&config, 3, STREAMS, None).unwrap();
        let fault = Cell::new(config, channels, Decibels(0.0)).unwrap_err();
        assert_eq!(fault.path, "convention");
    }
}
