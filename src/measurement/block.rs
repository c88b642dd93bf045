//! All-reduces with the compute before them, and their errors.

use crate::units::{Duration, Instant};

/// One all-reduce with the compute before it.
#[derive(Debug, Clone)]
pub struct BlockRecord {
    /// The batch.
    pub batch: u32,
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer.
    pub layer: u32,
    /// `attention`, `mlp`, or `experts` where these are spread.
    pub sublayer: &'static str,
    /// When the block's compute could begin.
    pub start: Instant,
    /// When the last node had computed: the barrier opened.
    pub gathered: Instant,
    /// When the sum was known where it is formed.
    pub reduced: Instant,
    /// The node that held the barrier; of several the first.
    pub slowest_node: Option<u32>,
    /// Σ over nodes of the time spent at the barrier.
    pub waiting: Duration,
    /// What the radio did to the sum; `None` where no radio was used.
    pub distortion: Option<AllReduceMse>,
    /// How much longer the uplink lasted because sub-channels are given whole, in seconds;
    /// `None` where they are not.
    pub rounding_s: Option<f64>,
    /// How much of its energy budget the node drew that drew most of it; `None` where
    /// budgets are not joules per vector, or joules are not known.
    pub budget: Option<BudgetUse>,
}

/// What a node drew of its budget P_n for a vector that it computed and sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetUse {
    /// The node.
    pub node: u32,
    /// (Compute of the sublayer + radio) per token, over P_n.
    pub ratio: f64,
}

impl BlockRecord {
    /// The error as its tensors felt it, if they were computed and sent.
    pub fn felt(&self) -> Option<Felt> {
        self.distortion?.felt
    }
}

/// The error of one all-reduce, per complex entry after normalisation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AllReduceMse {
    /// What the tensors felt; `None` if nothing was computed.
    pub felt: Option<Felt>,
    /// What is to be expected: the value of (7), for independent unit-variance entries.
    /// `None` where links are digital, and where nothing was computed and nothing but the
    /// error would have asked for a transceiver.
    pub analytic_mse: Option<f64>,
    /// What the quantiser of a digital scheme is expected to do: Δ²/12 per real entry and
    /// device. `None` where symbols are analog, and where nothing was computed.
    pub quantiser_mse: Option<f64>,
    /// Complex entries behind the means.
    pub entries: u64,
}

/// The error of one all-reduce as its tensors felt it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Felt {
    /// Mean squared error.
    pub mse: f64,
    /// The part of it that is noise.
    pub noise_mse: f64,
    /// Error power over the power of the exact sum.
    pub nmse: f64,
}

/// Whether who comes `lead` before the last to a meeting for which `span` was worked comes
/// together with it: within a millionth.
///
/// Every duration is rounded up to a picosecond. Nodes meant to arrive together, as
/// under `MinMax`, miss each other by a few, and which of them is last means nothing.
pub fn is_together(lead: Duration, span: Duration) -> bool {
    lead.0 <= span.0 / 1_000_000
}
