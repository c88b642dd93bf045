//! The divisions of the band that a scenario may name. A new one is one line here.

use super::{BandwidthPolicy, MaxMinRate, MinMax, PerPass, Proportional, Uniform};
use serde::{Deserialize, Serialize};

macro_rules! policies {
    (
        without fields { $($(#[$meta:meta])* $unit:ident, $unit_summary:literal;)* }
        with fields { $($name:ident($fields:ty), $summary:literal;)* }
    ) => {
        /// A division of the band with its fields, as a scenario states it.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum Bandwidth {
            $(#[doc = $unit_summary] $(#[$meta])* $unit,)*
            $(#[doc = $summary] $name($fields),)*
        }

        impl Bandwidth {
            /// Every policy's name with a one-line summary.
            pub const REGISTRY: &[(&str, &str)] = &[
                $((stringify!($unit), $unit_summary),)*
                $((stringify!($name), $summary),)*
            ];

            /// The policy's name, as a scenario writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$unit => stringify!($unit),)*
                    $(Self::$name(_) => stringify!($name),)*
                }
            }

            /// The policy itself.
            pub fn policy(&self) -> &dyn BandwidthPolicy {
                match self {
                    $(Self::$unit => &$unit,)*
                    $(Self::$name(fields) => fields,)*
                }
            }
        }
    };
}

policies! {
    without fields {
        Uniform, "the same for every device, tokens or not: the paper's baseline (causal)";
        Proportional, "in proportion to each block's tokens (causal)";
        MaxMinRate, "equal rates for all devices with tokens (causal)";
        #[default]
        MinMax, "per block, all devices return together: the earliest end (causal)";
    }
    with fields {
        PerPass(PerPass), "one division per pass, least sum of waits, for the previous pass's loads (causal) or an oracle's (not)";
    }
}
