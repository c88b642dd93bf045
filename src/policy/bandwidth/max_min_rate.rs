//! Equal rates: fair to devices, blind to their loads.

use super::{BandwidthPolicy, MinMax, TokenLink, check, totals};
use crate::policy::PolicyError;

/// Maximises the smallest rate among the devices that have tokens: bits of a token, both
/// ways, over its time on the air. It is [`MinMax`] with equal loads and no compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaxMinRate;

impl BandwidthPolicy for MaxMinRate {
    fn allocate(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<Vec<f64>, PolicyError> {
        check(links, loads, total)?;
        // One bit each way in proportion: the time per bit is what is to be equal.
        let bare: Vec<TokenLink> = links
            .iter()
            .map(|link| {
                let bits = link.downlink_bits + link.uplink_bits;
                TokenLink {
                    downlink_bits: link.downlink_bits / bits,
                    uplink_bits: link.uplink_bits / bits,
                    compute: 0.0,
                    ..*link
                }
            })
            .collect();
        let one_each: Vec<f64> = totals(loads, links.len())
            .into_iter()
            .map(|load| if load > 0.0 { 1.0 } else { 0.0 })
            .collect();
        MinMax.allocate(&bare, &one_each, total)
    }
}
