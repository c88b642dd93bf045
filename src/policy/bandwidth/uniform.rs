//! The even division.

use super::{BandwidthPolicy, TokenLink, check};
use crate::policy::PolicyError;

/// B_k = B/U for every device, tokens or not: the paper's baseline, whose sub-bands are
/// fixed in advance. The sub-band of a device without tokens lies fallow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uniform;

impl BandwidthPolicy for Uniform {
    fn allocate(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<Vec<f64>, PolicyError> {
        check(links, loads, total)?;
        Ok(vec![total / links.len() as f64; links.len()])
    }
}
