//! One device's part of a layer's feed-forward network, with the norm before it.
//!
//! A device holds some columns of gate and up and the same rows of down; a device
//! that holds no column has no such part.

use super::config::ModelConfig;
use super::error::StepError;
use super::feed_forward::FeedForward;
use super::kernels::Kernels;
use super::norm::Norm;
use super::state::{DeviceBuffers, Hidden};
use super::weights::{FeedForwardWeights, LayerWeights};
use crate::model::DeviceShard;
use std::iter;

/// The weights of some of a layer's columns.
#[derive(Debug)]
pub(super) struct MlpPart {
    norm: Norm,
    network: FeedForward,
}

impl MlpPart {
    /// Packs the columns of `shard`, or nothing if it has none or the layer's network
    /// is sparse.
    pub(super) fn pack(
        weights: &LayerWeights,
        config: &ModelConfig,
        shard: &DeviceShard,
    ) -> Result<Option<Self>, StepError> {
        if shard.columns.is_empty() {
            return Ok(None);
        }
        let FeedForwardWeights::Dense(dense) = &weights.feed_forward else {
            return Ok(None);
        };
        Ok(Some(Self {
            norm: Norm::pack(&weights.mlp_norm, config)?,
            network: FeedForward::pack(
                dense,
                config.shape.design.activation,
                shard.columns.clone(),
                config.shape.hidden,
            )?,
        }))
    }

    /// Norm, gate and up, their product, and this device's slice of down.
    pub(super) fn step(
        &self,
        kernels: Kernels,
        hidden: &Hidden,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        let normed = buffers.normed.fit(hidden.tokens(), hidden.width())?;
        let rows = iter::once(0..hidden.tokens());
        self.norm
            .apply(kernels, hidden.states.tensor(), rows, normed)?;
        let (between, partial) = (&mut buffers.feed_forward, &mut buffers.partial);
        self.network
            .compute(kernels, normed.tensor(), between, partial)
    }
}
