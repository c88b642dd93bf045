//! The all-reduce schemes that a scenario may name. A new one is one line here.

use super::aircomp::AirComp;
use super::all_reduce::{AllReduce, Block, Layout, Link, Schedule, Symbols, Terms};
use super::coding::Coding;
use super::digital::Digital;
use super::error::RadioError;
use super::exchange::{Exchange, Ring, Star};
use super::hierarchy::Hierarchy;
use super::ideal::Ideal;
use super::uncoded_fdma::UncodedFdma;
use crate::registry::registry;
use crate::units::FieldFault;

registry! {
    /// An all-reduce scheme with its fields, as a scenario states it.
    enum Scheme;
    /// The scheme itself.
    fn all_reduce -> AllReduce;
    without fields {
        Ideal, "exact sum in no time and for no energy: the reference";
    }
    with fields {
        AirComp, "analog over the air: all devices send at once and the channel adds";
        Digital, "quantised bits on one OFDMA sub-channel per device, at its link's rate";
        Star, "messages over any links: parts to the node that sums, the sum back to each";
        Ring, "messages over any links: around the members, in parts of N";
        Hierarchy, "clusters of devices sum at their heads, and the heads go on, at any depth";
        UncodedFdma, "analog symbols on one sub-channel per device: each is heard alone, and errors add";
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::AirComp(AirComp::default())
    }
}

impl Scheme {
    /// The schemes of all its levels, from the devices up: of one without a hierarchy itself.
    pub fn levels(&self) -> Vec<&Self> {
        match self {
            Self::Hierarchy(hierarchy) => hierarchy.schemes(),
            alone => vec![alone],
        }
    }
}

/// A scheme is whichever it names.
impl AllReduce for Scheme {
    fn validate(&self, layout: Layout) -> Result<(), FieldFault> {
        self.all_reduce().validate(layout)
    }

    fn symbols(&self) -> Symbols {
        self.all_reduce().symbols()
    }

    fn hierarchy(&self) -> Option<&Hierarchy> {
        self.all_reduce().hierarchy()
    }

    fn exchange(&self) -> Option<Exchange> {
        self.all_reduce().exchange()
    }

    fn uses_per_vector(&self, entries: usize, devices: usize, coding: Coding) -> Option<Vec<f64>> {
        self.all_reduce().uses_per_vector(entries, devices, coding)
    }

    fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
        self.all_reduce().schedule(terms)
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        self.all_reduce().prepare(block)
    }
}
