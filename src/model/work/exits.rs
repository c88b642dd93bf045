//! What early exits add: asking a head, and keys and values of layers that a token skipped.

use super::{Counter, MOST_TOKENS, Work};
use crate::model::design::{Norm, Positions};
use crate::model::{ModelShape, ShardPlan};

impl Counter<'_> {
    fn skipped(&self, tokens: usize) -> Work {
        let tokens = (tokens as u128).min(MOST_TOKENS);
        if self.heads == 0 || tokens == 0 {
            return Work::default();
        }
        let (keys, values) = (self.kv_heads * self.dim, self.kv_heads * self.values);
        let design = &self.shape.design;
        let mut added = match design.positions {
            Positions::Rotary => 3 * keys,
            Positions::Learned { .. } => 0,
        };
        if design.head_norms {
            added += (4 * self.dim + 3) * self.kv_heads;
        }
        if design.biases.queries_keys_values {
            added += keys + values;
        }
        self.work(
            tokens * (self.norm_flops() + 2 * self.hidden * (keys + values) + added),
            0,
            tokens * (3 * self.hidden + 2 * (keys + values)),
            tokens * (keys + values),
        )
    }
}

impl ShardPlan {
    /// Keys and values in one layer, on `device`, of `tokens` tokens that left the model before it:
    /// from the state at their exit (Schuster et al. 2022, arXiv:2207.07061, section 3.1), beside
    /// the attention of others, whose reading of the weights is counted there.
    ///
    /// With k = G·d and v columns of keys and values, h the hidden size:
    ///
    /// - FLOPs: T(4h + 3 + 2h(k + v) + 3k), and what the family adds to keys
    /// - bytes: T(3h + 2(k + v))·a/8 and T(k + v)·c/8 written to the cache
    ///
    /// # Panics
    /// If there is no such device.
    pub fn skipped(&self, device: usize, tokens: usize) -> Work {
        self.counter(device).skipped(tokens)
    }
}

impl ModelShape {
    /// An exit head of rank r asked about `rows` states, on one node with the whole LM head of V
    /// rows, and the difference of the two greatest probabilities.
    ///
    /// - FLOPs: T(4h + 3 + 4hr + h + 2hV + 4V): norm, change of basis, its addition, head, softmax
    /// - weights: hV + 2hr + h
    /// - bytes: weights·w/8 + T(5h + 2r + 2V)·a/8
    pub fn exit_work(&self, rank: usize, rows: usize) -> Work {
        let [hidden, rank, vocabulary] =
            [self.hidden, rank, self.vocabulary].map(|size| size as u128);
        let rows = (rows as u128).min(MOST_TOKENS);
        if rows == 0 {
            return Work::default();
        }
        let norm = match self.design.norm {
            Norm::Rms | Norm::Layer => 4 * hidden + 3,
        };
        let weights = hidden * vocabulary + self.exit_parameters(rank);
        let per_row = norm + 4 * hidden * rank + hidden + 2 * hidden * vocabulary + 4 * vocabulary;
        let weight_bytes = super::bytes(weights, self.weight_bits);
        let activations = rows * (5 * hidden + 2 * rank + 2 * vocabulary);
        Work {
            flops: super::saturate(rows * per_row),
            bytes: weight_bytes.saturating_add(super::bytes(activations, self.activation_bits)),
            weights: super::saturate(weights),
            weight_bytes,
            cache_bytes: 0,
        }
    }

    fn exit_parameters(&self, rank: u128) -> u128 {
        let hidden = self.hidden as u128;
        2 * hidden * rank + hidden
    }

    /// Bytes of an exit head of rank `rank`, the LM head apart.
    pub fn exit_bytes(&self, rank: usize) -> u64 {
        super::bytes(self.exit_parameters(rank as u128), self.weight_bits)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{ModelShape, ShardPlan};

    #[test]
    fn a_skipped_layer_costs_what_attention_does_less_queries_scores_and_output() {
        let shape = ModelShape::named("tinyllama-1.1b").expect("a named shape");
        let plan = ShardPlan::whole(&shape).expect("whole");
        let (h, kv) = (
            shape.hidden as u64,
            (shape.kv_heads * shape.head_dim) as u64,
        );
        let skipped = plan.skipped(0, 3);
        assert_eq!(skipped.flops, 3 * (4 * h + 3 + 4 * h * kv + 3 * kv));
        assert_eq!(skipped.weights, 0);
        assert!(skipped.flops < plan.attention(0, 3, 0).flops);
        assert_eq!(plan.skipped(0, 0), Default::default());
        assert_eq!(skipped, plan.skipped(0, 1).times(3));
    }

    #[test]
    fn an_exit_costs_the_lm_head_and_little_more() {
        let shape = ModelShape::named("tinyllama-1.1b").expect("a named shape");
        let head = ShardPlan::whole(&shape).expect("whole").lm_head(0, 1);
        let (h, r, v) = (shape.hidden as u64, 64, shape.vocabulary as u64);
        let exit = shape.exit_work(r as usize, 1);
        assert_eq!(exit.flops - head.flops, 4 * h * r + h + 4 * v);
        assert_eq!(exit.weights - head.weights, 2 * h * r);
    }
}
