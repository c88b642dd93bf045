//! What a model is, in numbers: the shape that everything else counts from.

use super::design::{Design, Positions};
use serde::{Deserialize, Serialize};

/// Which of two ways a model steps, named for the best-known model of each. What its layers are
/// made of beside, its [`Design`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Architecture {
    /// Like a LLaMA: grouped-query attention and one feed-forward network per layer.
    Llama,
    /// Like a Mixtral: the feed-forward network is a mixture of experts.
    Mixtral,
}

/// The mixture of experts that stands in for a feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experts {
    /// Experts per layer.
    pub count: usize,
    /// Experts that each token visits (top-k).
    pub active: usize,
}

/// The shape of a decoder-only transformer.
///
/// All widths are in entries, precisions in bits per entry; they may be
/// fractional, for block-quantised weights (4.5 bit: 32 four-bit entries share
/// one 16-bit scale).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelShape {
    /// What to call it in tables and errors.
    pub name: String,
    /// How it steps.
    pub architecture: Architecture,
    /// What its layers are made of.
    #[serde(default)]
    pub design: Design,
    /// Number of transformer layers.
    pub layers: usize,
    /// Width h of the residual stream.
    pub hidden: usize,
    /// Query heads H per layer.
    pub heads: usize,
    /// Key–value heads G per layer; divides `heads`.
    pub kv_heads: usize,
    /// Entries d per head.
    pub head_dim: usize,
    /// Columns f of the feed-forward network (of each expert).
    pub ffn: usize,
    /// Rows V of the embedding and of the LM head.
    pub vocabulary: usize,
    /// Whether the LM head is the embedding table.
    pub tied_embeddings: bool,
    /// The mixture of experts; present exactly for [`Architecture::Mixtral`].
    pub experts: Option<Experts>,
    /// Bits per stored weight.
    pub weight_bits: f64,
    /// Bits per entry of the key–value cache.
    pub cache_bits: f64,
    /// Bits per entry of an activation.
    pub activation_bits: f64,
}

/// A shape that no model can have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// A size is zero.
    #[error("model `{model}`: {field} is 0; it must be at least 1")]
    Zero {
        /// The model's name.
        model: String,
        /// The field at fault.
        field: &'static str,
    },
    /// A size is so large that counts would lose their meaning.
    #[error("model `{model}`: {field} is {value}; it must be at most {limit}")]
    TooLarge {
        /// The model's name.
        model: String,
        /// The field at fault.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// The sizes multiply to a model that nobody could hold.
    #[error(
        "model `{model}` would have {parameters} parameters; at most {MOST_PARAMETERS} can be counted"
    )]
    TooManyParameters {
        /// The model's name.
        model: String,
        /// Its parameters.
        parameters: u128,
    },
    /// Query heads cannot be grouped evenly over key–value heads.
    #[error(
        "model `{model}`: {heads} heads cannot share {kv_heads} kv_heads evenly; \
         kv_heads must divide heads"
    )]
    UnevenGroups {
        /// The model's name.
        model: String,
        /// Query heads.
        heads: usize,
        /// Key–value heads.
        kv_heads: usize,
    },
    /// A precision is not a positive number of bits up to 64.
    #[error("model `{model}`: {field} is {bits}; give bits per entry above 0 and up to 64")]
    Bits {
        /// The model's name.
        model: String,
        /// The field at fault.
        field: &'static str,
        /// Its value.
        bits: f64,
    },
    /// Layers are asked for that the model does not have.
    #[error(
        "model `{model}`: layers {start}..{end} are not among its {layers}; give a range that \
         starts at its end or before and ends at {layers} or before"
    )]
    Layers {
        /// The model's name.
        model: String,
        /// The first layer asked for.
        start: usize,
        /// The one after the last.
        end: usize,
        /// Layers of the model.
        layers: usize,
    },
    /// `experts` is present without a Mixtral or absent with one.
    #[error("model `{model}`: {fault}")]
    Experts {
        /// The model's name.
        model: String,
        /// What is wrong and what to write.
        fault: String,
    },
}

/// No single size may exceed this, nor may all weights together exceed
/// [`MOST_PARAMETERS`]: every product of the counting formulas then fits 128 bits.
const LARGEST_SIZE: usize = 1 << 20;

/// A thousand times the largest model published so far.
const MOST_PARAMETERS: u128 = 1 << 50;

impl ModelShape {
    /// Checks that the sizes describe a model.
    ///
    /// # Errors
    /// A [`ShapeError`] that names the field and the fix.
    pub fn validate(&self) -> Result<(), ShapeError> {
        let model = || self.name.clone();
        for (field, value) in [
            ("layers", self.layers),
            ("hidden", self.hidden),
            ("heads", self.heads),
            ("kv_heads", self.kv_heads),
            ("head_dim", self.head_dim),
            ("ffn", self.ffn),
            ("vocabulary", self.vocabulary),
        ] {
            if value == 0 {
                return Err(ShapeError::Zero {
                    model: model(),
                    field,
                });
            }
            if value > LARGEST_SIZE {
                let limit = LARGEST_SIZE;
                return Err(ShapeError::TooLarge {
                    model: model(),
                    field,
                    value,
                    limit,
                });
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(ShapeError::UnevenGroups {
                model: model(),
                heads: self.heads,
                kv_heads: self.kv_heads,
            });
        }
        for (field, bits) in [
            ("weight_bits", self.weight_bits),
            ("cache_bits", self.cache_bits),
            ("activation_bits", self.activation_bits),
        ] {
            if !(bits > 0.0 && bits <= 64.0) {
                return Err(ShapeError::Bits {
                    model: model(),
                    field,
                    bits,
                });
            }
        }
        self.check_design()?;
        let parameters = self.count();
        if parameters > MOST_PARAMETERS {
            return Err(ShapeError::TooManyParameters {
                model: model(),
                parameters,
            });
        }
        let fault = match (self.architecture, self.experts) {
            (Architecture::Llama, Some(_)) => {
                "a Llama has no experts; remove `experts` or use the architecture Mixtral".into()
            }
            (Architecture::Mixtral, None) => {
                "a Mixtral needs `experts`, for example (count: 8, active: 2)".into()
            }
            (_, Some(experts))
                if experts.active == 0
                    || experts.active > experts.count
                    || experts.count > LARGEST_SIZE =>
            {
                format!(
                    "{} of {} experts cannot be active; `active` must be at least 1 and at most `count`",
                    experts.active, experts.count
                )
            }
            _ => return Ok(()),
        };
        Err(ShapeError::Experts {
            model: model(),
            fault,
        })
    }

    fn check_design(&self) -> Result<(), ShapeError> {
        let (positions, before) = match self.design.positions {
            Positions::Rotary => (1, 0),
            Positions::Learned { positions, before } => (positions, before),
        };
        for (field, value, least) in [
            (
                "window",
                self.design.window.map_or(1, |window| window.size),
                1,
            ),
            ("positions", positions, 1),
            ("rows before the first position", before, 0),
            ("shared_expert", self.design.shared_expert.unwrap_or(1), 1),
        ] {
            let model = self.name.clone();
            if value < least {
                return Err(ShapeError::Zero { model, field });
            }
            // A window may be as large as it likes.
            if value > LARGEST_SIZE && field != "window" {
                let limit = LARGEST_SIZE;
                return Err(ShapeError::TooLarge {
                    model,
                    field,
                    value,
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Query heads per key–value head, H / G.
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Experts per layer; 1 for a dense model.
    pub fn expert_count(&self) -> usize {
        self.experts.map_or(1, |experts| experts.count)
    }

    /// Experts each token visits; 1 for a dense model.
    pub fn active_experts(&self) -> usize {
        self.experts.map_or(1, |experts| experts.active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_shapes_are_refused_with_the_field_and_the_fix() {
        let good = ModelShape::named("llama-3-8b").expect("a known shape");
        assert_eq!(good.validate(), Ok(()));
        let refused = |change: fn(&mut ModelShape), words: &[&str]| {
            let mut shape = good.clone();
            change(&mut shape);
            let text = shape.validate().expect_err("must be refused").to_string();
            for word in words {
                assert!(text.contains(word), "`{text}` lacks `{word}`");
            }
        };
        refused(|shape| shape.layers = 0, &["layers", "at least 1"]);
        refused(|shape| shape.ffn = usize::MAX, &["ffn", "at most"]);
        refused(
            |shape| (shape.layers, shape.ffn, shape.hidden) = (1 << 20, 1 << 20, 1 << 20),
            &["parameters", "at most"],
        );
        refused(
            |shape| shape.kv_heads = 5,
            &["32 heads", "5 kv_heads", "divide"],
        );
        refused(
            |shape| shape.weight_bits = f64::NAN,
            &["weight_bits", "NaN"],
        );
        refused(|shape| shape.cache_bits = -1.0, &["cache_bits", "-1"]);
        refused(
            |shape| shape.architecture = Architecture::Mixtral,
            &["needs `experts`"],
        );
        refused(
            |shape| {
                shape.experts = Some(Experts {
                    count: 8,
                    active: 2,
                })
            },
            &["no experts"],
        );
        refused(
            |shape| {
                shape.architecture = Architecture::Mixtral;
                shape.experts = Some(Experts {
                    count: 2,
                    active: 3,
                });
            },
            &["3 of 2"],
        );
    }
}
