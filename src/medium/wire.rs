//! A wire: an Ethernet segment, a backhaul, the Internet between an edge and a cloud.
//!
//! A message of b bits occupies the wire for
//!
//! per_message + b/rate
//!
//! and is there `delay` later, plus, where the wire has one, a jitter that is exponential with
//! the given mean. What waits for the wire waits for the first part only: the second is spent
//! on the way, beside whatever follows. In networks at home the cost per message rules: bits
//! over rate alone can be ten times too short.
//!
//! Randomness: the jitter is the first draw of the stream (`"medium.jitter"`, sender, what is
//! transferred) of the wire's own streams ([`Streams::of_link`](crate::rng::Streams::of_link)),
//! so that it does not depend on what was sent before.

use super::fluid::steady;
use crate::rng::Streams;
use crate::units::{Duration, DurationError, FieldFault};
use rand::RngExt;

/// What a message over a wire takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WireTerms {
    /// Bits per second.
    pub rate: f64,
    /// From leaving the one end to reaching the other, in seconds.
    pub delay: f64,
    /// The mean of what comes on top of the delay, in seconds.
    pub jitter: f64,
    /// What every message occupies the wire for beside its bits, in seconds.
    pub per_message: f64,
    /// Joules per bit.
    pub energy_per_bit: f64,
}

/// A wire of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wire {
    terms: WireTerms,
    streams: Streams,
}

/// One message over a wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message {
    /// How long it occupies the wire, if it has it alone.
    pub occupied: Duration,
    /// How much later it is there: delay and jitter.
    pub later: Duration,
    /// What it costs.
    pub joules: f64,
}

impl Message {
    /// From its first bit's departure to its arrival.
    pub fn duration(self) -> Duration {
        self.occupied + self.later
    }
}

impl WireTerms {
    /// Checks every value.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(self) -> Result<(), FieldFault> {
        FieldFault::unless_positive("rate", self.rate)?;
        for (path, value) in [
            ("delay", self.delay),
            ("jitter", self.jitter),
            ("per_message", self.per_message),
            ("energy_per_bit", self.energy_per_bit),
        ] {
            FieldFault::if_negative(path, value)?;
        }
        Ok(())
    }
}

impl Wire {
    /// A wire with `streams` of its own.
    ///
    /// # Errors
    /// If a value of `terms` is impossible.
    pub fn new(terms: WireTerms, streams: Streams) -> Result<Self, FieldFault> {
        terms.validate()?;
        Ok(Self { terms, streams })
    }

    /// Its terms.
    pub fn terms(&self) -> WireTerms {
        self.terms
    }

    /// A message of `bits` from the node number `sender`; `index` is the number of what is
    /// transferred ([`Numbering`](super::weather::Numbering)).
    ///
    /// # Errors
    /// If it takes longer than simulated time can hold.
    pub fn message(&self, bits: u64, sender: u32, index: u64) -> Result<Message, DurationError> {
        let WireTerms {
            rate,
            per_message,
            energy_per_bit,
            ..
        } = self.terms;
        Ok(Message {
            occupied: Duration::from_seconds(per_message)? + steady(bits, rate)?,
            later: self.later(sender, index)?,
            joules: energy_per_bit * bits as f64,
        })
    }

    /// Delay and jitter of what `sender` sends as number `index`.
    ///
    /// # Errors
    /// If it is longer than simulated time can hold.
    pub fn later(&self, sender: u32, index: u64) -> Result<Duration, DurationError> {
        let WireTerms { delay, jitter, .. } = self.terms;
        if jitter == 0.0 {
            return Duration::from_seconds(delay);
        }
        let uniform: f64 = self.streams.open("medium.jitter", sender, index).random();
        Duration::from_seconds(delay - jitter * libm::log1p(-uniform))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: WireTerms = WireTerms {
        rate: 1e9,
        delay: 8e-3,
        jitter: 0.0,
        per_message: 50e-6,
        energy_per_bit: 2e-9,
    };

    fn wire(terms: WireTerms) -> Wire {
        let streams = Streams { seed: 4, run: 1 }.of_link("backhaul");
        Wire::new(terms, streams).unwrap()
    }

    /// 50 µs + 2¹⁶/10⁹ s on the wire, 8 ms on the way.
    #[test]
    fn a_message_costs_itself_its_bits_and_the_way() {
        let message = wire(TERMS).message(65536, 0, 9).unwrap();
        assert_eq!(message.occupied, Duration(115_536_000));
        assert_eq!(message.later, Duration(8_000_000_000));
        assert_eq!(message.duration(), Duration(8_115_536_000));
        assert!((message.joules / 131.072e-6 - 1.0).abs() < 1e-12);
        let empty = wire(TERMS).message(0, 0, 9).unwrap();
        assert_eq!((empty.occupied, empty.joules), (Duration(50_000_000), 0.0));
    }

    /// Exponential: mean and standard deviation are both the jitter, and e^−1 exceed it.
    #[test]
    fn jitter_is_exponential_and_named() {
        let wire = wire(WireTerms {
            jitter: 2e-3,
            ..TERMS
        });
        let draws = 20_000;
        let extra = |index| wire.later(3, index).unwrap().as_seconds() - 8e-3;
        let extras: Vec<f64> = (0..draws).map(extra).collect();
        let count = draws as f64;
        let mean = extras.iter().sum::<f64>() / count;
        let variance = extras.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let beyond = extras.iter().filter(|x| **x > 2e-3).count() as f64 / count;
        assert!((mean / 2e-3 - 1.0).abs() < 0.03, "{mean}");
        assert!((variance.sqrt() / 2e-3 - 1.0).abs() < 0.05, "{variance}");
        assert!((beyond - (-1f64).exp()).abs() < 0.015, "{beyond}");
        assert!(extras.iter().all(|x| *x >= -1e-12));
        // By what is sent and by whom, not by when.
        assert_eq!(wire.later(3, 7), wire.later(3, 7));
        assert_ne!(wire.later(3, 7), wire.later(4, 7));
        let sure = wire.message(65536, 3, 7).unwrap().occupied;
        assert_eq!(sure, wire.message(65536, 3, 8).unwrap().occupied);
    }

    #[test]
    fn impossible_terms_are_refused() {
        for (terms, path) in [
            (WireTerms { rate: 0.0, ..TERMS }, "rate"),
            (
                WireTerms {
                    delay: -1.0,
                    ..TERMS
                },
                "delay",
            ),
            (
                WireTerms {
                    jitter: f64::NAN,
                    ..TERMS
                },
                "jitter",
            ),
            (
                WireTerms {
                    per_message: f64::INFINITY,
                    ..TERMS
                },
                "per_message",
            ),
            (
                WireTerms {
                    energy_per_bit: -1.0,
                    ..TERMS
                },
                "energy_per_bit",
            ),
        ] {
            assert_eq!(terms.validate().unwrap_err().path, path);
        }
        let slow = wire(WireTerms {
            rate: 1e-9,
            ..TERMS
        });
        assert!(slow.message(1 << 40, 0, 0).is_err());
    }
}
