//! Qwen3-MoE: Yang et al. 2025 (arXiv:2505.09388). The attention of a Qwen3, and experts.

use super::{Family, names, qwen3};
use crate::model::{Architecture, Design, Experts, WindowLayers};
use crate::numerics::rope::DEFAULT_THETA;

pub(super) const QWEN3_MOE: Family = Family {
    name: "Qwen3-MoE",
    architecture: Architecture::Mixtral,
    class: "Qwen3MoeForCausalLM",
    model_type: "qwen3_moe",
    names: &names::LLAMA,
    design: || Design {
        sums_to_one: false,
        ..qwen3::design()
    },
    epsilon: 1e-6,
    positions: 32_768,
    theta: DEFAULT_THETA,
    kv_heads: Some(4),
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("moe_intermediate_size", Some(768)),
    experts: Some(Experts {
        count: 128,
        active: 8,
    }),
    reads: &["attention_bias"],
    settle: |settings, config| {
        settings.only_experts(config)?;
        // Its window, if its file names one, is of every layer.
        let uses = settings.use_sliding_window.unwrap_or(false);
        let design = &mut config.shape.design;
        design.window = match uses {
            true => settings.window(Some(4096), WindowLayers::All)?,
            false => None,
        };
        design.biases.queries_keys_values = settings.attention_bias.unwrap_or(false);
        design.biases.attention_output = design.biases.queries_keys_values;
        Ok(())
    },
};
