//! A LLaMA divided over devices, stepped block by block.
//!
//! Over-the-air paper, (1)–(4): each device makes a partial output of full width,
//! and the sum over devices is the block's output. The sum is not made here: the
//! caller takes the partial outputs, does with them what its network does, and
//! adds what comes back to the [`Hidden`] states. One step:
//!
//! ```text
//! embed ─▶ for each layer:  attention on every device ─▶ all-reduce ─▶ add
//!                           mlp on every device       ─▶ all-reduce ─▶ add
//!       ─▶ logits
//! ```
//!
//! Law: a row's result has the same bits whether its token comes alone or with
//! others, and on one device the same as unsharded; see the kernels.

use super::attention::AttentionPart;
use super::config::ModelConfig;
use super::error::StepError;
use super::kernels::{Kernels, RopeTable};
use super::matrix::Matrix;
use super::mlp::MlpPart;
use super::ops::{Embed, Project, RmsNorm};
use super::packing::{PackedMatrix, single};
use super::state::{Hidden, KvCache, Workspace};
use super::weights::Weights;
use crate::model::{ModelShape, ShardPlan};
use candle_core::Tensor;
use std::sync::Arc;

/// A LLaMA divided over devices.
#[derive(Debug)]
pub struct ShardedLlama {
    config: ModelConfig,
    pub(super) plan: Arc<ShardPlan>,
    pub(super) kernels: Kernels,
    embedding: Tensor,
    norm: Tensor,
    pub(super) parts: Vec<DevicePart>,
}

/// What one device holds.
#[derive(Debug)]
pub(super) struct DevicePart {
    pub(super) layers: Vec<LayerPart>,
    head: Option<PackedMatrix>,
}

/// What it holds of one layer.
#[derive(Debug)]
pub(super) struct LayerPart {
    pub(super) attention: Option<AttentionPart>,
    pub(super) mlp: Option<MlpPart>,
}

/// Which tokens' logits are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Those of the last token of the step.
    Last,
    /// Those of so many last tokens of the step.
    Final(usize),
    /// Those of every token.
    All,
}

impl ShardedLlama {
    pub(super) fn pack(
        config: &ModelConfig,
        weights: &Weights,
        plan: &ShardPlan,
        kernels: Kernels,
    ) -> Result<Self, StepError> {
        let shape = &config.shape;
        if !same_sizes(plan.shape(), shape) {
            return Err(StepError::OtherPlan {
                planned: plan.shape().name.clone(),
                model: shape.name.clone(),
            });
        }
        let mut parts = Vec::with_capacity(plan.devices());
        for shard in plan.shards() {
            let mut layers = Vec::with_capacity(shape.layers);
            for layer in &weights.layers {
                layers.push(LayerPart {
                    attention: AttentionPart::pack(layer, shape, shard)?,
                    mlp: MlpPart::pack(layer, shape, shard)?,
                });
            }
            let head = if shard.rows.is_empty() {
                None
            } else {
                let rows = (&weights.head, shard.rows.clone(), 0..shape.hidden);
                Some(PackedMatrix::pack(&[rows])?)
            };
            parts.push(DevicePart { layers, head });
        }
        Ok(Self {
            config: config.clone(),
            plan: Arc::new(plan.clone()),
            kernels,
            embedding: single(&weights.embedding)?,
            norm: single(&weights.norm)?,
            parts,
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
        let limit = self.config.max_positions;
        if capacity > limit {
            return Err(StepError::Positions {
                model: self.shape().name.clone(),
                asked: capacity,
                limit,
            });
        }
        let frequencies = self.config.rope.frequencies(self.shape().head_dim);
        let rope = Arc::new(RopeTable::from_frequencies(&frequencies, capacity));
        KvCache::new(&self.plan, rope, capacity)
    }

    /// Buffers for stepping this model.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(&self.plan)
    }

    /// The embeddings of `tokens`, the first at `position` of its sequence.
    ///
    /// # Errors
    /// If there is no token, or one is outside the vocabulary.
    pub fn embed(&self, tokens: &[u32], position: usize) -> Result<Hidden, StepError> {
        let mut hidden = Hidden {
            states: Matrix::default(),
            position,
            kernels: self.kernels,
        };
        self.embed_into(tokens, position, &mut hidden)?;
        Ok(hidden)
    }

    /// [`ShardedLlama::embed`] into states that exist; nothing is allocated if
    /// they hold as many tokens.
    ///
    /// # Errors
    /// As for [`ShardedLlama::embed`].
    pub fn embed_into(
        &self,
        tokens: &[u32],
        position: usize,
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        if tokens.is_empty() {
            return Err(StepError::NoToken);
        }
        self.check_tokens(tokens)?;
        (hidden.position, hidden.kernels) = (position, self.kernels);
        let states = hidden.states.fit(tokens.len(), self.shape().hidden)?;
        Ok(states.apply2(&self.embedding, &Embed { tokens })?)
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), StepError> {
        let vocabulary = self.shape().vocabulary;
        match tokens
            .iter()
            .position(|token| *token as usize >= vocabulary)
        {
            None => Ok(()),
            Some(position) => Err(StepError::Token {
                token: tokens[position],
                position,
                vocabulary,
            }),
        }
    }

    /// Final norm and LM head: each device makes the logits of its vocabulary
    /// rows, and [`Workspace::logits`] are all of them, \[rows × vocabulary\], with
    /// the same bits on any number of devices.
    ///
    /// # Errors
    /// If the workspace is another model's, or more rows are asked for than the step
    /// has tokens, or none.
    pub fn logits(
        &self,
        hidden: &Hidden,
        rows: Rows,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.check_workspace(workspace)?;
        let kernels = self.kernels;
        let count = match rows {
            Rows::Last => 1,
            Rows::Final(0) => return Err(StepError::NoToken),
            Rows::Final(count) => count,
            Rows::All => hidden.tokens(),
        };
        let first = hidden.tokens().checked_sub(count).ok_or(StepError::Index {
            what: "row",
            index: count - 1,
            count: hidden.tokens(),
        })?;
        let norm = RmsNorm {
            kernels,
            epsilon: self.config.norm_epsilon,
            first,
        };
        let all = workspace.logits.fit(count, self.shape().vocabulary)?;
        for (device, part) in self.parts.iter().enumerate() {
            let Some(weights) = &part.head else { continue };
            let buffers = &mut workspace.devices[device];
            let normed = buffers.normed.fit(count, hidden.width())?;
            normed.apply3(hidden.states.tensor(), &self.norm, &norm)?;
            let project = Project::with(kernels, weights);
            if weights.outputs() == self.shape().vocabulary {
                project.apply(normed.tensor(), all)?;
                continue;
            }
            let own = buffers.logits.fit(count, weights.outputs())?;
            project.apply(normed.tensor(), own)?;
            all.place_columns(own, self.plan.shards()[device].rows.start)?;
        }
        Ok(())
    }
}

/// Whether two shapes have the same tensors; names and precisions may differ.
fn same_sizes(a: &ModelShape, b: &ModelShape) -> bool {
    let sizes = |shape: &ModelShape| ModelShape {
        name: String::new(),
        weight_bits: 0.0,
        cache_bits: 0.0,
        activation_bits: 0.0,
        ..shape.clone()
    };
    sizes(a) == sizes(b)
}
