//! One device's part of a layer's feed-forward network, with the norm before it.
//!
//! SwiGLU (Shazeer 2020, arXiv:2002.05202, (6)): down · (SiLU(gate · x) ⊙ (up · x)).
//! A device holds some columns of gate and up and the same rows of down; a device
//! that holds no column has no such part.

use super::buffer::Buffer;
use super::error::StepError;
use super::kernels::{Kernels, Packed};
use super::ops::{Project, RmsNorm, SiluMul};
use super::packing::pack;
use super::state::{DeviceBuffers, Hidden};
use super::weights::{FeedForwardWeights, LayerWeights};
use crate::model::{DeviceShard, ModelShape};

/// The weights of some of a layer's columns.
#[derive(Debug)]
pub(super) struct MlpPart {
    norm: Buffer,
    /// Rows of gate, then of up: one product makes both.
    gate_up: Packed,
    down: Packed,
    columns: usize,
}

impl MlpPart {
    /// Packs the columns of `shard`, or nothing if it has none or the layer's network
    /// is sparse.
    pub(super) fn pack(
        weights: &LayerWeights,
        shape: &ModelShape,
        shard: &DeviceShard,
    ) -> Result<Option<Self>, StepError> {
        if shard.columns.is_empty() {
            return Ok(None);
        }
        let FeedForwardWeights::Dense(dense) = &weights.feed_forward else {
            return Ok(None);
        };
        let (columns, all) = (&shard.columns, 0..shape.hidden);
        Ok(Some(Self {
            norm: Buffer::copy_of(&weights.mlp_norm)?,
            gate_up: pack(&[
                (&dense.gate, columns.clone(), all.clone()),
                (&dense.up, columns.clone(), all.clone()),
            ])?,
            down: pack(&[(&dense.down, all, columns.clone())])?,
            columns: columns.len(),
        }))
    }

    /// Norm, gate and up, their product, and this device's slice of down.
    pub(super) fn step(
        &self,
        kernels: Kernels,
        epsilon: f32,
        hidden: &Hidden,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        let tokens = hidden.tokens();
        let normed = buffers.normed.fit(tokens, hidden.width());
        normed.apply3(
            &hidden.states,
            &self.norm,
            &RmsNorm {
                kernels,
                epsilon,
                first: 0,
            },
        )?;
        let gate_up = buffers.gate_up.fit(tokens, 2 * self.columns);
        let weights = &self.gate_up;
        gate_up.apply2(normed, &Project { kernels, weights })?;
        let product = buffers.product.fit(tokens, self.columns);
        product.apply2(gate_up, &SiluMul { kernels })?;
        let partial = buffers.partial.fit(tokens, hidden.width());
        let weights = &self.down;
        partial.apply2(product, &Project { kernels, weights })?;
        Ok(())
    }
}
