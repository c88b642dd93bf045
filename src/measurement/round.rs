//! Drafts and what became of them.

use crate::units::Instant;

/// One draft of a request, verified in one pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundRecord {
    /// The request.
    pub request: u32,
    /// The copy of the model that verified it.
    pub replica: u32,
    /// The pass within the request.
    pub step: u32,
    /// Tokens that were drafted, at least 1.
    pub drafted: u32,
    /// How many of them stand.
    pub accepted: u32,
    /// Tokens that the request has more by it: those that stand, and one of the model's own unless
    /// the text ended before.
    pub tokens: u32,
    /// When the pass was over.
    pub at: Instant,
    /// FLOPs of drafting and of verifying tokens that do not stand; a batch's are divided by
    /// tokens.
    pub wasted_flops: f64,
    /// Joules of the same, computing and radiating; `None` where not all are known.
    pub wasted_j: Option<f64>,
}
