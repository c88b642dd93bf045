//! Bandwidth allocation: how the band is divided among devices that hold experts.
//!
//! Xue et al., "WDMoE: Wireless Distributed Mixture of Experts for Large Language
//! Models". A block is over when its slowest device has returned its last token (11), so
//! the band belongs where it shortens that wait. A policy gets one [`TokenLink`] per
//! device and the tokens that each device will receive, and gives B_k in Hz.
//!
//! What a policy may know is its [`Horizon`]. The base station knows a block's own loads
//! once its gate has run, so one division per block is causal; one division for all
//! blocks of a pass needs loads that lie ahead.

mod link;
mod max_min_rate;
mod min_max;
mod per_pass;
mod proportional;
mod registry;
mod uniform;

pub use link::TokenLink;
pub use max_min_rate::MaxMinRate;
pub use min_max::MinMax;
pub use per_pass::{PassAllocation, PassLoads, PerPass};
pub use proportional::Proportional;
pub use registry::Bandwidth;
pub use uniform::Uniform;

use super::error::PolicyError;
use std::fmt;

/// The loads from which a band is divided, and for how long it stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// A division for every block, from that block's own loads: causal.
    Block,
    /// One division per pass, from the loads of the pass before it: causal. The first
    /// pass has none and is divided evenly.
    PreviousPass,
    /// One division per pass, from the loads of that very pass, which only an oracle
    /// knows, and the channels at its start, which anybody does.
    Oracle,
}

impl Horizon {
    /// Whether a real base station could know these loads in time.
    pub fn is_causal(self) -> bool {
        self != Self::Oracle
    }
}

/// Divides a band.
pub trait BandwidthPolicy: fmt::Debug {
    /// What it needs to know.
    fn horizon(&self) -> Horizon {
        Horizon::Block
    }

    /// B_k in Hz for every device, Σ B_k = `total`.
    ///
    /// `loads` holds one row of q_k, tokens per device, for each block that the division
    /// is for: one row where the horizon is a block. A device without tokens holds nobody
    /// and, unless the policy says otherwise, gets nothing; without any token nobody does.
    ///
    /// # Errors
    /// If a device with tokens has a dead link, or numbers are impossible.
    fn allocate(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<Vec<f64>, PolicyError>;
}

/// Checks what every policy relies on.
fn check(links: &[TokenLink], loads: &[f64], total: f64) -> Result<(), PolicyError> {
    if links.is_empty() || loads.is_empty() || !loads.len().is_multiple_of(links.len()) {
        return Err(PolicyError::Rows {
            what: "loads",
            entries: loads.len(),
            width: links.len(),
        });
    }
    if !(total.is_finite() && total > 0.0) {
        return Err(PolicyError::Number {
            what: "the total bandwidth",
            value: total,
        });
    }
    for row in loads.chunks_exact(links.len()) {
        for (device, (link, load)) in links.iter().zip(row).enumerate() {
            if !(load.is_finite() && *load >= 0.0) {
                return Err(PolicyError::Number {
                    what: "a load",
                    value: *load,
                });
            }
            if *load > 0.0 && !link.is_alive() {
                return Err(PolicyError::DeadLink { device });
            }
        }
    }
    Ok(())
}

/// Tokens of each device over all blocks.
fn totals(loads: &[f64], devices: usize) -> Vec<f64> {
    let mut totals = vec![0.0; devices];
    for row in loads.chunks_exact(devices) {
        for (total, load) in totals.iter_mut().zip(row) {
            *total += load;
        }
    }
    totals
}

/// `bandwidth` scaled so that it adds up to `total`.
fn normalised(mut bandwidth: Vec<f64>, total: f64) -> Vec<f64> {
    let sum: f64 = bandwidth.iter().sum();
    if sum > 0.0 {
        for share in &mut bandwidth {
            *share *= total / sum;
        }
    }
    bandwidth
}
