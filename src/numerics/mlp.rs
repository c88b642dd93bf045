//! One device's part of a layer's feed-forward network, with the norm before it.
//!
//! A device holds some columns of gate and up and the same rows of down; a device
//! that holds no column has no such part.

use super::error::StepError;
use super::kernels::Kernels;
use super::ops::RmsNorm;
use super::packing::single;
use super::state::{DeviceBuffers, Hidden};
use super::swiglu::SwiGlu;
use super::weights::{FeedForwardWeights, LayerWeights};
use crate::model::{DeviceShard, ModelShape};
use candle_core::Tensor;
use std::iter;

/// The weights of some of a layer's columns.
#[derive(Debug)]
pub(super) struct MlpPart {
    norm: Tensor,
    network: SwiGlu,
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
        Ok(Some(Self {
            norm: single(&weights.mlp_norm)?,
            network: SwiGlu::pack(dense, shard.columns.clone(), shape.hidden)?,
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
        let normed = buffers.normed.fit(hidden.tokens(), hidden.width())?;
        let norm = RmsNorm {
            kernels,
            epsilon,
            rows: iter::once(0..hidden.tokens()),
        };
        normed.apply3(hidden.states.tensor(), &self.norm, &norm)?;
        let (between, partial) = (&mut buffers.feed_forward, &mut buffers.partial);
        self.network
            .compute(kernels, normed.tensor(), between, partial)
    }
}
