//! What a row says about the parameters: the same counts of work that a run has.
//!
//! A generated token takes on the first of N equal devices, with its weights w of each task's W,
//!
//! t = τ(b) Σ [w + α (W − w)] + n o + c/r,
//!
//! τ(b) seconds per weight of b bits, α the replicated fraction, o the overhead of each of the
//! n = 2 layers + 3 tasks (two halves of every layer, embedding, LM head, choice), c bytes of
//! cache at the rate r. This is [`DeviceProfile::compute`](crate::device::DeviceProfile::compute)
//! where arithmetic does not bind, summed over a pass.

use super::error::CalibrationError;
use super::row::Row;
use crate::model::{ShardPlan, Shares, Work};

/// Seconds that a byte of cache takes over those that a weight of 4.5 bits takes, where no row
/// tells: it is read at half the rate.
pub(super) const CACHE_OVER_WEIGHT: f64 = 2.0 * 8.0 / 4.5;

/// Counts of a pass on the first device.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Counts {
    /// Σ w.
    pub(super) own: f64,
    /// Σ (W − w).
    pub(super) others: f64,
    /// n.
    pub(super) tasks: f64,
    /// c.
    pub(super) cache_bytes: f64,
    /// Operations of the layers.
    pub(super) flops: f64,
    /// Of Σ w, weights of the LM head.
    pub(super) head: f64,
}

/// The counts of a pass of `tokens` tokens after `context` others.
pub(super) fn counts(row: &Row, tokens: u32, context: u32) -> Result<Counts, CalibrationError> {
    let fault = |error: String| CalibrationError::Table {
        place: row.place.clone(),
        fault: error,
    };
    let shares = Shares::equal(row.devices as usize).map_err(|error| fault(error.to_string()))?;
    let plan = ShardPlan::new(&row.shape, &shares).map_err(|error| fault(error.to_string()))?;
    let shape = plan.shape();
    let layers = shape.layers as f64;
    let (tokens, context) = (tokens as usize, context as usize);
    let head = plan.lm_head(0, 1);
    let parts: [(Work, u64, f64); 3] = [
        (
            plan.attention(0, tokens, context),
            shape.attention_parameters(),
            layers,
        ),
        (plan.mlp(0, tokens), shape.mlp_parameters(), layers),
        (head, shape.embedding_parameters(), 1.0),
    ];
    let mut counts = Counts {
        own: (tokens * shape.hidden) as f64,
        tasks: 2.0 * layers + 3.0,
        head: head.weights as f64,
        ..Counts::default()
    };
    for (work, whole, times) in parts {
        counts.own += times * work.weights as f64;
        counts.others += times * whole.saturating_sub(work.weights) as f64;
        counts.cache_bytes += times * work.cache_bytes as f64;
    }
    counts.flops = layers * (parts[0].0.flops + parts[1].0.flops) as f64;
    Ok(counts)
}
