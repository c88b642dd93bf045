//! How serde walks through the brackets of the tree.

use super::super::{Field, Name, Node, Value};
use super::{DecodeError, Decoder};
use serde::de::IntoDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor, value::StrDeserializer,
};

/// The items of a list or tuple.
pub(super) struct Items<'a> {
    rest: std::slice::Iter<'a, Node>,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: &'a [Node]) -> Self {
        Self { rest: items.iter() }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.rest
            .next()
            .map(|item| seed.deserialize(Decoder::new(item)))
            .transpose()
    }
}

/// The fields of a record.
pub(super) struct Fields<'a> {
    rest: std::slice::Iter<'a, Field>,
    value: Option<&'a Node>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(fields: &'a [Field]) -> Self {
        Self {
            rest: fields.iter(),
            value: None,
        }
    }
}

fn identifier(name: &Name) -> StrDeserializer<'_, DecodeError> {
    name.text.as_str().into_deserializer()
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some(field) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(&field.value);
        seed.deserialize(identifier(&field.name))
            .map(Some)
            .map_err(|error| error.or_at(field.name.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let value = self.value.take().expect("a value is read after its name");
        seed.deserialize(Decoder::new(value))
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    rest: std::slice::Iter<'a, (Node, Node)>,
    value: Option<&'a Node>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(entries: &'a [(Node, Node)]) -> Self {
        Self {
            rest: entries.iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(Decoder::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let value = self.value.take().expect("a value is read after its key");
        seed.deserialize(Decoder::new(value))
    }
}

/// A variant: its name, then its content.
pub(super) struct Variant<'a> {
    node: &'a Node,
    name: Name,
}

impl<'a> Variant<'a> {
    /// Takes `node` for one of the variants `known`.
    pub(super) fn new(node: &'a Node, known: &[&str]) -> Result<Self, DecodeError> {
        let name = match &node.value {
            Value::Word(text) => Name {
                text: text.clone(),
                place: node.place,
            },
            Value::Record(Some(name), _) | Value::Tuple(Some(name), _) => name.clone(),
            _ => {
                return Decoder::new(node).expected(variants(known));
            }
        };
        Ok(Self { node, name })
    }
}

/// Variants in words for an error.
pub(super) fn variants(known: &[&str]) -> String {
    match known {
        [only] => format!("{only}(…)"),
        _ => format!("one of {}", known.join(", ")),
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), DecodeError> {
        let value = seed
            .deserialize(identifier(&self.name))
            .map_err(|error| error.or_at(self.name.place))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match &self.node.value {
            Value::Word(_) => Ok(()),
            Value::Tuple(_, items) if items.is_empty() => Ok(()),
            _ => {
                let message = format!("`{}` has nothing inside", self.name.text);
                Err(DecodeError::custom(message).or_at(self.node.place))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        let content = match &self.node.value {
            Value::Tuple(_, items) if items.len() == 1 => Decoder::new(&items[0]),
            _ => Decoder {
                node: self.node,
                content: true,
            },
        };
        seed.deserialize(content)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        Decoder {
            node: self.node,
            content: true,
        }
        .deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        Decoder {
            node: self.node,
            content: true,
        }
        .fields(known, visitor)
    }
}
