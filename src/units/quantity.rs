//! Physical quantities: a number in its SI unit, read from text such as
//! `"10 MHz"` or `"23 dBm"` and written back the same way. A new one is one
//! invocation of the macro below.

#[cfg(test)]
mod tests;

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
