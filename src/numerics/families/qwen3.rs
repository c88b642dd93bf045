//! Qwen3: Yang et al. 2025 (arXiv:2505.09388). Every head of queries and keys has a norm.

use super::{Family, names};
use crate::model::{Architecture, Design};
use crate::numerics::rope::DEFAULT_THETA;

/// A LLaMA's with norms of heads.
pub(super) fn design() -> Design {
    Design {
        head_norms: true,
        ..Design::default()
    }
}

pub(super) const QWEN3: Family = Family {
    name: "Qwen3",
    architecture: Architecture::Llama,
    class: "Qwen3ForCausalLM",
    model_type: "qwen3",
    names: &names::LLAMA,
    design,
    epsilon: 1e-6,
    positions: 32_768,
    theta: DEFAULT_THETA,
    kv_heads: Some(32),
    head_dim: Some(128),
    tied: false,
    activation: "hidden_act",
    columns: ("intermediate_size", None),
    experts: None,
    reads: &["attention_bias"],
    settle: |settings, config| {
        let (layers, design) = (config.shape.layers, &mut config.shape.design);
        design.window = settings.later_window(layers)?;
        design.biases.queries_keys_values = settings.attention_bias.unwrap_or(false);
        design.biases.attention_output = design.biases.queries_keys_values;
        Ok(())
    },
};
