//! From the unit in which a number is kept to the one in which it is shown.

use super::dimension::Scale;
use super::quantity::{Bytes, Joules, Seconds, Units};
use super::spelling::plain;

/// Multiplies or divides by one factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    scale: Scale,
    /// Whether the quantity is one over the unit.
    reciprocal: bool,
}

/// Parts of one.
const RATIOS: [(&str, Scale); 3] = [
    ("1", Scale::Times(1.0)),
    ("%", Scale::Over(1e2)),
    ("‰", Scale::Over(1e3)),
];

/// Amounts of information: a nat is 1/ln 2 bits.
const INFORMATION: [(&str, Scale); 2] = [
    ("nat", Scale::Times(1.0)),
    ("bit", Scale::Times(std::f64::consts::LN_2)),
];

impl Conversion {
    /// The conversion of numbers in `from` into numbers in `to`, such as `s` into `ms`, `1` into
    /// `%` or `1/s` into `1/min`. Between seconds, joules and bytes with all prefixes, and between
    /// parts of one.
    ///
    /// # Errors
    /// The units that `from` can be converted into, if `to` is none of them.
    pub fn between(from: &str, to: &str) -> Result<Self, Vec<String>> {
        let to = plain(to);
        let to = to.as_ref();
        if from == to {
            return Ok(Self {
                scale: Scale::Times(1.0),
                reciprocal: false,
            });
        }
        let (unit, reciprocal) = match from.strip_prefix("1/") {
            Some(unit) => (unit, true),
            None => (from, false),
        };
        let known: Vec<(String, Scale)> = match unit {
            "s" => Seconds::units(),
            "J" => Joules::units(),
            "B" => Bytes::units(),
            "1" => RATIOS.map(owned).to_vec(),
            "nat" => INFORMATION.map(owned).to_vec(),
            other => vec![(other.to_owned(), Scale::Times(1.0))],
        };
        let written = |unit: &str| match reciprocal {
            true => format!("1/{unit}"),
            false => unit.to_owned(),
        };
        let found = known.iter().find(|(unit, _)| written(unit) == to);
        match found {
            Some((_, scale)) => Ok(Self {
                scale: *scale,
                reciprocal,
            }),
            None => Err(known.iter().map(|(unit, _)| written(unit)).collect()),
        }
    }

    /// `value` in the new unit.
    pub fn apply(self, value: f64) -> f64 {
        match self.reciprocal {
            true => self.scale.apply(value),
            false => self.scale.undo(value),
        }
    }
}

fn owned((unit, scale): (&str, Scale)) -> (String, Scale) {
    (unit.to_owned(), scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_those_of_the_tables_of_units() {
        for (value, from, to, expected) in [
            (0.0125, "s", "ms", 12.5),
            (0.0125, "s", "s", 0.0125),
            (3.0e-6, "s", "µs", 3.0),
            (3.0e-6, "s", "μs", 3.0),
            (90.0, "s", "min", 1.5),
            (0.25, "1", "%", 25.0),
            (0.002, "1", "‰", 2.0),
            (0.5, "J", "mJ", 500.0),
            (2500.0, "J", "kJ", 2.5),
            (6_442_450_944.0, "B", "GiB", 6.0),
            (6e9, "B", "GB", 6.0),
            (40.0, "1/s", "1/min", 2400.0),
            (40.0, "1/s", "1/ms", 0.04),
            (0.2, "1/J", "1/kJ", 200.0),
            (1.0, "nat", "bit", std::f64::consts::LOG2_E),
        ] {
            let found = Conversion::between(from, to).unwrap().apply(value);
            assert!(
                (found / expected - 1.0).abs() < 1e-15,
                "{value} {from}: {found} {to}"
            );
        }
    }

    #[test]
    fn other_units_are_refused_with_those_that_fit() {
        let known = Conversion::between("s", "mJ").unwrap_err();
        assert!(
            known.contains(&"ms".to_owned()) && known.contains(&"s".to_owned()),
            "{known:?}"
        );
        assert_eq!(Conversion::between("1", "ms").unwrap_err(), ["1", "%", "‰"]);
        assert!(
            Conversion::between("1/s", "ms")
                .unwrap_err()
                .contains(&"1/ms".to_owned())
        );
        assert!(Conversion::between("s", "").is_err());
    }

    proptest! {
        /// What is read with a unit and shown in that unit is what was written.
        #[test]
        fn a_quantity_shown_in_its_unit_is_the_number_written(number in 1e-3f64..1e6) {
            for unit in ["s", "ms", "µs", "ns", "min"] {
                let seconds: Seconds = format!("{number} {unit}").parse().unwrap();
                let shown = Conversion::between("s", unit).unwrap().apply(seconds.0);
                prop_assert!((shown / number - 1.0).abs() < 1e-15);
            }
        }
    }
}
