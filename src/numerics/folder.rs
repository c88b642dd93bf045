//! A model as a Hugging Face folder publishes it, or a GGUF file.

use super::checkpoint::Checkpoint;
use super::config::{self, ModelConfig};
use super::error::LoadError;
use super::generation::{self, Generation};
use super::gguf::{self, GgufCheckpoint};
use super::model_file::{FileDigest, MOST_SETTINGS, read};
use super::rounding::Rounding;
use super::stored::Stored;
use super::weights::Weights;
use crate::interrupt::Interrupt;
use crate::model::Architecture;
use candle_core::{DType, Device, Tensor};
use std::path::{Path, PathBuf};

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
    checkpoint: Source,
    digests: Vec<FileDigest>,
    /// Of the configuration.
    path: PathBuf,
}

/// Where the weights are.
#[derive(Debug)]
enum Source {
    Safetensors(Checkpoint),
    Gguf(GgufCheckpoint),
}

/// What ends a gathering of weights.
enum Gathering {
    Load(Box<LoadError>),
    Tensor(candle_core::Error),
}

impl From<LoadError> for Gathering {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

impl From<candle_core::Error> for Gathering {
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(error)
    }
}

impl Gathering {
    fn at(self, path: &Path) -> LoadError {
        match self {
            Self::Load(error) => *error,
            Self::Tensor(source) => LoadError::Tensor {
                path: path.to_owned(),
                source,
            },
        }
    }
}

/// How the model in `folder`, or in a GGUF file of this path, steps, if its settings can be read
/// and name a family that is known.
pub fn architecture(folder: &Path) -> Option<Architecture> {
    if gguf::is_file(folder) {
        return Some(gguf::open(folder).ok()?.0.shape.architecture);
    }
    let fix = "give the path of a Hugging Face model folder";
    let (text, _) = read(folder, CONFIG_FILE, MOST_SETTINGS, fix).ok()?;
    config::architecture(&text)
}

/// Checks the model folder, or GGUF file, `folder` for a model of `architecture` without reading its
/// weights: `config.json`, `generation_config.json`, and the headers of the weights files, or the
/// header of the one.
/// Returns what it says of the model, the precision of its stored weights included.
///
/// # Errors
/// Whatever loading the folder would say, save for faults within the weights.
pub fn inspect(folder: &Path, architecture: Architecture) -> Result<ModelConfig, LoadError> {
    Ok(Described::open(folder, architecture)?.config)
}

/// What a `config.json` says of its model, without any weights; and the file's digest. The model
/// is called as the file's folder is, if it is a `config.json`, or else as the file.
///
/// # Errors
/// If the file cannot be read, or describes a model that is not supported.
pub fn describe(file: &Path) -> Result<(ModelConfig, FileDigest), LoadError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let folder = file.parent().unwrap_or(Path::new(""));
    let fix = "give the path of a model's config.json";
    let (text, digest) = read(folder, &name, MOST_SETTINGS, fix)?;
    let called = match &*name {
        CONFIG_FILE => folder.file_name(),
        _ => file.file_stem(),
    };
    let called = called.map_or_else(|| "model".into(), |called| called.to_string_lossy());
    let architecture = config::architecture(&text).unwrap_or(Architecture::Llama);
    let config = ModelConfig::parse(&text, file, &called, architecture)?;
    Ok((config, digest))
}

impl Described {
    pub(super) fn open(folder: &Path, architecture: Architecture) -> Result<Self, LoadError> {
        if gguf::is_file(folder) {
            return Self::open_gguf(folder, architecture);
        }
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
            checkpoint: Source::Safetensors(checkpoint),
            digests,
            path,
        })
    }

    fn open_gguf(path: &Path, architecture: Architecture) -> Result<Self, LoadError> {
        let (mut config, mut checkpoint) = gguf::open(path)?;
        config::check_architecture(&config, architecture).map_err(|fault| LoadError::Config {
            path: path.to_owned(),
            fault,
        })?;
        let gathered = Weights::gather(&config, |name, sizes| {
            checkpoint.want(name, sizes)?;
            Ok::<_, Gathering>(nothing(path)?)
        });
        gathered.map_err(|error| error.at(path))?;
        checkpoint.refuse_unread()?;
        config.shape.weight_bits = checkpoint.bits();
        config.shape.cache_bits = 16.0;
        config.shape.activation_bits = 16.0;
        config.formats = checkpoint.formats();
        Ok(Self {
            config,
            checkpoint: Source::Gguf(checkpoint),
            digests: Vec::new(),
            path: path.to_owned(),
        })
    }

    /// Reads the weights, and rounds them.
    pub(super) fn load(
        self,
        rounding: Rounding,
        interrupt: Interrupt<'_>,
    ) -> Result<Published, LoadError> {
        let (mut tensors, digests) = match self.checkpoint {
            Source::Safetensors(checkpoint) => checkpoint.read(interrupt)?,
            Source::Gguf(checkpoint) => checkpoint.read(interrupt)?,
        };
        let path = self.path;
        let weights = Weights::gather(&self.config, |name, _| {
            Ok::<_, Gathering>(tensors.remove(name).expect("every tensor wanted was read"))
        });
        let mut weights = weights.map_err(|error| error.at(&path))?;
        rounding
            .apply(&mut weights)
            .map_err(|error| Gathering::Tensor(error).at(&path))?;
        let mut config = self.config;
        config.shape = rounding.of(config.shape);
        config.cache = rounding.cache;
        Ok(Published {
            config,
            weights,
            digests: [self.digests, digests].concat(),
        })
    }
}

/// What stands in for a tensor while headers are checked.
fn nothing(path: &Path) -> Result<Stored, LoadError> {
    let nothing = Tensor::zeros(0, DType::F32, &Device::Cpu);
    nothing
        .map(Stored::Plain)
        .map_err(|source| LoadError::Tensor {
            path: path.to_owned(),
            source,
        })
}

/// Holds every tensor of the model against the headers, and every header against the model.
fn fit(config: &ModelConfig, checkpoint: &mut Checkpoint, path: &Path) -> Result<(), LoadError> {
    let gathered = Weights::gather(config, |name, sizes| {
        let hint = if name == "lm_head.weight" {
            " (a model that has none says `\"tie_word_embeddings\": true` in config.json)"
        } else {
            ""
        };
        checkpoint.want(name, sizes, hint)?;
        Ok::<_, Gathering>(nothing(path)?)
    });
    gathered.map_err(|error| error.at(path))?;
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
