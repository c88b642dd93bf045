//! Where the model comes from, and how many bits its numbers take.

use crate::model::ModelShape;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The model that a scenario serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Model {
    /// A folder in Hugging Face layout: `config.json`, safetensors, `tokenizer.json`. The
    /// path is relative to the scenario's file.
    Folder(String),
    /// A published shape by name, such as `llama-2-70b`, without weights: passes are
    /// timed, not computed.
    Shape(String),
}

/// How many bits the numbers of a shape take. They may be fractional: 4.5 are four-bit
/// weights in blocks of 32 that share a 16-bit scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Precision {
    /// Bits per weight, above 0 and up to 64. Default 16.
    pub weight_bits: f64,
    /// Bits per entry of the key–value cache, above 0 and up to 64. Default 16.
    pub cache_bits: f64,
    /// Bits per entry of an activation, above 0 and up to 64. Default 16.
    pub activation_bits: f64,
}

impl Default for Precision {
    fn default() -> Self {
        Self {
            weight_bits: 16.0,
            cache_bits: 16.0,
            activation_bits: 16.0,
        }
    }
}

impl Precision {
    /// Checks every number.
    ///
    /// # Errors
    /// The first that is not above 0 and up to 64.
    pub fn validate(self) -> Result<(), FieldFault> {
        for (field, bits) in [
            ("weight_bits", self.weight_bits),
            ("cache_bits", self.cache_bits),
            ("activation_bits", self.activation_bits),
        ] {
            if !(bits > 0.0 && bits <= 64.0) {
                let message = format!("{bits} bits; use a number above 0 and up to 64");
                return Err(FieldFault::new(field, message));
            }
        }
        Ok(())
    }

    /// The published shape of that name in this precision.
    pub fn shape(self, name: &str) -> Option<ModelShape> {
        Some(ModelShape {
            weight_bits: self.weight_bits,
            cache_bits: self.cache_bits,
            activation_bits: self.activation_bits,
            ..ModelShape::named(name)?
        })
    }
}
