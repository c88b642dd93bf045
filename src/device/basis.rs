//! What a profile's numbers rest on: a measurement, a fit, a data sheet, or an assumption.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Words of a preset, or of a file.
pub type Words = Cow<'static, str>;

/// What each group of a profile's numbers rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Times of decoding: weights, cache, overheads.
    pub compute: Ground,
    /// The time of long prompts.
    pub prefill: Ground,
    /// The time that each token of context adds.
    pub context: Ground,
    /// Memory for weights, cache and activations.
    pub memory: Ground,
    /// Powers and energies.
    pub power: Ground,
    /// What messages cost, where the measurements say so.
    #[serde(default)]
    pub links: Option<Ground>,
}

/// What numbers rest on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Ground {
    /// They are a measurement's own.
    Measured(Evidence),
    /// They are fitted to measurements, which they do not meet exactly.
    Fitted(Evidence),
    /// They are as the maker states them.
    DataSheet {
        /// Which.
        source: Words,
    },
    /// Nobody measured them.
    Assumed {
        /// Why they are taken to be so.
        reason: Words,
    },
}

/// Measurements behind numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Who measured what.
    pub source: Words,
    /// The relative error to expect, 0.03 for 3 %, by predicting each measurement from the others;
    /// none where too few were made.
    #[serde(default)]
    pub error: Option<f64>,
    /// Within which it was measured.
    #[serde(default)]
    pub range: Range,
}

/// From least to most, of what was measured; none where that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Range {
    /// Weights of the model that a token uses, the whole model's.
    pub weights: Option<(f64, f64)>,
    /// Bits per weight.
    pub weight_bits: Option<(f64, f64)>,
    /// Devices among which it was divided.
    pub devices: Option<(u32, u32)>,
    /// Tokens of context.
    pub context: Option<(u32, u32)>,
}

/// In one word, as tables show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`Ground::Measured`].
    Measured,
    /// [`Ground::Fitted`].
    Fitted,
    /// [`Ground::DataSheet`].
    DataSheet,
    /// [`Ground::Assumed`].
    Assumed,
}

impl Kind {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::DataSheet => "data sheet",
            Self::Assumed => "assumed",
        }
    }
}

impl Ground {
    /// Which it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Measured(_) => Kind::Measured,
            Self::Fitted(_) => Kind::Fitted,
            Self::DataSheet { .. } => Kind::DataSheet,
            Self::Assumed { .. } => Kind::Assumed,
        }
    }

    /// Its measurements, if there are any.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Measured(evidence) | Self::Fitted(evidence) => Some(evidence),
            Self::DataSheet { .. } | Self::Assumed { .. } => None,
        }
    }

    /// Where it comes from, or why it is so.
    pub fn words(&self) -> &str {
        match self {
            Self::Measured(evidence) | Self::Fitted(evidence) => &evidence.source,
            Self::DataSheet { source } => source,
            Self::Assumed { reason } => reason,
        }
    }
}

impl Basis {
    /// Of numbers that a scenario states without a word about them.
    pub fn of_scenario() -> Self {
        let stated = || Ground::Assumed {
            reason: "the scenario states it".into(),
        };
        Self {
            compute: stated(),
            prefill: stated(),
            context: stated(),
            memory: stated(),
            power: stated(),
            links: None,
        }
    }

    /// The groups with their names.
    pub fn groups(&self) -> impl Iterator<Item = (&'static str, &Ground)> {
        [
            ("compute", &self.compute),
            ("prefill", &self.prefill),
            ("context", &self.context),
            ("memory", &self.memory),
            ("power", &self.power),
        ]
        .into_iter()
        .chain(self.links.as_ref().map(|links| ("links", links)))
    }
}
