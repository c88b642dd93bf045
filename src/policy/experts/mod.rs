//! Expert selection: which experts a token visits, once the gate has weighed them.
//!
//! Xue et al., "WDMoE: Wireless Distributed Mixture of Experts for Large Language
//! Models", section IV-A and Algorithm 1, section VI-C and Algorithm 2. Every policy
//! starts from the k heaviest experts of each token and may then drop some, so that less
//! is sent to slow devices. A token's heaviest expert always stays.
//!
//! A policy sees one block: the gate's weights, what a token is predicted to take on each
//! expert's device, and what tokens took there before. All of that is known at the base
//! station before it sends anything, so every policy here is causal.

mod latency_history;
mod registry;
mod selection;
mod top_k;
mod weight_to_latency;

pub use latency_history::LatencyHistory;
pub use registry::ExpertSelection;
pub use selection::{DroppedWeight, Selection};
pub use top_k::TopK;
pub use weight_to_latency::{FinalDrop, Similarity, WeightToLatency};

use super::error::PolicyError;
use crate::units::FieldFault;
use std::fmt;

/// What is known of one block when experts are chosen. J tokens, n experts, U devices.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// w: the softmax over all experts, J × n, token by token.
    pub weights: &'a [f32],
    /// k: experts per token at most.
    pub top_k: usize,
    /// t: predicted seconds that a token takes on each expert's device, with the band
    /// divided evenly; infinite where the device is cut off.
    pub latency: &'a [f64],
    /// The device of each expert; `None` for the server.
    pub device: &'a [Option<usize>],
    /// t̄: mean seconds per token on each device in the past, where there is a past.
    pub history: &'a [Option<f64>],
}

impl Gate<'_> {
    /// n.
    pub fn experts(&self) -> usize {
        self.latency.len()
    }

    /// The weights of `token`.
    pub fn row(&self, token: usize) -> &[f32] {
        let n = self.experts();
        &self.weights[token * n..(token + 1) * n]
    }

    /// Whether `expert` can be reached.
    pub fn reaches(&self, expert: usize) -> bool {
        self.latency[expert].is_finite()
    }

    fn check(&self) -> Result<(), PolicyError> {
        let n = self.experts();
        if n == 0 || !self.weights.len().is_multiple_of(n) {
            return Err(PolicyError::Rows {
                what: "the gate's weights",
                entries: self.weights.len(),
                width: n,
            });
        }
        if self.device.len() != n {
            return Err(PolicyError::Shape {
                what: "the experts' devices",
                entries: self.device.len(),
                expected: n,
            });
        }
        let largest = self.device.iter().flatten().max();
        if let Some(device) = largest.filter(|device| **device >= self.history.len()) {
            return Err(PolicyError::Shape {
                what: "the devices' past",
                entries: self.history.len(),
                expected: device + 1,
            });
        }
        let number = |what, value| Err(PolicyError::Number { what, value });
        if let Some(weight) = self.weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return number("a gate's weight", f64::from(*weight));
        }
        if let Some(seconds) = self.latency.iter().find(|t| t.is_nan() || **t < 0.0) {
            return number("a token's latency", *seconds);
        }
        Ok(())
    }
}

/// Chooses experts.
pub trait ExpertPolicy: fmt::Debug {
    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    fn validate(&self) -> Result<(), FieldFault> {
        Ok(())
    }

    /// The experts that each token visits: at least one.
    ///
    /// # Errors
    /// If no expert can be reached, or slices do not fit together.
    fn select(&self, gate: &Gate<'_>) -> Result<Selection, PolicyError>;
}
