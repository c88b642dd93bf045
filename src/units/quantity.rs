//! Physical quantities: a number in its SI unit, read from text such as
//! `"10 MHz"` or `"23 dBm"` and written back the same way.
//!
//! A bare number is refused: the unit is part of the value. Decimal prefixes run
//! from p (10⁻¹²) to P (10¹⁵), binary ones (`GiB`) are for bytes only. Powers may
//! be in dBm. Parsing never loses bits twice: the text's number is read once and
//! multiplied once by its prefix.

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

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
struct Dimension {
    name: &'static str,
    /// The SI unit, prefixable.
    unit: &'static str,
    /// Other spellings of the unit, each with its factor.
    aliases: &'static [(&'static str, f64)],
    /// Whether decimal prefixes may stand before the unit.
    prefixed: bool,
    signed: bool,
    example: &'static str,
}

/// A scale as a whole number to multiply with or to divide by: 10⁻⁶ has no exact
/// binary form, 10⁶ has, so that `10 µs` is the f64 nearest to 10⁻⁵.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Times(f64),
    Over(f64),
}

impl Scale {
    fn apply(self, number: f64) -> f64 {
        match self {
            Self::Times(factor) => number * factor,
            Self::Over(divisor) => number / divisor,
        }
    }

    fn undo(self, value: f64) -> f64 {
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

    fn error(&self, text: &str, fault: impl Into<String>) -> ParseQuantityError {
        ParseQuantityError {
            text: text.to_owned(),
            quantity: self.name,
            fault: fault.into(),
            example: self.example,
        }
    }

    fn parse(&self, text: &str) -> Result<f64, ParseQuantityError> {
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

    /// Writes `value` so that parsing gives the same bits again.
    fn write(&self, value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $dimension:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            const DIMENSION: Dimension = $dimension;
        }

        impl FromStr for $name {
            type Err = ParseQuantityError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::DIMENSION.parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Self::DIMENSION.write(self.0, f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer
                    .deserialize_str(Text(&Self::DIMENSION))
                    .map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

struct Text(&'static Dimension);

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

const fn si(name: &'static str, unit: &'static str, example: &'static str) -> Dimension {
    Dimension {
        name,
        unit,
        aliases: &[],
        prefixed: true,
        signed: false,
        example,
    }
}

quantity!(
    /// A frequency or bandwidth in hertz.
    Hertz,
    si("frequency", "Hz", "10 MHz")
);
quantity!(
    /// A power in watts; text may also be in dBm.
    Watts,
    si("power", "W", "23 dBm")
);
quantity!(
    /// A power spectral density in watts per hertz; text may also be in dBm/Hz.
    WattsPerHertz,
    si("power spectral density", "W/Hz", "-174 dBm/Hz")
);
quantity!(
    /// An energy in joules.
    Joules,
    si("energy", "J", "50 mJ")
);
quantity!(
    /// An energy per floating-point operation in joules.
    JoulesPerFlop,
    si("energy per operation", "J/FLOP", "1.5 pJ/FLOP")
);
quantity!(
    /// An energy per byte moved in joules.
    JoulesPerByte,
    si("energy per byte", "J/B", "20 pJ/B")
);
quantity!(
    /// A span of time in seconds, as scenarios state it.
    Seconds,
    Dimension {
        aliases: &[("min", 60.0), ("h", 3600.0)],
        ..si("time", "s", "5 ms")
    }
);
quantity!(
    /// A length in metres.
    Meters,
    si("length", "m", "120 m")
);
quantity!(
    /// A speed in metres per second; text may also be in km/h.
    MetersPerSecond,
    Dimension {
        aliases: &[("km/h", 1.0 / 3.6)],
        prefixed: false,
        ..si("speed", "m/s", "3 km/h")
    }
);
quantity!(
    /// Floating-point operations per second.
    FlopsPerSecond,
    Dimension {
        aliases: &[
            ("FLOPS", 1.0),
            ("GFLOPS", 1e9),
            ("TFLOPS", 1e12),
            ("PFLOPS", 1e15)
        ],
        ..si("compute rate", "FLOP/s", "5 TFLOP/s")
    }
);
quantity!(
    /// Weights (parameters) processed per second.
    ParametersPerSecond,
    si("weight rate", "param/s", "58.2 Gparam/s")
);
quantity!(
    /// An amount of memory in bytes.
    Bytes,
    Dimension {
        aliases: &[
            ("KiB", 1024.0),
            ("MiB", 1_048_576.0),
            ("GiB", 1_073_741_824.0),
            ("TiB", 1_099_511_627_776.0)
        ],
        ..si("memory size", "B", "8 GB")
    }
);
quantity!(
    /// A memory bandwidth in bytes per second.
    BytesPerSecond,
    Dimension {
        aliases: &[("GiB/s", 1_073_741_824.0)],
        ..si("memory bandwidth", "B/s", "50 GB/s")
    }
);
quantity!(
    /// A ratio in decibels.
    Decibels,
    Dimension {
        prefixed: false,
        signed: true,
        ..si("ratio", "dB", "10 dB")
    }
);
quantity!(
    /// A spectral efficiency in bit/s/Hz.
    SpectralEfficiency,
    Dimension {
        prefixed: false,
        ..si("spectral efficiency", "bit/s/Hz", "12 bit/s/Hz")
    }
);

quantity!(
    /// An angle in radians.
    Radians,
    Dimension {
        aliases: &[("deg", std::f64::consts::PI / 180.0)],
        ..si("angle", "rad", "5 deg")
    }
);

impl Decibels {
    /// The ratio itself: 10^(dB/10).
    pub fn ratio(self) -> f64 {
        libm::pow(10.0, self.0 / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_prefixes_aliases_and_dbm() {
        assert_eq!("10 MHz".parse::<Hertz>().unwrap(), Hertz(10e6));
        assert_eq!("10MHz".parse::<Hertz>().unwrap(), Hertz(10e6));
        assert_eq!("1e3 Hz".parse::<Hertz>().unwrap(), Hertz(1000.0));
        assert_eq!("8 GiB".parse::<Bytes>().unwrap(), Bytes(8_589_934_592.0));
        assert_eq!("30 dBm".parse::<Watts>().unwrap(), Watts(1.0));
        assert_eq!("-3 dB".parse::<Decibels>().unwrap(), Decibels(-3.0));
        assert_eq!("5 m".parse::<Meters>().unwrap(), Meters(5.0));
        assert_eq!("5 ms".parse::<Seconds>().unwrap(), Seconds(0.005));
        assert_eq!("10 µs".parse::<Seconds>().unwrap(), Seconds(1e-5));
    }

    #[test]
    fn an_error_says_what_is_wrong_and_what_to_write() {
        let message = "10 MHzz".parse::<Hertz>().unwrap_err().to_string();
        assert_eq!(
            message,
            "`10 MHzz` is not a frequency: unknown unit `MHzz`; write for example \"10 MHz\""
        );
        for (text, fault) in [
            ("10", "the unit is missing"),
            ("-1 MHz", "it must not be negative"),
            ("NaN MHz", "it does not start with a number"),
            ("1e400 Hz", "it is not finite"),
            ("", "it does not start with a number"),
            ("ten MHz", "it does not start with a number"),
        ] {
            let message = text.parse::<Hertz>().unwrap_err().to_string();
            assert!(message.contains(fault), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn text_and_value_round_trip(value in prop::num::f64::POSITIVE) {
            let written = Hertz(value).to_string();
            prop_assert_eq!(written.parse::<Hertz>().unwrap(), Hertz(value), "{}", written);
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<Hertz>();
        }
    }
}
