//! A model as a Hugging Face folder publishes it.

use super::checkpoint::Checkpoint;
use super::config::ModelConfig;
use super::error::LoadError;
use super::generation::{self, Generation};
use super::model_file::{FileDigest, MOST_SETTINGS, read};
use super::weights::Weights;
use crate::interrupt::Interrupt;
use crate::model::Architecture;
use candle_core::{DType, Device, Tensor};
use std::path::Path;

const CONFIG_FILE: &str = "config.json";

/// What a folder holds: configuration, weights, and the digests of its files.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) config: ModelConfig,
    pub(super) weights: Weights,
    pub(super) digests: Vec<FileDigest>,
}

/// A folder whose settings and weights' headers have been read and fit each other.
#[derive(Debug)]
pub(super) struct Described {
    config: ModelConfig,
    checkpoint: Checkpoint,
    digests: Vec<FileDigest>,
}

/// Checks the model folder `folder` for a model of `architecture` without reading its
/// weights: `config.json`, `generation_config.json`, and the headers of the weights files.
/// Returns what it says of the model, the precision of its stored weights included.
///
/// # Errors
/// Whatever loading the folder would say, save for faults within the weights.
pub fn inspect(folder: &Path, architecture: Architecture) -> Result<ModelConfig, LoadError> {
    Ok(Described::open(folder, architecture)?.config)
}

impl Described {
    pub(super) fn open(folder: &Path, architecture: Architecture) -> Result<Self, LoadError> {
        let fix = "give the path of a Hugging Face model folder";
        let (text, digest) = read(folder, CONFIG_FILE, MOST_SETTINGS, fix)?;
        let name = folder.file_name().map_or_else(
            || "model".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        let path = folder.join(CONFIG_FILE);
        let mut config = ModelConfig::parse(&text, &path, &name, architecture)?;
        let mut digests = vec![digest];
        if let Some(generation) = Generation::read(folder)? {
            config.eos = generation::merged(config.eos, generation.end_tokens);
            digests.push(generation.digest);
        }
        let mut checkpoint = Checkpoint::open(folder)?;
        fit(&config, &mut checkpoint, &path)?;
        let bits = checkpoint.bits();
        config.shape.weight_bits = bits;
        config.shape.cache_bits = bits;
        config.shape.activation_bits = bits;
        Ok(Self {
            config,
            checkpoint,
            digests,
        })
    }

    /// Reads the weights.
    pub(super) fn load(self, interrupt: Interrupt<'_>) -> Result<Published, LoadError> {
        let (mut tensors, digests) = self.checkpoint.read(interrupt)?;
        let weights = Weights::gather(&self.config.shape, |name, _| {
            Ok::<_, LoadError>(tensors.remove(name).expect("every tensor wanted was read"))
        })?;
        Ok(Published {
            config: self.config,
            weights,
            digests: [self.digests, digests].concat(),
        })
    }
}

/// Holds every tensor of the model against the headers, and every header against the model.
fn fit(config: &ModelConfig, checkpoint: &mut Checkpoint, path: &Path) -> Result<(), LoadError> {
    let nothing = Tensor::zeros(0, DType::F32, &Device::Cpu);
    let nothing = nothing.map_err(|source| LoadError::Tensor {
        path: path.to_owned(),
        source,
    })?;
    Weights::gather(&config.shape, |name, sizes| {
        let hint = if name == "lm_head.weight" {
            " (a model that has none says `\"tie_word_embeddings\": true` in config.json)"
        } else {
            ""
        };
        checkpoint.want(name, sizes, hint)?;
        Ok::<_, LoadError>(nothing.clone())
    })?;
    let tied = config.shape.tied_embeddings;
    checkpoint.refuse_unread(config.shape.layers, |name| is_harmless(name, tied))
}

/// Whether a tensor that is not read says nothing that is not known already: frequencies
/// and masks that follow from `config.json`, and the table of an LM head that is tied.
fn is_harmless(name: &str, tied: bool) -> bool {
    const BUFFERS: [&str; 7] = [
        "rotary_emb.inv_freq",
        "rotary_emb.original_inv_freq",
        "rotary_emb.cos_cached",
        "rotary_emb.sin_cached",
        "self_attn.masked_bias",
        "position_ids",
        "_extra_state",
    ];
    let is_buffer = BUFFERS.iter().any(|buffer| {
        let rest = name.strip_suffix(buffer);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    is_buffer || (tied && name == "lm_head.weight")
}
