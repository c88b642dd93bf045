//! Bandwidth in proportion to load.

use super::{BandwidthPolicy, TokenLink, check, normalised, totals};
use crate::policy::PolicyError;

/// B_k = B q_k/Σ q: equal delays if all links and devices were alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proportional;

impl BandwidthPolicy for Proportional {
    fn allocate(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<Vec<f64>, PolicyError> {
        check(links, loads, total)?;
        Ok(normalised(totals(loads, links.len()), total))
    }
}
