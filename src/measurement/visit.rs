//! Layers whose experts are spread: nodes, experts and pairs of them.

use crate::units::{Duration, Instant};

/// One node's part of one block whose experts are spread: its tokens' journey.
#[derive(Debug, Clone)]
pub struct VisitRecord {
    /// The batch.
    pub batch: u32,
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer.
    pub layer: u32,
    /// The node.
    pub node: u32,
    /// Tokens that it received, once for each expert visited.
    pub tokens: u64,
    /// Its part of the band, in Hz.
    pub bandwidth_hz: f64,
    /// Time receiving, of all tokens.
    pub downlink: Duration,
    /// Time computing.
    pub compute: Duration,
    /// Time sending.
    pub uplink: Duration,
    /// When the gate had spoken.
    pub start: Instant,
    /// When its last token was back.
    pub end: Instant,
    /// From then until the block's barrier opened.
    pub wait: Duration,
    /// Whether the barrier waited for it: it came last, or [together](super::is_together) with
    /// the last.
    pub holds_barrier: bool,
    /// The stage in which its tokens spent most time.
    pub bottleneck: &'static str,
}

/// One expert's part of one block.
#[derive(Debug, Clone)]
pub struct ExpertRecord {
    /// The batch.
    pub batch: u32,
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer.
    pub layer: u32,
    /// The expert.
    pub expert: u32,
    /// The node that holds it.
    pub node: u32,
    /// Tokens for which it was among the k heaviest within reach.
    pub wanted: u64,
    /// Tokens that visited it.
    pub visits: u64,
    /// Tokens for which it was among the k heaviest of all, but its node was cut off.
    pub lost: u64,
}

/// The two experts that a layer's tokens visit together most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairRecord {
    /// The kind of text: a suite's name, else the name of its requests' mode.
    pub texts: &'static str,
    /// The layer.
    pub layer: u32,
    /// Tokens of all passes on such texts.
    pub tokens: u64,
    /// One expert.
    pub first: u32,
    /// The other one.
    pub second: u32,
    /// Tokens that visited both.
    pub together: u64,
    /// Experts of the layer.
    pub experts: u32,
}

impl PairRecord {
    /// The part of the tokens that visited both.
    pub fn share(&self) -> f64 {
        self.together as f64 / self.tokens as f64
    }

    /// The share that every pair would have if all were equally frequent and tokens
    /// visited two experts: 2/(n(n − 1)).
    pub fn share_if_even(&self) -> f64 {
        let n = f64::from(self.experts);
        2.0 / (n * (n - 1.0))
    }
}
