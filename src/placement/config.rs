//! Where the parts of the model lie, as a scenario says it.

use super::experts::Experts;
use crate::policy::{Assignment, Design, Partition};
use crate::radio::{Payload, Scheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which part of the model lies on which node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Placement {
    /// All of it on one node.
    Single(Single),
    /// Every layer is divided among the nodes of a group, whose partial outputs are summed
    /// twice per layer at one node, which also embeds and samples.
    TensorParallel(Box<TensorParallel>),
    /// Experts of a Mixtral on the nodes of a group, everything else at one node.
    Experts(Box<Experts>),
    /// Consecutive layers on consecutive stages, each placed by itself.
    Pipeline(Pipeline),
}

impl Placement {
    /// Every placement's name, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("Single", "the whole model on one node"),
        (
            "TensorParallel",
            "every layer divided among a group by heads and columns, summed by an all-reduce",
        ),
        (
            "Experts",
            "a Mixtral's experts on a group, attention and gate at one node",
        ),
        (
            "Pipeline",
            "consecutive layers on consecutive stages, each placed by itself",
        ),
    ];
}

/// The fields of [`Placement::Single`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Single {
    /// The node that holds it.
    pub at: String,
}

/// The fields of [`Placement::TensorParallel`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TensorParallel {
    /// The group whose nodes share the layers. Default: the members of the link.
    pub over: Option<String>,
    /// The node that embeds, sums and samples. Default: the link's hub.
    pub at: Option<String>,
    /// The link over which partial outputs are summed. Default: the only radio link that joins
    /// `over` with `at`.
    pub link: Option<String>,
    /// Which share of the model each node holds. Default: equal ones.
    pub assignment: Assignment,
    /// How partial outputs are summed. Default: over the air, 4 streams.
    pub all_reduce: Scheme,
    /// How a scheme that combines over the air finds combiner and precoders. Default:
    /// alternating MMSE, from a descent on the exact zero-forcing problem.
    pub design: Design,
}

/// The fields of [`Placement::Pipeline`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pipeline {
    /// A group each of whose nodes is a stage, in order; in place of `stages`.
    pub over: Option<String>,
    /// The stages in the order of the layers: Single, TensorParallel or Experts each.
    pub stages: Vec<Placement>,
    /// Which layers each stage holds. Default: equally many.
    pub partition: Partition,
    /// Bits per entry of what goes from stage to stage. Default 16.
    pub bits: Payload,
}
