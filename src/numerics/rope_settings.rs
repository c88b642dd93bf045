//! The rotary embedding that a `config.json` describes, in any of the ways it is written.

use super::families::Family;
use super::rope::{Rope, RopeScaling};
use super::settings::Settings;
use serde::Deserialize;
use serde_json::Value;

/// What stretches rotary embeddings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRope {
    pub(super) rope_type: Option<String>,
    /// What `rope_type` was called at first. Files of the time between have both.
    #[serde(rename = "type")]
    pub(super) former_type: Option<String>,
    pub(super) rope_theta: Option<f64>,
    pub(super) factor: Option<f64>,
    pub(super) low_freq_factor: Option<f64>,
    pub(super) high_freq_factor: Option<f64>,
    pub(super) original_max_position_embeddings: Option<f64>,
    pub(super) partial_rotary_factor: Option<f64>,
    pub(super) attention_factor: Option<f64>,
    pub(super) beta_fast: Option<f64>,
    pub(super) beta_slow: Option<f64>,
    pub(super) mscale: Option<f64>,
    pub(super) mscale_all_dim: Option<f64>,
    pub(super) truncate: Option<bool>,
    pub(super) short_factor: Option<Vec<f64>>,
    pub(super) long_factor: Option<Vec<f64>>,
}

impl Settings {
    /// The rotary embedding.
    ///
    /// # Errors
    /// The field, its value and what to do.
    pub(super) fn rope(
        &self,
        family: &Family,
        max_positions: usize,
        head_dim: usize,
    ) -> Result<Rope, String> {
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

    /// Refuses rotary settings by kind of layer.
    fn refuse_nested_rope(&self) -> Result<(), String> {
        for field in ["rope_parameters", "rope_scaling"] {
            let settings = self.file.get(field).and_then(Value::as_object);
            let nested = settings.and_then(|all| all.iter().find(|(_, value)| value.is_object()));
            if let Some((kind, _)) = nested {
                return Err(format!(
                    "{field} has settings of their own for `{kind}`, but only the same for all \
                     layers are implemented; use a model with one rotary embedding"
                ));
            }
        }
        Ok(())
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
