//! The transceiver designs that a scenario may name. A new one is one line here.

use super::alternating::AlternatingMmse;
use super::antenna_selection::AntennaSelection;
use super::descent::Descent;
use super::dominant::DominantEigenvectors;
use super::relaxation::Relaxation;
use crate::radio::TransceiverDesign;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! designs {
    (
        without fields { $($unit:ident, $unit_summary:literal;)* }
        with fields { $($name:ident($fields:ty), $summary:literal;)* }
    ) => {
        /// A transceiver design with its fields, as a scenario states it.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum Design {
            $(#[doc = $summary] $name($fields),)*
            $(#[doc = $unit_summary] $unit,)*
        }

        impl Design {
            /// Every design's name with a one-line summary.
            pub const REGISTRY: &[(&str, &str)] = &[
                $((stringify!($name), $summary),)*
                $((stringify!($unit), $unit_summary),)*
            ];

            /// Every design, with the fields it has by default.
            pub fn all() -> Vec<Self> {
                vec![
                    $(Self::$name(<$fields>::default()),)*
                    $(Self::$unit,)*
                ]
            }

            /// The design's name, as a scenario writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                    $(Self::$unit => stringify!($unit),)*
                }
            }

            /// Checks its fields.
            ///
            /// # Errors
            /// The first impossible one, by its path within the design.
            pub fn validate(&self) -> Result<(), FieldFault> {
                match self {
                    $(Self::$name(fields) => fields.validate(),)*
                    $(Self::$unit => Ok(()),)*
                }
            }

            /// The design itself.
            pub fn transceiver_design(&self) -> Box<dyn TransceiverDesign> {
                match self {
                    $(Self::$name(fields) => Box::new(*fields),)*
                    $(Self::$unit => Box::new($unit),)*
                }
            }
        }
    };
}

designs! {
    without fields {
        AntennaSelection, "listen on as many antennas as streams, the best by exchange";
        DominantEigenvectors, "combine along the leading eigenvectors of the summed channels";
    }
    with fields {
        AlternatingMmse(AlternatingMmse),
            "alternate the MMSE combiner with power-limited precoders, from the descent";
        Descent(Descent), "minimise the weakest device's demand exactly, by local descent";
        Relaxation(Relaxation),
            "the paper's: semidefinite relaxation, then the best of many random directions";
    }
}

impl Default for Design {
    fn default() -> Self {
        Self::AlternatingMmse(AlternatingMmse::default())
    }
}

impl Design {
    /// Checks that the design can serve `streams` streams per channel use from devices of
    /// `antennas` antennas each.
    ///
    /// # Errors
    /// If it is the relaxation, which needs as many streams as antennas.
    pub fn check_streams(&self, streams: usize, antennas: usize) -> Result<(), FieldFault> {
        match self {
            Self::Relaxation(_) if streams != antennas => Err(FieldFault::new(
                "Relaxation",
                format!(
                    "the relaxation needs as many streams as device antennas, but {streams} \
                     streams meet {antennas} antennas; use {antennas} streams or another design"
                ),
            )),
            _ => Ok(()),
        }
    }
}
