//! A feed-forward network, or some of its columns: a dense layer's on one device, or an
//! expert of a sparse one.
//!
//! With a gate (Shazeer 2020, arXiv:2002.05202, (6)) it is down · (f(gate · x) ⊙ (up · x)),
//! without one down · f(up · x), f being the family's activation, for any number of rows; a
//! row's bits do not depend on the others. Of a divided network the bias of down is added by
//! whoever holds the first column.

use super::error::StepError;
use super::kernels::Kernels;
use super::matrix::Matrix;
use super::ops::Activate;
use super::packing::Projection;
use super::weights::NetworkWeights;
use crate::model::Activation;
use candle_core::Tensor;
use std::ops::Range;

/// The packed weights of some columns of gate and up, and the same rows of down.
#[derive(Debug)]
pub(super) struct FeedForward {
    /// Rows of gate, if there is one, then of up: one product makes both.
    gate_up: Projection,
    down: Projection,
    columns: usize,
    activation: Activation,
    gated: bool,
}

/// What stands between the products.
#[derive(Debug, Default)]
pub(super) struct FeedForwardBuffers {
    /// Gate and up projections.
    gate_up: Matrix,
    /// f(gate) · up.
    product: Matrix,
}

impl FeedForward {
    /// Packs `columns` of a network on states of `hidden` entries.
    pub(super) fn pack(
        weights: &NetworkWeights,
        activation: Activation,
        columns: Range<usize>,
        hidden: usize,
    ) -> Result<Self, StepError> {
        let all = 0..hidden;
        let down = match columns.start {
            0 => weights.down.bias.as_ref(),
            _ => None,
        };
        let up = (&weights.up, columns.clone());
        Ok(Self {
            gate_up: match &weights.gate {
                Some(gate) => Projection::rows(&[(gate, columns.clone()), up], all.clone())?,
                None => Projection::rows(&[up], all.clone())?,
            },
            down: Projection::columns(&weights.down.weight, down, all, columns.clone())?,
            columns: columns.len(),
            activation,
            gated: weights.gate.is_some(),
        })
    }

    /// `out` ← the network of every row of `inputs`.
    pub(super) fn compute(
        &self,
        kernels: Kernels,
        inputs: &Tensor,
        buffers: &mut FeedForwardBuffers,
        out: &mut Matrix,
    ) -> Result<(), StepError> {
        let rows = inputs.dims()[0];
        let gate_up = buffers.gate_up.fit(rows, self.gate_up.outputs())?;
        self.gate_up.apply(kernels, inputs, gate_up)?;
        let product = buffers.product.fit(rows, self.columns)?;
        let activate = Activate {
            kernels,
            activation: self.activation,
            gated: self.gated,
        };
        product.apply2(gate_up.tensor(), &activate)?;
        let out = out.fit(rows, self.down.outputs())?;
        self.down.apply(kernels, product.tensor(), out)?;
        Ok(())
    }
}
