//! From the tree to a type, through serde, keeping the place of every fault.
//!
//! The types alone say which fields exist and what they hold. This file turns a
//! [`Node`] into whatever a type asks for and words the fault when it cannot. It is
//! lenient where RON users are: optional values may be written with or without
//! `Some(…)`, a variant around a record may be written `V((a: 1))`, `V(a: 1)` or,
//! when every field has a default, plainly `V`. It is strict where numbers are:
//! NaN, infinity and fractions for whole numbers are refused here, for all types.

mod access;
mod error;

pub use error::DecodeError;

use super::number::{self, Whole};
use super::write::line;
use super::{Node, Value};
use access::{Entries, Fields, Items, Variant, variants};
use serde::de::{self, DeserializeOwned, Error as _, Expected, Visitor};

/// The name of a newtype that wants the RON text of whatever stands at its place.
pub(crate) const LITERAL_TOKEN: &str = "airloom::scenario::Literal";

/// Decodes `node` into a `T`.
///
/// # Errors
/// The first fault that the type finds, with its place.
pub fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, DecodeError> {
    T::deserialize(Decoder::new(node))
}

/// One value as serde sees it.
#[derive(Clone, Copy)]
struct Decoder<'a> {
    node: &'a Node,
    /// Whether only the content of a variant is meant, its name being read already.
    content: bool,
}

impl<'a> Decoder<'a> {
    fn new(node: &'a Node) -> Self {
        Self {
            node,
            content: false,
        }
    }

    /// Gives `result`'s error this value's place unless it has one.
    fn placed<T>(self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|error| error.at(self.node))
    }

    fn expected<T>(self, expected: impl std::fmt::Display) -> Result<T, DecodeError> {
        let found = match (&self.node.value, self.content) {
            (Value::Word(name), true) => format!("`{name}` alone"),
            _ => self.node.describe(),
        };
        let message = format!("expected {expected}, found {found}");
        self.placed(Err(DecodeError::custom(message)))
    }

    /// The value itself, where the name of a record or tuple has no meaning.
    fn unnamed(self) -> Result<Self, DecodeError> {
        match &self.node.value {
            Value::Record(Some(name), _) | Value::Tuple(Some(name), _) if !self.content => {
                self.expected(format_args!("a value without the name `{}`", name.text))
            }
            _ => Ok(self),
        }
    }

    fn whole(self, least: i128, most: i128) -> Result<i128, DecodeError> {
        let Value::Number(text) = &self.node.value else {
            return self.expected("a whole number");
        };
        let fault = match number::whole(text) {
            Whole::Value(value) if (least..=most).contains(&value) => return Ok(value),
            Whole::Value(value) if value < 0 && least == 0 => "must not be negative".to_owned(),
            Whole::Value(_) | Whole::TooLarge => format!("must lie between {least} and {most}"),
            Whole::Fraction => "must be a whole number, written without point or exponent".into(),
        };
        self.placed(Err(DecodeError::custom(format!("{text} {fault}"))))
    }

    fn float(self) -> Result<f64, DecodeError> {
        let text = match &self.node.value {
            Value::Number(text) | Value::Word(text) => text,
            _ => return self.expected("a number"),
        };
        let value = match &self.node.value {
            Value::Number(text) => number::float(text),
            _ if matches!(text.as_str(), "NaN" | "inf") => f64::NAN,
            _ => return self.expected("a number"),
        };
        if value.is_finite() {
            return Ok(value);
        }
        let message = format!("{text} is not a finite number");
        self.placed(Err(DecodeError::custom(message)))
    }

    fn fields<V: Visitor<'a>>(self, known: &[&str], visitor: V) -> Result<V::Value, DecodeError> {
        let fields = match &self.node.value {
            Value::Record(_, fields) => fields.as_slice(),
            Value::Tuple(_, items) if items.is_empty() => &[],
            Value::Word(_) if self.content => &[],
            // `V((a: 1))`
            Value::Tuple(_, items) if self.content && items.len() == 1 => {
                return Self::new(&items[0]).fields(known, visitor);
            }
            _ => {
                let names = known.join(", ");
                return self.expected(format_args!("fields in parentheses ({names})"));
            }
        };
        self.placed(visitor.visit_map(Fields::new(fields)))
    }
}

/// Implements whole numbers: each type with its range.
macro_rules! whole_numbers {
    ($($method:ident, $visit:ident, $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let value = self.unnamed()?.whole(<$type>::MIN.into(), <$type>::MAX.into())?;
            let value = <$type>::try_from(value).expect("the range has just been checked");
            self.placed(visitor.$visit(value))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Decoder<'de> {
    type Error = DecodeError;

    whole_numbers! {
        deserialize_i8, visit_i8, i8;
        deserialize_i16, visit_i16, i16;
        deserialize_i32, visit_i32, i32;
        deserialize_i64, visit_i64, i64;
        deserialize_u8, visit_u8, u8;
        deserialize_u16, visit_u16, u16;
        deserialize_u32, visit_u32, u32;
        deserialize_u64, visit_u64, u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            // What is inside a variant whose name is read.
            Value::Record(..) | Value::Word(_) if self.content => self.fields(&[], visitor),
            Value::Text(_) => self.deserialize_str(visitor),
            Value::Number(text) => match number::whole(text) {
                Whole::Value(0..=0xffff_ffff_ffff_ffff) => self.deserialize_u64(visitor),
                Whole::Value(value) if value < 0 => self.deserialize_i64(visitor),
                _ => self.deserialize_f64(visitor),
            },
            Value::Word(word) => match word.as_str() {
                "true" | "false" => self.deserialize_bool(visitor),
                "NaN" | "inf" => self.deserialize_f64(visitor),
                "None" => self.deserialize_option(visitor),
                _ => self.placed(visitor.visit_enum(Variant::new(self.node, &[])?)),
            },
            Value::List(_) | Value::Tuple(None, _) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
            Value::Record(None, _) => self.fields(&[], visitor),
            Value::Record(Some(_), _) | Value::Tuple(Some(_), _) => {
                self.placed(visitor.visit_enum(Variant::new(self.node, &[])?))
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Word(word) if word == "true" => self.placed(visitor.visit_bool(true)),
            Value::Word(word) if word == "false" => self.placed(visitor.visit_bool(false)),
            _ => self.expected("true or false"),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let value = self.unnamed()?.float()?;
        self.placed(visitor.visit_f64(value))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let expected: &dyn Expected = &visitor;
        match &self.node.value {
            Value::Text(text) => self.placed(visitor.visit_str(text)),
            Value::Word(_) if !self.content => self.expected(format_args!(
                "{} in double quotes",
                expected.to_string().replace("a string", "a text")
            )),
            _ => self.expected(expected.to_string().replace("a string", "a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Word(word) if word == "None" => self.placed(visitor.visit_none()),
            Value::Tuple(Some(name), items) if name.text == "Some" && items.len() == 1 => {
                visitor.visit_some(Self::new(&items[0]))
            }
            _ => self.placed(visitor.visit_some(self)),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Tuple(None, items) if items.is_empty() => self.placed(visitor.visit_unit()),
            _ => self.expected("`()`"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Word(word) if word == name => self.placed(visitor.visit_unit()),
            _ => self.expected(format_args!("`{name}`")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == LITERAL_TOKEN {
            return self.placed(visitor.visit_string(line(self.node)));
        }
        self.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::List(items) => self.placed(visitor.visit_seq(Items::new(items))),
            Value::Tuple(_, items) if self.content && items.len() == 1 => {
                Self::new(&items[0]).deserialize_seq(visitor)
            }
            _ => self.expected("a list in square brackets"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.unnamed()?.node.value {
            Value::List(items) | Value::Tuple(_, items) if items.len() == length => {
                self.placed(visitor.visit_seq(Items::new(items)))
            }
            _ => self.expected(format_args!("{length} values in parentheses")),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Map(entries) => self.placed(visitor.visit_map(Entries::new(entries))),
            _ => self.expected("a map in braces, such as {0: …}"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Record(Some(written), _) | Value::Tuple(Some(written), _)
                if !self.content && written.text != name =>
            {
                self.expected(format_args!("`{name}(…)` or fields in parentheses"))
            }
            _ => self.fields(known, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        // `V(W)` and `V(W(…))`: the content of a variant that is itself a choice.
        if self.content {
            return match &self.node.value {
                Value::Tuple(_, items) if items.len() == 1 => {
                    Self::new(&items[0]).deserialize_enum("", known, visitor)
                }
                _ => self.expected(variants(known)),
            };
        }
        self.placed(visitor.visit_enum(Variant::new(self.node, known)?))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Word(word) => self.placed(visitor.visit_str(word)),
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}
