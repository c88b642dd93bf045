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
//! A step may hold the tokens of several sequences, each a slice with a cache of its own:
//! prompts, pieces of prompts and single tokens that were decoded, in any mix. A model may
//! cover some layers only, with or without embedding and head, as the stages of a pipeline
//! do; the next one goes on with the same [`Hidden`] states.
//!
//! Law: a row's result has the same bits whether its token comes alone or with
//! others, of its own sequence or of any; on one device it has those of the unsharded model,
//! and in stages those of the whole. See the kernels.

use super::attention::AttentionPart;
use super::blocks::check_slices;
use super::config::ModelConfig;
use super::error::StepError;
use super::kernels::{Kernels, RopeTable};
use super::kv_cache::KvCache;
use super::mlp::MlpPart;
use super::ops::{Embed, Project, RmsNorm};
use super::packing::{PackedMatrix, single};
use super::state::{Hidden, Slice, Workspace};
use super::weights::Weights;
use crate::model::{ModelShape, Parts, ShardPlan};
use candle_core::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// A LLaMA divided over devices.
#[derive(Debug)]
pub struct ShardedLlama {
    config: ModelConfig,
    pub(super) plan: Arc<ShardPlan>,
    pub(super) kernels: Kernels,
    /// Where it is covered.
    embedding: Option<Tensor>,
    norm: Tensor,
    pub(super) parts: Vec<DevicePart>,
}

/// What one device holds.
#[derive(Debug)]
pub(super) struct DevicePart {
    /// Of the layers covered.
    pub(super) layers: Vec<Arc<LayerPart>>,
    head: Option<Arc<PackedMatrix>>,
}

/// What it holds of one layer.
#[derive(Debug)]
pub(super) struct LayerPart {
    pub(super) attention: Option<AttentionPart>,
    pub(super) mlp: Option<MlpPart>,
}

/// Which tokens' logits are wanted of a sequence in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Those of none: of a piece of a prompt, say.
    None,
    /// Those of the last token.
    Last,
    /// Those of so many last tokens.
    Final(usize),
    /// Those of every token.
    All,
}

impl Rows {
    /// How many rows of logits that makes of so many tokens.
    pub fn count(self, tokens: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Last => 1,
            Self::Final(count) => count,
            Self::All => tokens,
        }
    }

    /// Which rows of the step those are.
    fn of(self, slice: &Slice) -> Result<Range<usize>, StepError> {
        let rows = &slice.rows;
        let count = self.count(rows.len());
        match (self, rows.len().checked_sub(count)) {
            (Self::Final(0), _) => Err(StepError::NoToken),
            (_, Some(before)) => Ok(rows.start + before..rows.end),
            (_, None) => Err(StepError::Index {
                what: "row",
                index: count - 1,
                count: rows.len(),
            }),
        }
    }
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
        let covered = plan.parts();
        let mut parts = Vec::with_capacity(plan.devices());
        for shard in plan.shards() {
            let mut layers = Vec::with_capacity(covered.layers.len());
            for layer in &weights.layers[covered.layers.clone()] {
                layers.push(Arc::new(LayerPart {
                    attention: AttentionPart::pack(layer, shape, shard)?,
                    mlp: MlpPart::pack(layer, shape, shard)?,
                }));
            }
            let head = if shard.rows.is_empty() {
                None
            } else {
                let rows = (&weights.head, shard.rows.clone(), 0..shape.hidden);
                Some(Arc::new(PackedMatrix::pack(&[rows])?))
            };
            parts.push(DevicePart { layers, head });
        }
        Ok(Self {
            config: config.clone(),
            plan: Arc::new(plan.clone()),
            kernels,
            embedding: match covered.embedding {
                true => Some(single(&weights.embedding)?),
                false => None,
            },
            norm: single(&weights.norm)?,
            parts,
        })
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
            norm: self.norm.clone(),
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
        self.embed_slices(&[(tokens, position)])
    }

    /// The embeddings of several sequences' tokens, each given with the position of its
    /// first: one slice of the step after the other.
    ///
    /// # Errors
    /// If there is no slice, one has no token, a token is outside the vocabulary, or the
    /// model does not cover the embedding.
    pub fn embed_slices(&self, slices: &[(&[u32], usize)]) -> Result<Hidden, StepError> {
        let mut hidden = Hidden::empty(self.kernels);
        self.embed_slices_into(slices, &mut hidden)?;
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
        self.embed_slices_into(&[(tokens, position)], hidden)
    }

    /// [`ShardedLlama::embed_slices`] into states that exist; nothing is allocated if they
    /// hold as many slices and tokens.
    ///
    /// # Errors
    /// As for [`ShardedLlama::embed_slices`].
    pub fn embed_slices_into(
        &self,
        slices: &[(&[u32], usize)],
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        self.embed_all(slices.iter().copied(), hidden)
    }

    pub(super) fn embed_all<'a>(
        &self,
        slices: impl Iterator<Item = (&'a [u32], usize)> + Clone,
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        let embedding = self.embedding.as_ref();
        let embedding = embedding.ok_or_else(|| self.not_held("the embedding"))?;
        let mut total = 0;
        for (tokens, _) in slices.clone() {
            if tokens.is_empty() {
                return Err(StepError::NoToken);
            }
            self.check_tokens(tokens)?;
            total += tokens.len();
        }
        if total == 0 {
            return Err(StepError::NoToken);
        }
        hidden.kernels = self.kernels;
        hidden.slices.clear();
        let mut first = 0;
        hidden
            .slices
            .extend(slices.clone().map(|(tokens, position)| {
                let rows = first..first + tokens.len();
                first = rows.end;
                Slice { rows, position }
            }));
        let states = hidden.states.fit(total, self.shape().hidden)?;
        let texts = slices.map(|(tokens, _)| tokens);
        Ok(states.apply2(embedding, &Embed { texts })?)
    }

    fn not_held(&self, what: &str) -> StepError {
        StepError::NotHeld {
            what: what.to_owned(),
            parts: self.plan.parts().clone(),
        }
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
    /// If the workspace is another model's, more rows are asked for than the step
    /// has tokens, or none in number, the step has several slices, or the model does not
    /// cover the head.
    pub fn logits(
        &self,
        hidden: &Hidden,
        rows: Rows,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.logits_slices(hidden, &[rows], workspace)
    }

    /// [`ShardedLlama::logits`] of a step of several slices, with the rows wanted of each in
    /// their order: the rows of one slice come after those of the other. If none is wanted of
    /// any, there are no logits.
    ///
    /// # Errors
    /// As for [`ShardedLlama::logits`], and if there is not one choice of rows per slice.
    pub fn logits_slices(
        &self,
        hidden: &Hidden,
        rows: &[Rows],
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.check_workspace(workspace)?;
        if !self.plan.parts().head {
            return Err(self.not_held("the LM head"));
        }
        check_slices("choices of rows", rows.len(), hidden)?;
        let kernels = self.kernels;
        let wanted = hidden.slices.iter().zip(rows);
        let mut count = 0;
        for (slice, rows) in wanted.clone() {
            count += rows.of(slice)?.len();
        }
        let norm = RmsNorm {
            kernels,
            epsilon: self.config.norm_epsilon,
            rows: wanted.map(|(slice, rows)| rows.of(slice).unwrap_or_default()),
        };
        let all = workspace.logits.fit(count, self.shape().vocabulary)?;
        if count == 0 {
            return Ok(());
        }
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
