//! The ways to select experts that a scenario may name. A new one is one line here.

use super::{ExpertPolicy, LatencyHistory, TopK, WeightToLatency};
use serde::{Deserialize, Serialize};

macro_rules! policies {
    (
        without fields { $($(#[$meta:meta])* $unit:ident, $unit_summary:literal;)* }
        with fields { $($name:ident($fields:ty), $summary:literal;)* }
    ) => {
        /// A selection of experts with its fields, as a scenario states it.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum ExpertSelection {
            $(#[doc = $unit_summary] $(#[$meta])* $unit,)*
            $(#[doc = $summary] $name($fields),)*
        }

        impl ExpertSelection {
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
            pub fn policy(&self) -> &dyn ExpertPolicy {
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
        #[default]
        TopK, "the k heaviest experts of every token, as the model was trained (causal)";
    }
    with fields {
        WeightToLatency(WeightToLatency), "drop the lighter expert where it pays in weight per latency: Algorithm 1 (causal)";
        LatencyHistory(LatencyHistory), "relieve the device that past latencies show to be far behind: Algorithm 2 (causal)";
    }
}
