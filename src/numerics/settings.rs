//! The fields of a `config.json` that matter.
//!
//! The file has many more: how a model was trained, how it likes to be sampled, who wrote it. They
//! are not read, save for those that [`refuse_foreign`] refuses.

use super::config::ModelConfig;
use super::families::Family;
use super::foreign::refuse_foreign;
use super::rope_settings::RawRope;
use crate::model::{Activation, Window, WindowLayers};
use serde::Deserialize;
use serde_json::Value;

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

/// The fields that matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) hidden_size: Option<usize>,
    pub(super) num_hidden_layers: Option<usize>,
    pub(super) num_attention_heads: Option<usize>,
    pub(super) num_key_value_heads: Option<usize>,
    pub(super) head_dim: Option<usize>,
    pub(super) vocab_size: Option<usize>,
    pub(super) max_position_embeddings: Option<usize>,
    pub(super) original_max_position_embeddings: Option<f64>,
    pub(super) rms_norm_eps: Option<f64>,
    pub(super) tie_word_embeddings: Option<bool>,
    pub(super) rope_theta: Option<f64>,
    pub(super) rope_scaling: Option<RawRope>,
    pub(super) rope_parameters: Option<RawRope>,
    pub(super) attention_bias: Option<bool>,
    pub(super) mlp_bias: Option<bool>,
    pub(super) qkv_bias: Option<bool>,
    pub(super) num_local_experts: Option<usize>,
    pub(super) num_experts: Option<usize>,
    pub(super) num_experts_per_tok: Option<usize>,
    pub(super) shared_expert_intermediate_size: Option<usize>,
    pub(super) norm_topk_prob: Option<bool>,
    pub(super) decoder_sparse_step: Option<usize>,
    pub(super) mlp_only_layers: Option<Vec<usize>>,
    pub(super) use_sliding_window: Option<bool>,
    pub(super) max_window_layers: Option<usize>,
    pub(super) layer_types: Option<Vec<String>>,
    pub(super) query_pre_attn_scalar: Option<f64>,
    pub(super) do_layer_norm_before: Option<bool>,
    pub(super) enable_bias: Option<bool>,
    pub(super) layer_norm_elementwise_affine: Option<bool>,
    #[serde(rename = "_remove_final_layer_norm")]
    pub(super) remove_final_layer_norm: Option<bool>,
    pub(super) word_embed_proj_dim: Option<usize>,
    pub(super) bos_token_id: Option<Ids>,
    pub(super) eos_token_id: Option<Ids>,
    /// The file itself, for what depends on whether a field is there at all.
    #[serde(skip)]
    pub(super) file: Value,
}

/// Names of the activations that are implemented.
const ACTIVATIONS: [(&str, Activation); 5] = [
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_new", Activation::GeluTanh),
    ("relu", Activation::Relu),
];

impl Settings {
    /// Those of a file of `family`.
    ///
    /// # Errors
    /// If a field has another type, or one is set that the family does not have.
    pub(super) fn read(file: Value, family: &Family) -> Result<Self, String> {
        let expected =
            |error| format!("{error}; the config.json of a {} is expected", family.class);
        let read: Self = serde_json::from_value(file.clone()).map_err(expected)?;
        let settings = Self { file, ..read };
        refuse_foreign(&settings.file, family)?;
        Ok(settings)
    }

    /// A size that must be there.
    pub(super) fn required(
        &self,
        field: &str,
        value: Option<usize>,
        family: &Family,
    ) -> Result<usize, String> {
        value.ok_or_else(|| {
            let class = family.class;
            format!("missing field `{field}`; the config.json of a {class} is expected")
        })
    }

    /// Key–value heads: `null` means as many as `heads`, and so does nothing at all in most
    /// families.
    pub(super) fn kv_heads(&self, family: &Family, heads: usize) -> usize {
        let absent = self.file.get("num_key_value_heads").is_none();
        let default = family.kv_heads.filter(|_| absent);
        self.num_key_value_heads.or(default).unwrap_or(heads)
    }

    /// The columns of the feed-forward network, or of an expert.
    pub(super) fn columns(&self, family: &Family) -> Result<usize, String> {
        let (field, default) = family.columns;
        let value = match self.file.get(field) {
            None | Some(Value::Null) => default,
            Some(value) => match value.as_u64().and_then(|value| value.try_into().ok()) {
                Some(columns) => Some(columns),
                None => {
                    return Err(format!(
                        "{field} is {value}; it must be a number of columns"
                    ));
                }
            },
        };
        self.required(field, value, family)
    }

    /// The activation, which is `default` where the file names none.
    pub(super) fn activation(
        &self,
        family: &Family,
        default: Activation,
    ) -> Result<Activation, String> {
        let field = family.activation;
        let name = match self.file.get(field) {
            None | Some(Value::Null) => return Ok(default),
            Some(value) => value.as_str().unwrap_or_default(),
        };
        let known = ACTIVATIONS.iter().find(|(known, _)| *known == name);
        known.map(|(_, activation)| *activation).ok_or_else(|| {
            let names: Vec<_> = ACTIVATIONS.iter().map(|(name, _)| *name).collect();
            format!(
                "{field} is `{name}`, but only these are implemented: {}",
                names.join(", ")
            )
        })
    }

    /// `sliding_window`, if it is one; `default` where the field is absent.
    pub(super) fn window(
        &self,
        default: Option<usize>,
        layers: WindowLayers,
    ) -> Result<Option<Window>, String> {
        let size = match self.file.get("sliding_window") {
            None => default,
            Some(Value::Null) => None,
            Some(value) => match value.as_u64() {
                Some(size) => usize::try_from(size).ok(),
                None => {
                    return Err(format!(
                        "sliding_window is {value}; it must be a number of positions or null"
                    ));
                }
            },
        };
        match size {
            Some(0) => Err(
                "sliding_window is 0, and a token sees itself at least; use a number \
                 of positions or null"
                    .into(),
            ),
            size => Ok(size.map(|size| Window { size, layers })),
        }
    }

    /// The window of a family whose file says whether it is used, and from which layer on.
    pub(super) fn later_window(&self, layers: usize) -> Result<Option<Window>, String> {
        /// Where the file says nothing.
        const FIRST: usize = 28;
        if self.use_sliding_window != Some(true) {
            return Ok(None);
        }
        match &self.layer_types {
            Some(_) => self.listed_window(Some(4096), layers),
            None => {
                let first = self.max_window_layers.unwrap_or(FIRST);
                self.window(Some(4096), WindowLayers::From(first))
            }
        }
    }

    /// The window of the layers that `layer_types` lists as having one.
    pub(super) fn listed_window(
        &self,
        default: Option<usize>,
        layers: usize,
    ) -> Result<Option<Window>, String> {
        let listed = self.layer_types.as_deref().unwrap_or_default();
        if listed.len() != layers {
            return Err(format!(
                "layer_types lists {} layers, and num_hidden_layers is {layers}; they must agree",
                listed.len()
            ));
        }
        let mut windowed = Vec::with_capacity(layers);
        for kind in listed {
            windowed.push(match kind.as_str() {
                "full_attention" => false,
                "sliding_attention" => true,
                other => {
                    return Err(format!(
                        "layer_types has `{other}`, which is not implemented; full_attention and \
                         sliding_attention are"
                    ));
                }
            });
        }
        if !windowed.contains(&true) {
            return Ok(None);
        }
        let first = windowed.iter().position(|windowed| *windowed).unwrap_or(0);
        let patterns = [
            WindowLayers::All,
            WindowLayers::EverySecond,
            WindowLayers::From(first),
        ];
        let fits = |layers: &WindowLayers| {
            let window = Window {
                size: 1,
                layers: *layers,
            };
            let mut all = windowed.iter().enumerate();
            all.all(|(layer, windowed)| window.of(layer).is_some() == *windowed)
        };
        match patterns.into_iter().find(fits) {
            Some(layers) => self.window(default, layers),
            None => Err(
                "layer_types has an order of sliding_attention that is not implemented: all \
                 layers, every second from the first on, and all from one on are"
                    .into(),
            ),
        }
    }

    /// A soft cap: `default` where `field` is absent, none where it is null.
    pub(super) fn cap(&self, field: &str, default: Option<f32>) -> Result<Option<f32>, String> {
        match self.file.get(field) {
            None => Ok(default),
            Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(cap) if cap.is_finite() && cap > 0.0 => Ok(Some(cap as f32)),
                _ => Err(format!("{field} is {value}; it must be positive or null")),
            },
        }
    }

    /// Takes what a family with experts in every layer says of them.
    pub(super) fn only_experts(&self, config: &mut ModelConfig) -> Result<(), String> {
        let step = self.decoder_sparse_step.unwrap_or(1);
        if step != 1 {
            return Err(format!(
                "decoder_sparse_step is {step}, but only models with experts in every layer are \
                 implemented; use one where it is 1"
            ));
        }
        if let Some(layers) = self
            .mlp_only_layers
            .as_ref()
            .filter(|layers| !layers.is_empty())
        {
            return Err(format!(
                "mlp_only_layers is {layers:?}, but only models with experts in every layer are \
                 implemented; use one where it is empty"
            ));
        }
        config.shape.design.sums_to_one = self.norm_topk_prob.unwrap_or(false);
        Ok(())
    }
}
