//! How tokens are drawn, as a scenario says it.

use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a token is drawn from logits: they are divided by the temperature, of the softmax the
/// `top_k` most probable tokens are kept, and of those, in falling order, the fewest whose
/// probabilities reach `top_p` of theirs together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// What logits are divided by, above 0: below 1 the probable become more so. Default 1.
    pub temperature: f64,
    /// Tokens that are kept, at least 1; of equal ones those of lower number. Default: all.
    pub top_k: Option<usize>,
    /// The part of the probability that is kept, above 0 and up to 1. Default 1.
    pub top_p: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: None,
            top_p: 1.0,
        }
    }
}

impl Sampling {
    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
        let Self {
            temperature,
            top_k,
            top_p,
        } = *self;
        if !(temperature.is_finite() && temperature > 0.0) {
            return fault(
                "temperature",
                format!(
                    "{temperature} must be a finite number above 0; for the most probable token use Greedy"
                ),
            );
        }
        if top_k == Some(0) {
            let message = "0 tokens leave nothing to draw from; use 1 or more, or leave it out";
            return fault("top_k", message.to_owned());
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return fault(
                "top_p",
                format!("{top_p} is no part of the probability; use a number above 0 and up to 1"),
            );
        }
        Ok(())
    }
}
