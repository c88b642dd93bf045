//! Fading with a line of sight and without path loss.

use super::{FadingModel, Moments};
use crate::rng::Streams;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// h ~ CN(μ, σ²): a real line-of-sight mean μ plus scattering of variance σ²
/// (real and imaginary part σ²/2 each). E|h|² = μ² + σ²; Rice factor μ²/σ².
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rician {
    /// μ, dimensionless.
    pub mean: f64,
    /// σ², dimensionless.
    pub variance: f64,
}

impl Default for Rician {
    /// Mean 1, variance 1: section IV of Zhang et al., "Distributed On-Device LLM
    /// Inference With Over-the-Air Computation".
    fn default() -> Self {
        Self {
            mean: 1.0,
            variance: 1.0,
        }
    }
}

impl FadingModel for Rician {
    fn validate(&self, _devices: usize) -> Result<(), FieldFault> {
        let Self { mean, variance } = *self;
        if !mean.is_finite() {
            return Err(FieldFault::new(
                "mean",
                format!("{mean} must be a finite number"),
            ));
        }
        FieldFault::if_negative("variance", variance)?;
        if mean == 0.0 && variance == 0.0 {
            return Err(FieldFault::new(
                "variance",
                "mean and variance are both zero, so nothing arrives; raise one of them",
            ));
        }
        Ok(())
    }

    fn moments(&self, _streams: Streams, _device: usize) -> Moments {
        Moments {
            mean: self.mean,
            variance: self.variance,
        }
    }
}
