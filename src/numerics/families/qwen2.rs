//! Qwen2 and Qwen2.5: Yang et al. 2024 (arXiv:2407.10671, 2412.15115). Queries, keys and values
//! have biases, and later layers may have a window.

use super::{Family, names};
use crate::model::{Architecture, Biases, Design};
use crate::numerics::rope::DEFAULT_THETA;

/// A LLaMA's with biases of queries, keys and values.
pub(super) fn design() -> Design {
    Design {
        biases: Biases {
            queries_keys_values: true,
            ..Biases::default()
        },
        ..Design::default()
    }
}

pub(super) const QWEN2: Family = Family {
    name: "Qwen2",
    architecture: Architecture::Llama,
    class: "Qwen2ForCausalLM",
    model_type: "qwen2",
    names: &names::LLAMA,
    design,
    epsilon: 1e-6,
    positions: 32_768,
    theta: DEFAULT_THETA,
    kv_heads: Some(32),
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("intermediate_size", None),
    experts: None,
    reads: &[],
    settle: |settings, config| {
        let layers = config.shape.layers;
        config.shape.design.window = settings.later_window(layers)?;
        Ok(())
    },
};
