//! Gemma 2: Gemma Team 2024 (arXiv:2408.00118, section 2). Norms stand before and after every
//! sublayer and multiply by 1 + w; embeddings are multiplied by √h; scores and logits are capped;
//! every second layer has a window; GELU gates.

use super::names::Names;
use super::{Family, names};
use crate::model::{Activation, Architecture, Design, WindowLayers};
use crate::numerics::rope::DEFAULT_THETA;

const NAMES: Names = Names {
    attention_after: "post_attention_layernorm",
    mlp_norm: "pre_feedforward_layernorm",
    mlp_after: "post_feedforward_layernorm",
    ..names::LLAMA
};

/// What a score is divided by the square root of, where the file says nothing.
const QUERY_SCALAR: f64 = 256.0;

pub(super) const GEMMA2: Family = Family {
    name: "Gemma 2",
    architecture: Architecture::Llama,
    class: "Gemma2ForCausalLM",
    model_type: "gemma2",
    names: &NAMES,
    design: || Design {
        norms_after: true,
        activation: Activation::GeluTanh,
        score_cap: Some(50.0),
        logit_cap: Some(30.0),
        ..Design::default()
    },
    epsilon: 1e-6,
    positions: 8192,
    theta: DEFAULT_THETA,
    kv_heads: Some(4),
    head_dim: Some(256),
    tied: true,
    activation: "hidden_activation",
    columns: ("intermediate_size", None),
    experts: None,
    reads: &[
        "attention_bias",
        "attn_logit_softcapping",
        "final_logit_softcapping",
        "query_pre_attn_scalar",
    ],
    settle: |settings, config| {
        config.norm_offset = 1.0;
        config.embedding_scale = Some((config.shape.hidden as f64).sqrt() as f32);
        let scalar = settings.query_pre_attn_scalar.unwrap_or(QUERY_SCALAR);
        if !(scalar.is_finite() && scalar > 0.0) {
            return Err(format!(
                "query_pre_attn_scalar is {scalar}; it must be positive"
            ));
        }
        config.score_scale = Some((1.0 / scalar.sqrt()) as f32);
        let layers = config.shape.layers;
        let design = &mut config.shape.design;
        design.window = match &settings.layer_types {
            None => settings.window(Some(4096), WindowLayers::EverySecond)?,
            Some(_) => settings.listed_window(Some(4096), layers)?,
        };
        design.score_cap = settings.cap("attn_logit_softcapping", design.score_cap)?;
        design.logit_cap = settings.cap("final_logit_softcapping", design.logit_cap)?;
        design.biases.queries_keys_values = settings.attention_bias.unwrap_or(false);
        design.biases.attention_output = design.biases.queries_keys_values;
        Ok(())
    },
};
