//! Hierarchical all-reduce: clusters of devices sum at their heads, and the heads go on.
//!
//! A level divides its devices into clusters. In each, all but one send to the one that is its
//! head, by any scheme that goes through the air; the head adds its own part, which it need not
//! send, and goes on to the next level, over the air again or digitally. Who is not a head sends
//! once and is done, so that N devices send N times whatever the depth. What lies `between` may be
//! a hierarchy itself.
//!
//! **Time** is the sum over levels. With U_c the time that cluster c takes on the whole band, a level lasts
//! Σ_c U_c where clusters take turns, and max_c U_c/b_c where they send at once on parts b_c of it.
//!
//! **Error.** A round r of e_r per normalised entry on a scale R_r adds R_r² e_r to the power of
//! the error, and what every device holds in the end is off by the sum of all of them: noise of
//! different rounds is independent. Entries are normalised anew at each level, so that heads of m
//! devices, whose sums of independent unit-variance entries have the variance m, send them
//! at 1/√m, and with M_r the most devices below one sender of round r
//!
//! MSE = Σ_r M_r e_r
//!
//! per complex entry of unit variance. "Cluster-based hierarchical AirComp" is named as future work
//! in the journal version of Zhang et al., "Distributed On-Device LLM Inference With Over-the-Air
//! Computation"; the model is ours.
//!
//! **Channels** between devices and their head are those of the link with the head in the place of
//! its hub, drawn apart from them for each head. All rounds of an all-reduce meet the channels of
//! the moment when it begins. Clusters that send at once use different parts of the band and do
//! not disturb each other; how a band is used again at a distance is not modelled.

mod air;
mod clusters;

pub use air::{ClusterAir, LevelAir};
pub(super) use air::{enter, expected, open, plan, reduce};
pub use clusters::{Cluster, Clusters, Turns};

use super::all_reduce::{AllReduce, Block, Layout, Link, Symbols};
use super::budget::LinkBudget;
use super::error::RadioError;
use super::fading::Fading;
use super::scheme::Scheme;
use super::subchannels::SubchannelPower;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// More levels than that are a slip of the pen: 2²⁰ devices in pairs.
const MOST_LEVELS: usize = 20;

/// The hierarchy's fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hierarchy {
    /// Who sums with whom, and at which device. Default: about as many clusters as each has
    /// devices.
    pub clusters: Clusters,
    /// How a cluster sums at its head. Default: over the air, 4 streams.
    pub within: Box<Scheme>,
    /// How clusters share the band. Default: one after another, each on all of it.
    pub turns: Turns,
    /// What a device radiates on its cluster's part of the band. Default: the same per symbol.
    pub part_power: SubchannelPower,
    /// N_r, the antennas with which a head listens. Default: those that it has as a device.
    pub head_antennas: Option<usize>,
    /// Power and noise between devices and their head. Default: the link's.
    pub budget: Option<LinkBudget>,
    /// How channels between devices and their head are drawn. Default: as the link's.
    pub fading: Option<Fading>,
    /// How heads sum at the hub, which may be in clusters again. Default: over the air, 4
    /// streams.
    pub between: Box<Scheme>,
}

impl Hierarchy {
    /// Checks the fields for the devices of these numbers, which `layout` describes, at the
    /// level number `level`.
    fn check(&self, devices: &[usize], layout: Layout, level: usize) -> Result<(), FieldFault> {
        let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
        if level >= MOST_LEVELS {
            return fault(
                "between",
                format!("more than {MOST_LEVELS} levels; let heads go on to the hub sooner"),
            );
        }
        let formed = self.clusters.form(devices, self.turns)?;
        if self.head_antennas == Some(0) {
            let message = "a head without antennas hears nothing; use 1 or more";
            return fault("head_antennas", message.to_owned());
        }
        if let Some(budget) = self.budget {
            budget.validate().map_err(|fault| fault.under("budget"))?;
        }
        if let Some(fading) = &self.fading {
            if fading.model().trace().is_some() {
                let message = "a trace holds the channels to one hub, and clusters have many \
                               heads; draw them, for example fading: Rician(mean: 1.0, variance: 1.0)";
                return fault("fading", message.to_owned());
            }
            for cluster in formed.iter().filter(|cluster| !cluster.senders.is_empty()) {
                let own = fading.validate(cluster.senders.len());
                own.map_err(|fault| fault.under("fading"))?;
            }
        }
        if self.within.hierarchy().is_some() {
            let message = "a cluster sums at its head directly; put further levels in `between`";
            return fault("within", message.to_owned());
        }
        for (path, scheme) in [("within", &self.within), ("between", &self.between)] {
            if scheme.symbols() == Symbols::Messages {
                let message = format!(
                    "{} sends messages from node to node, and levels share the air; use AirComp, \
                     Digital or UncodedFdma, or {0} alone",
                    scheme.name()
                );
                return fault(path, message);
            }
        }
        let largest = formed.iter().map(|cluster| cluster.senders.len()).max();
        let near = Layout {
            devices: largest.unwrap_or_default(),
            server_antennas: self.head_antennas.unwrap_or(layout.device_antennas),
            receiver: "a head",
            ..layout
        };
        let under = |path: &'static str| move |fault: FieldFault| fault.under(path);
        self.within.validate(near).map_err(under("within"))?;
        let heads: Vec<usize> = formed.iter().map(|cluster| cluster.head).collect();
        let up = Layout {
            devices: heads.len(),
            ..layout
        };
        match self.between.hierarchy() {
            Some(next) => next.check(&heads, up, level + 1),
            None => self.between.validate(up),
        }
        .map_err(under("between"))
    }

    /// Refuses levels that take over `fading`, the link's for `devices` devices, if that says one by
    /// one how these are joined with their hub.
    ///
    /// # Errors
    /// At the first such level, by its path.
    pub fn check_fading(&self, fading: &Fading, devices: usize) -> Result<(), FieldFault> {
        let listed = fading.validate(devices).is_ok() && fading.validate(1).is_err();
        let traced = fading.model().trace().is_some();
        if self.fading.is_none() && devices > 1 && (listed || traced) {
            let message = "the link's channels are given device by device to its hub, and clusters \
                           have many heads; say how channels to a head are drawn, for example \
                           fading: Rician(mean: 1.0, variance: 1.0)";
            return Err(FieldFault::new("fading", message));
        }
        let next = self.between.hierarchy();
        next.map_or(Ok(()), |next| {
            let checked = next.check_fading(fading, devices);
            checked.map_err(|fault| fault.under("between"))
        })
    }

    /// The schemes of all levels, from the devices up.
    pub(super) fn schemes(&self) -> Vec<&Scheme> {
        let mut schemes = vec![self.within.as_ref()];
        match self.between.hierarchy() {
            Some(next) => schemes.extend(next.schemes()),
            None => schemes.push(&self.between),
        }
        schemes
    }
}

impl AllReduce for Hierarchy {
    fn validate(&self, layout: Layout) -> Result<(), FieldFault> {
        let devices: Vec<usize> = (0..layout.devices).collect();
        self.check(&devices, layout, 0)
    }

    fn symbols(&self) -> Symbols {
        match self.schemes().iter().any(|scheme| scheme.uses_radio()) {
            true => Symbols::Levels,
            false => Symbols::Silent,
        }
    }

    fn hierarchy(&self) -> Option<&Hierarchy> {
        Some(self)
    }

    fn prepare(&self, _: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        let message = "levels have channels of their own, which one hub's air does not hold";
        Err(FieldFault::new("all_reduce", message).into())
    }
}
