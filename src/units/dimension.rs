//! The text of a quantity, read and written: a number, a prefix and a unit.
//!
//! A bare number is refused: the unit is part of the value. Decimal prefixes run
//! from p (10⁻¹²) to P (10¹⁵), binary ones (`GiB`) are for bytes only. Powers may
//! be in dBm. Parsing never loses bits twice: the text's number is read once and
//! multiplied once by its prefix.

use super::spelling::{leading_number, plain};
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
    /// Prefixes with which nothing of this kind is measured: probably a slip of the pen.
    pub(super) odd: &'static [&'static str],
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
            text: abridged(text),
            quantity: self.name,
            fault: fault.into(),
            example: self.example,
        }
    }

    pub(super) fn parse(&self, text: &str) -> Result<f64, ParseQuantityError> {
        let written = plain(text.trim());
        let (number, unit) = leading_number(&written)
            .ok_or_else(|| self.error(text, "it does not start with a number"))?;
        let unit = unit.trim();
        let logarithmic = matches!((unit, self.unit), ("dBm", "W") | ("dBm/Hz", "W/Hz"));
        let value = if logarithmic {
            from_dbm(number)
        } else if unit.is_empty() {
            return Err(self.error(text, "the unit is missing"));
        } else {
            let scale = self
                .scale(unit)
                .ok_or_else(|| self.error(text, format!("unknown unit `{}`", abridged(unit))))?;
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

    /// Why `text`, a quantity of this dimension, is probably a slip: its prefix makes it
    /// absurdly small or large.
    pub(super) fn oddity(&self, text: &str) -> Option<String> {
        let written = plain(text.trim());
        let (number, unit) = leading_number(&written)?;
        let prefix = unit.trim().strip_suffix(self.unit)?;
        if !self.odd.contains(&prefix) || number == 0.0 {
            return None;
        }
        let (_, scale) = DECIMAL_PREFIXES.iter().find(|(name, _)| *name == prefix)?;
        let plainly = format!("{:e} {}", scale.apply(number), self.unit);
        let swapped = match prefix {
            "m" => "M",
            "M" => "m",
            "p" => "P",
            "P" => "p",
            _ => "",
        };
        Some(format!(
            "`{}` is {plainly}, hardly the {} that is meant; did you mean `{number} {swapped}{}`?",
            text.trim(),
            self.name,
            self.unit
        ))
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

    /// Writes `value` so that parsing gives the same bits again, in the unit in which it
    /// reads best: with a prefix, or, where that takes many digits, in another unit in which
    /// it takes few.
    pub(super) fn write(&self, value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, text) = self.in_si(value);
        if digits > MANY_DIGITS
            && let Some((fewer, other)) = self.in_another_unit(value)
            && fewer <= MANY_DIGITS
        {
            return f.write_str(&other);
        }
        f.write_str(&text)
    }

    /// `value` in the SI unit with a prefix that fits, and how many digits that takes; as many
    /// as can be if the prefix that fits gives other bits.
    fn in_si(&self, value: f64) -> (usize, String) {
        let fits = |(_, scale): &&(&str, Scale)| {
            let scaled = scale.undo(value.abs());
            (1.0..1000.0).contains(&scaled)
        };
        let prefix = match self.prefixed && !(1.0..1000.0).contains(&value.abs()) {
            true => DECIMAL_PREFIXES.iter().find(fits),
            false => None,
        };
        let prefixed = prefix.map(|(prefix, scale)| {
            let (digits, number) =
                shortest(scale.undo(value), |number| scale.apply(number) == value)?;
            Some((digits, format!("{number} {prefix}{}", self.unit)))
        });
        if let Some(Some(text)) = prefixed {
            return text;
        }
        let digits = match prefixed {
            Some(_) => usize::MAX,
            None => shortest(value, |number| number == value).map_or(0, |(digits, _)| digits),
        };
        if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
            (digits, format!("{value} {}", self.unit))
        } else {
            (digits, format!("{value:e} {}", self.unit))
        }
    }

    /// `value` in decibels over a milliwatt or in any unit, whichever takes fewest digits,
    /// and how many.
    fn in_another_unit(&self, value: f64) -> Option<(usize, String)> {
        let logarithmic = match self.unit {
            "W" => Some("dBm"),
            "W/Hz" => Some("dBm/Hz"),
            _ => None,
        };
        let decibels = logarithmic.filter(|_| value > 0.0).and_then(|unit| {
            let level = 10.0 * libm::log10(value / 1e-3);
            let (digits, number) = shortest(level, |level| from_dbm(level) == value)?;
            Some((digits, format!("{number} {unit}")))
        });
        let units = self.units().into_iter().filter_map(|(unit, scale)| {
            let (digits, number) =
                shortest(scale.undo(value), |number| scale.apply(number) == value)?;
            Some((digits, format!("{number} {unit}")))
        });
        decibels
            .into_iter()
            .chain(units)
            .min_by_key(|(digits, text)| (*digits, text.len()))
    }
}

/// More characters of a text than that are not quoted in a message.
const LONGEST_QUOTE: usize = 60;

/// A text with more significant digits than that is hard to read.
const MANY_DIGITS: usize = 6;

/// The number near `value` with the fewest significant digits that is `as_good`, and how
/// many they are.
fn shortest(value: f64, as_good: impl Fn(f64) -> bool) -> Option<(usize, f64)> {
    (1..=17).find_map(|digits| {
        let text = format!("{value:.*e}", digits - 1);
        let number: f64 = text.parse().ok()?;
        as_good(number).then_some((digits, number))
    })
}

/// A level over a milliwatt in watts.
fn from_dbm(level: f64) -> f64 {
    1e-3 * libm::pow(10.0, level / 10.0)
}

/// As much of `text` as a message has room for.
fn abridged(text: &str) -> String {
    let mut start: String = text.chars().take(LONGEST_QUOTE).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
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

/// Prefixes below one.
pub(super) const SMALL: &[&str] = &["p", "n", "µ", "u", "m"];

/// Prefixes of a million and more.
pub(super) const LARGE: &[&str] = &["M", "G", "T", "P"];

/// What the SI writes with prefixes and never with a sign.
pub(super) const fn si(name: &'static str, unit: &'static str, example: &'static str) -> Dimension {
    Dimension {
        name,
        unit,
        aliases: &[],
        prefixed: true,
        signed: false,
        odd: &[],
        example,
    }
}
