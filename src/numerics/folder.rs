//! A model as a Hugging Face folder publishes it.

use super::checkpoint::{Checkpoint, FileDigest, read};
use super::config::ModelConfig;
use super::error::LoadError;
use super::weights::Weights;
use crate::model::Architecture;
use std::path::Path;

const CONFIG_FILE: &str = "config.json";

/// What a folder holds: configuration, weights, and the digests of its files.
pub(super) struct Published {
    pub(super) config: ModelConfig,
    pub(super) weights: Weights,
    pub(super) digests: Vec<FileDigest>,
}

impl Published {
    /// Loads `config.json` and `model.safetensors`, or the shards that
    /// `model.safetensors.index.json` lists, in f32, f16 or bf16. The shape's
    /// precisions become that of the stored weights.
    pub(super) fn load(folder: &Path, architecture: Architecture) -> Result<Self, LoadError> {
        let fix = "give the path of a Hugging Face model folder";
        let (text, digest) = read(folder, CONFIG_FILE, fix)?;
        let name = folder.file_name().map_or_else(
            || "model".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        let path = folder.join(CONFIG_FILE);
        let mut config = ModelConfig::parse(&text, &path, &name, architecture)?;
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
}
