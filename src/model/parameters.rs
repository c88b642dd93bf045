//! How many weights a model of a shape has, and what they take.
//!
//! Formulas follow from the published architectures, whose papers `design` lists.

use super::design::{Norm, Positions};
use super::shape::ModelShape;

impl ModelShape {
    /// Weights of one layer's attention with its norms: q and o projections 2·h·H·d, k and v
    /// projections 2·h·G·d, norm h (2h with biases, twice that where one follows too), and where
    /// the design has them, biases (H + 2G)·d and h and norms of the heads 2·d.
    pub fn attention_parameters(&self) -> u64 {
        let [hidden, heads, kv, dim] =
            [self.hidden, self.heads, self.kv_heads, self.head_dim].map(|size| size as u128);
        let biases = self.design.biases;
        let mut more = 0;
        if biases.queries_keys_values {
            more += (heads + 2 * kv) * dim;
        }
        if biases.attention_output {
            more += hidden;
        }
        if self.design.head_norms {
            more += 2 * dim;
        }
        saturate(2 * hidden * (heads + kv) * dim + self.sublayer_norms() + more)
    }

    /// Weights of one layer's feed-forward network with its norms: gate, up and
    /// down matrices 3·h·f per expert (without a gate 2·h·f), router h·experts if there is one,
    /// norm h as for attention, biases 2f + h (f + h).
    pub fn mlp_parameters(&self) -> u64 {
        let [hidden, ffn, experts] =
            [self.hidden, self.ffn, self.expert_count()].map(|size| size as u128);
        let matrices = self.matrices();
        let biases = match self.design.biases.feed_forward {
            true => (matrices - 1) * ffn + hidden,
            false => 0,
        };
        let router = u128::from(self.router_parameters());
        saturate(matrices * hidden * ffn * experts + router + self.sublayer_norms() + biases)
    }

    /// Weights of one layer's router: h·experts, or 0 for a dense model; and those of what every
    /// token goes through beside it, a shared expert of s columns: 3·h·s and its gate h.
    pub fn router_parameters(&self) -> u64 {
        let experts = self.experts.map_or(0, |experts| experts.count);
        let shared = self
            .design
            .shared_expert
            .map_or(0, |columns| 3 * columns as u128 + 1);
        saturate(self.hidden as u128 * (experts as u128 + shared))
    }

    /// Weights of one norm: h, or 2h with a bias.
    pub fn norm_parameters(&self) -> u64 {
        let vectors = match self.design.norm {
            Norm::Rms => 1,
            Norm::Layer => 2,
        };
        saturate(vectors * self.hidden as u128)
    }

    /// Weights of the norms of a sublayer.
    pub(super) fn sublayer_norms(&self) -> u128 {
        let norms = if self.design.norms_after { 2 } else { 1 };
        norms * u128::from(self.norm_parameters())
    }

    /// Matrices of a feed-forward network.
    pub(super) fn matrices(&self) -> u128 {
        if self.design.gated { 3 } else { 2 }
    }

    /// Weights of the table of learned positions, or 0 if there is none.
    pub fn position_parameters(&self) -> u64 {
        match self.design.positions {
            Positions::Rotary => 0,
            Positions::Learned { positions, before } => {
                saturate((positions as u128 + before as u128) * self.hidden as u128)
            }
        }
    }

    /// Weights of the embedding table, V·h.
    pub fn embedding_parameters(&self) -> u64 {
        saturate(self.vocabulary as u128 * self.hidden as u128)
    }

    /// All weights: layers, embedding, positions (if learned), LM head (if not tied) and final norm.
    pub fn parameters(&self) -> u64 {
        saturate(self.count())
    }

    pub(super) fn count(&self) -> u128 {
        let tables = if self.tied_embeddings { 1 } else { 2 };
        let layer = u128::from(self.attention_parameters()) + u128::from(self.mlp_parameters());
        self.layers as u128 * layer
            + tables * u128::from(self.embedding_parameters())
            + u128::from(self.position_parameters())
            + u128::from(self.norm_parameters())
    }

    /// Bytes of the embedding table, and of that of positions if there is one, which the server
    /// holds.
    pub fn embedding_bytes(&self) -> u64 {
        let tables =
            u128::from(self.embedding_parameters()) + u128::from(self.position_parameters());
        bytes(tables, self.weight_bits)
    }
}

/// `count` as far as 64 bits reach.
pub(super) fn saturate(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Bytes of `entries` at `bits` each, rounded up once.
///
/// Exact while entries·bits < 2⁵³·(the granularity of `bits`): fractional bits
/// in use are multiples of 1/4, so up to 10¹⁵ entries.
pub(super) fn bytes(entries: u128, bits: f64) -> u64 {
    (entries as f64 * bits / 8.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractional_bits_round_up_to_whole_bytes() {
        assert_eq!(bytes(32, 4.5), 18);
        assert_eq!(bytes(1, 4.5), 1);
        assert_eq!(bytes(3, 16.0), 6);
        assert_eq!(bytes(0, 4.5), 0);
    }
}
