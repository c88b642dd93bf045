//! What the keys of a GGUF file say of a model, put as its `config.json` would.
//!
//! So one reader of settings serves both, and a file in either format is refused for the same
//! reasons. What llama.cpp's converter has done to the weights is undone elsewhere (`checkpoint`),
//! but for Gemma's norms, to which it has added 1 already.

use super::header::Entry;
use super::keys::Keys;
use super::names;
use super::value::Value;
use crate::numerics::config::ModelConfig;
use crate::numerics::families::{Family, Names};
use crate::numerics::settings::Settings;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// An architecture of llama.cpp, and what the reference implementation calls it.
struct Known {
    architecture: &'static str,
    class: &'static str,
    /// With experts.
    sparse: Option<&'static str>,
    names: &'static Names,
    /// Whether the rows of queries and keys were put in another order.
    interleaved: bool,
}

const PLAIN: Known = Known {
    architecture: "llama",
    class: "LlamaForCausalLM",
    sparse: None,
    names: &names::PLAIN,
    interleaved: false,
};

const KNOWN: [Known; 7] = [
    Known {
        sparse: Some("MixtralForCausalLM"),
        interleaved: true,
        ..PLAIN
    },
    Known {
        architecture: "qwen2",
        class: "Qwen2ForCausalLM",
        ..PLAIN
    },
    Known {
        architecture: "qwen2moe",
        class: "Qwen2MoeForCausalLM",
        sparse: Some("Qwen2MoeForCausalLM"),
        ..PLAIN
    },
    Known {
        architecture: "qwen3",
        class: "Qwen3ForCausalLM",
        ..PLAIN
    },
    Known {
        architecture: "qwen3moe",
        class: "Qwen3MoeForCausalLM",
        sparse: Some("Qwen3MoeForCausalLM"),
        ..PLAIN
    },
    Known {
        architecture: "gemma2",
        class: "Gemma2ForCausalLM",
        ..PLAIN
    },
    Known {
        architecture: "phi3",
        class: "Phi3ForCausalLM",
        names: &names::PHI3,
        ..PLAIN
    },
];

/// Divisors of rotary frequencies, which a file has as tensors.
#[derive(Debug, Default, Clone)]
pub(super) struct Divisors {
    /// Of every text.
    pub(super) all: Option<Vec<f32>>,
    /// Of texts within the length that the model was first trained for, and of longer ones.
    pub(super) short_long: Option<[Vec<f32>; 2]>,
}

/// What was made of the keys.
pub(super) struct Read {
    pub(super) config: ModelConfig,
    /// Whether the rows of queries and keys are to be put back in order.
    pub(super) interleaved: bool,
}

/// Reads a model's keys, `values`, beside the places of its tensors; it is called `name`.
///
/// # Errors
/// The key, its value and what to do.
pub(super) fn read(
    values: &BTreeMap<String, Value>,
    tensors: &BTreeMap<&str, &Entry>,
    name: &str,
    divisors: &Divisors,
) -> Result<Read, String> {
    let keys = Keys::new(values);
    if let Some(kind) = keys.text("general.type")?.filter(|kind| *kind != "model") {
        return Err(format!(
            "general.type is `{kind}`; a file of a whole model is expected"
        ));
    }
    let architecture = keys
        .text("general.architecture")?
        .ok_or("the key general.architecture is missing; convert the model again")?;
    let known = KNOWN
        .iter()
        .find(|known| known.architecture == architecture);
    let Some(known) = known else {
        let all: Vec<_> = KNOWN.iter().map(|known| known.architecture).collect();
        return Err(format!(
            "the architecture `{architecture}` (general.architecture) is not supported; use a \
             model whose architecture is one of: {}",
            all.join(", ")
        ));
    };
    let file = Translation {
        keys: &keys,
        tensors,
        architecture,
    };
    let sparse = file.size("expert_count")?.filter(|count| *count > 0);
    let class = match (sparse, known.sparse) {
        (None, _) => known.class,
        (Some(_), Some(class)) => class,
        (Some(count), None) => {
            return Err(format!(
                "{architecture}.expert_count is {count}, and {architecture} with experts is not \
                 supported; use a model without"
            ));
        }
    };
    // Of LLaMA's kind, the one with a window is Mistral.
    let window = file.size("attention.sliding_window")?;
    let class = match window {
        Some(_) if class == "LlamaForCausalLM" => "MistralForCausalLM",
        _ => class,
    };
    let json = file.settings(class, divisors)?;
    keys.refuse_unread(architecture)?;
    let family = Family::find(class).expect("classes above are of families");
    let settings = Settings::read(Json::Object(json), family)?;
    let mut config = settings.resolve(name, family)?;
    config.norm_offset = 0.0;
    config.names = known.names;
    config.shape.validate().map_err(|error| error.to_string())?;
    Ok(Read {
        config,
        interleaved: known.interleaved,
    })
}

struct Translation<'a> {
    keys: &'a Keys<'a>,
    tensors: &'a BTreeMap<&'a str, &'a Entry>,
    architecture: &'a str,
}

impl Translation<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn size(&self, key: &str) -> Result<Option<usize>, String> {
        self.keys.size(&self.key(key))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, String> {
        self.keys.number(&self.key(key))
    }

    fn required(&self, key: &str) -> Result<usize, String> {
        self.keys.required(&self.key(key))
    }

    fn has(&self, tensor: &str) -> bool {
        self.tensors.contains_key(tensor)
    }

    fn settings(&self, class: &str, divisors: &Divisors) -> Result<Map<String, Json>, String> {
        let mut json = Map::new();
        let mut set = |field: &str, value: Json| json.insert(field.to_owned(), value);
        set("architectures", json!([class]));
        let hidden = self.required("embedding_length")?;
        let heads = self.required("attention.head_count")?;
        let layers = self.required("block_count")?;
        set("hidden_size", json!(hidden));
        set("num_hidden_layers", json!(layers));
        set("num_attention_heads", json!(heads));
        let kv_heads = self.size("attention.head_count_kv")?.unwrap_or(heads);
        set("num_key_value_heads", json!(kv_heads));
        let head_dim = self.head_dim(hidden, heads)?;
        set("head_dim", json!(head_dim));
        set("vocab_size", json!(self.vocabulary()?));
        let positions = self.required("context_length")?;
        set("max_position_embeddings", json!(positions));
        let epsilon = self.number("attention.layer_norm_rms_epsilon")?;
        let epsilon = epsilon.ok_or_else(|| {
            let key = self.key("attention.layer_norm_rms_epsilon");
            format!("the key {key} is missing; convert the model again")
        })?;
        set("rms_norm_eps", json!(epsilon));
        set("tie_word_embeddings", json!(!self.has("output.weight")));
        set("bos_token_id", json!(self.token("bos")?));
        let ends: Vec<u32> = [self.token("eos")?, self.token("eot")?, self.token("eom")?]
            .into_iter()
            .flatten()
            .collect();
        set("eos_token_id", json!(ends));
        if let Some(theta) = self.number("rope.freq_base")? {
            set("rope_theta", json!(theta));
        }
        if let Some(scaling) = self.scaling(positions, head_dim, divisors)? {
            set("rope_scaling", scaling);
        }
        self.feed_forward(&mut json)?;
        self.own(&mut json, [hidden, heads, layers, head_dim])?;
        Ok(json)
    }

    /// Columns and experts.
    fn feed_forward(&self, json: &mut Map<String, Json>) -> Result<(), String> {
        let columns = self.size("feed_forward_length")?;
        let of_experts = self.size("expert_feed_forward_length")?;
        let columns = columns.or(of_experts).ok_or_else(|| {
            let key = self.key("feed_forward_length");
            format!("the key {key} is missing; convert the model again")
        })?;
        let mut set = |field: &str, value: Json| json.insert(field.to_owned(), value);
        set("intermediate_size", json!(columns));
        let Some(count) = self.size("expert_count")?.filter(|count| *count > 0) else {
            return Ok(());
        };
        set(
            "moe_intermediate_size",
            json!(of_experts.unwrap_or(columns)),
        );
        set("num_local_experts", json!(count));
        set("num_experts", json!(count));
        set(
            "num_experts_per_tok",
            json!(self.required("expert_used_count")?),
        );
        if self.architecture == "qwen2moe" {
            // llama.cpp reads the width off the tensor where the key is missing.
            let tensor = self.tensors.get("blk.0.ffn_up_shexp.weight");
            let width = tensor.and_then(|entry| entry.sizes.first().copied());
            let shared = self.size("expert_shared_feed_forward_length")?.or(width);
            set("shared_expert_intermediate_size", json!(shared));
        }
        // llama.cpp divides the weights of the experts by their sum for Qwen3 and Mixtral alone.
        set("norm_topk_prob", json!(self.architecture == "qwen3moe"));
        Ok(())
    }

    /// What each architecture has of its own.
    fn own(
        &self,
        json: &mut Map<String, Json>,
        [hidden, heads, layers, head_dim]: [usize; 4],
    ) -> Result<(), String> {
        let mut set = |field: &str, value: Json| json.insert(field.to_owned(), value);
        let window = self.size("attention.sliding_window")?;
        match self.architecture {
            "llama" => {
                set("sliding_window", json!(window));
                if self.has("blk.0.attn_q.bias") {
                    set("attention_bias", json!(true));
                }
                if self.has("blk.0.ffn_up.bias") {
                    set("mlp_bias", json!(true));
                }
            }
            "qwen3" | "qwen3moe" => {
                set("attention_bias", json!(self.has("blk.0.attn_q.bias")));
            }
            "gemma2" => {
                let cap = |key| Ok::<_, String>(json!(self.number(key)?));
                set("attn_logit_softcapping", cap("attn_logit_softcapping")?);
                set("final_logit_softcapping", cap("final_logit_softcapping")?);
                set("sliding_window", json!(window.unwrap_or(4096)));
                // llama.cpp's rule: the model of 27 billion weights, of 46 layers, has another.
                let scalar = if layers == 46 {
                    hidden / heads
                } else {
                    head_dim
                };
                set("query_pre_attn_scalar", json!(scalar));
            }
            "phi3" => {
                set("sliding_window", json!(window.filter(|window| *window > 0)));
            }
            _ => {}
        }
        Ok(())
    }

    fn head_dim(&self, hidden: usize, heads: usize) -> Result<usize, String> {
        let key = self.size("attention.key_length")?;
        let value = self.size("attention.value_length")?;
        let whole = (heads > 0 && hidden.is_multiple_of(heads)).then(|| hidden / heads);
        let dim = key.or(whole).ok_or_else(|| {
            format!(
                "{} is missing, and {hidden} entries are not shared evenly by {heads} heads",
                self.key("attention.key_length")
            )
        })?;
        if let Some(value) = value.filter(|value| *value != dim) {
            return Err(format!(
                "{} is {value}, and keys have {dim} entries; values of another length than keys \
                 are not implemented",
                self.key("attention.value_length")
            ));
        }
        match self.size("rope.dimension_count")? {
            Some(turned) if turned != dim => Err(format!(
                "{} is {turned}, and heads have {dim} entries; turning a part of each head is not \
                 implemented",
                self.key("rope.dimension_count")
            )),
            _ => Ok(dim),
        }
    }

    /// As many as the tokenizer lists, or as many as the embedding has rows: the table may be
    /// longer, to divide well.
    fn vocabulary(&self) -> Result<usize, String> {
        let table = self.tensors.get("token_embd.weight");
        let rows = table.and_then(|entry| entry.sizes.first().copied());
        rows.ok_or_else(|| {
            "the tensor `token_embd.weight` is missing; convert the model again".into()
        })
    }

    fn token(&self, which: &str) -> Result<Option<u32>, String> {
        let key = format!("tokenizer.ggml.{which}_token_id");
        // −1 and 2^32 − 1 stand for none.
        match self.keys.get(&key) {
            Some(Value::Whole(-1)) => Ok(None),
            _ => Ok(self
                .keys
                .size(&key)?
                .and_then(|id| u32::try_from(id).ok())
                .filter(|id| *id != u32::MAX)),
        }
    }

    /// What stretches rotary embeddings.
    fn scaling(
        &self,
        positions: usize,
        head_dim: usize,
        divisors: &Divisors,
    ) -> Result<Option<Json>, String> {
        let kind = self.keys.text(&self.key("rope.scaling.type"))?;
        let linear = self.number("rope.scale_linear")?;
        let factor = self.number("rope.scaling.factor")?.or(linear);
        let original = self.size("rope.scaling.original_context_length")?;
        let original = original
            .filter(|original| *original > 0)
            .unwrap_or(positions);
        let stretch = self.number("rope.scaling.attn_factor")?;
        let fast = self.number("rope.scaling.yarn_beta_fast")?;
        let slow = self.number("rope.scaling.yarn_beta_slow")?;
        let log = self.number("rope.scaling.yarn_log_multiplier")?;
        if let Some(log) = log.filter(|log| *log != 0.0) {
            let key = self.key("rope.scaling.yarn_log_multiplier");
            return Err(format!(
                "{key} is {log}, which is not implemented; use a model without it"
            ));
        }
        let long = |short: &[f32], long: &[f32], stretch: f64| {
            let list = |all: &[f32]| all.iter().map(|one| f64::from(*one)).collect::<Vec<_>>();
            json!({
                "rope_type": "longrope", "factor": positions as f64 / original as f64,
                "short_factor": list(short), "long_factor": list(long),
                "original_max_position_embeddings": original, "attention_factor": stretch,
            })
        };
        if let Some([short, other]) = &divisors.short_long {
            return Ok(Some(long(short, other, stretch.unwrap_or(1.0))));
        }
        if let Some(all) = &divisors.all {
            if kind.is_some_and(|kind| kind != "none" && kind != "longrope") {
                let key = self.key("rope.scaling.type");
                return Err(format!(
                    "{key} is `{}` beside the tensor `rope_freqs.weight`, which is not \
                     implemented; use a model with one of them",
                    kind.unwrap_or_default()
                ));
            }
            if all.len() != head_dim / 2 {
                return Err(format!(
                    "the tensor `rope_freqs.weight` has {} entries; heads have {} pairs",
                    all.len(),
                    head_dim / 2
                ));
            }
            return Ok(Some(long(all, all, 1.0)));
        }
        match kind {
            Some("none") => Ok(None),
            None | Some("linear") => Ok(factor
                .filter(|factor| *factor != 0.0 && *factor != 1.0)
                .map(|factor| json!({ "rope_type": "linear", "factor": factor }))),
            Some("yarn") => {
                let factor = factor.unwrap_or(1.0);
                let own = if factor > 1.0 {
                    0.1 * libm::log(factor) + 1.0
                } else {
                    1.0
                };
                Ok(Some(json!({
                    "rope_type": "yarn", "factor": factor,
                    "original_max_position_embeddings": original,
                    "beta_fast": fast, "beta_slow": slow,
                    "attention_factor": own * stretch.unwrap_or(1.0),
                    // llama.cpp rounds the ends of the blend.
                    "truncate": true,
                })))
            }
            Some("longrope") => Err(format!(
                "{} is longrope, and the tensors `rope_factors_short.weight` and \
                 `rope_factors_long.weight` are not both there; convert the model again",
                self.key("rope.scaling.type")
            )),
            Some(other) => Err(format!(
                "{} is `{other}`, which is not implemented; none, linear, yarn and longrope are",
                self.key("rope.scaling.type")
            )),
        }
    }
}
