//! The all-reduce schemes that a scenario may name. A new one is one line here.

use super::aircomp::AirComp;
use super::all_reduce::AllReduce;
use super::digital::Digital;
use super::ideal::Ideal;
use super::uncoded_fdma::UncodedFdma;
use crate::registry::registry;

registry! {
    /// An all-reduce scheme with its fields, as a scenario states it.
    #[derive(Copy)]
    enum Scheme;
    /// The scheme itself.
    fn all_reduce -> AllReduce;
    without fields {
        Ideal, "exact sum in no time and for no energy: the reference";
    }
    with fields {
        AirComp, "analog over the air: all devices send at once and the channel adds";
        Digital, "quantised bits on one OFDMA sub-channel per device, at its link's rate";
        UncodedFdma, "analog symbols on one sub-channel per device: each is heard alone, and errors add";
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::AirComp(AirComp::default())
    }
}
