//! A feed-forward network, or some of its columns: a dense layer's on one device, or an
//! expert of a sparse one.
//!
//! SwiGLU (Shazeer 2020, arXiv:2002.05202, (6)): down · (SiLU(gate · x) ⊙ (up · x)), for
//! any number of rows; a row's bits do not depend on the others.

use super::error::StepError;
use super::kernels::Kernels;
use super::matrix::Matrix;
use super::ops::{Project, SiluMul};
use super::packing::PackedMatrix;
use super::weights::SwiGluWeights;
use candle_core::Tensor;
use std::ops::Range;

/// The packed weights of some columns of gate and up, and the same rows of down.
#[derive(Debug)]
pub(super) struct SwiGlu {
    /// Rows of gate, then of up: one product makes both.
    gate_up: PackedMatrix,
    down: PackedMatrix,
    columns: usize,
}

/// What stands between the products.
#[derive(Debug, Default)]
pub(super) struct SwiGluBuffers {
    /// Gate and up projections.
    gate_up: Matrix,
    /// SiLU(gate) · up.
    product: Matrix,
}

impl SwiGlu {
    /// Packs `columns` of a network on states of `hidden` entries.
    pub(super) fn pack(
        weights: &SwiGluWeights,
        columns: Range<usize>,
        hidden: usize,
    ) -> Result<Self, StepError> {
        let all = 0..hidden;
        Ok(Self {
            gate_up: PackedMatrix::pack(&[
                (&weights.gate, columns.clone(), all.clone()),
                (&weights.up, columns.clone(), all.clone()),
            ])?,
            down: PackedMatrix::pack(&[(&weights.down, all, columns.clone())])?,
            columns: columns.len(),
        })
    }

    /// `out` ← the network of every row of `inputs`.
    pub(super) fn compute(
        &self,
        kernels: Kernels,
        inputs: &Tensor,
        buffers: &mut SwiGluBuffers,
        out: &mut Matrix,
    ) -> Result<(), StepError> {
        let rows = inputs.dims()[0];
        let gate_up = buffers.gate_up.fit(rows, 2 * self.columns)?;
        Project::with(kernels, &self.gate_up).apply(inputs, gate_up)?;
        let product = buffers.product.fit(rows, self.columns)?;
        product.apply2(gate_up.tensor(), &SiluMul { kernels })?;
        let out = out.fit(rows, self.down.outputs())?;
        Project::with(kernels, &self.down).apply(product.tensor(), out)?;
        Ok(())
    }
}
