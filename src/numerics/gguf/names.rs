//! What GGUF calls tensors (llama.cpp's list), in place of a family's own names.

use crate::numerics::families::{Expert, Names};

/// The names of every architecture but for Gemma 2's and Phi-3's own.
pub(super) const PLAIN: Names = Names {
    embedding: "token_embd",
    positions: "position_embd",
    layers: "blk",
    norm: "output_norm",
    head: "output",
    attention_norm: "attn_norm",
    query: "attn_q",
    key: "attn_k",
    value: "attn_v",
    query_key_value: None,
    query_norm: "attn_q_norm",
    key_norm: "attn_k_norm",
    output: "attn_output",
    attention_after: "post_attention_norm",
    mlp_norm: "ffn_norm",
    gate: "ffn_gate",
    up: "ffn_up",
    gate_up: None,
    down: "ffn_down",
    mlp_after: "post_ffw_norm",
    router: "ffn_gate_inp",
    // Experts lie one behind the other in one tensor, or each in one of its own: see `place`.
    experts: "experts",
    expert: Expert {
        gate: "ffn_gate",
        up: "ffn_up",
        down: "ffn_down",
    },
    shared: "shared",
    shared_gate: "ffn_gate_inp_shexp",
};

/// Phi-3's: gate and up are one tensor, and so are queries, keys and values.
pub(super) const PHI3: Names = Names {
    query_key_value: Some("attn_qkv"),
    gate_up: Some("ffn_up"),
    ..PLAIN
};

/// Where a tensor that a model asks for is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A tensor of this name.
    Whole(String),
    /// Of a tensor of experts one behind the other the one of this number; or a tensor of its
    /// own, which older files have.
    Expert {
        stacked: String,
        number: usize,
        alone: String,
    },
}

/// Where `asked` is: `blk.3.experts.7.ffn_up.weight` is the 8th of `blk.3.ffn_up_exps.weight`.
pub(super) fn place(asked: &str) -> Place {
    let whole = || Place::Whole(asked.to_owned());
    if let Some((layer, rest)) = asked.split_once(".experts.") {
        let parts = rest.split_once('.').and_then(|(number, rest)| {
            let (matrix, ending) = rest.split_once('.')?;
            Some((number.parse().ok()?, matrix, ending))
        });
        let Some((number, matrix, ending)) = parts else {
            return whole();
        };
        return Place::Expert {
            stacked: format!("{layer}.{matrix}_exps.{ending}"),
            number,
            alone: format!("{layer}.{matrix}.{number}.{ending}"),
        };
    }
    match asked.split_once(".shared.").and_then(|(layer, rest)| {
        let (matrix, ending) = rest.split_once('.')?;
        Some(format!("{layer}.{matrix}_shexp.{ending}"))
    }) {
        Some(name) => Place::Whole(name),
        None => whole(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experts_and_the_shared_one_are_found_where_files_have_them() {
        assert_eq!(
            place("blk.3.experts.7.ffn_up.weight"),
            Place::Expert {
                stacked: "blk.3.ffn_up_exps.weight".into(),
                number: 7,
                alone: "blk.3.ffn_up.7.weight".into()
            }
        );
        assert_eq!(
            place("blk.0.shared.ffn_down.weight"),
            Place::Whole("blk.0.ffn_down_shexp.weight".into())
        );
        assert_eq!(
            place("output_norm.weight"),
            Place::Whole("output_norm.weight".into())
        );
    }
}
