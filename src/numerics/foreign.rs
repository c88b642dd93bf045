//! Fields of a `config.json` that are refused.
//!
//! Some fields of some families change what a model computes: where a family that has no such
//! field finds it set, the model is not what its name says, and it is refused by the field's name
//! instead of being computed wrongly.

use super::families::Family;
use serde_json::Value;

/// Values of a field with which it changes nothing.
#[derive(Debug, Clone, Copy)]
enum Neutral {
    /// `null`, `false`, 0 or nothing in a list.
    Off,
    /// Those, and this number.
    Number(f64),
}

/// Fields that change what a model computes in some family or other.
const MEANING: [(&str, Neutral); 41] = [
    ("add_cross_attention", Neutral::Off),
    ("alibi", Neutral::Off),
    ("attention_bias", Neutral::Off),
    ("attention_chunk_size", Neutral::Off),
    ("attention_multiplier", Neutral::Off),
    ("attention_out_bias", Neutral::Off),
    ("attn_logit_softcapping", Neutral::Off),
    ("clip_qkv", Neutral::Off),
    ("cross_attention_layers", Neutral::Off),
    ("dim_model_base", Neutral::Off),
    ("embedding_multiplier", Neutral::Number(1.0)),
    ("final_logit_softcapping", Neutral::Off),
    ("first_k_dense_replace", Neutral::Off),
    ("is_encoder_decoder", Neutral::Off),
    ("kv_lora_rank", Neutral::Off),
    ("logit_scale", Neutral::Number(1.0)),
    ("logits_scaling", Neutral::Number(1.0)),
    ("mlp_bias", Neutral::Off),
    ("n_routed_experts", Neutral::Off),
    ("n_shared_experts", Neutral::Off),
    ("no_rope_layers", Neutral::Off),
    ("num_kv_shared_layers", Neutral::Off),
    ("parallel_attn", Neutral::Off),
    ("partial_rotary_factor", Neutral::Number(1.0)),
    ("q_lora_rank", Neutral::Off),
    ("qk_layernorm", Neutral::Off),
    ("qk_norm", Neutral::Off),
    ("quantization_config", Neutral::Off),
    ("query_pre_attn_scalar", Neutral::Off),
    ("residual_multiplier", Neutral::Number(1.0)),
    ("rotary_emb_fraction", Neutral::Number(1.0)),
    ("rotary_pct", Neutral::Number(1.0)),
    ("rope_ratio", Neutral::Number(1.0)),
    ("scale_depth", Neutral::Off),
    ("scale_emb", Neutral::Number(1.0)),
    ("shared_expert_intermediate_size", Neutral::Off),
    ("text_config", Neutral::Off),
    ("use_bidirectional_attention", Neutral::Off),
    ("use_parallel_residual", Neutral::Off),
    ("use_qk_norm", Neutral::Off),
    ("vision_config", Neutral::Off),
];

/// Refuses a field that changes what a model computes, and that `family` does not have.
///
/// # Errors
/// The field, its value and what to do.
pub(super) fn refuse_foreign(file: &Value, family: &Family) -> Result<(), String> {
    for (field, neutral) in MEANING {
        let Some(value) = file.get(field) else {
            continue;
        };
        if family.reads.contains(&field) || neutral.is(value) {
            continue;
        }
        if field == "quantization_config" {
            return Err("the weights are quantised (quantization_config); \
                 use the f32, f16 or bf16 checkpoint of this model"
                .into());
        }
        let mut shown = value.to_string();
        if shown.chars().count() > 40 {
            shown = shown.chars().take(40).chain(['…']).collect();
        }
        return Err(format!(
            "{field} is {shown}: that changes what a model computes, and is not implemented \
             for {} ({}); use a model without it",
            family.name, family.class
        ));
    }
    Ok(())
}

impl Neutral {
    fn is(self, value: &Value) -> bool {
        let off = match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(all) => all.is_empty(),
            Value::Object(all) => all.is_empty(),
            Value::Number(number) => number.as_f64() == Some(0.0),
            _ => false,
        };
        let same = |number: f64| value.as_f64() == Some(number);
        match self {
            Self::Off => off,
            // A multiplier of nothing is no neutral one.
            Self::Number(number) => value.is_null() || same(number),
        }
    }
}
