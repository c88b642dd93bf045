//! A value that is not decoded yet: what a sweep puts in place.

use super::raw::{LITERAL_TOKEN, Node, Place, SyntaxError, Value, line, parse, parse_own};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// One RON value as written, on one line and without comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(String);

impl Literal {
    /// The RON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a RON text.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self(line(&parse(text, 0)?)))
    }

    /// The literal of a text.
    pub(super) fn text(content: String) -> Self {
        let place = Place {
            source: 0,
            start: 0,
            end: 0,
        };
        let value = Value::Text(content);
        Self(line(&Node { place, value }))
    }

    pub(super) fn node(&self) -> Node {
        parse_own(&self.0, 0, 0).expect("a literal was read once already")
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-type": "any value" })
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LITERAL_TOKEN, Text)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a RON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Literal, E> {
        Literal::new(text).map_err(E::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Literal, D::Error> {
        deserializer.deserialize_str(self)
    }
}
