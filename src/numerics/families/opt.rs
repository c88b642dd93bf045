//! OPT: Zhang et al. 2022 (arXiv:2205.01068). LayerNorm, ReLU without a gate, biases everywhere,
//! and learned positions, of which the first two rows are never read.

use super::names::Names;
use super::{Family, names};
use crate::model::{Activation, Architecture, Biases, Design, Norm, Positions};
use crate::numerics::rope::DEFAULT_THETA;

const NAMES: Names = Names {
    embedding: "model.decoder.embed_tokens",
    positions: "model.decoder.embed_positions",
    layers: "model.decoder.layers",
    norm: "model.decoder.final_layer_norm",
    attention_norm: "self_attn_layer_norm",
    output: "self_attn.out_proj",
    mlp_norm: "final_layer_norm",
    up: "fc1",
    down: "fc2",
    ..names::LLAMA
};

/// Rows before that of position 0.
const BEFORE: usize = 2;

pub(super) const OPT: Family = Family {
    name: "OPT",
    architecture: Architecture::Llama,
    class: "OPTForCausalLM",
    model_type: "opt",
    names: &NAMES,
    design: || Design {
        norm: Norm::Layer,
        activation: Activation::Relu,
        gated: false,
        biases: Biases {
            queries_keys_values: true,
            attention_output: true,
            feed_forward: true,
        },
        ..Design::default()
    },
    epsilon: 1e-5,
    positions: 2048,
    theta: DEFAULT_THETA,
    kv_heads: None,
    head_dim: None,
    tied: true,
    activation: "activation_function",
    columns: ("ffn_dim", None),
    experts: None,
    reads: &[],
    settle: |settings, config| {
        let refused = |field: &str, value: &str, fix: &str| {
            Err(format!(
                "{field} is {value}, which is not implemented; {fix}"
            ))
        };
        if settings.do_layer_norm_before == Some(false) {
            let fix = "use an OPT with norms before its sublayers: all but 350m";
            return refused("do_layer_norm_before", "false", fix);
        }
        for (field, value) in [
            ("enable_bias", settings.enable_bias),
            (
                "layer_norm_elementwise_affine",
                settings.layer_norm_elementwise_affine,
            ),
        ] {
            if value == Some(false) {
                return refused(field, "false", "use one of the published OPTs");
            }
        }
        if settings.remove_final_layer_norm == Some(true) {
            let fix = "use one of the published OPTs";
            return refused("_remove_final_layer_norm", "true", fix);
        }
        let hidden = config.shape.hidden;
        let embedded = settings.word_embed_proj_dim.unwrap_or(hidden);
        if embedded != hidden {
            return Err(format!(
                "word_embed_proj_dim is {embedded} and hidden_size {hidden}; embeddings of \
                 another size are not implemented: use an OPT other than 350m"
            ));
        }
        config.shape.design.positions = Positions::Learned {
            positions: config.max_positions,
            before: BEFORE,
        };
        config.shape.kv_heads = config.shape.heads;
        Ok(())
    },
};
