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

use super::fluid::{Rate, Rates, steady};
use crate::radio::RadioError;
use crate::rng::Streams;
use crate::units::{Duration, DurationError, FieldFault, Instant};
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

/// What a message takes of a wire that it has to itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sent {
    /// How long the wire is busy: its cost per message and its bits.
    pub duration: Duration,
    /// What its ends spend.
    pub joules: f64,
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

    /// A message of `bits`, alone on the wire.
    ///
    /// # Errors
    /// If it takes longer than simulated time can hold.
    pub fn send(&self, bits: u64) -> Result<Sent, DurationError> {
        Ok(Sent {
            duration: self.per_message()? + steady(bits, self.terms.rate)?,
            joules: self.joules(bits),
        })
    }

    /// What precedes the bits of every message.
    ///
    /// # Errors
    /// If it is longer than simulated time can hold.
    pub fn per_message(&self) -> Result<Duration, DurationError> {
        Duration::from_seconds(self.terms.per_message)
    }

    /// What the ends spend on `bits`.
    pub fn joules(&self, bits: u64) -> f64 {
        self.terms.energy_per_bit * bits as f64
    }

    /// How long a message is under way once it is sent: delay and jitter of what the node
    /// number `sender` sends as number `index` ([`Numbering`](super::weather::Numbering)).
    ///
    /// # Errors
    /// If it is longer than simulated time can hold.
    pub fn latency(&self, sender: u32, index: u64) -> Result<Duration, DurationError> {
        let WireTerms { delay, jitter, .. } = self.terms;
        if jitter == 0.0 {
            return Duration::from_seconds(delay);
        }
        let uniform: f64 = self.streams.open("medium.jitter", sender, index).random();
        Duration::from_seconds(delay - jitter * libm::log1p(-uniform))
    }
}

/// A part of a wire carries that part of its rate, for ever. On a wire that is shared the bits
/// of a message begin when its [`per_message`](Wire::per_message) is over.
impl<K> Rates<K> for Wire {
    fn rate(&self, _: K, share: f64, _: Instant) -> Result<Rate, RadioError> {
        Ok(Rate {
            bits_per_second: self.terms.rate * share,
            until: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medium::Band;
    use crate::radio::Sharing;

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
        let sent = wire(TERMS).send(65536).unwrap();
        assert_eq!(sent.duration, Duration(115_536_000));
        assert!((sent.joules / 131.072e-6 - 1.0).abs() < 1e-12);
        let latency = wire(TERMS).latency(0, 9).unwrap();
        assert_eq!(latency, Duration(8_000_000_000));
        let empty = wire(TERMS).send(0).unwrap();
        assert_eq!((empty.duration, empty.joules), (Duration(50_000_000), 0.0));
    }

    /// Two messages whose bits begin at 50 µs have half the rate each.
    #[test]
    fn a_shared_wire_is_a_band() {
        let wire = wire(TERMS);
        let start = Instant::ZERO + wire.per_message().unwrap();
        let mut band = Band::new(Sharing::Equal);
        for id in 0..2 {
            band.begin(id, 65536, start, &wire).unwrap();
        }
        let ends = band.ends(&wire).unwrap();
        let at = Instant(50_000_000 + 2 * 65_536_000);
        assert!(ends.iter().all(|ending| ending.at == at));
    }

    /// Exponential: mean and standard deviation are both the jitter, and e^−1 exceed it.
    #[test]
    fn jitter_is_exponential_and_named() {
        let wire = wire(WireTerms {
            jitter: 2e-3,
            ..TERMS
        });
        let draws = 20_000;
        let extra = |index| wire.latency(3, index).unwrap().as_seconds() - 8e-3;
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
        assert_eq!(wire.latency(3, 7), wire.latency(3, 7));
        assert_ne!(wire.latency(3, 7), wire.latency(4, 7));
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
        assert!(slow.send(1 << 40).is_err());
    }
}
