//! The transceiver designs that a scenario may name. A new one is one line here.

use super::descent::Descent;
use super::dominant::DominantEigenvectors;
use crate::radio::TransceiverDesign;
use serde::{Deserialize, Serialize};

macro_rules! designs {
    ($($(#[$meta:meta])* $name:ident, $summary:literal;)*) => {
        /// A transceiver design, as a scenario states it.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum Design {
            $(#[doc = $summary] $(#[$meta])* $name,)*
        }

        impl Design {
            /// Every design's name with a one-line summary.
            pub const REGISTRY: &[(&str, &str)] = &[$((stringify!($name), $summary),)*];

            /// Every design.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The design's name, as a scenario writes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The design itself.
            pub fn transceiver_design(self) -> Box<dyn TransceiverDesign> {
                match self {
                    $(Self::$name => Box::new($name),)*
                }
            }
        }
    };
}

designs! {
    #[default]
    Descent, "minimise the weakest device's demand exactly, by local descent";
    DominantEigenvectors, "combine along the leading eigenvectors of the summed channels";
}
