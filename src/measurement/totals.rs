//! What is known when a run is over: its nodes, and how its model was divided.

use super::PairRecord;
use crate::units::Duration;

/// One node over the whole run.
#[derive(Debug, Clone)]
pub struct NodeRecord {
    /// The node: a place in [`Totals::nodes`].
    pub node: u32,
    /// The profile's name.
    pub profile: String,
    /// Share of the model asked for (m_n).
    pub share: Option<f64>,
    /// Attention heads held.
    pub heads: u64,
    /// FFN columns held.
    pub ffn_columns: u64,
    /// Weights held, in bytes.
    pub weight_bytes: u64,
    /// Largest KV cache, in bytes.
    pub kv_cache_bytes: u64,
    /// What one token adds to it.
    pub kv_token_bytes: u64,
    /// Largest activations, in bytes.
    pub activation_bytes: u64,
    /// Memory there is, in bytes.
    pub memory_bytes: u64,
    /// FLOPs computed.
    pub flops: u64,
    /// Bits sent.
    pub uplink_bits: u64,
    /// Time computing.
    pub compute: Duration,
    /// Time sending.
    pub uplink: Duration,
    /// Time receiving.
    pub downlink: Duration,
    /// Time in which a request was being served and it neither computed nor used the radio.
    pub wait: Duration,
    /// Time in which no request was being served.
    pub no_request: Duration,
    /// Energy of compute, in joules; `None` if the profile does not say.
    pub compute_j: Option<f64>,
    /// Energy radiated, in joules; `None` if the scenario's power has no watts.
    pub radio_j: Option<f64>,
    /// Idle power over the whole run, busy or not, in joules; `None` if the profile does not
    /// say.
    pub idle_j: Option<f64>,
}

/// How the model was divided, before and after rounding to whole heads and columns.
#[derive(Debug, Clone)]
pub struct AssignmentRecord {
    /// The nodes among which it was, in the order of the shares.
    pub nodes: Vec<u32>,
    /// The assignment's name.
    pub method: &'static str,
    /// The steps of an iterative method, in order.
    pub iterates: Vec<IterateRecord>,
    /// The shares as the method gave them.
    pub asked: DivisionRecord,
    /// What they became.
    pub rounded: DivisionRecord,
}

/// One step of an iterative assignment.
#[derive(Debug, Clone)]
pub struct IterateRecord {
    /// Share of the model, per node.
    pub shares: Vec<f64>,
    /// Error (7) per complex entry, on the step's channel sample.
    pub error: f64,
    /// Compute per layer and token, in seconds.
    pub compute_s: f64,
}

/// A division of the model and what is to be expected of it.
#[derive(Debug, Clone)]
pub struct DivisionRecord {
    /// Share of each node in a layer's weights, whatever it replicates included.
    pub weights: Vec<f64>,
    /// Share of the heads.
    pub heads: Vec<f64>,
    /// Share of the feed-forward columns.
    pub columns: Vec<f64>,
    /// Compute before each all-reduce of a token's vector, in joules; `None` if a profile
    /// does not say.
    pub compute_j: Option<Vec<f64>>,
    /// What that leaves of the node's energy budget, in joules; `None` where compute and
    /// radio do not share one.
    pub headroom_j: Option<Vec<f64>>,
    /// Error (7) per complex entry with half its 95 % confidence interval, over channel
    /// samples that no assignment has seen; `None` where nothing is combined over the
    /// air, or a budget is exceeded.
    pub error: Option<(f64, f64)>,
    /// Compute per layer and token, each half waiting for its slowest node, in seconds.
    pub compute_s: f64,
}

/// What is known when a run is over.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// The names of the nodes, by their number.
    pub nodes: Vec<String>,
    /// Per node, in the order of [`nodes`](Self::nodes).
    pub per_node: Vec<NodeRecord>,
    /// Per kind of text and layer, if experts are spread and tokens visit two or more.
    pub pairs: Vec<PairRecord>,
    /// How the model was divided, where that is worth telling.
    pub assignment: Option<AssignmentRecord>,
}
