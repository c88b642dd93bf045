//! Physical quantities: a number in its SI unit, read from text such as
//! `"10 MHz"` or `"23 dBm"` and written back the same way. A new one is one
//! invocation of the macro below.

use super::dimension::{Dimension, LARGE, ParseQuantityError, SMALL, Scale, Text, si};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A quantity that can be shown in several units.
pub(super) trait Units {
    /// Every unit, with the factor from it to the SI unit.
    fn units() -> Vec<(String, Scale)>;
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $dimension:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            const DIMENSION: Dimension = $dimension;
        }

        impl Units for $name {
            fn units() -> Vec<(String, Scale)> {
                Self::DIMENSION.units()
            }
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

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Self::DIMENSION.schema()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

quantity!(
    /// A frequency or bandwidth in hertz.
    Hertz,
    Dimension {
        odd: SMALL,
        ..si("frequency", "Hz", "10 MHz")
    }
);
quantity!(
    /// A power in watts; text may also be in dBm.
    Watts,
    Dimension {
        odd: LARGE,
        ..si("power", "W", "23 dBm")
    }
);
quantity!(
    /// A power spectral density in watts per hertz; text may also be in dBm/Hz.
    WattsPerHertz,
    Dimension {
        odd: LARGE,
        ..si("power spectral density", "W/Hz", "-174 dBm/Hz")
    }
);
quantity!(
    /// An energy in joules.
    Joules,
    Dimension {
        odd: LARGE,
        ..si("energy", "J", "50 mJ")
    }
);
quantity!(
    /// An energy per floating-point operation in joules.
    JoulesPerFlop,
    Dimension {
        odd: LARGE,
        ..si("energy per operation", "J/FLOP", "1.5 pJ/FLOP")
    }
);
quantity!(
    /// An energy per byte moved in joules.
    JoulesPerByte,
    Dimension {
        odd: LARGE,
        ..si("energy per byte", "J/B", "20 pJ/B")
    }
);
quantity!(
    /// A span of time in seconds, as scenarios state it.
    Seconds,
    Dimension {
        aliases: &[("min", 60.0), ("h", 3600.0)],
        odd: LARGE,
        ..si("time", "s", "5 ms")
    }
);
quantity!(
    /// A length in metres.
    Meters,
    Dimension {
        odd: LARGE,
        ..si("length", "m", "120 m")
    }
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
        odd: SMALL,
        ..si("compute rate", "FLOP/s", "5 TFLOP/s")
    }
);
quantity!(
    /// Weights (parameters) processed per second.
    ParametersPerSecond,
    Dimension {
        odd: SMALL,
        ..si("weight rate", "param/s", "58.2 Gparam/s")
    }
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
        odd: SMALL,
        ..si("memory size", "B", "8 GB")
    }
);
quantity!(
    /// A memory bandwidth in bytes per second.
    BytesPerSecond,
    Dimension {
        aliases: &[("GiB/s", 1_073_741_824.0)],
        odd: SMALL,
        ..si("memory bandwidth", "B/s", "50 GB/s")
    }
);
quantity!(
    /// A data rate in bits per second.
    BitsPerSecond,
    Dimension {
        odd: SMALL,
        ..si("data rate", "bit/s", "10 Gbit/s")
    }
);
quantity!(
    /// An energy per bit sent in joules.
    JoulesPerBit,
    Dimension {
        odd: LARGE,
        ..si("energy per bit", "J/bit", "50 pJ/bit")
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
    /// The gain of an antenna over an isotropic one, in decibels.
    AntennaGain,
    Dimension {
        prefixed: false,
        signed: true,
        aliases: &[("dB", 1.0)],
        ..si("antenna gain", "dBi", "8 dBi")
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
quantity!(
    /// How often something happens in a second.
    PerSecond,
    Dimension {
        aliases: &[("1/s", 1.0), ("/min", 1.0 / 60.0), ("/h", 1.0 / 3600.0)],
        prefixed: false,
        ..si("rate", "/s", "2 /s")
    }
);

/// Every dimension; no text is a quantity of two of them.
pub(super) const DIMENSIONS: &[Dimension] = &[
    Hertz::DIMENSION,
    Watts::DIMENSION,
    WattsPerHertz::DIMENSION,
    Joules::DIMENSION,
    JoulesPerFlop::DIMENSION,
    JoulesPerByte::DIMENSION,
    Seconds::DIMENSION,
    Meters::DIMENSION,
    MetersPerSecond::DIMENSION,
    FlopsPerSecond::DIMENSION,
    ParametersPerSecond::DIMENSION,
    Bytes::DIMENSION,
    BytesPerSecond::DIMENSION,
    BitsPerSecond::DIMENSION,
    JoulesPerBit::DIMENSION,
    Decibels::DIMENSION,
    AntennaGain::DIMENSION,
    SpectralEfficiency::DIMENSION,
    Radians::DIMENSION,
    PerSecond::DIMENSION,
];

/// A quantity that is probably a slip of the pen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// The SI unit of its kind.
    pub unit: &'static str,
    /// What is odd, and what may be meant.
    pub message: String,
}

/// Why the quantity `text` is probably a slip: its prefix makes it absurdly small or large, as
/// in a bandwidth of `40 mHz`. `None` of what is no quantity, or a likely one.
pub fn oddity(text: &str) -> Option<Oddity> {
    DIMENSIONS.iter().find_map(|dimension| {
        let message = dimension.oddity(text)?;
        let unit = dimension.unit;
        Some(Oddity { unit, message })
    })
}

impl AntennaGain {
    /// The ratio itself: 10^(dBi/10).
    pub fn ratio(self) -> f64 {
        Decibels(self.0).ratio()
    }
}

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
        assert_eq!("2 /s".parse::<PerSecond>().unwrap(), PerSecond(2.0));
        assert_eq!("2/s".parse::<PerSecond>().unwrap(), PerSecond(2.0));
        assert_eq!("0.5 1/s".parse::<PerSecond>().unwrap(), PerSecond(0.5));
        assert_eq!("90 /min".parse::<PerSecond>().unwrap(), PerSecond(1.5));
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

    #[test]
    fn characters_that_look_alike_are_read_as_those_that_are_meant() {
        let micro = Seconds(2e-5);
        for text in [
            "20 µs",
            "20 μs",
            "20\u{2009}μs",
            "20\u{a0}µs",
            "20\u{202f}us",
            "20us",
        ] {
            assert_eq!(text.parse::<Seconds>().unwrap(), micro, "{text}");
        }
        let noise: WattsPerHertz = "-174 dBm/Hz".parse().unwrap();
        for minus in ['\u{2212}', '\u{2011}', '\u{2013}'] {
            let text = format!("{minus}174 dBm/Hz");
            assert_eq!(text.parse::<WattsPerHertz>().unwrap(), noise, "{text}");
        }
        assert_eq!("2e−3 s".parse::<Seconds>().unwrap(), Seconds(2e-3));
    }

    #[test]
    fn prefixes_that_make_no_sense_are_odd() {
        let message = |text: &str| oddity(text).map(|oddity| oddity.message);
        assert_eq!(
            message("40 mHz").unwrap(),
            "`40 mHz` is 4e-2 Hz, hardly the frequency that is meant; did you mean `40 MHz`?"
        );
        for (text, meant) in [
            ("23 MW", "23 mW"),
            ("5 Ms", "5 ms"),
            ("8 mB", "8 MB"),
            ("2 PJ/FLOP", "2 pJ/FLOP"),
            ("3 μHz", "3 Hz"),
        ] {
            assert!(
                message(text).unwrap().contains(&format!("`{meant}`")),
                "{text}"
            );
        }
        for text in [
            "40 MHz", "23 mW", "5 ms", "0 mHz", "-3 dB", "3 m/s", "90 min", "m", "",
        ] {
            assert_eq!(message(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_refused_at_once() {
        let text = format!("1{}", ".1".repeat(500_000));
        let message = text.parse::<Hertz>().unwrap_err().to_string();
        assert!(message.len() < 400, "{message}");
    }

    const PREFIXES: [&str; 9] = ["p", "n", "µ", "m", "", "k", "M", "G", "T"];

    #[test]
    fn what_was_written_shortly_is_written_back_shortly() {
        fn same<T: FromStr<Err = ParseQuantityError> + fmt::Display>(text: &str) {
            let quantity: T = text.parse().unwrap();
            assert_eq!(quantity.to_string(), text);
        }
        for text in ["17.2 µJ", "1.72 nJ", "12 J", "0 J", "999.9 mJ", "3.3 kJ"] {
            same::<Joules>(text);
        }
        for text in ["23 dBm", "-7.5 dBm", "200 mW", "1 W", "2.5 kW"] {
            same::<Watts>(text);
        }
        same::<WattsPerHertz>("-174 dBm/Hz");
        same::<Radians>("5 deg");
        same::<MetersPerSecond>("100 km/h");
        same::<Hertz>("2.412 GHz");
        same::<PerSecond>("2.5 /s");
        same::<PerSecond>("100 /h");
        same::<Decibels>("-3.01 dB");
    }

    proptest! {
        #[test]
        fn a_few_digits_stay_a_few(number in 1u32..100_000, prefix in 0usize..PREFIXES.len()) {
            let text = format!("{number} {}J", PREFIXES[prefix]);
            let written = text.parse::<Joules>().unwrap().to_string();
            let digits = written.chars().filter(char::is_ascii_digit).count();
            prop_assert!(digits <= 6, "{} became {}", text, written);
        }

        #[test]
        fn any_power_is_written_exactly(level in -200.0f64..60.0) {
            let power = Watts(libm::pow(10.0, level / 10.0));
            prop_assert_eq!(power.to_string().parse::<Watts>().unwrap(), power);
        }

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
