//! Dividing a model layer by layer, so that what is packed need not lie beside what was stored.

use super::attention::AttentionPart;
use super::config::ModelConfig;
use super::error::StepError;
use super::kernels::Kernels;
use super::mlp::MlpPart;
use super::norm::Norm;
use super::packing::PackedMatrix;
use super::sharded::{DevicePart, LayerPart, ShardedLlama, Table, same_sizes};
use super::stored::single;
use super::weights::{LayerWeights, NormWeights, Weights};
use crate::model::ShardPlan;
use std::sync::Arc;

/// What is packed so far of what a plan covers.
pub(super) struct Division<'a> {
    config: &'a ModelConfig,
    plan: &'a ShardPlan,
    /// By device, the layers that are packed.
    layers: Vec<Vec<Arc<LayerPart>>>,
    norms_after: Vec<[Option<Norm>; 2]>,
}

impl<'a> Division<'a> {
    /// Nothing yet.
    ///
    /// # Errors
    /// If the plan is of another shape.
    pub(super) fn new(config: &'a ModelConfig, plan: &'a ShardPlan) -> Result<Self, StepError> {
        let shape = &config.shape;
        if !same_sizes(plan.shape(), shape) {
            return Err(StepError::OtherPlan {
                planned: plan.shape().name.clone(),
                model: shape.name.clone(),
            });
        }
        Ok(Self {
            config,
            plan,
            layers: vec![Vec::new(); plan.devices()],
            norms_after: Vec::new(),
        })
    }

    /// Packs the model's layer `number`, which comes after those before it, if the plan covers it.
    ///
    /// # Errors
    /// If it cannot be packed.
    pub(super) fn layer(&mut self, number: usize, layer: &LayerWeights) -> Result<(), StepError> {
        if !self.plan.parts().layers.contains(&number) {
            return Ok(());
        }
        let config = self.config;
        for (layers, shard) in self.layers.iter_mut().zip(self.plan.shards()) {
            layers.push(Arc::new(LayerPart {
                attention: AttentionPart::pack(layer, number, config, shard)?,
                mlp: MlpPart::pack(layer, config, shard)?,
            }));
        }
        let norm = |weights: &Option<NormWeights>| {
            let weights = weights.as_ref();
            weights
                .map(|weights| Norm::pack(weights, config))
                .transpose()
        };
        let after = [norm(&layer.attention_after)?, norm(&layer.mlp_after)?];
        self.norms_after.push(after);
        Ok(())
    }

    /// The whole, with what `weights` hold beside layers.
    ///
    /// # Errors
    /// If it cannot be packed.
    pub(super) fn finish(
        self,
        weights: &Weights,
        kernels: Kernels,
    ) -> Result<ShardedLlama, StepError> {
        let (config, plan) = (self.config, self.plan);
        let mut parts = Vec::with_capacity(plan.devices());
        for (layers, shard) in self.layers.into_iter().zip(plan.shards()) {
            let head = if shard.rows.is_empty() {
                None
            } else {
                let rows = (&weights.head, shard.rows.clone(), 0..config.shape.hidden);
                Some(Arc::new(PackedMatrix::pack(&[rows])?))
            };
            parts.push(DevicePart { layers, head });
        }
        let embeds = plan.parts().embedding;
        let positions = weights.positions.as_ref().filter(|_| embeds);
        Ok(ShardedLlama {
            config: config.clone(),
            plan: Arc::new(plan.clone()),
            kernels,
            embedding: match embeds {
                true => Some(Table::pack(&weights.embedding, config.embedding_scale)?),
                false => None,
            },
            positions: positions.map(single).transpose()?,
            norm: Norm::pack(&weights.norm, config)?,
            norms_after: self.norms_after,
            parts,
        })
    }
}
