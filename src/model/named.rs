//! Shapes of published models by name, from their public configurations.
//!
//! A model joins by one line in the table. Precisions are 16 bit throughout;
//! callers that quantise change them.

use super::{Architecture, Experts, ModelShape};

struct Row {
    name: &'static str,
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    ffn: usize,
    vocabulary: usize,
    tied: bool,
    experts: Option<Experts>,
}

const fn dense(
    name: &'static str,
    [layers, hidden, heads, kv_heads, ffn, vocabulary]: [usize; 6],
) -> Row {
    Row {
        name,
        layers,
        hidden,
        heads,
        kv_heads,
        ffn,
        vocabulary,
        tied: false,
        experts: None,
    }
}

const fn tied(name: &'static str, sizes: [usize; 6]) -> Row {
    Row {
        tied: true,
        ..dense(name, sizes)
    }
}

const fn sparse(name: &'static str, sizes: [usize; 6], count: usize, active: usize) -> Row {
    Row {
        experts: Some(Experts { count, active }),
        ..dense(name, sizes)
    }
}

/// Sizes: layers, hidden, heads, kv_heads, ffn, vocabulary. Every one of these
/// models has heads of hidden / heads entries, and all but the tied ones an LM head of its own.
const TABLE: [Row; 7] = [
    // Touvron et al. 2023, arXiv:2307.09288.
    dense("llama-2-7b", [32, 4096, 32, 32, 11008, 32000]),
    dense("llama-2-13b", [40, 5120, 40, 40, 13824, 32000]),
    dense("llama-2-70b", [80, 8192, 64, 8, 28672, 32000]),
    // Dubey et al. 2024, arXiv:2407.21783, table 3.
    dense("llama-3-8b", [32, 4096, 32, 8, 14336, 128_256]),
    dense("llama-3-70b", [80, 8192, 64, 8, 28672, 128_256]),
    // Meta, Llama 3.2 model card and configuration (2024).
    tied("llama-3.2-3b", [28, 3072, 24, 8, 8192, 128_256]),
    // Jiang et al. 2024, arXiv:2401.04088, table 1.
    sparse("mixtral-8x7b", [32, 4096, 32, 8, 14336, 32000], 8, 2),
];

impl ModelShape {
    /// The shape of a published model, in 16-bit precision, or `None` for a
    /// name that [`ModelShape::names`] does not list.
    pub fn named(name: &str) -> Option<Self> {
        let row = TABLE.iter().find(|row| row.name == name)?;
        Some(Self {
            name: row.name.to_owned(),
            architecture: match row.experts {
                None => Architecture::Llama,
                Some(_) => Architecture::Mixtral,
            },
            layers: row.layers,
            hidden: row.hidden,
            heads: row.heads,
            kv_heads: row.kv_heads,
            head_dim: row.hidden / row.heads,
            ffn: row.ffn,
            vocabulary: row.vocabulary,
            tied_embeddings: row.tied,
            experts: row.experts,
            weight_bits: 16.0,
            cache_bits: 16.0,
            activation_bits: 16.0,
        })
    }

    /// The names that [`ModelShape::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Totals of the published checkpoints (the sum of their tensors' sizes).
    const PUBLISHED: [(&str, u64); 7] = [
        ("llama-2-7b", 6_738_415_616),
        ("llama-2-13b", 13_015_864_320),
        ("llama-2-70b", 68_976_648_192),
        ("llama-3-8b", 8_030_261_248),
        ("llama-3-70b", 70_553_706_496),
        ("llama-3.2-3b", 3_212_749_824),
        ("mixtral-8x7b", 46_702_792_704),
    ];

    #[test]
    fn published_models_have_their_published_parameter_counts() {
        assert!(ModelShape::names().eq(PUBLISHED.iter().map(|(name, _)| *name)));
        for (name, total) in PUBLISHED {
            let shape = ModelShape::named(name).expect("listed");
            assert_eq!(shape.validate(), Ok(()));
            assert_eq!(shape.parameters(), total, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_has_no_shape() {
        assert_eq!(ModelShape::named("llama-9"), None);
    }
}
