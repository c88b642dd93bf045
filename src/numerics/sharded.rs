//! A LLaMA divided over devices, stepped block by block.
//!
//! Over-the-air paper, (1)–(4): each device makes a partial output of full width,
//! and the sum over devices is the block's output. The sum is not made here: the
//! caller takes the partial outputs, does with them what its network does, and
//! adds what comes back to the [`Hidden`](super::Hidden) states. One step:
//!
//! ```text
//! embed ─▶ for each layer:  attention on every device ─▶ all-reduce ─▶ add
//!                           mlp on every device       ─▶ all-reduce ─▶ add
//!       ─▶ logits
//! ```
//!
//! A step may hold the tokens of several sequences, each a slice with a cache of its own:
//! prompts, pieces of prompts and single tokens that were decoded, in any mix. A model may
//! cover some layers only, with or without embedding and head, as the stages of a pipeline
//! do; the next one goes on with the same [`Hidden`](super::Hidden) states.
//!
//! Law: a row's result has the same bits whether its token comes alone or with
//! others, of its own sequence or of any; on one device it has those of the unsharded model,
//! and in stages those of the whole. See the kernels.

use super::attention::AttentionPart;
use super::config::ModelConfig;
use super::division::Division;
use super::error::StepError;
use super::kernels::{BlockMatrix, CacheFormat, Kernels, RopeTable};
use super::kv_cache::KvCache;
use super::mlp::MlpPart;
use super::norm::Norm;
use super::packing::PackedMatrix;
use super::state::Workspace;
use super::stored::Stored;
use super::weights::Weights;
use crate::model::{ModelShape, Parts, ShardPlan};
use candle_core::Tensor;
use std::sync::Arc;

/// A LLaMA divided over devices.
#[derive(Debug)]
pub struct ShardedLlama {
    pub(super) config: ModelConfig,
    pub(super) plan: Arc<ShardPlan>,
    pub(super) kernels: Kernels,
    /// Where it is covered.
    pub(super) embedding: Option<Table>,
    /// Of learned positions, where the embedding is covered.
    pub(super) positions: Option<Tensor>,
    pub(super) norm: Norm,
    /// After attention and feed-forward network of the layers covered, where there are such.
    pub(super) norms_after: Vec<[Option<Norm>; 2]>,
    pub(super) parts: Vec<DevicePart>,
}

/// The embedding of each token.
#[derive(Debug, Clone)]
pub(super) enum Table {
    /// Numbers as stored, and what each is multiplied by.
    Plain(Tensor, Option<f32>),
    /// The same in blocks.
    Blocks(Arc<BlockMatrix>, Option<f32>),
}

impl Table {
    pub(super) fn pack(stored: &Stored, scale: Option<f32>) -> Result<Self, StepError> {
        Ok(match stored {
            Stored::Blocks(matrix) => Self::Blocks(Arc::clone(matrix), scale),
            Stored::Plain(table) => Self::Plain(table.contiguous()?, scale),
        })
    }
}

/// What one device holds.
#[derive(Debug)]
pub(super) struct DevicePart {
    /// Of the layers covered.
    pub(super) layers: Vec<Arc<LayerPart>>,
    pub(super) head: Option<Arc<PackedMatrix>>,
}

/// What it holds of one layer.
#[derive(Debug)]
pub(super) struct LayerPart {
    pub(super) attention: Option<AttentionPart>,
    pub(super) mlp: Option<MlpPart>,
}

impl ShardedLlama {
    pub(super) fn pack(
        config: &ModelConfig,
        weights: &Weights,
        plan: &ShardPlan,
        kernels: Kernels,
    ) -> Result<Self, StepError> {
        let mut division = Division::new(config, plan)?;
        for (number, layer) in weights.layers.iter().enumerate() {
            division.layer(number, layer)?;
        }
        division.finish(weights, kernels)
    }

    /// Some of the parts that this one covers. They are shared, not packed again.
    ///
    /// # Errors
    /// If one of them is not covered here, or the model does not have it.
    pub fn covering(&self, parts: Parts) -> Result<Self, StepError> {
        let (held, plan) = (self.plan.parts(), self.plan.covering(parts)?);
        let parts = plan.parts();
        if !held.contain(parts) {
            return Err(StepError::NotHeld {
                what: format!(
                    "layers {}..{} with what else was asked for",
                    parts.layers.start, parts.layers.end
                ),
                parts: held.clone(),
            });
        }
        let first = parts.layers.start.saturating_sub(held.layers.start);
        let devices = self.parts.iter().map(|device| {
            let layers = device.layers.iter().skip(first);
            DevicePart {
                layers: layers.take(parts.layers.len()).cloned().collect(),
                head: device.head.clone().filter(|_| parts.head),
            }
        });
        Ok(Self {
            config: self.config.clone(),
            kernels: self.kernels,
            embedding: self.embedding.clone().filter(|_| parts.embedding),
            positions: self.positions.clone().filter(|_| parts.embedding),
            norm: self.norm.clone(),
            norms_after: {
                let norms = self.norms_after.iter().skip(first);
                norms.take(parts.layers.len()).cloned().collect()
            },
            parts: devices.collect(),
            plan: Arc::new(plan),
        })
    }

    /// The shape of the model.
    pub fn shape(&self) -> &ModelShape {
        &self.config.shape
    }

    /// Everything about the model that is not a weight.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// How it is divided.
    pub fn plan(&self) -> &ShardPlan {
        &self.plan
    }

    /// Number of devices.
    pub fn devices(&self) -> usize {
        self.parts.len()
    }

    /// An empty cache for a request of up to `capacity` tokens.
    ///
    /// # Errors
    /// If the model was made for fewer positions.
    pub fn cache(&self, capacity: usize) -> Result<KvCache, StepError> {
        self.cache_in(self.config.cache, capacity)
    }

    /// [`ShardedLlama::cache`] that keeps keys and values as `format` says.
    ///
    /// # Errors
    /// If the model was made for fewer positions.
    pub fn cache_in(&self, format: CacheFormat, capacity: usize) -> Result<KvCache, StepError> {
        let limit = self.config.max_positions;
        if capacity > limit {
            return Err(StepError::Positions {
                model: self.shape().name.clone(),
                asked: capacity,
                limit,
            });
        }
        let rope = &self.config.rope;
        let frequencies = rope.frequencies(self.shape().head_dim, capacity);
        let table = RopeTable::from_frequencies(&frequencies, capacity);
        let rope = Arc::new(match rope.stretch() {
            1.0 => table,
            stretch => table.times(stretch),
        });
        KvCache::new(&self.plan, rope, capacity, format)
    }

    /// Buffers for stepping this model.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(&self.plan)
    }

    pub(super) fn not_held(&self, what: &str) -> StepError {
        StepError::NotHeld {
            what: what.to_owned(),
            parts: self.plan.parts().clone(),
        }
    }
}

/// Whether two shapes have the same tensors; names and precisions may differ.
pub(super) fn same_sizes(a: &ModelShape, b: &ModelShape) -> bool {
    let sizes = |shape: &ModelShape| ModelShape {
        name: String::new(),
        weight_bits: 0.0,
        cache_bits: 0.0,
        activation_bits: 0.0,
        ..shape.clone()
    };
    sizes(a) == sizes(b)
}
