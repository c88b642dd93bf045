//! What a step costs on one device: FLOPs, bytes moved, weights touched.
//!
//! Symbols: h hidden size; d entries per head; H, G query and key–value heads
//! **on the device**, whole or in part; v columns of each of its key–value heads' values, and o columns
//! of the attention's output that it multiplies by its rows of W_O: d and H·d unless heads are cut; f feed-forward columns on the device; V vocabulary rows on
//! the device; E experts per layer and k of them active (1 and 1 if dense);
//! T tokens in the step, C tokens already in the cache. Bits per entry: w for
//! weights, a for activations, c for the cache.
//!
//! Causal attention: the i-th of the T tokens attends to C + i positions, so a
//! head attends to S = Σ_{i=1..T} (C + i) = T·C + T(T+1)/2 of them. Decode is
//! T = 1.

mod exits;

use super::design::{Activation, Norm, Positions};
use super::parameters::{bytes, saturate};
use super::{DeviceShard, ModelShape};
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// The cost of a step on one device.
///
/// FLOPs of the element-wise parts, per entry or as stated:
///
/// | part | FLOPs |
/// | --- | --- |
/// | residual addition | 1 |
/// | RMSNorm of h entries | 4h + 3: squares h, their sum h − 1, mean, ε, root, reciprocal, two products h |
/// | rotary embedding | 3: two products and a sum |
/// | scaling of a score | 1 |
/// | softmax of n entries | 4n: differences, exponentials, sum and reciprocal, products |
/// | SiLU | 8, the η that the WDMoE paper assumes in its (5) |
/// | gate × up | 1 |
/// | LayerNorm of h entries, instead of RMSNorm | 7h + 3: mean h, differences h, squares and their sum 2h − 1, mean, ε, root, reciprocal, product, weight and bias 3h |
/// | norm of a head of d entries | 4d + 3 |
/// | GELU by tanh, instead of SiLU | 13: the cubic 5, and the rest as SiLU |
/// | ReLU, instead of SiLU | 1 |
/// | bias, per output | 1 |
/// | cap c · tanh(x / c) of a score or a logit | 10: quotient, product, and 8 for tanh |
/// | gate of a shared expert, weighting of its output | 2h + 8, 2h |
///
/// A window of W positions leaves min(C + i, W) of the C + i for the i-th token of a step, and
/// of the cache the last W − 1 with the step's own are read; the first matrix of a network
/// without a gate is one, not two.
///
/// Bytes count every tensor between two operations as written once and read
/// once, weights and the cache as read once per step (a blocked attention never
/// writes its scores to memory).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes moved between memory and the compute unit.
    pub bytes: u64,
    /// Distinct weights read (a number of parameters, not bytes).
    pub weights: u64,
    /// What of the bytes is weights.
    pub weight_bytes: u64,
    /// What of the bytes is keys and values.
    pub cache_bytes: u64,
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            flops: self.flops.saturating_add(other.flops),
            bytes: self.bytes.saturating_add(other.bytes),
            weights: self.weights.saturating_add(other.weights),
            weight_bytes: self.weight_bytes.saturating_add(other.weight_bytes),
            cache_bytes: self.cache_bytes.saturating_add(other.cache_bytes),
        }
    }
}

impl Work {
    /// The same work done `count` times over, nothing of it shared.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self {
            flops: self.flops.saturating_mul(count),
            bytes: self.bytes.saturating_mul(count),
            weights: self.weights.saturating_mul(count),
            weight_bytes: self.weight_bytes.saturating_mul(count),
            cache_bytes: self.cache_bytes.saturating_mul(count),
        }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(works: I) -> Self {
        works.fold(Self::default(), Add::add)
    }
}

/// FLOPs of SiLU per entry: η of the WDMoE paper's (5), assumed there.
const SILU_FLOPS: u128 = 8;

/// FLOPs of a soft cap per entry.
const CAP_FLOPS: u128 = 10;

impl ModelShape {
    /// Weights of one expert (of the whole network, if dense): gate, up and down
    /// matrices, 3·h·f.
    pub fn expert_parameters(&self) -> u64 {
        saturate(3 * self.hidden as u128 * self.ffn as u128)
    }

    /// What `tokens` cost in one expert, apart from router and norm.
    ///
    /// FLOPs per token: 6·h·f for three matrices and (η + 1)·f for SiLU and product,
    /// which is 4 m m_h + 2 m_h m + η m_h + m_h, (5) of Xue et al., "WDMoE", with m = h,
    /// m_h = f and η = 8. Bytes: the weights once, and per token 2h + 6f activations.
    pub fn expert_work(&self, tokens: usize) -> Work {
        let [hidden, ffn] = [self.hidden, self.ffn].map(|size| size as u128);
        let tokens = (tokens as u128).min(MOST_TOKENS);
        if tokens == 0 {
            return Work::default();
        }
        let weights = 3 * hidden * ffn;
        let weight_bytes = bytes(weights, self.weight_bits);
        let activations = bytes(tokens * (2 * hidden + 6 * ffn), self.activation_bits);
        Work {
            flops: saturate(tokens * ffn * (6 * hidden + SILU_FLOPS + 1)),
            bytes: weight_bytes.saturating_add(activations),
            weights: saturate(weights),
            weight_bytes,
            cache_bytes: 0,
        }
    }

    /// What the router costs for `tokens`: its logits, 2·h·E, and their softmax, 4·E FLOPs; and
    /// what every token goes through beside it, a shared expert.
    pub fn router_work(&self, tokens: usize) -> Work {
        let [hidden, experts] = [self.hidden, self.expert_count()].map(|size| size as u128);
        let tokens = (tokens as u128).min(MOST_TOKENS);
        let weights = u128::from(self.router_parameters());
        if tokens == 0 || weights == 0 {
            return Work::default();
        }
        let weight_bytes = bytes(weights, self.weight_bits);
        let flops = experts * (2 * hidden + 4) + self.shared_flops();
        let entries = hidden + experts + self.shared_entries();
        let activations = bytes(tokens * entries, self.activation_bits);
        Work {
            flops: saturate(tokens * flops),
            bytes: weight_bytes.saturating_add(activations),
            weights: saturate(weights),
            weight_bytes,
            cache_bytes: 0,
        }
    }

    /// FLOPs per token of a shared expert with its gate.
    fn shared_flops(&self) -> u128 {
        let hidden = self.hidden as u128;
        self.design.shared_expert.map_or(0, |columns| {
            columns as u128 * (6 * hidden + SILU_FLOPS + 1) + 4 * hidden + SILU_FLOPS
        })
    }

    /// Entries that it moves per token.
    fn shared_entries(&self) -> u128 {
        let hidden = self.hidden as u128;
        let columns = self.design.shared_expert;
        columns.map_or(0, |columns| 2 * hidden + 6 * columns as u128)
    }
}

/// Positions that `new` tokens after `context` see through a window of `size`:
/// Σ_{i=1..T} min(C + i, W).
fn seen_through(size: u128, new: u128, context: u128) -> u128 {
    // The first tokens see everything yet.
    let whole = size.saturating_sub(context).min(new);
    whole * context + whole * (whole + 1) / 2 + (new - whole) * size
}

/// Tokens beyond this many are not counted, so that no product leaves 128 bits.
const MOST_TOKENS: u128 = 1 << 32;

/// A shape and a device's part of it as 128-bit factors.
pub(super) struct Counter<'a> {
    shape: &'a ModelShape,
    hidden: u128,
    dim: u128,
    heads: u128,
    kv_heads: u128,
    values: u128,
    context: u128,
    columns: u128,
    rows: u128,
}

impl<'a> Counter<'a> {
    pub(super) fn new(shape: &'a ModelShape, shard: &DeviceShard) -> Self {
        Self {
            shape,
            hidden: shape.hidden as u128,
            dim: shape.head_dim as u128,
            heads: shard.heads.len() as u128,
            kv_heads: shard.kv_heads.len() as u128,
            values: shard.values.len() as u128,
            context: shard.context.len() as u128,
            columns: shard.columns.len() as u128,
            rows: shard.rows.len() as u128,
        }
    }

    fn work(&self, flops: u128, weights: u128, activations: u128, cache: u128) -> Work {
        let weight_bytes = bytes(weights, self.shape.weight_bits);
        let cache_bytes = bytes(cache, self.shape.cache_bits);
        Work {
            flops: saturate(flops),
            bytes: weight_bytes
                .saturating_add(bytes(activations, self.shape.activation_bits))
                .saturating_add(cache_bytes),
            weights: saturate(weights),
            weight_bytes,
            cache_bytes,
        }
    }

    fn norm_flops(&self) -> u128 {
        match self.shape.design.norm {
            Norm::Rms => 4 * self.hidden + 3,
            Norm::Layer => 7 * self.hidden + 3,
        }
    }

    /// What every device that takes part in a block does for each token:
    /// the norm before it, the one after it if there is one, and the residual addition.
    fn replicated_flops(&self) -> u128 {
        let norms = if self.shape.design.norms_after { 2 } else { 1 };
        norms * self.norm_flops() + self.hidden
    }

    /// Entries moved by that: the norm reads and writes h, the projection reads
    /// h and the block writes its partial output h; the addition reads the sum
    /// and the residual and writes the new residual. A norm after it reads and writes h more.
    fn replicated_entries(&self) -> u128 {
        let norms = if self.shape.design.norms_after { 9 } else { 7 };
        norms * self.hidden
    }

    pub(super) fn attention_weights(&self) -> u128 {
        if self.heads == 0 {
            return 0;
        }
        let head_norms = if self.shape.design.head_norms {
            2 * self.dim
        } else {
            0
        };
        let more = self.attention_biases() + head_norms;
        self.hidden * self.projected() + self.shape.sublayer_norms() + more
    }

    fn attention_biases(&self) -> u128 {
        let biases = self.shape.design.biases;
        let queries_keys_values = match biases.queries_keys_values {
            true => self.dim * (self.heads + self.kv_heads) + self.values * self.kv_heads,
            false => 0,
        };
        queries_keys_values
            + if biases.attention_output {
                self.hidden
            } else {
                0
            }
    }

    /// Rows of the query, key and value projections and columns of the output projection.
    fn projected(&self) -> u128 {
        self.dim * (self.heads + self.kv_heads) + self.values * self.kv_heads + self.context
    }

    pub(super) fn attention(&self, slices: impl Iterator<Item = (usize, usize)>) -> Work {
        let (mut tokens, mut positions, mut cached) = (0, 0, 0);
        let layers = self.shape.layers;
        let window = self.shape.design.window;
        let windowed = window.map_or(0, |window| window.count(layers));
        let size = window.map_or(0, |window| window.size as u128);
        // Of layers with a window and layers without, the mean.
        let mean = |with: u128, without: u128| match windowed {
            0 => without,
            _ => (with * windowed as u128 + without * (layers - windowed) as u128) / layers as u128,
        };
        for slice in slices {
            let [new, context] = [slice.0, slice.1].map(|count| (count as u128).min(MOST_TOKENS));
            tokens += new;
            let seen = new * context + new * (new + 1) / 2;
            positions += mean(seen_through(size, new, context), seen);
            if new > 0 {
                let near = context.min(size.saturating_sub(1));
                cached += mean(new + (near + new), new + (context + new));
            }
        }
        if self.heads == 0 || tokens == 0 {
            return Work::default();
        }
        let (hidden, dim, heads, kv) = (self.hidden, self.dim, self.heads, self.kv_heads);
        let values = self.values;
        let projections = 2 * hidden * self.projected();
        let design = &self.shape.design;
        let rotary = match design.positions {
            Positions::Rotary => 3 * dim * (heads + kv),
            Positions::Learned { .. } => 0,
        };
        let head_norms = match design.head_norms {
            true => (4 * dim + 3) * (heads + kv),
            false => 0,
        };
        let added = rotary + head_norms + self.attention_biases();
        let cap = design.score_cap.map_or(0, |_| CAP_FLOPS);
        let per_position = heads * (2 * dim + 1 + 4 + 2 * values + cap);
        self.work(
            tokens * (self.replicated_flops() + projections + added) + positions * per_position,
            self.attention_weights(),
            tokens * (self.replicated_entries() + heads * (2 * dim + values) + self.context),
            kv * (dim + values) * cached,
        )
    }

    /// Weights of the feed-forward network with `experts` of its experts.
    pub(super) fn mlp_weights(&self, experts: u128) -> u128 {
        if self.columns == 0 {
            return 0;
        }
        let router = u128::from(self.shape.router_parameters());
        let matrices = self.shape.matrices() * self.hidden * self.columns * experts;
        matrices + router + self.shape.sublayer_norms() + self.mlp_biases()
    }

    fn mlp_biases(&self) -> u128 {
        match self.shape.design.biases.feed_forward {
            true => (self.shape.matrices() - 1) * self.columns + self.hidden,
            false => 0,
        }
    }

    /// FLOPs per column between the matrices.
    fn activation_flops(&self) -> u128 {
        let function = match self.shape.design.activation {
            Activation::Silu => SILU_FLOPS,
            Activation::GeluTanh => SILU_FLOPS + 5,
            Activation::Relu => 1,
        };
        function + u128::from(self.shape.design.gated)
    }

    pub(super) fn mlp(&self, tokens: usize) -> Work {
        let tokens = (tokens as u128).min(MOST_TOKENS);
        if self.columns == 0 || tokens == 0 {
            return Work::default();
        }
        let (hidden, columns) = (self.hidden, self.columns);
        let experts = self.shape.expert_count() as u128;
        let active = self.shape.active_experts() as u128;
        // The router's logits and softmax, the renormalisation of the k chosen
        // weights (k − 1 sums, k quotients), the weighted sum of k outputs.
        let routing = if self.shape.experts.is_some() {
            2 * hidden * experts
                + 4 * experts
                + (2 * active - 1)
                + 2 * active * hidden
                + self.shape.shared_flops()
        } else {
            0
        };
        let matrices = self.shape.matrices();
        let per_column = 2 * matrices * hidden + self.activation_flops();
        let network = active * columns * per_column + self.mlp_biases();
        // Each product but the last, and what comes of them, is written and read.
        let entries = 2 * matrices * active * columns + self.shape.shared_entries();
        self.work(
            tokens * (self.replicated_flops() + routing + network),
            self.mlp_weights(experts.min(tokens * active)),
            tokens * (self.replicated_entries() + entries),
            0,
        )
    }

    pub(super) fn head_weights(&self) -> u128 {
        if self.rows == 0 {
            0
        } else {
            self.hidden * self.rows + u128::from(self.shape.norm_parameters())
        }
    }

    pub(super) fn lm_head(&self, tokens: usize) -> Work {
        let tokens = (tokens as u128).min(MOST_TOKENS);
        if self.rows == 0 || tokens == 0 {
            return Work::default();
        }
        let cap = self.shape.design.logit_cap.map_or(0, |_| CAP_FLOPS);
        self.work(
            tokens * (self.norm_flops() + (2 * self.hidden + cap) * self.rows),
            self.head_weights(),
            tokens * (3 * self.hidden + self.rows),
            0,
        )
    }

    /// Peak bytes of live activations; see [`super::ShardPlan::activation_bytes`].
    pub(super) fn activation_bytes(&self, has_layers: bool, tokens: usize) -> u64 {
        let tokens = (tokens as u128).min(MOST_TOKENS);
        let parts = self.rows
            + if has_layers {
                self.heads + self.columns
            } else {
                0
            };
        if tokens == 0 || parts == 0 {
            return 0;
        }
        let attention = (self.dim + self.values) * (self.heads + self.kv_heads);
        let shared = self.shape.design.shared_expert.unwrap_or(0) as u128;
        let columns = self.columns * self.shape.active_experts() as u128;
        let mlp = self.shape.matrices() * columns + 3 * shared;
        let blocks = tokens * (3 * self.hidden + attention.max(mlp));
        let head = tokens * self.hidden + self.hidden + self.rows;
        let peak = if has_layers { blocks.max(head) } else { head };
        bytes(peak, self.shape.activation_bits)
    }

    pub(super) fn cache_bytes(&self, layers: usize, tokens: usize) -> u64 {
        let entries = layers as u128 * self.kv_heads * (self.dim + self.values);
        bytes(
            (tokens as u128).min(MOST_TOKENS) * entries,
            self.shape.cache_bits,
        )
    }
}
