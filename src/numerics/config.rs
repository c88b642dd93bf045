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
use super::rope::{Rope, RopeScaling};
use super::settings::{Ids, RawRope, Settings};
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
    fn resolve(self, name: &str, family: &'static Family) -> Result<ModelConfig, String> {
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
            names: family.names,
        };
        (family.settle)(&self, &mut config)?;
        config.eos = self.eos_token_id.map(Ids::into_list).unwrap_or_default();
        Ok(config)
    }

    fn rope(&self, family: &Family, max_positions: usize, head_dim: usize) -> Result<Rope, String> {
        self.refuse_nested_rope()?;
        let raw = self.rope_scaling.as_ref().or(self.rope_parameters.as_ref());
        let parameters = self.rope_parameters.as_ref();
        let theta = raw
            .and_then(|rope| rope.rope_theta)
            .or(parameters.and_then(|rope| rope.rope_theta))
            .or(self.rope_theta)
            .unwrap_or(family.theta);
        if !(theta.is_finite() && theta > 0.0) {
            return Err(format!("rope_theta is {theta}; it must be positive"));
        }
        let Some(raw) = raw else {
            let scaling = RopeScaling::None;
            return Ok(Rope { theta, scaling });
        };
        if let Some(part) = raw.partial_rotary_factor.filter(|part| *part != 1.0) {
            return Err(format!(
                "partial_rotary_factor is {part}, but turning a part of each head is not \
                 implemented; use a model where it is 1"
            ));
        }
        let original = self.original_max_position_embeddings;
        let original = original.or(raw.original_max_position_embeddings);
        let limits = Limits {
            positions: max_positions as f64,
            original: original.unwrap_or(max_positions as f64),
            pairs: head_dim / 2,
        };
        let kind = raw.rope_type.as_deref().or(raw.former_type.as_deref());
        let kind = match kind {
            // What LongRoPE was called at first.
            Some("su") => Some("longrope"),
            Some("yarn") if family.model_type == "phi3" => Some("longrope"),
            kind => kind,
        };
        let scaling = raw.scaling(kind, &limits)?;
        Ok(Rope { theta, scaling })
    }
}

/// What the scaling of a rotary embedding depends on.
struct Limits {
    positions: f64,
    original: f64,
    pairs: usize,
}

impl RawRope {
    fn scaling(&self, kind: Option<&str>, limits: &Limits) -> Result<RopeScaling, String> {
        let positive = |field: &str, value: Option<f64>| match value {
            Some(value) if value.is_finite() && value > 0.0 => Ok(value),
            Some(value) => Err(format!(
                "rope scaling: {field} is {value}; it must be positive"
            )),
            None => Err(format!("rope scaling: {field} is missing")),
        };
        let original = || positive("original_max_position_embeddings", Some(limits.original));
        let factor = || positive("factor", self.factor);
        // Where no factor is given: how much further the model reaches than it was trained.
        let reach = || match self.factor {
            Some(_) => factor(),
            None => Ok(limits.positions / original()?),
        };
        Ok(match kind {
            None | Some("default") => RopeScaling::None,
            Some("linear") => RopeScaling::Linear { factor: factor()? },
            Some("dynamic") => RopeScaling::Dynamic {
                factor: factor()?,
                original_positions: positive("max_position_embeddings", Some(limits.positions))?,
            },
            Some("llama3") => {
                let low = positive("low_freq_factor", self.low_freq_factor)?;
                let high = positive("high_freq_factor", self.high_freq_factor)?;
                if high <= low {
                    return Err(format!(
                        "rope scaling: high_freq_factor {high} must exceed low_freq_factor {low}"
                    ));
                }
                RopeScaling::Llama3 {
                    factor: factor()?,
                    low,
                    high,
                    original_positions: original()?,
                }
            }
            Some("yarn") => {
                let factor = reach()?;
                let given = |value: Option<f64>| value.filter(|value| *value != 0.0);
                let scale = |weight: f64| match factor <= 1.0 {
                    true => 1.0,
                    false => 0.1 * weight * libm::log(factor) + 1.0,
                };
                let scales = given(self.mscale).zip(given(self.mscale_all_dim));
                let stretch = match (self.attention_factor, scales) {
                    (Some(stretch), _) => positive("attention_factor", Some(stretch))?,
                    (None, Some((scores, all))) => scale(scores) / scale(all),
                    (None, None) => scale(1.0),
                };
                RopeScaling::Yarn {
                    factor,
                    fast: positive("beta_fast", given(self.beta_fast).or(Some(32.0)))?,
                    slow: positive("beta_slow", given(self.beta_slow).or(Some(1.0)))?,
                    original_positions: original()?,
                    truncate: self.truncate.unwrap_or(true),
                    stretch,
                }
            }
            Some("longrope") => {
                let original_positions = original()?;
                let reach = reach()?;
                let factors = |field: &str, factors: &Option<Vec<f64>>| {
                    let factors = factors.clone().unwrap_or_default();
                    if factors.len() != limits.pairs {
                        return Err(format!(
                            "rope scaling: {field} has {} factors; heads have {} pairs of entries",
                            factors.len(),
                            limits.pairs
                        ));
                    }
                    for factor in &factors {
                        positive(field, Some(*factor))?;
                    }
                    Ok(factors)
                };
                RopeScaling::Long {
                    short_factors: factors("short_factor", &self.short_factor)?,
                    long_factors: factors("long_factor", &self.long_factor)?,
                    original_positions,
                    stretch: match self.attention_factor {
                        Some(stretch) => positive("attention_factor", Some(stretch))?,
                        None if reach <= 1.0 => 1.0,
                        None => (1.0 + libm::log(reach) / libm::log(original_positions)).sqrt(),
                    },
                }
            }
            Some(other) => {
                return Err(format!(
                    "rope scaling `{other}` is not implemented; `default`, `linear`, `dynamic`, \
                     `llama3`, `yarn` and `longrope` are"
                ));
            }
        })
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
