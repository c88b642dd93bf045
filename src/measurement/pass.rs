//! Forward passes.

use super::Mode;
use crate::units::Instant;

/// Where the time of one pass went, as the mean over the nodes that share the work.
///
/// The four parts add up to the pass's duration: a node computes, sends,
/// receives, or waits. Where tokens are pipelined the first three overlap, and waiting is
/// what is left beside all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimeSplit {
    /// Compute, in seconds.
    pub compute_s: f64,
    /// Uplink, in seconds.
    pub uplink_s: f64,
    /// Downlink, in seconds.
    pub downlink_s: f64,
    /// Waiting for other nodes, in seconds.
    pub wait_s: f64,
}

/// One request's part of one forward pass: a prefill, a decode step, a scored window or a
/// choice.
#[derive(Debug, Clone)]
pub struct PassRecord {
    /// The forward pass, counted over the run: the batch of its tasks.
    pub batch: u32,
    /// The copy of the model that ran it.
    pub replica: u32,
    /// The request it served.
    pub request: u32,
    /// Number of the pass within its request.
    pub step: u32,
    /// Score or Generate.
    pub mode: Mode,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Tokens already in the KV cache when it began.
    pub context: u64,
    /// When it began.
    pub start: Instant,
    /// When its logits were known where tokens are chosen.
    pub end: Instant,
    /// Requests in the batch.
    pub slices: u32,
    /// Tokens of all of them that went through the model.
    pub batch_tokens: u64,
    /// Whether it is a decode step: it reads what was generated, no prompt.
    pub decodes: bool,
    /// Whether the request's pass is complete with it; else it is a piece of a prompt of which
    /// others follow.
    pub last: bool,
    /// Where the time went.
    pub split: TimeSplit,
    /// The last token it chose, with the text of all that it chose; only for Generate.
    pub chosen: Option<(u32, String)>,
    /// −ln p of the chosen token, or the sum over the scored ones, in nats; `None` if
    /// the pass was timed and not computed.
    pub negative_log_likelihood: Option<f64>,
}

impl PassRecord {
    /// What kind of pass it is, as `batches.csv` says.
    pub fn phase(&self) -> &'static str {
        match self.mode {
            Mode::Score => "score",
            Mode::Choose => "choose",
            Mode::Draft => "draft",
            Mode::Generate | Mode::Tokens if self.decodes => "decode",
            Mode::Generate | Mode::Tokens => "prefill",
        }
    }

    /// Whether its tensors were computed; else it was only timed.
    pub fn is_computed(&self) -> bool {
        self.negative_log_likelihood.is_some()
    }
}
