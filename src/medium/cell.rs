//! A radio cell for messages between its hub and one member, either way. From one member to
//! another a message goes through the hub, in two of them.
//!
//! On a part s of the band B a message gets
//!
//! R(s) = s B η(H, P/s, σ_z²)/(attempts)
//!
//! bit/s, with η the capacity of the channel as the radio's [`Coding`](crate::radio::Coding)
//! reaches it, log₂ det(I + P/(s N_t Γ σ_z²) H Hᴴ) up to the ceiling: the sender's whole power P
//! stays on the narrower band, whose noise is s σ_z². R is concave and grows with s. Down the
//! channel is Hᵀ (reciprocity) and all of the hub's antennas send, with the power that the
//! radio's [`Downlink`] gives it over a member's. While it sends, the sender radiates P, whatever
//! its part of the band. A member's P is its budget in watts; where budgets are joules per vector,
//! which no message is, it is the link budget's. Coding is that for the channel as it is: how well
//! it is known (`csi`) is not asked, and no pilots are sent.
//!
//! **Weather.** The channel is that of the member in its coherence block. Where blocks are spans of
//! time, a message that outlasts one goes on in the next; where every transfer has a channel of its
//! own, it keeps that one to its end.

use super::fluid::{Band, FluidError, Rate};
use crate::radio::{
    Channels, Downlink, Matrix, PowerConvention, RadioConfig, RadioError, Sharing, Transmission,
};
use crate::units::{Duration, Instant};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the member to the hub.
    Up,
    /// From the hub to the member.
    Down,
}

/// A message between the hub and a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// The member, in the order of the cell's.
    pub member: usize,
    /// Which way.
    pub direction: Direction,
    /// The number of what is transferred ([`Numbering`](super::weather::Numbering)).
    pub index: u64,
    /// When it began: a channel of its own is drawn there.
    pub began: Instant,
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
    /// The cell over `channels`, which were made under `config`.
    pub fn new(config: RadioConfig, channels: Channels) -> Self {
        let power = config.budget.resolve(config.bandwidth);
        let members = channels.devices();
        let over_member = match config.downlink {
            Downlink::Multicast { server_power, .. } => server_power.ratio(),
            Downlink::Ideal => 1.0,
        };
        Self {
            powers: match config.convention {
                PowerConvention::PowerPerUse => config.budgets(members),
                PowerConvention::EnergyPerVector { .. } => vec![power.power; members],
            },
            hub_power: power.power * over_member,
            noise: power.noise,
            watts: power.watts,
            drawn: RefCell::default(),
            config,
            channels,
        }
    }

    /// What a message of `bits` takes that has the whole band to itself from when it begins.
    ///
    /// # Errors
    /// If a trace of channels has ended, or the channel carries nothing for too long.
    pub fn send(&self, sending: &Sending, bits: u64) -> Result<Transmission, FluidError> {
        let rates = |message: Sending, share: f64, at: Instant| self.rate(&message, share, at);
        let mut band = Band::new(Sharing::Exclusive);
        band.begin(*sending, bits, sending.began, &rates)?;
        let ending = band.ends(&rates)?[0];
        let watts = self.watts(sending.member, sending.direction);
        Ok(Transmission {
            duration: ending.at.since(sending.began),
            bits,
            channel_uses: self.uses(ending.airtime),
            joules: watts.map(|watts| watts * ending.airtime.as_seconds()),
        })
    }

    /// Channel uses of the whole band in `airtime`.
    fn uses(&self, airtime: Duration) -> u64 {
        (airtime.as_seconds() * self.config.bandwidth.0).ceil() as u64
    }

    /// What carries `sending` on the part `share` of the band at `at`, and until when.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub fn rate(&self, sending: &Sending, share: f64, at: Instant) -> Result<Rate, RadioError> {
        let coherence = self.config.coherence;
        let block = coherence.block(sending.index, at);
        let next = coherence.start(block.saturating_add(1));
        // One block for the whole run, or for the whole transfer, has no end.
        let until = next.filter(|next| *next > at);
        let entered = coherence.start(block).unwrap_or(sending.began);
        let mut drawn = self.drawn.borrow_mut();
        let known = drawn.get(&sending.member);
        if known.is_none_or(|(number, time, _)| (*number, *time) != (block, entered)) {
            let channel = self.channels.block(sending.member, block, entered)?;
            drawn.insert(sending.member, (block, entered, channel));
        }
        let (_, _, channel) = &drawn[&sending.member];
        let power = self.power(sending.member, sending.direction) / share;
        let coding = self.config.coding;
        let efficiency = match sending.direction {
            Direction::Up => coding.efficiency(channel, power, self.noise),
            Direction::Down => coding.efficiency(&channel.transpose(), power, self.noise),
        };
        Ok(Rate {
            bits_per_second: efficiency / coding.attempts() * self.config.bandwidth.0 * share,
            until,
        })
    }

    /// Watts that a sender radiates; `None` if a unit of power has none.
    pub fn watts(&self, member: usize, direction: Direction) -> Option<f64> {
        self.watts.map(|unit| unit * self.power(member, direction))
    }

    fn power(&self, member: usize, direction: Direction) -> f64 {
        match direction {
            Direction::Up => self.powers[member],
            Direction::Down => self.hub_power,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{Coding, Coherence, Fading, LinkBudget, LinkRate, Rician, mimo_capacity};
    use crate::rng::Streams;
    use crate::units::{Decibels, Hertz, Seconds, SpectralEfficiency, Watts};

    const STREAMS: Streams = Streams { seed: 8, run: 0 };

    /// Whose hub has `hub` decibels more than a member.
    fn cell(config: RadioConfig, hub: f64) -> Cell {
        let config = RadioConfig {
            downlink: Downlink::Multicast {
                bits: 8,
                rate: LinkRate::Drawn,
                server_power: Decibels(hub),
            },
            ..config
        };
        let channels = Channels::new(&config, 3, STREAMS, None).unwrap();
        Cell::new(config, channels)
    }

    /// One antenna each, no fading: 20 dB in 10 MHz, 0.2 W a unit.
    fn plain() -> RadioConfig {
        RadioConfig {
            bandwidth: Hertz(10e6),
            device_antennas: 1,
            server_antennas: 1,
            fading: Fading::Rician(Rician {
                mean: 1.0,
                variance: 0.0,
            }),
            coherence: Coherence::Static,
            budget: LinkBudget::Normalised {
                snr: Decibels(20.0),
                reference_power: Some(Watts(0.2)),
            },
            budget_offsets: [(2, Decibels(-10.0))].into(),
            ..RadioConfig::default()
        }
    }

    fn sending(member: usize, direction: Direction) -> Sending {
        Sending {
            member,
            direction,
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
            for (member, direction, ratio) in [
                (0, Direction::Up, 100.0),
                (2, Direction::Up, 10.0),
                (0, Direction::Down, 1000.0),
                (2, Direction::Down, 1000.0),
            ] {
                let rate = cell
                    .rate(&sending(member, direction), share, Instant(3))
                    .unwrap();
                let expected = share * 10e6 * (1.0 + ratio / share).log2();
                close(rate.bits_per_second, expected);
                assert_eq!(rate.until, None);
            }
        }
        close(cell.watts(0, Direction::Up).unwrap(), 0.2);
        close(cell.watts(2, Direction::Up).unwrap(), 0.02);
        close(cell.watts(2, Direction::Down).unwrap(), 2.0);
    }

    #[test]
    fn codes_stay_behind_capacity_either_way() {
        let coding = Coding {
            gap: Decibels(10.0),
            ceiling: Some(SpectralEfficiency(5.0)),
            block_error_rate: 0.2,
        };
        let cell = cell(RadioConfig { coding, ..plain() }, 10.0);
        let rate = |direction| {
            cell.rate(&sending(0, direction), 1.0, Instant::ZERO)
                .unwrap()
        };
        close(
            rate(Direction::Up).bits_per_second,
            0.8 * 10e6 * 11f64.log2(),
        );
        close(rate(Direction::Down).bits_per_second, 0.8 * 10e6 * 5.0);
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
        let rate = |direction| {
            cell.rate(&sending(1, direction), 0.25, Instant::ZERO)
                .unwrap()
        };
        let up = mimo_capacity(&channel, 4.0, 0.01);
        let down = mimo_capacity(&channel.transpose(), 4.0, 0.01);
        close(rate(Direction::Up).bits_per_second, 2.5e6 * up);
        close(rate(Direction::Down).bits_per_second, 2.5e6 * down);
        assert!(down < up);
        assert_eq!(cell.watts(1, Direction::Up), None);
    }

    #[test]
    fn blocks_in_time_end_and_own_channels_last() {
        let fading = RadioConfig {
            coherence: Coherence::Time(Seconds(1e-3)),
            ..RadioConfig::default()
        };
        let timed = cell(fading.clone(), 0.0);
        let at = |cell: &Cell, index, at| {
            let message = Sending {
                index,
                ..sending(1, Direction::Up)
            };
            cell.rate(&message, 1.0, Instant(at)).unwrap()
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

    /// 20 kbit/s at B log₂(1 + γ): alone, and two at a time on half the band each, whose noise is
    /// half.
    #[test]
    fn messages_take_their_bits_over_the_rate() {
        let cell = cell(plain(), 0.0);
        let bits = 20_000;
        let sent = cell.send(&sending(0, Direction::Up), bits).unwrap();
        let seconds = 20_000.0 / (10e6 * 101f64.log2());
        assert!(sent.duration.0.abs_diff((seconds * 1e12).ceil() as u64) <= 1);
        close(sent.joules.unwrap(), 0.2 * sent.duration.as_seconds());
        assert_eq!(sent.channel_uses, (seconds * 10e6).ceil() as u64);

        let rates = |message: Sending, share: f64, at: Instant| cell.rate(&message, share, at);
        let mut band = Band::new(Sharing::Equal);
        for member in 0..2 {
            let message = sending(member, Direction::Up);
            band.begin(message, bits, Instant::ZERO, &rates).unwrap();
        }
        let seconds = 20_000.0 / (5e6 * 201f64.log2());
        for ending in band.ends(&rates).unwrap() {
            assert!(ending.at.0.abs_diff((seconds * 1e12).ceil() as u64) <= 1);
        }
    }

    /// The bits of a message are those of its blocks, each at its own rate.
    #[test]
    fn a_message_lasts_blocks_with_rates_of_their_own() {
        let cell = cell(
            RadioConfig {
                bandwidth: Hertz(1e6),
                coherence: Coherence::Time(Seconds(1e-3)),
                fading: Fading::default(),
                ..plain()
            },
            0.0,
        );
        let message = Sending {
            began: Instant(400_000_000),
            ..sending(1, Direction::Down)
        };
        let sent = cell.send(&message, 30_000).unwrap();
        let end = message.began.0 + sent.duration.0;
        assert!(end > 3_000_000_000);
        let mut carried = 0.0;
        for block in 0..=end / 1_000_000_000 {
            let from = (block * 1_000_000_000).max(message.began.0);
            let to = ((block + 1) * 1_000_000_000).min(end);
            let rate = cell.rate(&message, 1.0, Instant(from)).unwrap();
            carried += rate.bits_per_second * (to - from) as f64 * 1e-12;
        }
        assert!((carried - 30_000.0).abs() < 1e-4, "{carried}");
    }
}
