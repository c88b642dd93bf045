//! A LLaMA before it is divided: configuration, weights, and where they came from.
//!
//! It cannot step: [`Llama::shard`] divides and packs it, even for one device.

use super::checkpoint::{Checkpoint, FileDigest, read};
use super::config::LlamaConfig;
use super::error::{LoadError, StepError};
use super::kernels::Kernels;
use super::sharded::ShardedLlama;
use super::weights::Weights;
use crate::model::{Architecture, ModelShape, ShardPlan};
use crate::rng::Stream;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::path::Path;

/// A LLaMA with its weights as stored.
#[derive(Debug, Clone)]
pub struct Llama {
    config: LlamaConfig,
    weights: Weights,
    digests: Vec<FileDigest>,
}

const CONFIG_FILE: &str = "config.json";

impl Llama {
    /// Loads a Hugging Face folder: `config.json` and `model.safetensors`, or the
    /// shards that `model.safetensors.index.json` lists, in f32, f16 or bf16.
    ///
    /// The shape's precisions become that of the stored weights.
    ///
    /// # Errors
    /// If a file is missing or damaged, the architecture is another, or a tensor
    /// is missing or has another shape; the error says which, what was expected
    /// and what to do.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let fix = "give the path of a Hugging Face model folder";
        let (text, digest) = read(folder, CONFIG_FILE, fix)?;
        let name = folder.file_name().map_or_else(
            || "model".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        let mut config = LlamaConfig::parse(&text, &folder.join(CONFIG_FILE), &name)?;
        let checkpoint = Checkpoint::open(folder)?;
        let parsed = checkpoint.parse()?;
        let weights = Weights::gather(&config.shape, |name, sizes| {
            let hint = if name == "lm_head.weight" {
                " (a model that has none says `\"tie_word_embeddings\": true` in config.json)"
            } else {
                ""
            };
            parsed.tensor(name, sizes, hint)
        })?;
        let bits = weights.bits();
        config.shape.weight_bits = bits;
        config.shape.cache_bits = bits;
        config.shape.activation_bits = bits;
        let mut digests = vec![digest];
        digests.extend_from_slice(checkpoint.digests());
        Ok(Self {
            config,
            weights,
            digests,
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
        let mut draws = Vec::new();
        Self::from_source(LlamaConfig::plain(shape), |name, sizes| {
            let count: usize = sizes.iter().product();
            let values: Vec<f32> = match sizes {
                [_, inputs] => {
                    let embedding = name == "model.embed_tokens.weight";
                    let scale = if embedding {
                        1.0
                    } else {
                        1.0 / (*inputs as f64).sqrt()
                    };
                    draws.resize(count, 0.0);
                    stream.fill_normal(&mut draws);
                    draws.iter().map(|draw| (draw * scale) as f32).collect()
                }
                _ => vec![1.0; count],
            };
            Tensor::from_vec(values, sizes, &Device::Cpu)
        })
    }

    /// A LLaMA from tensors by their published names, such as a training run's
    /// variables; they are shared, not copied.
    ///
    /// # Errors
    /// If the shape is not that of a LLaMA, or a tensor is missing or has another
    /// shape.
    pub fn from_tensors(
        config: LlamaConfig,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self, StepError> {
        Self::from_source(config, |name, sizes| match tensors.get(name) {
            Some(tensor) if tensor.dims() == sizes => Ok(tensor.clone()),
            Some(tensor) => Err(candle_core::Error::Msg(format!(
                "the tensor `{name}` has shape {:?}, expected {sizes:?}",
                tensor.dims()
            ))),
            None => Err(candle_core::Error::Msg(format!(
                "the tensor `{name}` is missing; expected it with shape {sizes:?}"
            ))),
        })
    }

    fn from_source(
        config: LlamaConfig,
        source: impl FnMut(&str, &[usize]) -> candle_core::Result<Tensor>,
    ) -> Result<Self, StepError> {
        let shape = &config.shape;
        shape.validate()?;
        let unsupported = |fault: &str| StepError::Unsupported {
            model: shape.name.clone(),
            fault: fault.to_owned(),
        };
        if shape.architecture != Architecture::Llama {
            return Err(unsupported("only a Llama can be built from this shape"));
        }
        if !shape.head_dim.is_multiple_of(2) {
            return Err(unsupported(
                "head_dim is odd; rotary embeddings turn pairs, so make it even",
            ));
        }
        let weights = Weights::gather(shape, source)?;
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
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }

    /// A tensor by its published name, as stored, or `None` if there is none such.
    /// Of tied tables, the LM head has no name of its own.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.weights.tensor(name)
    }

    /// Digests of the files it was loaded from; none for a model made here.
    pub fn digests(&self) -> &[FileDigest] {
        &self.digests
    }

    /// Divides and packs the model by `plan`, on the kernels that this process
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
}
