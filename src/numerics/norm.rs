//! The norms of a model: packed once, applied to rows.

use super::config::ModelConfig;
use super::error::StepError;
use super::kernels::Kernels;
use super::matrix::Matrix;
use super::ops::{LayerNorm, RmsNorm};
use super::stored::single;
use super::weights::NormWeights;
use candle_core::{Error, Tensor};
use std::ops::Range;

/// A norm of rows as wide as the residual stream.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    /// Weights, and after them biases, if it has some.
    weights: Tensor,
    biased: bool,
    epsilon: f32,
}

impl Norm {
    /// That of `config` with such weights.
    pub(super) fn pack(weights: &NormWeights, config: &ModelConfig) -> Result<Self, StepError> {
        let weight = offset(&weights.weight, config)?;
        Ok(Self {
            weights: match &weights.bias {
                Some(bias) => Tensor::cat(&[&weight, &single(bias)?], 0)?,
                None => weight,
            },
            biased: weights.bias.is_some(),
            epsilon: config.norm_epsilon,
        })
    }

    /// `out` ← the norm of `rows` of `x`, one range after the other.
    pub(super) fn apply<I: Iterator<Item = Range<usize>> + Clone>(
        &self,
        kernels: Kernels,
        x: &Tensor,
        rows: I,
        out: &mut Matrix,
    ) -> Result<(), Error> {
        let epsilon = self.epsilon;
        match self.biased {
            true => {
                let norm = LayerNorm {
                    kernels,
                    epsilon,
                    rows,
                };
                out.apply3(x, &self.weights, &norm)
            }
            false => {
                let norm = RmsNorm {
                    kernels,
                    epsilon,
                    rows,
                };
                out.apply3(x, &self.weights, &norm)
            }
        }
    }
}

/// A norm's weights in f32, with what the family adds to them.
pub(super) fn offset(weight: &Tensor, config: &ModelConfig) -> Result<Tensor, Error> {
    let weight = single(weight)?;
    match config.norm_offset {
        0.0 => Ok(weight),
        offset => weight.affine(1.0, f64::from(offset)),
    }
}
