//! LLaMA: Touvron et al. 2023 (arXiv:2302.13971, 2307.09288), Dubey et al. 2024
//! (arXiv:2407.21783); and what is published as one, such as TinyLlama, Yi and DeepSeek-Coder.

use super::{Family, names};
use crate::model::{Architecture, Design};
use crate::numerics::rope::DEFAULT_THETA;

pub(super) const LLAMA: Family = Family {
    name: "LLaMA",
    architecture: Architecture::Llama,
    class: "LlamaForCausalLM",
    model_type: "llama",
    names: &names::LLAMA,
    design: Design::default,
    epsilon: 1e-6,
    positions: 2048,
    theta: DEFAULT_THETA,
    kv_heads: None,
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("intermediate_size", None),
    experts: None,
    reads: &["attention_bias", "mlp_bias"],
    settle: |settings, config| {
        let biases = &mut config.shape.design.biases;
        biases.queries_keys_values = settings.attention_bias.unwrap_or(false);
        biases.attention_output = biases.queries_keys_values;
        biases.feed_forward = settings.mlp_bias.unwrap_or(false);
        Ok(())
    },
};
