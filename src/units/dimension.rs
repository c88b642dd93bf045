//! The text of a quantity, read and written: a number, a prefix and a unit.
//!
//! A bare number is refused: the unit is part of the value. Decimal prefixes run
//! from p (10⁻¹²) to P (10¹⁵), binary ones (`GiB`) are for bytes only. Powers may
//! be in dBm. Parsing never loses bits twice: the text's number is read once and
//! multiplied once by its prefix.

use schemars::{Schema, json_schema};
use serde::de::{self, Visitor};
use std::fmt;

/// A text that is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {quantity}: {fault}; write for example \"{example}\"")]
pub struct ParseQuantityError {
    text: String,
    quantity: &'static str,
    fault: String,
    example: &'static str,
}

/// What distinguishes one quantity from another.
pub(super) struct Dimension {
    pub(super) name: &'static str,
    /// The SI unit, prefixable.
    pub(super) unit: &'static str,
    /// Other spellings of the unit, each with its factor.
    pub(super) aliases: &'static [(&'static str, f64)],
    /// Whether decimal prefixes may stand before the unit.
    pub(super) prefixed: bool,
    pub(super) signed: bool,
    pub(super) example: &'static str,
}

/// A scale as a whole number to multiply with or to divide by: 10⁻⁶ has no exact
/// binary form, 10⁶ has, so that `10 µs` is the f64 nearest to 10⁻⁵.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Times(f64),
    Over(f64),
}

impl Scale {
    pub(super) fn apply(self, number: f64) -> f64 {
        match self {
            Self::Times(factor) => number * factor,
            Self::Over(divisor) => number / divisor,
        }
    }

    pub(super) fn undo(self, value: f64) -> f64 {
        match self {
            Self::Times(factor) => value / factor,
            Self::Over(divisor) => value * divisor,
        }
    }
}

const DECIMAL_PREFIXES: [(&str, Scale); 10] = [
    ("p", Scale::Over(1e12)),
    ("n", Scale::Over(1e9)),
    ("µ", Scale::Over(1e6)),
    ("u", Scale::Over(1e6)),
    ("m", Scale::Over(1e3)),
    ("k", Scale::Times(1e3)),
    ("M", Scale::Times(1e6)),
    ("G", Scale::Times(1e9)),
    ("T", Scale::Times(1e12)),
    ("P", Scale::Times(1e15)),
];

impl Dimension {
    fn scale(&self, unit: &str) -> Option<Scale> {
        if unit == self.unit {
            return Some(Scale::Times(1.0));
        }
        if let Some((_, factor)) = self.aliases.iter().find(|(name, _)| *name == unit) {
            return Some(Scale::Times(*factor));
        }
        let (_, scale) = DECIMAL_PREFIXES.iter().find(|(prefix, _)| {
            self.prefixed
                && unit
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest == self.unit)
        })?;
        Some(*scale)
    }

    /// Every unit that [`scale`](Self::scale) knows, one spelling each.
    pub(super) fn units(&self) -> Vec<(String, Scale)> {
        let plain = [(self.unit.to_owned(), Scale::Times(1.0))];
        let prefixed = DECIMAL_PREFIXES.iter();
        let prefixed = prefixed.filter(|(prefix, _)| self.prefixed && *prefix != "u");
        let prefixed = prefixed.map(|(prefix, scale)| (format!("{prefix}{}", self.unit), *scale));
        let aliases = self.aliases.iter();
        let aliases = aliases.map(|(unit, factor)| ((*unit).to_owned(), Scale::Times(*factor)));
        plain.into_iter().chain(prefixed).chain(aliases).collect()
    }

    fn error(&self, text: &str, fault: impl Into<String>) -> ParseQuantityError {
        ParseQuantityError {
            text: text.to_owned(),
            quantity: self.name,
            fault: fault.into(),
            example: self.example,
        }
    }

    pub(super) fn parse(&self, text: &str) -> Result<f64, ParseQuantityError> {
        let trimmed = text.trim();
        // The longest numeric prefix, so that `1e3 Hz` and `10MHz` both read.
        let split = (1..=trimmed.len())
            .rev()
            .filter(|end| trimmed.is_char_boundary(*end))
            .find(|end| {
                let number = &trimmed[..*end];
                number.ends_with(|c: char| c.is_ascii_digit() || c == '.')
                    && number.parse::<f64>().is_ok()
            })
            .ok_or_else(|| self.error(text, "it does not start with a number"))?;
        let number: f64 = trimmed[..split].parse().expect("checked just above");
        let unit = trimmed[split..].trim();
        let logarithmic = matches!((unit, self.unit), ("dBm", "W") | ("dBm/Hz", "W/Hz"));
        let value = if logarithmic {
            1e-3 * libm::pow(10.0, number / 10.0)
        } else if unit.is_empty() {
            return Err(self.error(text, "the unit is missing"));
        } else {
            let scale = self
                .scale(unit)
                .ok_or_else(|| self.error(text, format!("unknown unit `{unit}`")))?;
            scale.apply(number)
        };
        if !value.is_finite() {
            return Err(self.error(text, "it is not finite"));
        }
        if value < 0.0 && !self.signed {
            return Err(self.error(text, "it must not be negative"));
        }
        Ok(value)
    }

    /// A text of this dimension, its unit and an example beside it.
    pub(super) fn schema(&self) -> Schema {
        json_schema!({
            "type": "string",
            "x-type": self.name,
            "x-unit": self.unit,
            "examples": [self.example],
        })
    }

    /// Writes `value` so that parsing gives the same bits again.
    pub(super) fn write(&self, value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefixed && value != 0.0 {
            let readable = |(_, scale): &&(&str, Scale)| {
                let scaled = scale.undo(value.abs());
                (1.0..1000.0).contains(&scaled)
            };
            if !(1.0..1000.0).contains(&value.abs())
                && let Some((prefix, scale)) = DECIMAL_PREFIXES.iter().find(readable)
                && scale.apply(scale.undo(value)) == value
            {
                return write!(f, "{} {prefix}{}", scale.undo(value), self.unit);
            }
        }
        if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
            write!(f, "{value} {}", self.unit)
        } else {
            write!(f, "{value:e} {}", self.unit)
        }
    }
}

/// Reads a text of the dimension.
pub(super) struct Text(pub(super) &'static Dimension);

impl Visitor<'_> for Text {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a {} with its unit, such as \"{}\"",
            self.0.name, self.0.example
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        self.0.parse(text).map_err(E::custom)
    }
}

/// What the SI writes with prefixes and never with a sign.
pub(super) const fn si(name: &'static str, unit: &'static str, example: &'static str) -> Dimension {
    Dimension {
        name,
        unit,
        aliases: &[],
        prefixed: true,
        signed: false,
        example,
    }
}
