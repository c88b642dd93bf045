//! Where the model comes from, and how many bits its numbers take.

use crate::model::ModelShape;
use crate::numerics::{self, FileDigest};
use crate::units::FieldFault;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, EnumAccess, MapAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// The model that a scenario serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Model {
    /// A folder in Hugging Face layout: `config.json`, safetensors, `tokenizer.json`. The
    /// path is relative to the scenario's file.
    Folder(String),
    /// A published shape by name, such as `llama-2-70b`, or that of a `config.json`:
    /// `File("config.json")`. Without weights: passes are timed, not computed.
    Shape(ShapeSource),
}

/// Where a shape comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeSource {
    /// One of the shapes that `airloom list` names.
    Named(String),
    /// The `config.json` of a model, relative to the scenario's file.
    File(String),
}

/// [`ShapeSource`] as its schema tells it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum ShapeSchema {
    /// One of the shapes that `airloom list` names.
    Named(String),
    /// The `config.json` of a model, relative to the scenario's file.
    File(FileSchema),
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum FileSchema {
    /// The path, relative to the scenario's file.
    File(String),
}

impl JsonSchema for ShapeSource {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ShapeSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ShapeSchema::json_schema(generator)
    }
}

impl Serialize for ShapeSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => serializer.serialize_str(name),
            Self::File(path) => {
                serializer.serialize_newtype_variant("ShapeSource", 0, "File", path)
            }
        }
    }
}

impl<'de> Deserialize<'de> for ShapeSource {
    /// By hand, so that a fault is told at its place.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrFile;

        impl<'de> Visitor<'de> for NameOrFile {
            type Value = ShapeSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a shape, such as \"llama-2-7b\", or File(\"config.json\")")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ShapeSource, E> {
                Ok(ShapeSource::Named(name.to_owned()))
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<ShapeSource, A::Error> {
                let (variant, content) = data.variant::<String>()?;
                match variant.as_str() {
                    "File" => content.newtype_variant().map(ShapeSource::File),
                    other => Err(de::Error::unknown_variant(other, &["File"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ShapeSource, A::Error> {
                match map.next_entry::<String, String>()? {
                    Some((key, path)) if key == "File" => Ok(ShapeSource::File(path)),
                    Some((key, _)) => Err(de::Error::unknown_variant(&key, &["File"])),
                    None => Err(de::Error::invalid_length(0, &"one File")),
                }
            }
        }

        deserializer.deserialize_any(NameOrFile)
    }
}

impl ShapeSource {
    /// The shape, in 16-bit precision; and the digest of its file, if it is from one. `folder` is
    /// that of the scenario's file.
    ///
    /// # Errors
    /// Which shapes there are, or what is wrong with the file.
    pub fn shape(&self, folder: &Path) -> Result<(ModelShape, Option<FileDigest>), String> {
        match self {
            Self::Named(name) => match ModelShape::named(name) {
                Some(shape) => Ok((shape, None)),
                None => {
                    let names: Vec<&str> = ModelShape::names().collect();
                    Err(format!(
                        "there is no shape `{name}`; known are {}",
                        names.join(", ")
                    ))
                }
            },
            Self::File(written) => {
                let described = numerics::describe(&folder.join(written));
                let (config, digest) = described.map_err(|error| error.to_string())?;
                Ok((config.shape, Some(digest)))
            }
        }
    }
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

    /// `shape` in this precision.
    pub fn of(self, shape: ModelShape) -> ModelShape {
        ModelShape {
            weight_bits: self.weight_bits,
            cache_bits: self.cache_bits,
            activation_bits: self.activation_bits,
            ..shape
        }
    }
}
