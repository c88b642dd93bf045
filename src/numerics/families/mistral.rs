//! Mistral: Jiang et al. 2023 (arXiv:2310.06825). Attention sees a window, if any.

use super::{Family, names};
use crate::model::{Architecture, Design, WindowLayers};
use crate::numerics::rope::DEFAULT_THETA;

pub(super) const MISTRAL: Family = Family {
    name: "Mistral",
    architecture: Architecture::Llama,
    class: "MistralForCausalLM",
    model_type: "mistral",
    names: &names::LLAMA,
    design: Design::default,
    epsilon: 1e-6,
    positions: 131_072,
    theta: DEFAULT_THETA,
    kv_heads: Some(8),
    head_dim: None,
    tied: false,
    activation: "hidden_act",
    columns: ("intermediate_size", None),
    experts: None,
    reads: &[],
    settle: |settings, config| {
        config.shape.design.window = settings.window(Some(4096), WindowLayers::All)?;
        Ok(())
    },
};
