//! The all-reduce schemes that a scenario may name. A new one is one line here.

use super::aircomp::AirComp;
use super::all_reduce::AllReduce;
use super::digital::Digital;
use super::ideal::Ideal;
use super::uncoded_fdma::UncodedFdma;
use serde::{Deserialize, Serialize};

macro_rules! schemes {
    (
        without fields { $($unit:ident, $unit_summary:literal;)* }
        with fields { $($name:ident($fields:ty), $summary:literal;)* }
    ) => {
        /// An all-reduce scheme with its fields, as a scenario states it.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum Scheme {
            $(#[doc = $unit_summary] $unit,)*
            $(#[doc = $summary] $name($fields),)*
        }

        impl Scheme {
            /// Every scheme's name with a one-line summary.
            pub const REGISTRY: &[(&str, &str)] = &[
                $((stringify!($unit), $unit_summary),)*
                $((stringify!($name), $summary),)*
            ];

            /// The scheme's name, as a scenario writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$unit => stringify!($unit),)*
                    $(Self::$name(_) => stringify!($name),)*
                }
            }

            /// The scheme itself.
            pub fn all_reduce(&self) -> &dyn AllReduce {
                match self {
                    $(Self::$unit => &$unit,)*
                    $(Self::$name(fields) => fields,)*
                }
            }
        }
    };
}

schemes! {
    without fields {
        Ideal, "exact sum in no time and for no energy: the reference";
    }
    with fields {
        AirComp(AirComp), "analog over the air: all devices send at once and the channel adds";
        Digital(Digital), "quantised bits on one OFDMA sub-channel per device, at its link's rate";
        UncodedFdma(UncodedFdma), "analog symbols on one sub-channel per device: each is heard alone, and errors add";
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::AirComp(AirComp::default())
    }
}
