//! A Mixtral, stepped block by block, with its experts apart: how it is made, here, and
//! how it computes, in `step`.
//!
//! Jiang et al. 2024 (arXiv:2401.04088), section 2.1: a LLaMA whose feed-forward
//! networks are mixtures of experts. For a token with normalised state x the
//! router's weights are w = softmax(x · W_g) over all experts, and the block adds
//! Σ_k w'_k E_k(x) over the chosen ones, w' being their weights divided by their
//! sum. Which experts see which tokens is the caller's choice: [`Mixtral::route`]
//! says what the router thinks, [`Mixtral::expert`] computes one expert on any
//! rows, [`Mixtral::combine`] adds weighted outputs wherever they came from. So an
//! expert may sit across a network, or be left out. One step:
//!
//! ```text
//! embed ─▶ for each layer:  attend ─▶ route ─▶ expert on its rows … ─▶ combine
//!       ─▶ logits
//! ```
//!
//! [`Mixtral::forward`] is that loop with the published choice, the top-k.
//!
//! A step may hold the tokens of several sequences, and a model may cover some layers only,
//! as with [`ShardedLlama`].
//!
//! Law: a row's result has the same bits whether its token comes alone or with
//! others, of its own sequence or of any, on any kernels and any number of threads.

mod step;

pub use step::Contribution;

use super::config::ModelConfig;
use super::error::{LoadError, StepError};
use super::feed_forward::FeedForward;
use super::folder::Described;
use super::kernels::{CacheFormat, Kernels};
use super::kv_cache::KvCache;
use super::model_file::FileDigest;
use super::norm::Norm;
use super::packing::PackedMatrix;
use super::rounding::Rounding;
use super::sharded::ShardedLlama;
use super::source;
use super::state::Workspace;
use super::stored::Stored;
use super::weights::{FeedForwardWeights, NetworkWeights, Weights};
use crate::interrupt::Interrupt;
use crate::model::{Architecture, ModelShape, Parts, ShardPlan};
use crate::rng::Stream;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A Mixtral, packed on the kernels that this process runs on.
#[derive(Debug)]
pub struct Mixtral {
    /// Everything but the feed-forward networks, on one device.
    trunk: ShardedLlama,
    /// Of the layers covered.
    layers: Vec<Arc<SparseLayer>>,
    kernels: Kernels,
    weights: Weights,
    digests: Vec<FileDigest>,
}

/// A layer's mixture of experts, with the norm before it.
#[derive(Debug)]
struct SparseLayer {
    norm: Norm,
    router: PackedMatrix,
    experts: Vec<FeedForward>,
    /// What every token goes through, and the gate of its output.
    shared: Option<(FeedForward, PackedMatrix)>,
}

impl Mixtral {
    /// Loads a Hugging Face folder: `config.json` and `model.safetensors`, or the
    /// shards that `model.safetensors.index.json` lists, in f32, f16 or bf16, with
    /// one tensor per expert and matrix; or a GGUF file, or the first of its parts.
    ///
    /// The shape's precisions become that of the stored weights.
    ///
    /// # Errors
    /// If a file is missing or damaged, the architecture is another, a tensor is missing,
    /// has another shape or a number that is not finite, one is there that the model has no
    /// use for, or the kernels cannot be had; the error says which, what was expected and
    /// what to do.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        Self::load_until(folder, Interrupt::NEVER)
    }

    /// [`Mixtral::load`], given up when `interrupt` is raised.
    ///
    /// # Errors
    /// Those of [`Mixtral::load`], and [`LoadError::Interrupted`].
    pub fn load_until(folder: &Path, interrupt: Interrupt<'_>) -> Result<Self, LoadError> {
        Self::load_rounded(folder, Rounding::default(), interrupt)
    }

    /// [`Mixtral::load_until`], with weights and cache rounded; then no tensor has a name any more
    /// that is not as published.
    ///
    /// # Errors
    /// Those of [`Mixtral::load_until`].
    pub fn load_rounded(
        folder: &Path,
        rounding: Rounding,
        interrupt: Interrupt<'_>,
    ) -> Result<Self, LoadError> {
        let published =
            Described::open(folder, Architecture::Mixtral)?.load(rounding, interrupt)?;
        let packed = Kernels::active()
            .map_err(StepError::from)
            .and_then(|kernels| Self::pack(published.config, published.weights, kernels));
        let mixtral = packed.map_err(|error| LoadError::Config {
            path: folder.to_owned(),
            fault: error.to_string(),
        })?;
        Ok(Self {
            digests: published.digests,
            ..mixtral
        })
    }

    /// A Mixtral with random f32 weights: norms 1, embedding entries standard
    /// normal, matrix entries normal with variance 1 / inputs. Tensors are drawn in
    /// the order: embedding; per layer norm, q, k, v, o, norm, router, then each
    /// expert's w₁, w₂, w₃; norm, LM head.
    ///
    /// # Errors
    /// If the shape is not that of a Mixtral, or the kernels cannot be had.
    pub fn random(shape: &ModelShape, stream: &mut Stream) -> Result<Self, StepError> {
        let config = ModelConfig::plain(shape);
        let weights = source::gather(&config, Architecture::Mixtral, source::random(stream))?;
        Self::pack(config, weights, Kernels::active()?)
    }

    /// A Mixtral from tensors by their published names.
    ///
    /// # Errors
    /// If the shape is not that of a Mixtral, a tensor is missing or has another
    /// shape, or the kernels cannot be had.
    pub fn from_tensors(
        config: ModelConfig,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self, StepError> {
        let weights = source::gather(&config, Architecture::Mixtral, source::named(tensors))?;
        Self::pack(config, weights, Kernels::active()?)
    }

    /// The same model on chosen kernels; results do not depend on the choice.
    ///
    /// # Errors
    /// If the weights cannot be packed.
    pub fn on(&self, kernels: Kernels) -> Result<Self, StepError> {
        let packed = Self::pack(self.config().clone(), self.weights.clone(), kernels)?;
        let parts = self.parts().clone();
        Ok(Self {
            digests: self.digests.clone(),
            ..packed.covering(parts)?
        })
    }

    /// Some of the parts that this one covers: what a stage of a pipeline holds. They are
    /// shared, not packed again.
    ///
    /// # Errors
    /// If one of them is not covered here, or the model does not have it.
    pub fn covering(&self, parts: Parts) -> Result<Self, StepError> {
        let held = self.parts().layers.start;
        let (first, count) = (parts.layers.start.saturating_sub(held), parts.layers.len());
        Ok(Self {
            trunk: self.trunk.covering(parts)?,
            layers: self
                .layers
                .iter()
                .skip(first)
                .take(count)
                .cloned()
                .collect(),
            kernels: self.kernels,
            weights: self.weights.clone(),
            digests: self.digests.clone(),
        })
    }

    fn pack(config: ModelConfig, weights: Weights, kernels: Kernels) -> Result<Self, StepError> {
        let shape = &config.shape;
        let plan = ShardPlan::whole(shape)?;
        let trunk = ShardedLlama::pack(&config, &weights, &plan, kernels)?;
        let mut layers = Vec::with_capacity(shape.layers);
        for layer in &weights.layers {
            let FeedForwardWeights::Sparse {
                router,
                experts,
                shared,
            } = &layer.feed_forward
            else {
                unreachable!("a Mixtral's weights are gathered with experts")
            };
            let pack = |expert: &NetworkWeights, columns| {
                FeedForward::pack(expert, shape.design.activation, 0..columns, shape.hidden)
            };
            let matrix = |matrix: &Tensor, rows| {
                let matrix = Stored::Plain(matrix.clone());
                PackedMatrix::pack(&[(&matrix, 0..rows, 0..shape.hidden)])
            };
            let shared = match (shared, shape.design.shared_expert) {
                (Some((network, gate)), Some(columns)) => {
                    Some((pack(network, columns)?, matrix(gate, 1)?))
                }
                _ => None,
            };
            let experts = experts.iter().map(|expert| pack(expert, shape.ffn));
            layers.push(Arc::new(SparseLayer {
                norm: Norm::pack(&layer.mlp_norm, &config)?,
                router: matrix(router, shape.expert_count())?,
                experts: experts.collect::<Result<_, _>>()?,
                shared,
            }));
        }
        Ok(Self {
            trunk,
            layers,
            kernels,
            weights,
            digests: Vec::new(),
        })
    }

    /// The shape of the model.
    pub fn shape(&self) -> &ModelShape {
        self.trunk.shape()
    }

    /// What it covers of the model.
    pub fn parts(&self) -> &Parts {
        self.trunk.plan().parts()
    }

    /// Everything about the model that is not a weight.
    pub fn config(&self) -> &ModelConfig {
        self.trunk.config()
    }

    /// A tensor by its published name, as stored, or `None` if there is none such.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.weights.tensor(name)
    }

    /// Digests of the files it was loaded from; none for a model made here.
    pub fn digests(&self) -> &[FileDigest] {
        &self.digests
    }

    /// An empty cache for a request of up to `capacity` tokens.
    ///
    /// # Errors
    /// If the model was made for fewer positions.
    pub fn cache(&self, capacity: usize) -> Result<KvCache, StepError> {
        self.trunk.cache(capacity)
    }

    /// [`Mixtral::cache`] that keeps keys and values as `format` says.
    ///
    /// # Errors
    /// If the model was made for fewer positions.
    pub fn cache_in(&self, format: CacheFormat, capacity: usize) -> Result<KvCache, StepError> {
        self.trunk.cache_in(format, capacity)
    }

    /// Buffers for stepping this model.
    pub fn workspace(&self) -> Workspace {
        self.trunk.workspace()
    }
}
