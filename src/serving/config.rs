//! The replicas of a scenario.

use crate::placement::Placement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One whole copy of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// Which part of it lies on which node.
    pub placement: Placement,
    /// Forward passes that are on their way at once, at least 1. Default: as many as a
    /// pipeline has stages, else 1.
    #[serde(default)]
    pub in_flight: Option<usize>,
}

/// Which replica a request goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Router {
    /// Each in turn, in the order in which requests arrive.
    #[default]
    RoundRobin,
}
