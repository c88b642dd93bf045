//! `config.json` of a Hugging Face LLaMA or Mixtral folder: read, checked, never
//! guessed.
//!
//! A setting that would change the model's outputs and is not implemented is
//! refused, so a model that loads is the model that was published. Both spellings
//! of the rotary settings are read: `rope_theta` with `rope_scaling`, and the
//! newer `rope_parameters`.

use super::error::LoadError;
use super::json;
use super::rope::{DEFAULT_THETA, Rope, RopeScaling};
use crate::model::{Architecture, Experts, ModelShape};
use serde::Deserialize;
use std::path::Path;

/// Everything about a model that is not a weight.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Its shape, with the precision its weights are stored in.
    pub shape: ModelShape,
    /// Its rotary embedding.
    pub rope: Rope,
    /// ε of its RMSNorms.
    pub norm_epsilon: f32,
    /// Positions it was made for.
    pub max_positions: usize,
    /// The token that begins a text, if it has one.
    pub bos: Option<u32>,
    /// The tokens that end a text.
    pub eos: Vec<u32>,
}

/// What a family calls itself, and the reference implementation's defaults for
/// fields that its file may omit.
struct Family {
    architecture: Architecture,
    class: &'static str,
    model_type: &'static str,
    epsilon: f64,
    positions: usize,
    theta: f64,
    /// Key–value heads; a LLaMA's are as many as its heads.
    kv_heads: Option<usize>,
}

const LLAMA: Family = Family {
    architecture: Architecture::Llama,
    class: "LlamaForCausalLM",
    model_type: "llama",
    epsilon: 1e-6,
    positions: 2048,
    theta: DEFAULT_THETA,
    kv_heads: None,
};

const MIXTRAL: Family = Family {
    architecture: Architecture::Mixtral,
    class: "MixtralForCausalLM",
    model_type: "mixtral",
    epsilon: 1e-5,
    positions: 131_072,
    theta: 1e6,
    kv_heads: Some(8),
};

/// What to do with a model that is implemented, but was asked for as another.
fn hint(found: &str) -> Option<&'static str> {
    let is = |family: &Family| found == family.class || found == family.model_type;
    if is(&MIXTRAL) {
        Some(", or place this Mixtral by `Experts` or `Single`")
    } else if is(&LLAMA) {
        Some(", or place this LLaMA by `TensorParallel` or `Single`")
    } else {
        None
    }
}

/// A Mixtral's experts and active experts where its file says nothing.
const DEFAULT_EXPERTS: Experts = Experts {
    count: 8,
    active: 2,
};

/// x · σ(x), by both of its names.
const SILU: [&str; 2] = ["silu", "swish"];

/// One token id or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Ids {
    One(u32),
    Many(Vec<u32>),
}

impl Ids {
    pub(super) fn into_list(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::Many(ids) => ids,
        }
    }
}

#[derive(Debug, Deserialize)]
struct RawRope {
    rope_type: Option<String>,
    /// What `rope_type` was called at first. Files of the time between have both.
    #[serde(rename = "type")]
    former_type: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

/// The fields that matter; the file has many more.
#[derive(Debug, Deserialize)]
struct Raw {
    architectures: Option<Vec<String>>,
    model_type: Option<String>,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f64>,
    tie_word_embeddings: Option<bool>,
    rope_theta: Option<f64>,
    rope_scaling: Option<RawRope>,
    rope_parameters: Option<RawRope>,
    hidden_act: Option<String>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    num_local_experts: Option<usize>,
    num_experts_per_tok: Option<usize>,
    sliding_window: Option<usize>,
    quantization_config: Option<serde_json::Value>,
    bos_token_id: Option<Ids>,
    eos_token_id: Option<Ids>,
}

impl ModelConfig {
    /// The configuration of a model made here: θ = 10 000, ε = 10⁻⁵, any number
    /// of positions, no special tokens.
    pub fn plain(shape: &ModelShape) -> Self {
        Self {
            shape: shape.clone(),
            rope: Rope::default(),
            norm_epsilon: 1e-5,
            max_positions: usize::MAX,
            bos: None,
            eos: Vec::new(),
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
        let family = match architecture {
            Architecture::Llama => LLAMA,
            Architecture::Mixtral => MIXTRAL,
        };
        let fault = |fault: String| LoadError::Config {
            path: path.to_owned(),
            fault,
        };
        let value = json::parse(text).map_err(fault)?;
        // The architecture first: another family lacks the fields below.
        let named = |field: &str| match value.get(field)? {
            serde_json::Value::Array(names) => names.first()?.as_str(),
            other => other.as_str(),
        };
        let found = named("architectures").or_else(|| named("model_type"));
        if !found.is_some_and(|found| found == family.class || found == family.model_type) {
            return Err(LoadError::Architecture {
                path: path.to_owned(),
                found: found.unwrap_or("(none named)").to_owned(),
                supported: family.class,
                hint: found.and_then(hint).unwrap_or_default(),
            });
        }
        let raw: Raw = serde_json::from_value(value).map_err(|error| {
            fault(format!(
                "{error}; the config.json of a {} is expected",
                family.class
            ))
        })?;
        raw.refuse_unsupported().map_err(fault)?;
        let config = raw.resolve(name, &family).map_err(fault)?;
        config
            .shape
            .validate()
            .map_err(|error| fault(error.to_string()))?;
        Ok(config)
    }
}

impl Raw {
    fn refuse_unsupported(&self) -> Result<(), String> {
        debug_assert!(self.architectures.is_some() || self.model_type.is_some());
        for (field, set) in [
            ("attention_bias", self.attention_bias),
            ("mlp_bias", self.mlp_bias),
        ] {
            if set == Some(true) {
                return Err(format!(
                    "{field} is true, but biases are not implemented; use a model without them"
                ));
            }
        }
        if let Some(activation) = self.hidden_act.as_deref()
            && !SILU.contains(&activation)
        {
            return Err(format!(
                "hidden_act is `{activation}`, but only `silu` is implemented"
            ));
        }
        if self.quantization_config.is_some() {
            return Err("the weights are quantised (quantization_config); \
                 use the f32, f16 or bf16 checkpoint of this model"
                .into());
        }
        Ok(())
    }

    fn resolve(self, name: &str, family: &Family) -> Result<ModelConfig, String> {
        let head_dim = match self.head_dim {
            Some(dim) => dim,
            None if self.num_attention_heads > 0
                && self.hidden_size.is_multiple_of(self.num_attention_heads) =>
            {
                self.hidden_size / self.num_attention_heads
            }
            None => {
                return Err(format!(
                    "hidden_size {} is not a multiple of num_attention_heads {}, \
                     and head_dim is not given",
                    self.hidden_size, self.num_attention_heads
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
        let experts = (family.architecture == Architecture::Mixtral).then(|| Experts {
            count: self.num_local_experts.unwrap_or(DEFAULT_EXPERTS.count),
            active: self.num_experts_per_tok.unwrap_or(DEFAULT_EXPERTS.active),
        });
        if let Some(window) = self.sliding_window
            && experts.is_some()
            && window < max_positions
        {
            return Err(format!(
                "sliding_window is {window}, but attention over a window is not implemented; \
                 use a model whose sliding_window is null"
            ));
        }
        let rope = self.rope(family.theta)?;
        let ids = |ids: Option<Ids>| ids.map(Ids::into_list).unwrap_or_default();
        Ok(ModelConfig {
            shape: ModelShape {
                name: name.to_owned(),
                architecture: family.architecture,
                layers: self.num_hidden_layers,
                hidden: self.hidden_size,
                heads: self.num_attention_heads,
                kv_heads: self
                    .num_key_value_heads
                    .or(family.kv_heads)
                    .unwrap_or(self.num_attention_heads),
                head_dim,
                ffn: self.intermediate_size,
                vocabulary: self.vocab_size,
                tied_embeddings: self.tie_word_embeddings.unwrap_or(false),
                experts,
                weight_bits: 16.0,
                cache_bits: 16.0,
                activation_bits: 16.0,
            },
            rope,
            norm_epsilon: epsilon as f32,
            max_positions,
            bos: ids(self.bos_token_id).first().copied(),
            eos: ids(self.eos_token_id),
        })
    }

    fn rope(&self, default_theta: f64) -> Result<Rope, String> {
        let raw = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref());
        let theta = raw
            .and_then(|rope| rope.rope_theta)
            .or(self.rope_theta)
            .unwrap_or(default_theta);
        if !(theta.is_finite() && theta > 0.0) {
            return Err(format!("rope_theta is {theta}; it must be positive"));
        }
        let Some(raw) = raw else {
            let scaling = RopeScaling::None;
            return Ok(Rope { theta, scaling });
        };
        let positive = |field: &str, value: Option<f64>| match value {
            Some(value) if value.is_finite() && value > 0.0 => Ok(value),
            Some(value) => Err(format!(
                "rope scaling: {field} is {value}; it must be positive"
            )),
            None => Err(format!("rope scaling: {field} is missing")),
        };
        let scaling = match raw.rope_type.as_deref().or(raw.former_type.as_deref()) {
            None | Some("default") => RopeScaling::None,
            Some("linear") => RopeScaling::Linear {
                factor: positive("factor", raw.factor)?,
            },
            Some("llama3") => {
                let low = positive("low_freq_factor", raw.low_freq_factor)?;
                let high = positive("high_freq_factor", raw.high_freq_factor)?;
                if high <= low {
                    return Err(format!(
                        "rope scaling: high_freq_factor {high} must exceed low_freq_factor {low}"
                    ));
                }
                RopeScaling::Llama3 {
                    factor: positive("factor", raw.factor)?,
                    low,
                    high,
                    original_positions: positive(
                        "original_max_position_embeddings",
                        raw.original_max_position_embeddings,
                    )?,
                }
            }
            Some(other) => {
                return Err(format!(
                    "rope scaling `{other}` is not implemented; \
                     `default`, `linear` and `llama3` are"
                ));
            }
        };
        Ok(Rope { theta, scaling })
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
