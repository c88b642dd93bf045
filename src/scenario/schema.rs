//! The fields of a scenario.
//!
//! Every quantity is a text with its unit. Unknown fields are refused; a field with a
//! default may be left out. What a field means to the simulation is said by the room
//! whose type it has.

use super::model::{Model, Precision};
use super::sweep::Sweep;
use super::workload::Request;
use crate::architecture::wdmoe::Wdmoe;
use crate::device::Profile;
use crate::policy::{Assignment, Design};
use crate::radio::{RadioConfig, Scheme};
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
    /// The bits of a Shape's numbers; those of a Folder are as its files have them.
    /// Default for a Shape: 16 each.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// The devices that hold it.
    pub devices: Devices,
    /// The edge server that embeds, sums and samples. Default: the preset
    /// `edge-server-l4`.
    #[serde(default = "default_server")]
    pub server: Profile,
    /// The air between devices and server.
    #[serde(default)]
    pub radio: RadioConfig,
    /// How the model is spread and its parts are joined.
    #[serde(default)]
    pub architecture: Architecture,
    /// The requests; served in the order in which they arrive.
    pub workload: Vec<Request>,
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

fn default_server() -> Profile {
    Profile::Preset("edge-server-l4".to_owned())
}

fn default_device() -> Profile {
    Profile::Preset("jetson-orin-nano".to_owned())
}

/// The fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// N, at least 1.
    pub count: usize,
    /// What each of them is. Default: the preset `jetson-orin-nano`.
    #[serde(default = "default_device")]
    pub profile: Profile,
    /// Devices that are something else, by number from 0.
    #[serde(default)]
    pub except: BTreeMap<u32, Profile>,
}

/// How a forward pass is spread over the devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Architecture {
    /// Every layer is divided among all devices, whose partial outputs are summed twice
    /// per layer.
    TensorParallel(TensorParallel),
    /// Experts of a Mixtral on devices, everything else at the base station.
    Wdmoe(Wdmoe),
}

impl Default for Architecture {
    fn default() -> Self {
        Self::TensorParallel(TensorParallel::default())
    }
}

/// The fields of [`Architecture::TensorParallel`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TensorParallel {
    /// Which share of the model each device holds. Default: equal ones.
    pub assignment: Assignment,
    /// How partial outputs are summed. Default: over the air, 4 streams.
    pub all_reduce: Scheme,
    /// How a scheme that combines over the air finds combiner and precoders. Default:
    /// alternating MMSE, from a descent on the exact zero-forcing problem.
    pub design: Design,
}

/// How much of the event log a run folder keeps. The log's digest is the same for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Trace {
    /// Every event.
    #[default]
    Full,
    /// Totals per device and block only.
    Summary,
    /// Nothing but the digest.
    Off,
}
