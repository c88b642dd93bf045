//! How far devices are from the server: one length for all, or a list of one each.

use crate::units::{FieldFault, Meters};
use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// One distance for all devices, or one each.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Distance {
    /// The same for every device.
    All(Meters),
    /// In device order.
    Each(Vec<Meters>),
}

impl<'de> Deserialize<'de> for Distance {
    /// By hand, so that a wrong unit is told as such and at its place.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrEach;

        impl<'de> Visitor<'de> for OneOrEach {
            type Value = Distance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length with its unit, such as \"120 m\", or a list of one each")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Distance, E> {
                text.parse().map(Distance::All).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Distance, A::Error> {
                let mut distances = Vec::new();
                while let Some(distance) = list.next_element()? {
                    distances.push(distance);
                }
                Ok(Distance::Each(distances))
            }
        }

        deserializer.deserialize_any(OneOrEach)
    }
}

impl Distance {
    /// The distance of `device`, in metres.
    ///
    /// # Panics
    /// If the list has none for it, which checking the fading against the fleet finds.
    pub fn of(&self, device: usize) -> Meters {
        match self {
            Self::All(distance) => *distance,
            Self::Each(distances) => distances[device],
        }
    }

    /// Checks that every one of `devices` devices has a distance, and each distance
    /// with `check`.
    ///
    /// # Errors
    /// A list of another length, or the first fault that `check` finds.
    pub(super) fn validate(
        &self,
        devices: usize,
        check: impl Fn(Meters) -> Result<(), FieldFault>,
    ) -> Result<(), FieldFault> {
        if let Self::Each(list) = self
            && list.len() != devices
        {
            return Err(FieldFault::new(
                "distance",
                format!(
                    "{} distances for {devices} devices; give one for all, or one each",
                    list.len()
                ),
            ));
        }
        (0..devices).try_for_each(|device| check(self.of(device)))
    }
}
