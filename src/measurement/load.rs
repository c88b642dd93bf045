//! How much a replica has to do.

use crate::units::Instant;

/// A replica's queue, batches and cache from one instant until its next record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadRecord {
    /// Since when.
    pub at: Instant,
    /// The replica.
    pub replica: u32,
    /// Requests that wait for it.
    pub waiting: u32,
    /// Requests that it serves: admitted and neither answered nor preempted.
    pub running: u32,
    /// Requests in the batches in flight.
    pub batch_slices: u32,
    /// Their tokens that go through the model.
    pub batch_tokens: u64,
    /// Cache allocated, in tokens; a block that is begun counts whole.
    pub cache_allocated: u64,
    /// Tokens that it holds.
    pub cache_held: u64,
    /// All there is, in tokens; `None` if nothing limits it.
    pub cache_total: Option<u64>,
}
