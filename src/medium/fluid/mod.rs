//! Transfers that share a band, as fluid: each has a part of the band, bits flow at the rate of
//! that part, and all parts are decided anew whenever a transfer begins or ends and wherever a
//! coherence block of one of them does.
//!
//! ```text
//! begin(id, bits, now) ─┐                    rate(id, part, at) ◀─ Rates: a channel, a wire
//! end(id, now) ─────────┴─▶ Band ─▶ ends() ─▶ when each transfer ends if no other begins
//! ```
//!
//! A caller that simulates events asks [`Band::ends`] after each change and moves the ends of
//! the transfers that it has under way. A projection already has the ends of the others in it,
//! so that only a beginning or an end before its time moves anything.
//!
//! **Bits are conserved.** Flow is counted in whole units of 2⁻³² bit/s × 1 ps: a rate is
//! rounded down to a multiple of 2⁻³² bit/s once (from 2²⁰ bit/s on an f64 is one), what flows
//! in a span of time is an exact product, and the remainder of a transfer is an exact
//! difference. So it does not matter at which instants anybody asks, the parts of a transfer add
//! up to the whole bit for bit, and a transfer ends at the first picosecond at which nothing is
//! left: its time is rounded up once.
//!
//! **Silence.** A transfer whose block carries nothing waits for the next one. If nothing flows
//! and no block will end, or nothing has ended for [`MOST_BLOCKS`] blocks, that is an error that
//! names the transfer, never an endless search.

mod error;
mod sharing;
#[cfg(test)]
mod tests;

pub use error::FluidError;

use crate::radio::{RadioError, Sharing};
use crate::units::{Duration, DurationError, Instant};
use std::fmt;

/// Blocks after which a projection in which nothing ends is given up.
pub const MOST_BLOCKS: u32 = 1 << 20;

/// The longest transfer in bits: 2⁵⁶, nine petabytes.
pub const MOST_BITS: u64 = 1 << 56;

/// Parts of one bit/s in which rates are counted.
const PARTS: u128 = 1 << 32;
/// Units of flow in a bit: parts of a bit/s × picoseconds.
const UNITS_PER_BIT: u128 = PARTS * 1_000_000_000_000;

/// How long `bits` take at a steady rate, rounded up once: as on a band of that rate alone.
///
/// # Errors
/// If that is longer than simulated time can hold.
pub fn steady(bits: u64, bits_per_second: f64) -> Result<Duration, DurationError> {
    let units = u128::from(bits.min(MOST_BITS)) * UNITS_PER_BIT;
    let span = match parts(bits_per_second) {
        0 if bits > 0 => u128::MAX,
        rate => units.div_ceil(rate.max(1)),
    };
    let span = u64::try_from(span).ok().filter(|_| bits <= MOST_BITS);
    span.map(Duration).ok_or(DurationError {
        seconds: bits as f64 / bits_per_second,
    })
}

/// A rate in parts of a bit/s; beyond what a u128 holds, the largest.
fn parts(bits_per_second: f64) -> u128 {
    (bits_per_second * PARTS as f64) as u128
}

/// What flows, and for how long it stays so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Bits per second; zero where nothing gets through.
    pub bits_per_second: f64,
    /// When that may change: the end of the coherence block, later than the instant asked for.
    /// `None` if it never does.
    pub until: Option<Instant>,
}

/// What carries transfers over parts of a band.
pub trait Rates<K> {
    /// What `transfer` gets on the part `share` of the band, above 0 and at most 1, at `at`.
    /// It grows with the part and is concave in it.
    ///
    /// # Errors
    /// If the channel is not known there.
    fn rate(&self, transfer: K, share: f64, at: Instant) -> Result<Rate, RadioError>;
}

impl<K, F: Fn(K, f64, Instant) -> Result<Rate, RadioError>> Rates<K> for F {
    fn rate(&self, transfer: K, share: f64, at: Instant) -> Result<Rate, RadioError> {
        self(transfer, share, at)
    }
}

/// When a transfer ends if nothing else begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending<K> {
    /// The transfer.
    pub id: K,
    /// Its end.
    pub at: Instant,
    /// How long it will have sent by then: while it had a part of the band on which something
    /// got through.
    pub airtime: Duration,
}

/// What became of a transfer that is no longer under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Bits that arrived.
    pub delivered: u64,
    /// Bits that did not, begun ones included; zero unless it was broken off.
    pub left: u64,
    /// How long it has sent.
    pub airtime: Duration,
}

#[derive(Debug, Clone)]
struct Transfer<K> {
    id: K,
    bits: u64,
    /// Units of flow.
    left: u128,
    /// Units of flow per picosecond, since the last decision.
    rate: u128,
    airtime: Duration,
    ended: Option<Instant>,
}

/// A band and what is under way on it.
#[derive(Debug, Clone)]
pub struct Band<K> {
    sharing: Sharing,
    now: Instant,
    /// In the order of their beginnings.
    transfers: Vec<Transfer<K>>,
    /// Whether rates are those of the present.
    decided: bool,
    /// Until when they are.
    until: Option<Instant>,
}

impl<K: Copy + Eq + fmt::Debug> Band<K> {
    /// An idle band.
    pub fn new(sharing: Sharing) -> Self {
        Self {
            sharing,
            now: Instant::ZERO,
            transfers: Vec::new(),
            decided: true,
            until: None,
        }
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.transfers.is_empty()
    }

    /// `id` begins to send `bits` at `now`, no earlier than any call before.
    ///
    /// # Errors
    /// If it has too many bits, or what is under way has no rate.
    ///
    /// # Panics
    /// If `id` is under way, or `now` lies before an earlier call.
    pub fn begin(
        &mut self,
        id: K,
        bits: u64,
        now: Instant,
        rates: &dyn Rates<K>,
    ) -> Result<(), FluidError> {
        if bits > MOST_BITS {
            let transfer = format!("{id:?}");
            return Err(FluidError::TooManyBits { transfer, bits });
        }
        assert!(
            self.transfers.iter().all(|transfer| transfer.id != id),
            "transfer {id:?} is under way already"
        );
        self.advance(now, rates)?;
        self.transfers.push(Transfer {
            id,
            bits,
            left: u128::from(bits) * UNITS_PER_BIT,
            rate: 0,
            airtime: Duration::ZERO,
            ended: (bits == 0).then_some(now),
        });
        self.decided = false;
        Ok(())
    }

    /// `id` leaves at `now`: because it has ended, or because it is broken off.
    ///
    /// # Errors
    /// If what is under way has no rate.
    ///
    /// # Panics
    /// If `id` is not under way, or `now` lies before an earlier call.
    pub fn end(&mut self, id: K, now: Instant, rates: &dyn Rates<K>) -> Result<Moved, FluidError> {
        self.advance(now, rates)?;
        let place = self.transfers.iter().position(|transfer| transfer.id == id);
        let place = place.unwrap_or_else(|| panic!("transfer {id:?} is not under way"));
        let transfer = self.transfers.remove(place);
        if transfer.ended.is_none() {
            self.decided = false;
        }
        let left = transfer.left.div_ceil(UNITS_PER_BIT) as u64;
        Ok(Moved {
            delivered: transfer.bits - left,
            left,
            airtime: transfer.airtime,
        })
    }

    /// When everything under way ends if nothing else begins, in the order of beginnings.
    ///
    /// # Errors
    /// If something never does.
    pub fn ends(&self, rates: &dyn Rates<K>) -> Result<Vec<Ending<K>>, FluidError> {
        let mut future = self.clone();
        let (mut since, mut blocks) = (future.now, 0);
        while let Some(first) = future.first() {
            let before = future.live().count();
            future.decide(rates)?;
            let silent = |blocks| FluidError::Silent {
                transfer: format!("{first:?}"),
                since,
                blocks,
            };
            let next = future.next().ok_or_else(|| silent(blocks))?;
            future.flow(next);
            if future.live().count() < before {
                (since, blocks) = (next, 0);
            } else if blocks == MOST_BLOCKS {
                return Err(silent(blocks));
            } else {
                blocks += 1;
            }
        }
        let ending = |transfer: &Transfer<K>| Ending {
            id: transfer.id,
            at: transfer.ended.expect("nothing is live"),
            airtime: transfer.airtime,
        };
        Ok(future.transfers.iter().map(ending).collect())
    }

    /// The first that still flows or waits.
    fn first(&self) -> Option<K> {
        self.live().next().map(|transfer| transfer.id)
    }

    /// What still flows or waits.
    fn live(&self) -> impl Iterator<Item = &Transfer<K>> {
        self.transfers
            .iter()
            .filter(|transfer| transfer.ended.is_none())
    }

    /// Lets everything flow up to `now`.
    fn advance(&mut self, now: Instant, rates: &dyn Rates<K>) -> Result<(), FluidError> {
        assert!(self.now <= now, "{now:?} lies before {:?}", self.now);
        while self.now < now {
            self.decide(rates)?;
            let next = self.next().map_or(now, |next| next.min(now));
            self.flow(next);
        }
        Ok(())
    }

    /// Divides the band among what is live, unless the last division still holds.
    fn decide(&mut self, rates: &dyn Rates<K>) -> Result<(), FluidError> {
        if self.decided {
            return Ok(());
        }
        let live: Vec<(K, f64)> = self
            .live()
            .map(|transfer| (transfer.id, transfer.left as f64 / UNITS_PER_BIT as f64))
            .collect();
        let found = sharing::divided(self.sharing, &live, self.now, rates)?;
        self.until = None;
        let mut found = found.into_iter();
        for transfer in &mut self.transfers {
            if transfer.ended.is_some() {
                continue;
            }
            let part = found.next().expect("one for each that is live");
            if part.bits_per_second.is_nan() || part.bits_per_second < 0.0 {
                return Err(FluidError::Rate {
                    transfer: format!("{:?}", transfer.id),
                    rate: part.bits_per_second,
                    at: self.now,
                });
            }
            transfer.rate = parts(part.bits_per_second);
            assert!(
                part.until.is_none_or(|until| until > self.now),
                "the rate of {:?} holds for no time at all",
                transfer.id
            );
            self.until = self.until.into_iter().chain(part.until).min();
        }
        self.decided = true;
        Ok(())
    }

    /// When something ends or a block does; `None` if that is beyond simulated time.
    fn next(&self) -> Option<Instant> {
        let end = |transfer: &Transfer<K>| {
            let span = transfer.left.div_ceil(transfer.rate);
            self.now.0.checked_add(span.try_into().ok()?).map(Instant)
        };
        let flowing = self.live().filter(|transfer| transfer.rate > 0);
        flowing.filter_map(end).chain(self.until).min()
    }

    /// Lets everything flow at the rates decided on up to `to`, which is not after
    /// [`next`](Self::next).
    fn flow(&mut self, to: Instant) {
        let span = to.since(self.now);
        self.now = to;
        if self.until == Some(to) {
            self.decided = false;
        }
        for transfer in &mut self.transfers {
            if transfer.ended.is_some() || transfer.rate == 0 {
                continue;
            }
            let flown = transfer.rate.saturating_mul(u128::from(span.0));
            transfer.left = transfer.left.saturating_sub(flown);
            transfer.airtime += span;
            if transfer.left == 0 {
                transfer.ended = Some(to);
                self.decided = false;
            }
        }
    }
}
