//! The fields of a scenario.
//!
//! Every quantity is a text with its unit. Unknown fields are refused; a field with a
//! default may be left out. What a field means to the simulation is said by the room
//! whose type it has.

use super::model::{Model, Precision};
use super::sweep::Sweep;
use super::workload::Request;
use crate::medium::Link;
use crate::serving::{Goals, Replica, Router};
use crate::topology::NodeGroup;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the experiment shows, for people. Default: empty.
    #[serde(default)]
    pub description: String,
    /// Names the experiment: the same seed gives the same bits. Default 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Which model is served.
    pub model: Model,
    /// Other models, by the name that a replica's `decoding` calls them: those that draft for it,
    /// or answer before it. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, Model>,
    /// The bits of a Shape's numbers, or how those of a Folder are rounded.
    /// Default for a Shape: 16 each.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// What computes: one node each, or a group of a kind, by name.
    pub nodes: BTreeMap<String, NodeGroup>,
    /// What joins them, by name. Default, where a group has a count: `air`, a Radio.
    #[serde(default)]
    pub links: BTreeMap<String, Link>,
    /// The copies of the model. Default: one, TensorParallel over the members of the only
    /// Radio, or where there is but one node Single.
    #[serde(default)]
    pub replicas: Vec<Replica>,
    /// Which of them serves a request. Default: each in turn.
    #[serde(default)]
    pub router: Router,
    /// The requests; served in the order in which they arrive.
    pub workload: Vec<Request>,
    /// What a request should take at most; those that meet every goal make the goodput.
    /// Default: there is no goal.
    #[serde(default)]
    pub goals: Option<Goals>,
    /// How much of the event log is kept. Default: all of it.
    #[serde(default)]
    pub trace: Trace,
    /// Which fields to vary, for a sweep. Default: nothing.
    #[serde(default)]
    pub sweep: Option<Sweep>,
}

fn default_seed() -> u64 {
    1
}

/// How much of the event log a run folder keeps. The log's digest is the same for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Trace {
    /// Every event.
    #[default]
    Full,
    /// Totals per node and block only.
    Summary,
    /// Nothing but the digest.
    Off,
}
