//! Mixtral: Jiang et al. 2024 (arXiv:2401.04088).

use super::names::{Expert, Names};
use super::{Family, names};
use crate::model::{Architecture, Design, Experts, WindowLayers};

const NAMES: Names = Names {
    router: "block_sparse_moe.gate",
    experts: "block_sparse_moe.experts",
    expert: Expert {
        gate: "w1",
        up: "w3",
        down: "w2",
    },
    ..names::LLAMA
};

pub(super) const MIXTRAL: Family = Family {
    name: "Mixtral",
    architecture: Architecture::Mixtral,
    class: "MixtralForCausalLM",
    model_type: "mixtral",
    names: &NAMES,
    design: Design::default,
    epsilon: 1e-5,
    positions: 131_072,
    theta: 1e6,
    kv_heads: Some(8),
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("intermediate_size", None),
    experts: Some(Experts {
        count: 8,
        active: 2,
    }),
    reads: &[],
    settle: |settings, config| {
        config.shape.design.window = settings.window(None, WindowLayers::All)?;
        Ok(())
    },
};
