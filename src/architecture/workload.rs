//! What a run serves: requests on one clock, each a sequence of forward passes.
//!
//! A Score request reads given text in windows; a Generate request reads a prompt
//! and then one token after another of its own choosing. Requests are served one
//! at a time, in the order of the workload.

use super::measurement::Mode;
use crate::units::Instant;

/// When a request is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As soon as the request before it is answered.
    AfterPrevious,
    /// At a given instant; it queues if another one is being served.
    At(Instant),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it is submitted.
    pub arrival: Arrival,
    /// What it asks for.
    pub task: Task,
}

/// What a request asks for.
#[derive(Debug, Clone)]
pub enum Task {
    /// The likelihood of windows of text.
    Score {
        /// The windows, each scored from its own start.
        windows: Vec<Window>,
        /// Whether each token is a pass of its own, as in decoding, rather than
        /// each window one prefill.
        stepwise: bool,
    },
    /// New tokens after a prompt.
    Generate {
        /// The prompt.
        prompt: Vec<u32>,
        /// Most tokens to generate.
        max_tokens: u32,
    },
}

/// A stretch of text to be scored: the model reads `inputs` and is asked for
/// each of `targets`.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Tokens that the model reads.
    pub inputs: Vec<u32>,
    /// The token that follows each input.
    pub targets: Vec<u32>,
    /// −ln p of the window under the process that generated it, in nats.
    pub source_nats: Option<f64>,
}

impl Task {
    /// Score or Generate.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Score { .. } => Mode::Score,
            Self::Generate { .. } => Mode::Generate,
        }
    }

    /// Most tokens that any one pass of this request carries.
    pub fn longest_pass(&self) -> u64 {
        match self {
            Self::Score { stepwise: true, .. } => 1,
            Self::Score { windows, .. } => {
                let lengths = windows.iter().map(|window| window.inputs.len());
                lengths.max().unwrap_or(0) as u64
            }
            Self::Generate { prompt, .. } => prompt.len() as u64,
        }
    }

    /// Most tokens that its KV cache ever holds.
    pub fn longest_context(&self) -> u64 {
        match self {
            Self::Score { windows, .. } => {
                let lengths = windows.iter().map(|window| window.inputs.len());
                lengths.max().unwrap_or(0) as u64
            }
            // The last token generated is never read.
            Self::Generate { prompt, max_tokens } => {
                prompt.len() as u64 + u64::from(max_tokens.saturating_sub(1))
            }
        }
    }
}
