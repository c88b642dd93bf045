//! `config.json` of a Hugging Face folder: read, checked, never guessed.
//!
//! What each family has is in [`families`](super::families), the fields in
//! [`settings`](super::settings). A setting that would change the model's outputs and is not
//! implemented is refused, so a model that loads is the model that was published. Both spellings
//! of the rotary settings are read: `rope_theta` with `rope_scaling`, and the
//! newer `rope_parameters`.

use super::error::LoadError;
use super::families::{Family, Names};
use super::json;
use super::kernels::CacheFormat;
use super::rope::Rope;
use super::settings::{Ids, Settings};
use crate::model::{Architecture, Experts, ModelShape, Positions};
use std::path::Path;

/// Everything about a model that is not a weight.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Its shape, with the precision its weights are stored in.
    pub shape: ModelShape,
    /// What its family is called.
    pub family: &'static str,
    /// Its rotary embedding; not used where positions are learned.
    pub rope: Rope,
    /// ε of its norms.
    pub norm_epsilon: f32,
    /// What is added to the weights of its norms.
    pub norm_offset: f32,
    /// What embeddings are multiplied by, if anything.
    pub embedding_scale: Option<f32>,
    /// What scores are multiplied by, if not 1 / √(entries per head).
    pub score_scale: Option<f32>,
    /// Positions it was made for.
    pub max_positions: usize,
    /// The token that begins a text, if it has one.
    pub bos: Option<u32>,
    /// The tokens that end a text.
    pub eos: Vec<u32>,
    /// How its caches keep keys and values.
    pub cache: CacheFormat,
    /// In which formats its weights are stored, each with its share of them, the largest first;
    /// none before the weights are known.
    pub formats: Vec<(&'static str, f64)>,
    pub(super) names: &'static Names,
}

/// What to do with a model that is implemented, but was asked for as another.
fn hint(family: &Family) -> String {
    match family.architecture {
        Architecture::Mixtral => {
            format!(", or place this {} by `Experts` or `Single`", family.name)
        }
        Architecture::Llama => {
            format!(
                ", or place this {} by `TensorParallel` or `Single`",
                family.name
            )
        }
    }
}

impl ModelConfig {
    /// The configuration of a model made here: θ = 10 000, ε = 10⁻⁵, any number
    /// of positions, no special tokens.
    pub fn plain(shape: &ModelShape) -> Self {
        let family = Family::plain(shape.architecture);
        Self {
            shape: shape.clone(),
            family: family.name,
            rope: Rope::default(),
            norm_epsilon: 1e-5,
            norm_offset: 0.0,
            embedding_scale: None,
            score_scale: None,
            max_positions: match shape.design.positions {
                Positions::Rotary => usize::MAX,
                Positions::Learned { positions, .. } => positions,
            },
            bos: None,
            eos: Vec::new(),
            cache: CacheFormat::Full,
            formats: Vec::new(),
            names: family.names,
        }
    }

    /// Reads the text of a `config.json` of a model of `architecture`; `path` is for
    /// errors, `name` what to call the model. Precisions are set to 16 bit until the
    /// weights are known.
    ///
    /// # Errors
    /// If it is not such a file, or describes a model that is not supported.
    pub fn parse(
        text: &[u8],
        path: &Path,
        name: &str,
        architecture: Architecture,
    ) -> Result<Self, LoadError> {
        let fault = |fault: String| LoadError::Config {
            path: path.to_owned(),
            fault,
        };
        let value = json::parse(text).map_err(fault)?;
        // The architecture first: another family lacks the fields below.
        let found = named(&value);
        let Some(family) = found
            .and_then(Family::find)
            .filter(|family| family.architecture == architecture)
        else {
            return Err(LoadError::Architecture {
                path: path.to_owned(),
                found: found.unwrap_or("(none named)").to_owned(),
                supported: Family::classes(architecture),
                hint: found.and_then(Family::find).map(hint).unwrap_or_default(),
            });
        };
        let settings = Settings::read(value, family).map_err(fault)?;
        let config = settings.resolve(name, family).map_err(fault)?;
        config
            .shape
            .validate()
            .map_err(|error| fault(error.to_string()))?;
        Ok(config)
    }
}

/// Refuses a model that steps in another way than `wanted`.
///
/// # Errors
/// What it is, and what would do.
pub(super) fn check_architecture(config: &ModelConfig, wanted: Architecture) -> Result<(), String> {
    if config.shape.architecture == wanted {
        return Ok(());
    }
    let family = Family::called(config.family).expect("a configuration is of a family");
    Err(format!(
        "it is a {}; use a model whose family is one of: {}{}",
        family.name,
        Family::classes(wanted),
        hint(family)
    ))
}

/// How the model of a `config.json` steps, if it says so and that is known.
pub(super) fn architecture(text: &[u8]) -> Option<Architecture> {
    let value = json::parse(text).ok()?;
    Some(Family::find(named(&value)?)?.architecture)
}

/// What the file calls its family.
fn named(file: &serde_json::Value) -> Option<&str> {
    let named = |field: &str| match file.get(field)? {
        serde_json::Value::Array(names) => names.first()?.as_str(),
        other => other.as_str(),
    };
    named("architectures").or_else(|| named("model_type"))
}

impl Settings {
    pub(super) fn resolve(
        self,
        name: &str,
        family: &'static Family,
    ) -> Result<ModelConfig, String> {
        let required = |field, value| self.required(field, value, family);
        let hidden = required("hidden_size", self.hidden_size)?;
        let ffn = self.columns(family)?;
        let layers = required("num_hidden_layers", self.num_hidden_layers)?;
        let heads = required("num_attention_heads", self.num_attention_heads)?;
        let vocabulary = required("vocab_size", self.vocab_size)?;
        let mut design = (family.design)();
        design.activation = self.activation(family, design.activation)?;
        let head_dim = match self.head_dim.or(family.head_dim) {
            Some(dim) => dim,
            None if heads > 0 && hidden.is_multiple_of(heads) => hidden / heads,
            None => {
                return Err(format!(
                    "hidden_size {hidden} is not a multiple of num_attention_heads {heads}, \
                     and head_dim is not given"
                ));
            }
        };
        if !head_dim.is_multiple_of(2) {
            return Err(format!(
                "head_dim is {head_dim}; rotary embeddings turn pairs, so it must be even"
            ));
        }
        let epsilon = self.rms_norm_eps.unwrap_or(family.epsilon);
        if !(epsilon.is_finite() && epsilon >= 0.0) {
            return Err(format!(
                "rms_norm_eps is {epsilon}; it must be a number of at least 0"
            ));
        }
        let max_positions = self.max_position_embeddings.unwrap_or(family.positions);
        let experts = family.experts.map(|default| Experts {
            count: self
                .num_local_experts
                .or(self.num_experts)
                .unwrap_or(default.count),
            active: self.num_experts_per_tok.unwrap_or(default.active),
        });
        let rope = self.rope(family, max_positions, head_dim)?;
        let first = |ids: &Option<Ids>| match ids {
            Some(Ids::One(id)) => Some(*id),
            Some(Ids::Many(ids)) => ids.first().copied(),
            None => None,
        };
        let mut config = ModelConfig {
            shape: ModelShape {
                name: name.to_owned(),
                architecture: family.architecture,
                design,
                layers,
                hidden,
                heads,
                kv_heads: self.kv_heads(family, heads),
                head_dim,
                ffn,
                vocabulary,
                tied_embeddings: self.tie_word_embeddings.unwrap_or(family.tied),
                experts,
                weight_bits: 16.0,
                cache_bits: 16.0,
                activation_bits: 16.0,
            },
            family: family.name,
            rope,
            norm_epsilon: epsilon as f32,
            norm_offset: 0.0,
            embedding_scale: None,
            score_scale: None,
            max_positions,
            bos: first(&self.bos_token_id),
            eos: Vec::new(),
            cache: CacheFormat::Full,
            formats: Vec::new(),
            names: family.names,
        };
        (family.settle)(&self, &mut config)?;
        config.eos = self.eos_token_id.map(Ids::into_list).unwrap_or_default();
        Ok(config)
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
