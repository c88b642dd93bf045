//! The weights of a LLaMA as it is published: whole matrices by their published
//! names, in their stored precision. Stepping happens elsewhere, on packed shards.
//!
//! One list of names and shapes serves every source: a folder, random numbers, a
//! training run's variables. Its order is the order in which random weights are
//! drawn, so it must not change.

use candle_core::Tensor;

use crate::model::ModelShape;

/// One layer.
#[derive(Debug, Clone)]
pub(super) struct LayerWeights {
    pub(super) attention_norm: Tensor,
    pub(super) query: Tensor,
    pub(super) key: Tensor,
    pub(super) value: Tensor,
    pub(super) output: Tensor,
    pub(super) mlp_norm: Tensor,
    pub(super) gate: Tensor,
    pub(super) up: Tensor,
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
}

impl Weights {
    /// Gathers the weights of `shape` from `source`, which is asked for each
    /// tensor by name and shape: matrices are \[outputs, inputs\], norms \[h\].
    pub(super) fn gather<E>(
        shape: &ModelShape,
        mut source: impl FnMut(&str, &[usize]) -> Result<Tensor, E>,
    ) -> Result<Self, E> {
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
                gate: part("mlp.gate_proj", &[shape.ffn, hidden])?,
                up: part("mlp.up_proj", &[shape.ffn, hidden])?,
                down: part("mlp.down_proj", &[hidden, shape.ffn])?,
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
        })
    }

    /// Bits per stored weight, averaged over all of them.
    pub(super) fn bits(&self, shape: &ModelShape) -> f64 {
        let mut bits = 0u64;
        let mut count = |tensor: &Tensor| {
            bits += 8 * (tensor.dtype().size_in_bytes() * tensor.elem_count()) as u64;
        };
        for layer in &self.layers {
            for tensor in [
                &layer.attention_norm,
                &layer.query,
                &layer.key,
                &layer.value,
                &layer.output,
                &layer.mlp_norm,
                &layer.gate,
                &layer.up,
                &layer.down,
            ] {
                count(tensor);
            }
        }
        count(&self.embedding);
        count(&self.norm);
        if !shape.tied_embeddings {
            count(&self.head);
        }
        bits as f64 / shape.parameters() as f64
    }
}
