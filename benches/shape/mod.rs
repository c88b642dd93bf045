//! The shape of the models that are timed: that of the bundled one's kind.

use airloom::model::{Architecture, ModelShape};

/// Hidden 256, 6 layers, 8 heads, feed-forward 704, vocabulary 1024, f32.
pub fn shape() -> ModelShape {
    ModelShape {
        name: "bench".into(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 6,
        hidden: 256,
        heads: 8,
        kv_heads: 8,
        head_dim: 32,
        ffn: 704,
        vocabulary: 1024,
        tied_embeddings: false,
        experts: None,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}
