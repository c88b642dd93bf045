//! One expert of a Mixtral layer: a SwiGLU network of its own.
//!
//! w₂ · (SiLU(w₁ · x) ⊙ (w₃ · x)) (Jiang et al. 2024, arXiv:2401.04088, section
//! 2.1), for any number of rows; a row's bits do not depend on the others.

use super::error::StepError;
use super::kernels::{Kernels, Packed};
use super::packing::pack;
use super::weights::SwiGluWeights;
use crate::model::ModelShape;

/// The packed weights of one expert.
#[derive(Debug)]
pub(super) struct Expert {
    /// Rows of w₁, then of w₃: one product makes both.
    gate_up: Packed,
    down: Packed,
    columns: usize,
}

impl Expert {
    pub(super) fn pack(weights: &SwiGluWeights, shape: &ModelShape) -> Result<Self, StepError> {
        let (columns, all) = (0..shape.ffn, 0..shape.hidden);
        Ok(Self {
            gate_up: pack(&[
                (&weights.gate, columns.clone(), all.clone()),
                (&weights.up, columns.clone(), all.clone()),
            ])?,
            down: pack(&[(&weights.down, all, columns)])?,
            columns: shape.ffn,
        })
    }

    /// `outputs` ← the expert of each of `rows` rows of `inputs`.
    pub(super) fn compute(
        &self,
        kernels: Kernels,
        inputs: &[f32],
        rows: usize,
        outputs: &mut [f32],
    ) {
        let mut gate_up = vec![0.0; rows * 2 * self.columns];
        kernels.matmul(inputs, rows, &self.gate_up, &mut gate_up);
        let mut product = vec![0.0; rows * self.columns];
        kernels.silu_mul_joined(&gate_up, self.columns, &mut product);
        kernels.matmul(&product, rows, &self.down, outputs);
    }
}
