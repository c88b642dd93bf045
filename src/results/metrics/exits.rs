//! How deep tokens went, and what leaving early cost in quality.

use super::mean::Mean;
use super::{Collector, Definition};
use crate::measurement::ExitRecord;
use crate::trust::RestsOn;

const PRESENT: &str = "a replica decodes with EarlyExit and generated a token after its first";

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "exit_depth_layers",
        symbol: "",
        unit: "layers",
        meaning: "layers that a decoded token went through, mean",
        present: PRESENT,
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "exit_share",
        symbol: "",
        unit: "1",
        meaning: "decoded tokens that left at an exit, over all",
        present: PRESENT,
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "exit_agreement",
        symbol: "",
        unit: "1",
        meaning: "decoded tokens that the whole model would have chosen too, after the same text with the same cache, over all",
        present: PRESENT,
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "exit_perplexity",
        symbol: "PPL",
        unit: "1",
        meaning: "exp of the mean −ln p that the whole model gives to decoded tokens, after the same text with the same cache",
        present: PRESENT,
        rests_on: RestsOn::TENSORS,
    },
];

/// Decoded tokens so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Exits {
    depth: Mean,
    left: Mean,
    agrees: Mean,
    nats: Mean,
}

impl Exits {
    pub(super) fn enter(&mut self, exit: &ExitRecord) {
        let one = |is: bool| f64::from(u8::from(is));
        self.depth.add(f64::from(exit.layers));
        self.left.add(one(exit.layers < exit.of_layers));
        self.agrees.add(one(exit.agrees));
        self.nats.add(exit.whole_nats);
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        metrics.put("exit_depth_layers", self.depth.value());
        metrics.put("exit_share", self.left.value());
        metrics.put("exit_agreement", self.agrees.value());
        metrics.put("exit_perplexity", self.nats.value().map(libm::exp));
    }
}
