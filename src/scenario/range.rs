//! Ranges: evenly spaced values of a sweep's axis, in place of a list.

use super::literal::Literal;
use super::raw::Value;
use crate::units::{FieldFault, leading_number, plain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Significant decimal digits to which the values between the ends are rounded, so that
/// the third root of 1000 is 10.
const DIGITS: usize = 12;

/// `count` values from one end to the other, both included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first value x₀: a number, or a quantity such as `"20 MHz"`.
    pub from: Literal,
    /// The last value x₁, in the unit of the first.
    pub to: Literal,
    /// How many values n there are, at least 2.
    pub count: u32,
    /// How they are spaced. Default: linearly.
    #[serde(default)]
    pub scale: Scale,
}

/// How a range is spaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Scale {
    /// Equal differences: x₀ + (x₁ − x₀) i/(n − 1). A level in decibels is spaced by decibels.
    #[default]
    Linear,
    /// Equal ratios: x₀ (x₁/x₀)^(i/(n − 1)), both ends above 0.
    Log,
}

impl Range {
    /// The values in order, written as the first one is. Those between the ends are rounded to
    /// 12 significant digits.
    ///
    /// # Errors
    /// If there are fewer than two, an end is no number, or the ends do not fit each other.
    pub fn values(&self) -> Result<Vec<Literal>, FieldFault> {
        let fault = |field: &str, message: String| Err(FieldFault::new(field, message));
        let ends = (End::of(&self.from), End::of(&self.to));
        let (Some(from), Some(to)) = ends else {
            let (field, end) = match ends.0 {
                None => ("from", &self.from),
                Some(_) => ("to", &self.to),
            };
            return fault(
                field,
                format!("{end} is no number; give one, such as 4 or \"20 MHz\", or list `values`"),
            );
        };
        if self.count < 2 {
            return fault(
                "count",
                format!(
                    "{} values span no range; use 2 or more, or list `values`",
                    self.count
                ),
            );
        }
        if (&from.unit, from.quoted) != (&to.unit, to.quoted) {
            return fault(
                "to",
                format!(
                    "{} and {} have different units; write both ends in the same one",
                    self.from, self.to
                ),
            );
        }
        if from.number == to.number {
            return fault(
                "to",
                format!("it starts and ends at {}; give two different ends", self.to),
            );
        }
        let log = self.scale == Scale::Log;
        for (field, end) in [("from", &from), ("to", &to)] {
            if log && end.number <= 0.0 {
                return fault(
                    field,
                    format!(
                        "{} has no logarithm; use a number above 0, or `scale: Linear`",
                        end.number
                    ),
                );
            }
        }
        let last = self.count - 1;
        let inner = (1..last).map(|index| {
            let share = f64::from(index) / f64::from(last);
            let value = if log {
                from.number * libm::pow(to.number / from.number, share)
            } else {
                from.number + (to.number - from.number) * share
            };
            from.like(rounded(value))
        });
        Ok(std::iter::once(self.from.clone())
            .chain(inner)
            .chain([self.to.clone()])
            .collect())
    }
}

/// One end of a range.
struct End {
    number: f64,
    unit: String,
    quoted: bool,
}

impl End {
    fn of(literal: &Literal) -> Option<Self> {
        let (text, quoted) = match literal.node().value {
            Value::Number(text) => (text.replace('_', ""), false),
            Value::Text(text) => (text, true),
            _ => return None,
        };
        let (number, unit) = number_and_unit(&text)?;
        Some(Self {
            number,
            unit,
            quoted,
        })
    }

    /// `number` written as this end is.
    fn like(&self, number: f64) -> Literal {
        let text = match (self.quoted, self.unit.as_str()) {
            (false, _) => number.to_string(),
            (true, "") => return Literal::text(number.to_string()),
            (true, unit) => return Literal::text(format!("{number} {unit}")),
        };
        Literal::new(&text).expect("a number that was just written")
    }
}

/// The finite number at the start of `text`, and the unit behind it.
pub(super) fn number_and_unit(text: &str) -> Option<(f64, String)> {
    let text = plain(text.trim());
    let (number, unit) = leading_number(&text)?;
    number.is_finite().then(|| (number, unit.trim().to_owned()))
}

fn rounded(value: f64) -> f64 {
    let digits = DIGITS - 1;
    let text = format!("{value:.digits$e}");
    text.parse().expect("a number that was just written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(from: &str, to: &str, count: u32, scale: Scale) -> Result<String, String> {
        let range = Range {
            from: Literal::new(from).unwrap(),
            to: Literal::new(to).unwrap(),
            count,
            scale,
        };
        let values = range.values().map_err(|fault| fault.to_string())?;
        let texts: Vec<&str> = values.iter().map(Literal::as_str).collect();
        Ok(texts.join(" "))
    }

    #[test]
    fn values_are_written_as_the_ends_are() {
        use Scale::{Linear, Log};
        for (from, to, count, scale, expected) in [
            ("1", "7", 4, Linear, "1 3 5 7"),
            ("8", "1", 4, Log, "8 4 2 1"),
            ("1", "1000", 4, Log, "1 10 100 1000"),
            ("0.1", "0.4", 4, Linear, "0.1 0.2 0.3 0.4"),
            (
                "\"20 MHz\"",
                "\"50 MHz\"",
                3,
                Linear,
                "\"20 MHz\" \"35 MHz\" \"50 MHz\"",
            ),
            (
                "\"-5 dB\"",
                "\"5dB\"",
                3,
                Linear,
                "\"-5 dB\" \"0 dB\" \"5dB\"",
            ),
            (
                "\"1e3 Hz\"",
                "\"1e5 Hz\"",
                3,
                Log,
                "\"1e3 Hz\" \"10000 Hz\" \"1e5 Hz\"",
            ),
        ] {
            assert_eq!(range(from, to, count, scale).unwrap(), expected);
        }
    }

    #[test]
    fn ends_that_span_no_range_are_refused_with_the_fix() {
        use Scale::{Linear, Log};
        for (from, to, count, scale, expected) in [
            ("1", "2", 1, Linear, "count: 1 values span no range"),
            ("Ideal", "2", 3, Linear, "from: Ideal is no number"),
            ("1", "\"wide\"", 3, Linear, "to: \"wide\" is no number"),
            (
                "\"1 MHz\"",
                "\"2 kHz\"",
                3,
                Linear,
                "to: \"1 MHz\" and \"2 kHz\" have different units",
            ),
            (
                "1",
                "\"2\"",
                3,
                Linear,
                "to: 1 and \"2\" have different units",
            ),
            ("2", "2.0", 3, Linear, "to: it starts and ends at 2.0"),
            ("0", "2", 3, Log, "from: 0 has no logarithm"),
            ("1", "-2", 3, Log, "to: -2 has no logarithm"),
        ] {
            let fault = range(from, to, count, scale).unwrap_err();
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    proptest! {
        /// Steps of a linear range are equal, ratios of a logarithmic one.
        #[test]
        fn spacing_is_even(from in 0.001f64..1e6, factor in 1.1f64..1e6, count in 3u32..40) {
            let to = (from * factor).to_string();
            for (scale, between) in [
                (Scale::Linear, (|a, b| b - a) as fn(f64, f64) -> f64),
                (Scale::Log, |a, b| b / a),
            ] {
                let text = range(&from.to_string(), &to, count, scale).unwrap();
                let values: Vec<f64> = text.split(' ').map(|x| x.parse().unwrap()).collect();
                prop_assert_eq!(values.len(), count as usize);
                let steps: Vec<f64> = values.windows(2).map(|pair| between(pair[0], pair[1])).collect();
                let size = if scale == Scale::Linear { from * factor } else { steps[0] };
                for step in &steps {
                    prop_assert!((step - steps[0]).abs() < 1e-10 * size, "{text}");
                }
            }
        }
    }
}
