//! What the layers of a family are made of, beside their sizes.
//!
//! One [`Design`] is one small description: the norm, the activation, how positions enter, which
//! products have biases, how far attention sees. Everything that counts weights and operations
//! (`parameters`, `work`) reads it, and so does everything that computes. Families differ in
//! nothing else:
//!
//! | family | source | what differs from a LLaMA |
//! | --- | --- | --- |
//! | LLaMA | Touvron et al. 2023, arXiv:2302.13971 | |
//! | Mistral | Jiang et al. 2023, arXiv:2310.06825 | attention over a window |
//! | Qwen2 | Yang et al. 2024, arXiv:2407.10671 | biases of queries, keys and values; a window in later layers |
//! | Qwen3 | Yang et al. 2025, arXiv:2505.09388 | a norm of each head of queries and keys |
//! | Gemma 2 | Gemma Team 2024, arXiv:2408.00118 | GeGLU, norms after the sublayers too, caps, a window in every second layer |
//! | Phi-3 | Abdin et al. 2024, arXiv:2404.14219 | (its tensors are joined, and positions stretched) |
//! | OPT | Zhang et al. 2022, arXiv:2205.01068 | LayerNorm, ReLU without a gate, biases, learned positions |
//! | Mixtral | Jiang et al. 2024, arXiv:2401.04088 | experts |
//! | Qwen2-MoE | Yang et al. 2024, arXiv:2407.10671 | Qwen2's attention; experts, and one that sees every token |
//! | Qwen3-MoE | Yang et al. 2025, arXiv:2505.09388 | Qwen3's attention; experts |

use serde::{Deserialize, Serialize};

/// What a layer is made of. The default is a LLaMA's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Design {
    /// The norm before every sublayer and before the LM head.
    pub norm: Norm,
    /// Whether another norm follows every sublayer, before its output is added.
    pub norms_after: bool,
    /// Whether every head of queries and keys has a norm of its own, before it is turned.
    pub head_norms: bool,
    /// How positions enter.
    pub positions: Positions,
    /// How far attention sees, if not to the first token.
    pub window: Option<Window>,
    /// c of c · tanh(s / c), which every score s goes through.
    pub score_cap: Option<f32>,
    /// c of c · tanh(z / c), which every logit z goes through.
    pub logit_cap: Option<f32>,
    /// The function between the matrices of the feed-forward network.
    pub activation: Activation,
    /// Whether it gates a second product: three matrices instead of two.
    pub gated: bool,
    /// Which products have biases.
    pub biases: Biases,
    /// Columns of an expert that sees every token, its output weighted by a gate of its own.
    pub shared_expert: Option<usize>,
    /// Whether the weights of a token's experts are divided by their sum.
    pub sums_to_one: bool,
}

impl Design {
    /// A LLaMA's.
    pub const LLAMA: Self = Self {
        norm: Norm::Rms,
        norms_after: false,
        head_norms: false,
        positions: Positions::Rotary,
        window: None,
        score_cap: None,
        logit_cap: None,
        activation: Activation::Silu,
        gated: true,
        biases: Biases {
            queries_keys_values: false,
            attention_output: false,
            feed_forward: false,
        },
        shared_expert: None,
        sums_to_one: true,
    };
}

impl Default for Design {
    fn default() -> Self {
        Self::LLAMA
    }
}

/// A normalisation of the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Norm {
    /// x / √(mean x² + ε) · w (Zhang and Sennrich 2019, arXiv:1910.07467).
    Rms,
    /// (x − mean x) / √(var x + ε) · w + b (Ba et al. 2016, arXiv:1607.06450).
    Layer,
}

/// How a model knows where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Positions {
    /// Queries and keys are turned by their position.
    Rotary,
    /// A row of a table is added to the embedding: row `before` + p at position p.
    Learned {
        /// Positions that there are.
        positions: usize,
        /// Rows before that of the first position, which are never read.
        before: usize,
    },
}

/// Attention that sees the last `size` positions only, the token's own among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Positions that are seen.
    pub size: usize,
    /// Where that holds.
    pub layers: WindowLayers,
}

/// Layers whose attention has a window; the others see everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowLayers {
    /// Every layer.
    All,
    /// The first, the third, and so on.
    EverySecond,
    /// All from this one on, counted from 0.
    From(usize),
}

impl Window {
    /// The window of `layer`, if it has one.
    pub fn of(&self, layer: usize) -> Option<usize> {
        let has = match self.layers {
            WindowLayers::All => true,
            WindowLayers::EverySecond => layer.is_multiple_of(2),
            WindowLayers::From(first) => layer >= first,
        };
        has.then_some(self.size)
    }

    /// How many of `layers` have it.
    pub fn count(&self, layers: usize) -> usize {
        match self.layers {
            WindowLayers::All => layers,
            WindowLayers::EverySecond => layers.div_ceil(2),
            WindowLayers::From(first) => layers.saturating_sub(first),
        }
    }
}

/// The function between the matrices of a feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// x · σ(x).
    Silu,
    /// x · Φ(x), Φ by the tanh approximation of Hendrycks and Gimpel 2016 (arXiv:1606.08415).
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// Which products of a layer have biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Biases {
    /// Those that make queries, keys and values.
    pub queries_keys_values: bool,
    /// The attention's output projection.
    pub attention_output: bool,
    /// All of the feed-forward network.
    pub feed_forward: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_with_a_window_are_those_counted() {
        for layers in [
            WindowLayers::All,
            WindowLayers::EverySecond,
            WindowLayers::From(0),
            WindowLayers::From(2),
            WindowLayers::From(9),
        ] {
            let window = Window { size: 4, layers };
            for count in 0..7 {
                let found = (0..count).filter(|layer| window.of(*layer).is_some());
                assert_eq!(found.count(), window.count(count), "{layers:?} of {count}");
            }
        }
    }
}
