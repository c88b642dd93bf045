//! One division for all blocks of a pass: P1 of the paper for given loads.
//!
//! Minimise Σ_i max_k q_k^i τ_k(B_k) subject to Σ B_k = B, convex in B. Equal delays are
//! no longer optimal: a block's barrier may be held by another device than the next
//! block's. With one variable T_i per block it is
//!
//! minimise Σ T_i subject to q_k^i τ_k(B_k) ≤ T_i for all i, k, and Σ B_k = B,
//!
//! which `barrier` solves.

mod barrier;

use super::{BandwidthPolicy, Horizon, TokenLink, check, normalised, totals};
use crate::policy::PolicyError;
use barrier::Barrier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One division of the band per pass: min over B of Σ_i max_k, with Σ_k B_k = B (P1 with Q
/// fixed).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PerPass {
    /// Whose loads it is made for. Default: those of the pass before.
    pub loads: PassLoads,
}

/// Where the loads of a pass are taken from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum PassLoads {
    /// The pass before, whatever its number of tokens: only the ratios of loads count.
    /// The first pass is divided evenly.
    #[default]
    Previous,
    /// The pass itself, before it has happened: not causal. Foreseen are its loads and not
    /// its channels: the division is for those at the pass's start. It is the best single
    /// division, and a bound for [`Previous`](Self::Previous), only where channels stay as
    /// they are for the pass.
    Oracle,
}

/// A division for several blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct PassAllocation {
    /// B_k in Hz.
    pub bandwidth: Vec<f64>,
    /// λ_k^i ≥ 0 with Σ_k λ_k^i = 1, block by block: which devices hold a block's barrier.
    /// They prove the optimum: Σ_i max_k q_k^i τ_k ≥ Σ_ik λ_k^i q_k^i τ_k for every B.
    pub multipliers: Vec<f64>,
}

impl BandwidthPolicy for PerPass {
    fn horizon(&self) -> Horizon {
        match self.loads {
            PassLoads::Previous => Horizon::PreviousPass,
            PassLoads::Oracle => Horizon::Oracle,
        }
    }

    fn allocate(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<Vec<f64>, PolicyError> {
        Ok(self.solve(links, loads, total)?.bandwidth)
    }
}

impl PerPass {
    /// The division with the multipliers that prove it, to a relative gap of 1e-6 or
    /// better.
    ///
    /// # Errors
    /// Those of [`BandwidthPolicy::allocate`].
    pub fn solve(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<PassAllocation, PolicyError> {
        check(links, loads, total)?;
        let all = totals(loads, links.len());
        let used: Vec<usize> = (0..links.len()).filter(|k| all[*k] > 0.0).collect();
        let mut bandwidth = vec![0.0; links.len()];
        let mut multipliers = vec![0.0; loads.len()];
        if used.is_empty() {
            return Ok(PassAllocation {
                bandwidth,
                multipliers,
            });
        }
        let mut barrier = Barrier::new(links, loads, &used, total)?;
        barrier.solve();
        for (slot, device) in used.iter().enumerate() {
            bandwidth[*device] = barrier.shares()[slot];
        }
        for (block, row) in multipliers.chunks_exact_mut(links.len()).enumerate() {
            let weights: Vec<f64> = (0..used.len())
                .map(|slot| barrier.force(block, slot))
                .collect();
            let sum: f64 = weights.iter().sum();
            for (device, weight) in used.iter().zip(weights) {
                row[*device] = if sum > 0.0 { weight / sum } else { 0.0 };
            }
        }
        Ok(PassAllocation {
            bandwidth: normalised(bandwidth, total),
            multipliers,
        })
    }
}
