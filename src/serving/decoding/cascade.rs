//! A small model before a large one, as a scenario says it.

use super::Sampling;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of [`Decoding::Cascade`](super::Decoding::Cascade). The small model's answer stands
/// if each of its tokens has at least a probability; else the prompt goes on to the replica.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// The small model's name among the scenario's `models`.
    pub model: String,
    /// The node that computes it; of a group each node answers the requests that come from it.
    pub at: String,
    /// The least probability that every token of an answer that stands has, from 0, where all
    /// stand, to 1.
    pub threshold: f64,
    /// How both models draw tokens. Default: they take the most probable ones.
    #[serde(default)]
    pub sampling: Option<Sampling>,
}

impl Cascade {
    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(FieldFault::new(
                "threshold",
                format!("{} is no probability; use 0 to 1", self.threshold),
            ));
        }
        self.sampling.map_or(Ok(()), |sampling| {
            let sampling = sampling.validate();
            sampling.map_err(|fault| fault.under("sampling"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_probabilities() {
        let cascade = |threshold| Cascade {
            model: "small".to_owned(),
            at: "phone".to_owned(),
            threshold,
            sampling: None,
        };
        for threshold in [0.0, 0.3, 1.0] {
            assert_eq!(cascade(threshold).validate(), Ok(()));
        }
        for threshold in [-0.1, 1.01, f64::NAN] {
            let fault = cascade(threshold).validate().unwrap_err().to_string();
            assert!(fault.starts_with("threshold: "), "{fault}");
        }
    }
}
