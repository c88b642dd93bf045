//! One row of a table: what was measured of which model on how many devices.

use super::columns::Field;
use super::error::CalibrationError;
use crate::model::ModelShape;
use std::collections::BTreeMap;

/// A row whose cells are possible by themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// File and line.
    pub place: String,
    /// Its device.
    pub board: String,
    /// Its model, with the bits of weights and cache.
    pub shape: ModelShape,
    /// Among how many devices layers are divided.
    pub devices: u32,
    /// Tokens in the cache.
    pub context: u32,
    /// Bits per second of the network, where its name says so.
    pub link_rate: Option<f64>,
    pub(super) values: BTreeMap<Field, f64>,
}

/// A difference beyond rounding and the sampling of a token.
const CONTRADICTION: f64 = 0.25;

/// What times are told in.
const PER_TOKEN: &str = "s per token";

impl Row {
    fn value(&self, field: Field, scale: f64) -> Option<f64> {
        self.values.get(&field).map(|value| value * scale)
    }

    /// Tokens in the cache, where the row says anything of them.
    pub(super) fn known_context(&self) -> Option<u32> {
        let said = [Field::Context, Field::DecodeTokens];
        let says = said.iter().any(|field| self.values.contains_key(field));
        says.then_some(self.context)
    }

    /// Seconds of computing per generated token.
    pub fn compute(&self) -> Option<f64> {
        self.value(Field::Compute, 1e-3)
    }

    /// Seconds in the network per generated token.
    pub fn transfer(&self) -> Option<f64> {
        self.value(Field::Transfer, 1e-3)
    }

    /// All seconds per generated token.
    pub fn total(&self) -> Option<f64> {
        let rate = self.value(Field::DecodeRate, 1.0);
        let total = self.value(Field::Total, 1e-3);
        total.or(rate.map(|rate| 1.0 / rate))
    }

    /// Seconds per generated token that are neither computing nor network: the choice of it.
    pub fn choice(&self) -> Option<f64> {
        let known = self.compute()? + self.transfer()?;
        Some((self.total()? - known).max(0.0))
    }

    /// Tokens of a prompt, and the seconds that all of it took.
    pub fn prefill(&self) -> Option<(u32, f64)> {
        let tokens = self.value(Field::PrefillTokens, 1.0)?;
        let rate = self.value(Field::PrefillRate, 1.0)?;
        Some((tokens as u32, tokens / rate))
    }

    /// Watts while decoding.
    pub fn watts(&self) -> Option<f64> {
        self.value(Field::Watts, 1.0)
    }

    /// Watts during a long prompt.
    pub fn prefill_watts(&self) -> Option<f64> {
        self.value(Field::PrefillWatts, 1.0)
    }

    /// Watts at rest.
    pub fn idle_watts(&self) -> Option<f64> {
        self.value(Field::IdleWatts, 1.0)
    }

    /// Joules per token, where both its power and its rate were measured.
    pub fn joules(&self) -> Option<f64> {
        Some(self.watts()? * self.total()?)
    }

    /// In words for tables.
    pub fn words(&self) -> String {
        let devices = match self.devices {
            1 => "1 device".to_owned(),
            count => format!("{count} devices"),
        };
        format!(
            "{}, {} bit, {devices}",
            self.shape.name,
            (self.shape.weight_bits * 100.0).round() / 100.0
        )
    }

    /// Whether its own numbers agree with each other.
    pub(super) fn check(&self) -> Result<(), CalibrationError> {
        let fault = |fault: String| CalibrationError::Table {
            place: self.place.clone(),
            fault,
        };
        if let Some(total) = self.total() {
            let parts = self.compute().unwrap_or(0.0) + self.transfer().unwrap_or(0.0);
            if parts > total * (1.0 + CONTRADICTION) {
                return Err(fault(format!(
                    "computing and network take {:.4} s and all of it {total:.4} s per token; \
                     are all three in milliseconds?",
                    parts
                )));
            }
        }
        for (what, busy) in [
            ("decoding", self.watts()),
            ("a prompt", self.prefill_watts()),
        ] {
            if let Some((idle, busy)) = self.idle_watts().zip(busy)
                && busy < idle
            {
                return Err(fault(format!(
                    "{what} draws {busy} W and resting {idle} W; both are whole powers at the wall"
                )));
            }
        }
        let parts = [Field::PrefillTokens, Field::PrefillRate];
        if parts
            .iter()
            .filter(|part| self.values.contains_key(part))
            .count()
            == 1
        {
            let message = "prefill_tokens and prefill_tokens_per_s belong together; give both";
            return Err(fault(message.to_owned()));
        }
        Ok(())
    }

    /// Whether `other` was measured under the same conditions, and if so whether it agrees.
    pub(super) fn agrees_with(&self, other: &Self) -> Result<(), CalibrationError> {
        let same = self.board == other.board
            && self.shape == other.shape
            && self.devices == other.devices
            && self.context == other.context;
        if !same {
            return Ok(());
        }
        let link = self.link_rate == other.link_rate;
        if link && self.values == other.values {
            return Err(CalibrationError::Table {
                place: other.place.clone(),
                fault: format!(
                    "every number is that of {}; leave one out, or the fit believes both",
                    self.place
                ),
            });
        }
        for (name, unit, ours, theirs) in [
            (
                "computing takes",
                PER_TOKEN,
                self.compute(),
                other.compute(),
            ),
            (
                "the network takes",
                PER_TOKEN,
                self.transfer().filter(|_| link),
                other.transfer(),
            ),
            (
                "all of it takes",
                PER_TOKEN,
                self.total().filter(|_| link),
                other.total(),
            ),
            ("decoding draws", "W", self.watts(), other.watts()),
            ("resting draws", "W", self.idle_watts(), other.idle_watts()),
            (
                "a prompt draws",
                "W",
                self.prefill_watts(),
                other.prefill_watts(),
            ),
            (
                "a prompt takes",
                PER_TOKEN,
                self.prefill()
                    .map(|(tokens, seconds)| seconds / f64::from(tokens)),
                other
                    .prefill()
                    .map(|(tokens, seconds)| seconds / f64::from(tokens)),
            ),
        ] {
            let Some((ours, theirs)) = ours.zip(theirs) else {
                continue;
            };
            if (ours / theirs).max(theirs / ours) > 1.0 + CONTRADICTION {
                return Err(CalibrationError::Contradiction {
                    one: self.place.clone(),
                    other: other.place.clone(),
                    fault: format!(
                        "under the same conditions {name} {ours:.4} {unit} and {theirs:.4} \
                         {unit}; leave one out, or say in a column what differs"
                    ),
                });
            }
        }
        Ok(())
    }
}
