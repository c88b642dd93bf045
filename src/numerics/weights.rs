//! The weights of a model as it is published: whole matrices by their published
//! names, in their stored precision. Stepping happens elsewhere, on packed shards.
//!
//! One list of names and shapes serves every source: a folder, random numbers, a
//! training run's variables. Its order is the order in which random weights are
//! drawn, so it must not change.

use crate::model::{Architecture, ModelShape};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// One layer's matrices and norms, by their published names between
/// `model.layers.N.` and `.weight`.
#[derive(Debug, Clone)]
pub(super) struct LayerWeights {
    /// `input_layernorm`.
    pub(super) attention_norm: Tensor,
    /// `self_attn.q_proj`.
    pub(super) query: Tensor,
    /// `self_attn.k_proj`.
    pub(super) key: Tensor,
    /// `self_attn.v_proj`.
    pub(super) value: Tensor,
    /// `self_attn.o_proj`.
    pub(super) output: Tensor,
    /// `post_attention_layernorm`.
    pub(super) mlp_norm: Tensor,
    /// What follows that norm.
    pub(super) feed_forward: FeedForwardWeights,
}

/// A layer's feed-forward network.
#[derive(Debug, Clone)]
pub(super) enum FeedForwardWeights {
    /// A LLaMA's: `mlp`.
    Dense(SwiGluWeights),
    /// A Mixtral's: `block_sparse_moe`.
    Sparse {
        /// `gate`: \[experts, h\].
        router: Tensor,
        /// `experts.0`, `experts.1`, …
        experts: Vec<SwiGluWeights>,
    },
}

/// down · (SiLU(gate · x) ⊙ (up · x)).
#[derive(Debug, Clone)]
pub(super) struct SwiGluWeights {
    /// `gate_proj`, or an expert's `w1`.
    pub(super) gate: Tensor,
    /// `up_proj`, or an expert's `w3`.
    pub(super) up: Tensor,
    /// `down_proj`, or an expert's `w2`.
    pub(super) down: Tensor,
}

/// All of them.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) embedding: Tensor,
    pub(super) layers: Vec<LayerWeights>,
    pub(super) norm: Tensor,
    /// The embedding itself where the two are tied.
    pub(super) head: Tensor,
    by_name: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Gathers the weights of `shape` from `source`, which is asked for each
    /// tensor by name and shape: matrices are \[outputs, inputs\], norms \[h\].
    pub(super) fn gather<E>(
        shape: &ModelShape,
        mut source: impl FnMut(&str, &[usize]) -> Result<Tensor, E>,
    ) -> Result<Self, E> {
        let mut by_name = BTreeMap::new();
        let mut source = |name: &str, sizes: &[usize]| {
            let tensor = source(name, sizes)?;
            by_name.insert(name.to_owned(), tensor.clone());
            Ok(tensor)
        };
        let hidden = shape.hidden;
        let queries = shape.heads * shape.head_dim;
        let keys = shape.kv_heads * shape.head_dim;
        let embedding = source("model.embed_tokens.weight", &[shape.vocabulary, hidden])?;
        let mut layers = Vec::with_capacity(shape.layers);
        for layer in 0..shape.layers {
            let mut part = |name: &str, sizes: &[usize]| {
                source(&format!("model.layers.{layer}.{name}.weight"), sizes)
            };
            layers.push(LayerWeights {
                attention_norm: part("input_layernorm", &[hidden])?,
                query: part("self_attn.q_proj", &[queries, hidden])?,
                key: part("self_attn.k_proj", &[keys, hidden])?,
                value: part("self_attn.v_proj", &[keys, hidden])?,
                output: part("self_attn.o_proj", &[hidden, queries])?,
                mlp_norm: part("post_attention_layernorm", &[hidden])?,
                feed_forward: match shape.architecture {
                    Architecture::Llama => FeedForwardWeights::Dense(SwiGluWeights {
                        gate: part("mlp.gate_proj", &[shape.ffn, hidden])?,
                        up: part("mlp.up_proj", &[shape.ffn, hidden])?,
                        down: part("mlp.down_proj", &[hidden, shape.ffn])?,
                    }),
                    Architecture::Mixtral => {
                        let experts = shape.expert_count();
                        let router = part("block_sparse_moe.gate", &[experts, hidden])?;
                        let expert = |expert| {
                            let mut part = |matrix, sizes: &[usize]| {
                                let name = format!("block_sparse_moe.experts.{expert}.{matrix}");
                                part(&name, sizes)
                            };
                            Ok(SwiGluWeights {
                                gate: part("w1", &[shape.ffn, hidden])?,
                                down: part("w2", &[hidden, shape.ffn])?,
                                up: part("w3", &[shape.ffn, hidden])?,
                            })
                        };
                        FeedForwardWeights::Sparse {
                            router,
                            experts: (0..experts).map(expert).collect::<Result<_, E>>()?,
                        }
                    }
                },
            });
        }
        let norm = source("model.norm.weight", &[hidden])?;
        let head = if shape.tied_embeddings {
            embedding.clone()
        } else {
            source("lm_head.weight", &[shape.vocabulary, hidden])?
        };
        Ok(Self {
            embedding,
            layers,
            norm,
            head,
            by_name,
        })
    }

    /// A tensor by its published name.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.by_name.get(name)
    }
}
