//! Streams of requests: drawn, or read from a trace.

use crate::corpus::World;
use crate::serving::Sampling;
use crate::serving::arrivals::Process;
use crate::serving::lengths::Lengths;
use crate::serving::trace::TraceFormat;
use crate::serving::workload::Carries;
use crate::units::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of [`Request::Arrivals`](super::Request::Arrivals).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// When they come.
    pub process: Process,
    /// How many requests, 1 to 10 000 000.
    pub count: u32,
    /// When the process begins, after the start of the run. Default 0 s.
    #[serde(default)]
    pub start: Seconds,
    /// What they ask.
    pub prompt: Prompts,
    /// Tokens to generate, at most: a model that is computed may end its text before.
    pub output: Lengths,
    /// Of each prompt that is a number of tokens so many at its beginning are the same for all
    /// of this entry, as the instructions of an application are; of a shorter one, all.
    /// Default 0.
    #[serde(default)]
    pub shared_prefix: u32,
    /// The node that asks, or a group whose nodes ask in turn: prompts go up from there, tokens
    /// come down to there. Default: they are asked where they are served.
    #[serde(default)]
    pub from: Option<String>,
    /// What goes over the links of `from`: numbers of tokens, or text. Default: Tokens.
    #[serde(default)]
    pub carries: Carries,
    /// Their class, where a replica's order is Priority: the smaller is served first.
    /// Default 0.
    #[serde(default)]
    pub priority: u32,
    /// How their tokens are drawn, whatever their replica's `decoding` says of that. Default: as
    /// it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
}

/// What a stream of requests asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Prompts {
    /// Numbers of tokens. A model that is computed reads as many of held-out documents of the
    /// bundled small world, one after the other, each prompt from the beginning of a document.
    Tokens(Lengths),
    /// Always this text.
    Text(String),
    /// These texts in turn.
    Texts(Vec<String>),
    /// The first halves of held-out documents of the bundled small world, in turn.
    World(WorldPrompts),
}

/// The fields of [`Prompts::World`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorldPrompts {
    /// The number of the first document. Default 0.
    pub first: u64,
    /// The world's seed. Default: that of the world which the bundled model learned.
    pub seed: u64,
}

impl Default for WorldPrompts {
    fn default() -> Self {
        Self {
            first: 0,
            seed: World::BUNDLED_SEED,
        }
    }
}

/// The fields of [`Request::Trace`](super::Request::Trace).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The file, by a path relative to the scenario's file.
    pub file: String,
    /// How it is written. Default: what its first line shows.
    #[serde(default)]
    pub format: Option<TraceFormat>,
    /// How many requests of the file to leave out before the first that is taken; times count
    /// from that one then. Default 0.
    #[serde(default)]
    pub first: u64,
    /// How many to take, 1 to 10 000 000. Default: all.
    #[serde(default)]
    pub count: Option<u64>,
    /// By what times are divided: at 2 requests come twice as fast. Default 1.
    #[serde(default = "as_recorded")]
    pub speed: f64,
    /// When the trace begins, after the start of the run. Default 0 s.
    #[serde(default)]
    pub start: Seconds,
    /// The node that asks, or a group: where the file tells users each of them is at one node,
    /// users in turn, else the nodes ask in turn. Default: requests are asked where they are
    /// served.
    #[serde(default)]
    pub from: Option<String>,
    /// What goes over the links of `from`: numbers of tokens, or text. Default: Tokens.
    #[serde(default)]
    pub carries: Carries,
    /// The class of requests of which the file tells none. Default 0.
    #[serde(default)]
    pub priority: u32,
    /// How their tokens are drawn, whatever their replica's `decoding` says of that. Default: as
    /// it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
}

fn as_recorded() -> f64 {
    1.0
}
