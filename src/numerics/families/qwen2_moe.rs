//! Qwen1.5-MoE and Qwen2-MoE: Yang et al. 2024 (arXiv:2407.10671, section 2.2.2). The attention of
//! a Qwen2; beside the experts that are chosen, one sees every token, weighted by a gate of its
//! own; the weights of those chosen are what the router says.

use super::{Family, names, qwen2};
use crate::model::{Architecture, Design, Experts};
use crate::numerics::rope::DEFAULT_THETA;

/// Columns of the shared expert where the file says nothing.
const SHARED: usize = 5632;

pub(super) const QWEN2_MOE: Family = Family {
    name: "Qwen2-MoE",
    architecture: Architecture::Mixtral,
    class: "Qwen2MoeForCausalLM",
    model_type: "qwen2_moe",
    names: &names::LLAMA,
    design: || Design {
        sums_to_one: false,
        shared_expert: Some(SHARED),
        ..qwen2::design()
    },
    epsilon: 1e-6,
    positions: 32_768,
    theta: DEFAULT_THETA,
    kv_heads: Some(16),
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("moe_intermediate_size", Some(1408)),
    experts: Some(Experts {
        count: 60,
        active: 4,
    }),
    reads: &["shared_expert_intermediate_size"],
    settle: |settings, config| {
        settings.only_experts(config)?;
        if settings.use_sliding_window == Some(true) {
            return Err(
                "use_sliding_window is true, and which layers of this family that is of is \
                 not implemented; use a model where it is false, as in those published"
                    .into(),
            );
        }
        let design = &mut config.shape.design;
        design.biases.queries_keys_values = settings.qkv_bias.unwrap_or(true);
        design.shared_expert = settings
            .shared_expert_intermediate_size
            .or(design.shared_expert);
        Ok(())
    },
};
