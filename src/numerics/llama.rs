//! A LLaMA before it is divided: configuration, weights, and where they came from.
//!
//! It cannot step: [`Llama::shard`] divides and packs it, or some of its layers, even for one
//! device.

use super::config::ModelConfig;
use super::division::Division;
use super::error::{LoadError, StepError};
use super::folder::Described;
use super::kernels::Kernels;
use super::model_file::FileDigest;
use super::rounding::Rounding;
use super::sharded::ShardedLlama;
use super::source;
use super::stored::Stored;
use super::weights::Weights;
use crate::interrupt::Interrupt;
use crate::model::{Architecture, ModelShape, ShardPlan};
use crate::rng::Stream;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// A LLaMA with its weights as stored.
#[derive(Debug, Clone)]
pub struct Llama {
    config: ModelConfig,
    weights: Weights,
    digests: Vec<FileDigest>,
}

impl Llama {
    /// Loads a Hugging Face folder: `config.json` and `model.safetensors`, or the
    /// shards that `model.safetensors.index.json` lists, in f32, f16 or bf16; or a GGUF file, or
    /// the first of its parts.
    ///
    /// The shape's precisions become that of the stored weights.
    ///
    /// # Errors
    /// If a file is missing or damaged, the architecture is another, a tensor is missing,
    /// has another shape or a number that is not finite, or one is there that the model has
    /// no use for; the error says which, what was expected and what to do.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        Self::load_until(folder, Interrupt::NEVER)
    }

    /// [`Llama::load`], given up when `interrupt` is raised.
    ///
    /// # Errors
    /// Those of [`Llama::load`], and [`LoadError::Interrupted`].
    pub fn load_until(folder: &Path, interrupt: Interrupt<'_>) -> Result<Self, LoadError> {
        Self::load_rounded(folder, Rounding::default(), interrupt)
    }

    /// [`Llama::load_until`], with weights and cache rounded; then no tensor has a name any more
    /// that is not as published.
    ///
    /// # Errors
    /// Those of [`Llama::load_until`].
    pub fn load_rounded(
        folder: &Path,
        rounding: Rounding,
        interrupt: Interrupt<'_>,
    ) -> Result<Self, LoadError> {
        let published = Described::open(folder, Architecture::Llama)?.load(rounding, interrupt)?;
        Ok(Self {
            config: published.config,
            weights: published.weights,
            digests: published.digests,
        })
    }

    /// A LLaMA with random f32 weights: norms 1, embedding entries standard
    /// normal, matrix entries normal with variance 1 / inputs, so that activations
    /// keep their size. Tensors are drawn in their published order, each row by
    /// row.
    ///
    /// # Errors
    /// If the shape is not that of a LLaMA.
    pub fn random(shape: &ModelShape, stream: &mut Stream) -> Result<Self, StepError> {
        let config = ModelConfig::plain(shape);
        Self::from_source(config, source::random(stream))
    }

    /// A LLaMA from tensors by their published names, such as a training run's
    /// variables; they are shared, not copied.
    ///
    /// # Errors
    /// If the shape is not that of a LLaMA, or a tensor is missing or has another
    /// shape.
    pub fn from_tensors(
        config: ModelConfig,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self, StepError> {
        Self::from_source(config, source::named(tensors))
    }

    fn from_source(
        config: ModelConfig,
        source: impl FnMut(&str, &[usize]) -> candle_core::Result<Stored>,
    ) -> Result<Self, StepError> {
        let weights = source::gather(&config, Architecture::Llama, source)?;
        Ok(Self {
            config,
            weights,
            digests: Vec::new(),
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

    /// A tensor by its published name, as stored, or `None` if there is none such.
    /// Of tied tables, the LM head has no name of its own.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.weights.tensor(name)
    }

    /// The LM head, the embedding table where they are tied: \[vocabulary × hidden\].
    ///
    /// # Errors
    /// If one in blocks cannot be written out.
    pub fn lm_head(&self) -> Result<Tensor, candle_core::Error> {
        self.weights.head.clone().plain()
    }

    /// The LM head as stored.
    pub(super) fn stored_head(&self) -> &Stored {
        &self.weights.head
    }

    /// Digests of the files it was loaded from; none for a model made here.
    pub fn digests(&self) -> &[FileDigest] {
        &self.digests
    }

    /// Divides and packs what `plan` covers of the model, on the kernels that this process
    /// runs on.
    ///
    /// # Errors
    /// If the plan is of another shape, or the kernels cannot be had.
    pub fn shard(&self, plan: &ShardPlan) -> Result<ShardedLlama, StepError> {
        self.shard_on(plan, Kernels::active()?)
    }

    /// [`Llama::shard`] on chosen kernels; results do not depend on the choice.
    ///
    /// # Errors
    /// If the plan is of another shape.
    pub fn shard_on(&self, plan: &ShardPlan, kernels: Kernels) -> Result<ShardedLlama, StepError> {
        ShardedLlama::pack(&self.config, &self.weights, plan, kernels)
    }

    /// [`Llama::shard`] by each of `plans`, layer by layer: a layer as stored is given up as soon as
    /// all of them have packed it, so that no more is in memory than what they hold and one layer.
    ///
    /// # Errors
    /// If a plan is of another shape, or the kernels cannot be had.
    pub fn divide(self, plans: &[&ShardPlan]) -> Result<Vec<ShardedLlama>, StepError> {
        let (config, mut weights) = (self.config, self.weights);
        weights.forget_names();
        let divisions = plans.iter().map(|plan| Division::new(&config, plan));
        let mut divisions = divisions.collect::<Result<Vec<_>, _>>()?;
        for (number, layer) in std::mem::take(&mut weights.layers).into_iter().enumerate() {
            for division in &mut divisions {
                division.layer(number, &layer)?;
            }
        }
        let kernels = Kernels::active()?;
        let divisions = divisions.into_iter();
        divisions
            .map(|division| division.finish(&weights, kernels))
            .collect()
    }
}
