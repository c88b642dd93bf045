//! Phi-3: Abdin et al. 2024 (arXiv:2404.14219). Queries, keys and values are one tensor, gate and
//! up another; positions of the long variants are stretched as LongRoPE has it, under three names.

use super::names::Names;
use super::{Family, names};
use crate::model::{Architecture, Design, WindowLayers};
use crate::numerics::rope::DEFAULT_THETA;

const NAMES: Names = Names {
    query_key_value: Some("self_attn.qkv_proj"),
    gate_up: Some("mlp.gate_up_proj"),
    ..names::LLAMA
};

pub(super) const PHI3: Family = Family {
    name: "Phi-3",
    architecture: Architecture::Llama,
    class: "Phi3ForCausalLM",
    model_type: "phi3",
    names: &NAMES,
    design: Design::default,
    epsilon: 1e-5,
    positions: 4096,
    theta: DEFAULT_THETA,
    kv_heads: None,
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("intermediate_size", None),
    experts: None,
    reads: &[],
    settle: |settings, config| {
        config.shape.design.window = settings.window(None, WindowLayers::All)?;
        Ok(())
    },
};
