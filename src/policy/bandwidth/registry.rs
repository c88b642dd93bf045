//! The divisions of the band that a scenario may name. A new one is one line here.

use super::{BandwidthPolicy, MaxMinRate, MinMax, PerPass, Proportional, Uniform};
use crate::registry::registry;

registry! {
    /// A division of the band with its fields, as a scenario states it.
    #[derive(Copy, Default)]
    enum Bandwidth;
    /// The policy itself.
    fn policy -> BandwidthPolicy;
    without fields {
        Uniform, "the same for every device, tokens or not: the paper's baseline (causal)";
        Proportional, "in proportion to each block's tokens (causal)";
        MaxMinRate, "equal rates for all devices with tokens (causal)";
        #[default]
        MinMax, "per block, all devices return together: the earliest end (causal)";
    }
    with fields {
        PerPass, "one division per pass, least sum of waits, for the previous pass's loads (causal) or an oracle's (not)";
    }
}
