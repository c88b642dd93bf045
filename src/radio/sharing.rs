//! How transfers that go on at the same time share a radio's band.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a point-to-point transfer gets of the band while others go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Sharing {
    /// All of it: transfers follow one another.
    #[default]
    Exclusive,
    /// An equal part of it.
    Equal,
    /// A part in proportion to the bits that it has left.
    Proportional,
    /// The part with which all of them end together, as early as they can.
    MinMax,
}
