//! A short list that is copied like a number, so that a profile stays one.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// No list of a profile has more entries.
pub const MOST: usize = 8;

/// At most `MOST` values, written as a list.
#[derive(Debug, Clone, Copy)]
pub struct Few<T> {
    values: [Option<T>; MOST],
}

impl<T: Copy> Few<T> {
    /// None.
    pub const NONE: Self = Self {
        values: [None; MOST],
    };

    /// One value.
    pub const fn one(value: T) -> Self {
        let mut values = [None; MOST];
        values[0] = Some(value);
        Self { values }
    }

    /// In their order; `None` if there are too many.
    pub fn of(values: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut few = Self::NONE;
        for (place, value) in values.into_iter().enumerate() {
            *few.values.get_mut(place)? = Some(value);
        }
        Some(few)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values[0].is_none()
    }

    /// The values in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = T> + '_ {
        self.values.iter().flatten().copied()
    }
}

impl<T: Copy> Default for Few<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T: Copy + PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Copy + Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Copy + Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Few<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST}")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Few<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        let count = values.len();
        let few = Few::of(values);
        few.ok_or_else(|| A::Error::custom(format!("{count} entries; use at most {MOST}")))
    }
}

impl<'de, T: Copy + Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Few<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Few_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}
