//! Where the model comes from, and how many bits its numbers take.

use crate::model::ModelShape;
use crate::numerics::{self, FileDigest, Groups, Rounding};
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
    /// A GGUF file, which has settings, tokenizer and weights in one; of several parts the first.
    /// The path is relative to the scenario's file.
    Gguf(String),
    /// A published shape by name, such as `llama-2-70b`, or that of a `config.json`:
    /// `File("config.json")`. Without weights: passes are timed, not computed.
    Shape(ShapeSource),
}

impl Model {
    /// The path of its files, as written; `None` if it is only a shape.
    pub fn written(&self) -> Option<&str> {
        match self {
            Self::Folder(written) | Self::Gguf(written) => Some(written),
            Self::Shape(_) => None,
        }
    }
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

/// How many bits the numbers of a model take. Those of a Shape may be any, and fractional: 4.5
/// are four-bit weights in blocks of 32 that share a 16-bit scale. Of a model that computes,
/// `weights` and `cache` round the numbers themselves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Precision {
    /// Bits per weight, above 0 and up to 64. Default 16.
    pub weight_bits: f64,
    /// Bits per entry of the key–value cache, above 0 and up to 64. Default 16.
    pub cache_bits: f64,
    /// Bits per entry of an activation, above 0 and up to 64. Default 16.
    pub activation_bits: f64,
    /// Rounds every matrix: `Groups(bits: 4, size: 64)`. Default: as its files have it.
    pub weights: Option<WeightFormat>,
    /// Rounds every key and value: `Int8` or `Int4`. Default: as computed.
    pub cache: Option<CacheFormat>,
}

/// How weights are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum WeightFormat {
    /// To the nearest whole number, in groups that share a scale of 32 bits.
    Groups(WeightGroups),
}

/// Groups of weights along a matrix's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeightGroups {
    /// Bits of each weight, 2 to 8. Default 4.
    pub bits: u32,
    /// Weights that share a scale: 32, 64, 96 or 128. Default 64.
    pub size: usize,
}

impl Default for WeightGroups {
    fn default() -> Self {
        Self { bits: 4, size: 64 }
    }
}

/// How keys and values are rounded: those of one head and token share a scale of 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CacheFormat {
    /// To 8 bits.
    Int8,
    /// To 4 bits.
    Int4,
}

impl Default for Precision {
    fn default() -> Self {
        Self {
            weight_bits: 16.0,
            cache_bits: 16.0,
            activation_bits: 16.0,
            weights: None,
            cache: None,
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
        if let Some(WeightFormat::Groups(WeightGroups { bits, size })) = self.weights {
            if !(2..=8).contains(&bits) {
                let message = format!("{bits} bits; use 2 to 8");
                return Err(FieldFault::new("weights.bits", message));
            }
            if !matches!(size, 32 | 64 | 96 | 128) {
                let message = format!("{size} weights in a group; use 32, 64, 96 or 128");
                return Err(FieldFault::new("weights.size", message));
            }
        }
        for (field, given, other) in [
            (
                "weight_bits",
                self.weight_bits,
                self.weights.is_some().then_some("weights"),
            ),
            (
                "cache_bits",
                self.cache_bits,
                self.cache.is_some().then_some("cache"),
            ),
        ] {
            if let Some(other) = other.filter(|_| given != 16.0) {
                let message = format!("`{other}` says how many bits these take; leave one out");
                return Err(FieldFault::new(field, message));
            }
        }
        Ok(())
    }

    /// Checks what may be said of a model that computes; of a GGUF file if `in_blocks`, whose
    /// weights have formats of their own.
    ///
    /// # Errors
    /// What is said of it that its files say.
    pub fn of_computed(self, in_blocks: bool) -> Result<(), FieldFault> {
        self.validate()?;
        for (field, bits) in [
            ("weight_bits", self.weight_bits),
            ("cache_bits", self.cache_bits),
            ("activation_bits", self.activation_bits),
        ] {
            if bits != 16.0 {
                let message = "the numbers of a model that computes are as its files have them; \
                               leave this out, round them by `weights` and `cache`, or use a Shape";
                return Err(FieldFault::new(field, message));
            }
        }
        if in_blocks && self.weights.is_some() {
            let message = "a GGUF file's weights are in formats of its own; leave this out, or use \
                           the model's Folder";
            return Err(FieldFault::new("weights", message));
        }
        Ok(())
    }

    /// How numbers are rounded.
    pub fn rounding(self) -> Rounding {
        Rounding {
            weights: self
                .weights
                .map(|WeightFormat::Groups(WeightGroups { bits, size })| Groups { bits, size }),
            cache: match self.cache {
                None => numerics::CacheFormat::Full,
                Some(CacheFormat::Int8) => numerics::CacheFormat::Int8,
                Some(CacheFormat::Int4) => numerics::CacheFormat::Int4,
            },
        }
    }

    /// `shape` in this precision.
    pub fn of(self, shape: ModelShape) -> ModelShape {
        self.rounding().of(ModelShape {
            weight_bits: self.weight_bits,
            cache_bits: self.cache_bits,
            activation_bits: self.activation_bits,
            ..shape
        })
    }
}
