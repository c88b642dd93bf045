//! A wire between two nodes.
//!
//! A message of b bits takes
//!
//! t = t_m + b/R + d + j,
//!
//! with t_m the cost of every message, R the rate, d the delay, and j a jitter that is
//! exponentially distributed. The wire is busy for t_m + b/R; for d + j the message is under way
//! and the next one may be sent. Measured home networks are ruled by t_m, not by R. The energy is
//! b times the joules per bit, the sender's.

use crate::rng::Streams;
use crate::units::{Duration, DurationError};
use rand::RngExt;

/// What a wire does, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WireTerms {
    /// R in bit/s, above zero.
    pub rate: f64,
    /// d in seconds.
    pub delay: f64,
    /// The mean of j in seconds.
    pub jitter: f64,
    /// t_m in seconds.
    pub per_message: f64,
    /// Joules of every bit.
    pub joules_per_bit: f64,
}

/// A wire of one run.
#[derive(Debug, Clone, Copy)]
pub struct Wire {
    terms: WireTerms,
    /// What tells its draws from those of other wires.
    number: u32,
    streams: Streams,
}

/// What a message takes of a wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sent {
    /// How long the wire is busy.
    pub duration: Duration,
    /// The sender's energy.
    pub joules: f64,
}

impl Wire {
    /// The wire that is link number `number` of a system.
    pub fn new(terms: WireTerms, number: u16, streams: Streams) -> Self {
        Self {
            terms,
            number: u32::from(number),
            streams,
        }
    }

    /// A message of `bits`.
    ///
    /// # Errors
    /// If it is too long for the clock.
    pub fn send(&self, bits: u64) -> Result<Sent, DurationError> {
        let seconds = self.terms.per_message + bits as f64 / self.terms.rate;
        Ok(Sent {
            duration: Duration::from_seconds(seconds)?,
            joules: bits as f64 * self.terms.joules_per_bit,
        })
    }

    /// How long the message whose draws have the number `index` is under way.
    ///
    /// # Errors
    /// If that is too long for the clock.
    pub fn latency(&self, index: u64) -> Result<Duration, DurationError> {
        let mut jitter = 0.0;
        if self.terms.jitter > 0.0 {
            let mut stream = self.streams.open("wire.jitter", self.number, index);
            let uniform: f64 = stream.random();
            jitter = -self.terms.jitter * libm::log1p(-uniform);
        }
        Duration::from_seconds(self.terms.delay + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(jitter: f64) -> Wire {
        let terms = WireTerms {
            rate: 1e6,
            delay: 8e-3,
            jitter,
            per_message: 50e-6,
            joules_per_bit: 2e-9,
        };
        Wire::new(terms, 1, Streams { seed: 1, run: 0 })
    }

    #[test]
    fn a_message_has_its_cost_its_bits_and_its_delay() {
        let sent = wire(0.0).send(1000).unwrap();
        assert_eq!(sent.duration, Duration(1_050_000_000));
        assert!((sent.joules - 2e-6).abs() < 1e-18);
        assert_eq!(wire(0.0).latency(7).unwrap(), Duration(8_000_000_000));
    }

    #[test]
    fn jitter_has_its_mean_and_belongs_to_the_message() {
        let wire = wire(2e-3);
        let draws = 4000;
        let sum: f64 = (0..draws).map(|n| wire.latency(n).unwrap().as_seconds()).sum();
        assert!((sum / draws as f64 - 10e-3).abs() < 2e-4);
        assert_eq!(wire.latency(3).unwrap(), wire.latency(3).unwrap());
    }
}
