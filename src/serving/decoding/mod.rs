//! How a replica turns logits into tokens, as a scenario says it.
//!
//! A scheme is one variant here, with its fields in a file of its own; what it decides lies in
//! [`policy`](crate::policy), on plain slices, and what it takes is measured by whoever executes.

mod cascade;
mod early_exit;
mod sampling;
mod speculative;

pub use cascade::Cascade;
pub use early_exit::EarlyExit;
pub use sampling::Sampling;
pub use speculative::{Adapted, Draft, DraftModel, Draws, Length, Lookup, Sends, Speculative};

use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a replica turns logits into tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Decoding {
    /// The most probable token; at a tie that of the lowest number.
    #[default]
    Greedy,
    /// A token drawn from the model's distribution.
    Sample(Sampling),
    /// Somebody cheap drafts several tokens, and the model verifies them in one pass.
    Speculative(Box<Speculative>),
    /// A small model answers; where it is not sure, the model answers in its place.
    Cascade(Box<Cascade>),
    /// A token leaves the model at the first exit that is sure of it.
    EarlyExit(EarlyExit),
}

impl Decoding {
    /// Every scheme's name, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("Greedy", "the most probable token"),
        ("Sample", "a token drawn from the model's distribution"),
        (
            "Speculative",
            "drafts of several tokens, verified in one pass",
        ),
        (
            "Cascade",
            "a small model answers, and the large one where it is not sure",
        ),
        (
            "EarlyExit",
            "a token leaves the model at the first exit that is sure of it",
        ),
    ];

    /// Whether it is the one that is meant where nothing is said. Such a field is not written, so
    /// that what was run before there was a choice is still known by its text.
    pub fn is_greedy(&self) -> bool {
        *self == Self::Greedy
    }

    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        match self {
            Self::Greedy => Ok(()),
            Self::Sample(fields) => fields.validate().map_err(|fault| fault.under("Sample")),
            Self::Speculative(fields) => fields
                .validate()
                .map_err(|fault| fault.under("Speculative")),
            Self::Cascade(fields) => fields.validate().map_err(|fault| fault.under("Cascade")),
            Self::EarlyExit(fields) => fields.validate().map_err(|fault| fault.under("EarlyExit")),
        }
    }

    /// The name of the model that drafts, or answers first, and the variants that name it.
    pub fn second_model(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Speculative(fields) => match &fields.draft {
                Draft::Model(draft) => Some(("Speculative.draft.Model", &draft.model)),
                Draft::Lookup(_) => None,
            },
            Self::Cascade(fields) => Some(("Cascade", &fields.model)),
            Self::Greedy | Self::Sample(_) | Self::EarlyExit(_) => None,
        }
    }

    /// How tokens are drawn, where they are.
    pub fn sampling(&self) -> Option<Sampling> {
        match self {
            Self::Greedy | Self::EarlyExit(_) => None,
            Self::Sample(sampling) => Some(*sampling),
            Self::Speculative(fields) => fields.sampling,
            Self::Cascade(fields) => fields.sampling,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_names_every_scheme_and_no_other() {
        let text = |name: &str| match name {
            "Sample" => "Sample()".to_owned(),
            "Speculative" => "Speculative(draft: Lookup())".to_owned(),
            "Cascade" => "Cascade(model: \"small\", at: \"phone\", threshold: 0.5)".to_owned(),
            "EarlyExit" => "EarlyExit(threshold: 0.9)".to_owned(),
            name => name.to_owned(),
        };
        for (name, _) in Decoding::REGISTRY {
            let tree = crate::scenario::raw::parse(&text(name), 0).unwrap();
            let decoding: Decoding = crate::scenario::raw::decode(&tree).unwrap();
            assert_eq!(decoding.validate(), Ok(()), "{name}");
        }
    }

    #[test]
    fn impossible_fields_are_told_at_their_place() {
        let sample = |sampling| {
            Decoding::Sample(sampling)
                .validate()
                .unwrap_err()
                .to_string()
        };
        let hot = Sampling {
            temperature: 0.0,
            ..Sampling::default()
        };
        assert!(sample(hot).starts_with("Sample.temperature: 0"));
        let none = Sampling {
            top_k: Some(0),
            ..Sampling::default()
        };
        assert!(sample(none).starts_with("Sample.top_k: 0"));
        for top_p in [0.0, 1.5, f64::NAN] {
            let part = Sampling {
                top_p,
                ..Sampling::default()
            };
            assert!(sample(part).starts_with("Sample.top_p: "));
        }
    }
}
