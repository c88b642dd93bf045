//! What a family calls its tensors.
//!
//! Matrices and norms are named without `.weight`, and biases stand beside them as `.bias`. Those
//! of a layer follow `layers` and its number.

/// Names of tensors.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::numerics) struct Names {
    pub(in crate::numerics) embedding: &'static str,
    pub(in crate::numerics) positions: &'static str,
    /// Before a layer's number, a full stop, and one of the names below.
    pub(in crate::numerics) layers: &'static str,
    pub(in crate::numerics) norm: &'static str,
    pub(in crate::numerics) head: &'static str,

    pub(in crate::numerics) attention_norm: &'static str,
    pub(in crate::numerics) query: &'static str,
    pub(in crate::numerics) key: &'static str,
    pub(in crate::numerics) value: &'static str,
    /// All three, one below the other, if they are one tensor.
    pub(in crate::numerics) query_key_value: Option<&'static str>,
    pub(in crate::numerics) query_norm: &'static str,
    pub(in crate::numerics) key_norm: &'static str,
    pub(in crate::numerics) output: &'static str,
    pub(in crate::numerics) attention_after: &'static str,

    pub(in crate::numerics) mlp_norm: &'static str,
    pub(in crate::numerics) gate: &'static str,
    /// The first matrix, where there is no gate.
    pub(in crate::numerics) up: &'static str,
    /// Gate and up, one below the other, if they are one tensor.
    pub(in crate::numerics) gate_up: Option<&'static str>,
    pub(in crate::numerics) down: &'static str,
    pub(in crate::numerics) mlp_after: &'static str,

    pub(in crate::numerics) router: &'static str,
    /// Before an expert's number, a full stop, and gate, up or down.
    pub(in crate::numerics) experts: &'static str,
    pub(in crate::numerics) expert: Expert,
    pub(in crate::numerics) shared: &'static str,
    pub(in crate::numerics) shared_gate: &'static str,
}

/// The matrices of an expert.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::numerics) struct Expert {
    pub(in crate::numerics) gate: &'static str,
    pub(in crate::numerics) up: &'static str,
    pub(in crate::numerics) down: &'static str,
}

/// LLaMA's, after which most others name theirs.
pub(in crate::numerics) const LLAMA: Names = Names {
    embedding: "model.embed_tokens",
    positions: "model.embed_positions",
    layers: "model.layers",
    norm: "model.norm",
    head: "lm_head",
    attention_norm: "input_layernorm",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    query_key_value: None,
    query_norm: "self_attn.q_norm",
    key_norm: "self_attn.k_norm",
    output: "self_attn.o_proj",
    attention_after: "post_attention_layernorm",
    mlp_norm: "post_attention_layernorm",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    gate_up: None,
    down: "mlp.down_proj",
    mlp_after: "post_feedforward_layernorm",
    router: "mlp.gate",
    experts: "mlp.experts",
    expert: Expert {
        gate: "gate_proj",
        up: "up_proj",
        down: "down_proj",
    },
    shared: "mlp.shared_expert",
    shared_gate: "mlp.shared_expert_gate",
};
