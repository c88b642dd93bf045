//! How many weights a model of a shape has, and what they take.
//!
//! Formulas follow from the published architectures: LLaMA (Touvron et al. 2023,
//! arXiv:2302.13971 and 2307.09288), Llama 3 (Dubey et al. 2024, arXiv:2407.21783),
//! Mixtral (Jiang et al. 2024, arXiv:2401.04088).

use super::shape::ModelShape;

impl ModelShape {
    /// Weights of one layer's attention with its norm:
    /// q and o projections 2·h·H·d, k and v projections 2·h·G·d, norm h.
    pub fn attention_parameters(&self) -> u64 {
        let [hidden, heads, kv, dim] =
            [self.hidden, self.heads, self.kv_heads, self.head_dim].map(|size| size as u128);
        saturate(2 * hidden * (heads + kv) * dim + hidden)
    }

    /// Weights of one layer's feed-forward network with its norm: gate, up and
    /// down matrices 3·h·f per expert, router h·experts if there is one, norm h.
    pub fn mlp_parameters(&self) -> u64 {
        let [hidden, ffn, experts] =
            [self.hidden, self.ffn, self.expert_count()].map(|size| size as u128);
        saturate(3 * hidden * ffn * experts + u128::from(self.router_parameters()) + hidden)
    }

    /// Weights of one layer's router: h·experts, or 0 for a dense model.
    pub fn router_parameters(&self) -> u64 {
        let experts = self.experts.map_or(0, |experts| experts.count);
        saturate(self.hidden as u128 * experts as u128)
    }

    /// Weights of the embedding table, V·h.
    pub fn embedding_parameters(&self) -> u64 {
        saturate(self.vocabulary as u128 * self.hidden as u128)
    }

    /// All weights: layers, embedding, LM head (if not tied) and final norm.
    pub fn parameters(&self) -> u64 {
        saturate(self.count())
    }

    pub(super) fn count(&self) -> u128 {
        let tables = if self.tied_embeddings { 1 } else { 2 };
        let layer = u128::from(self.attention_parameters()) + u128::from(self.mlp_parameters());
        self.layers as u128 * layer
            + tables * u128::from(self.embedding_parameters())
            + self.hidden as u128
    }

    /// Bytes of the embedding table, which the server holds.
    pub fn embedding_bytes(&self) -> u64 {
        bytes(u128::from(self.embedding_parameters()), self.weight_bits)
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
