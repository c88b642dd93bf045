//! A radio cell for messages between its hub and one member, one at a time on the whole band.
//!
//! The rate in coherence block b is η_b B/a bit/s, with η_b = min(η_max, C(γ_b/Γ)) the spectral
//! efficiency of the member's N_r × N_t channel in that block (the same both ways: reciprocity),
//! B the bandwidth, and a = 1/(1 − p) the attempts per block of code. A message that outlasts a
//! coherence block goes on at the next block's rate: its bits are conserved,
//!
//! Σ_b t_b η_b B/a = bits.

use crate::radio::{Channels, Downlink, LinkPower, RadioConfig, RadioError, Transmission};
use crate::units::{Duration, FieldFault, Instant};

/// Coherence blocks that a message may last. One that a dead channel holds up for longer is
/// refused, not waited for.
const MOST_BLOCKS: u32 = 1 << 20;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a member to the hub.
    Up,
    /// From the hub to a member.
    Down,
}

/// A radio cell.
#[derive(Debug)]
pub struct Cell {
    config: RadioConfig,
    channels: Channels,
    power: LinkPower,
}

impl Cell {
    /// The cell of `config` with the channels of its members.
    pub fn new(config: RadioConfig, channels: Channels) -> Self {
        Self {
            power: config.budget.resolve(config.bandwidth),
            config,
            channels,
        }
    }

    /// What the sender radiates, in units of the budget.
    fn radiated(&self, direction: Direction) -> f64 {
        match (direction, self.config.downlink) {
            (Direction::Down, Downlink::Multicast { server_power, .. }) => {
                self.power.power * server_power.ratio()
            }
            _ => self.power.power,
        }
    }

    /// bit/s between the hub and `member` in coherence block `block`, which is entered at `now`.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub fn rate(
        &self,
        member: usize,
        direction: Direction,
        block: u64,
        now: Instant,
    ) -> Result<f64, RadioError> {
        let channel = self.channels.block(member, block, now)?;
        let coding = self.config.coding;
        let radiated = self.radiated(direction);
        let efficiency = match direction {
            Direction::Up => coding.efficiency(&channel, radiated, self.power.noise),
            Direction::Down => {
                coding.efficiency(&channel.transpose(), radiated, self.power.noise)
            }
        };
        Ok(efficiency * self.config.bandwidth.0 / coding.attempts())
    }

    /// A message of `bits` between the hub and `member` that starts `now`; `index` numbers its
    /// draws where every message has a channel of its own.
    ///
    /// # Errors
    /// If a trace of channels has ended, or the channel carries nothing for too long.
    pub fn send(
        &self,
        member: usize,
        direction: Direction,
        bits: u64,
        index: u64,
        now: Instant,
    ) -> Result<Transmission, RadioError> {
        let coherence = self.config.coherence;
        let mut block = coherence.block(index, now);
        let (mut at, mut left, mut seconds) = (now, bits as f64, 0.0);
        for _ in 0..MOST_BLOCKS {
            let rate = self.rate(member, direction, block, at)?;
            let next = coherence.start(block + 1).filter(|start| *start > at);
            let room = next
                .filter(|_| matches!(coherence, crate::radio::Coherence::Time(_)))
                .map(|next| next.since(at));
            let needs = left / rate;
            match room {
                Some(room) if !(needs <= room.as_seconds()) => {
                    left -= rate.max(0.0) * room.as_seconds();
                    seconds += room.as_seconds();
                    at = at + room;
                    block += 1;
                }
                _ => {
                    seconds += needs;
                    let duration = Duration::from_seconds(seconds)
                        .map_err(|source| RadioError::TooLong { device: member, source })?;
                    let unit = self.power.watts;
                    return Ok(Transmission {
                        duration,
                        bits,
                        channel_uses: (seconds * self.config.bandwidth.0).ceil() as u64,
                        joules: unit.map(|unit| unit * self.radiated(direction) * seconds),
                    });
                }
            }
        }
        let message = format!(
            "member {member} is out of reach for {MOST_BLOCKS} coherence blocks; raise \
             the power or bring it nearer"
        );
        Err(FieldFault::new("budget", message).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{Coherence, Fading, LinkBudget};
    use crate::rng::Streams;
    use crate::units::{Decibels, Hertz, Seconds};

    fn cell(coherence: Coherence) -> Cell {
        let config = RadioConfig {
            bandwidth: Hertz(1e6),
            device_antennas: 1,
            server_antennas: 1,
            coherence,
            fading: Fading::default(),
            budget: LinkBudget::Normalised {
                snr: Decibels(10.0),
                reference_power: None,
            },
            ..RadioConfig::default()
        };
        let channels = Channels::new(&config, 2, Streams { seed: 5, run: 0 }, None).unwrap();
        Cell::new(config, channels)
    }

    #[test]
    fn one_antenna_each_has_shannons_rate() {
        let cell = cell(Coherence::Static);
        let channel = cell.channels.block(1, 0, Instant::ZERO).unwrap();
        let expected = 1e6 * (1.0 + 10.0 * channel[(0, 0)].norm_sqr()).log2();
        for direction in [Direction::Up, Direction::Down] {
            let rate = cell.rate(1, direction, 0, Instant::ZERO).unwrap();
            assert!((rate / expected - 1.0).abs() < 1e-12);
        }
        let sent = cell.send(1, Direction::Up, 12_345, 0, Instant::ZERO).unwrap();
        assert!((sent.duration.as_seconds() * expected / 12_345.0 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_message_goes_on_at_the_rates_of_the_blocks_that_it_lasts() {
        let cell = cell(Coherence::Time(Seconds(1e-3)));
        let start = Instant(400_000_000);
        let bits = 20_000u64;
        let sent = cell.send(0, Direction::Up, bits, 9, start).unwrap();
        let end = start + sent.duration;
        let mut carried = 0.0;
        for block in 0..=end.0 / 1_000_000_000 {
            let from = (block * 1_000_000_000).max(start.0);
            let to = ((block + 1) * 1_000_000_000).min(end.0);
            let rate = cell.rate(0, Direction::Up, block, Instant(from)).unwrap();
            carried += rate * (to - from) as f64 * 1e-12;
        }
        assert!((carried - bits as f64).abs() < 1e-3, "{carried}");
        assert!(end.0 > 2_000_000_000, "it lasts several blocks");
    }
}
