//! What the radio does to the sums of an all-reduce.

use super::mean::Mean;
use super::{Collector, Definition};
use crate::measurement::BlockRecord;
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "all_reduce_mse",
        symbol: "MSE",
        unit: "1",
        meaning: "mean squared error of an all-reduce per complex entry after normalisation, as the tensors felt it",
        present: "an all-reduce used the radio and its tensors were computed",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "all_reduce_noise_mse",
        symbol: "",
        unit: "1",
        meaning: "the part of all_reduce_mse that is receiver noise or quantisation",
        present: "an all-reduce used the radio and its tensors were computed",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "all_reduce_analytic_mse",
        symbol: "",
        unit: "1",
        meaning: "what equation (7) of Zhang et al. predicts for independent unit-variance entries",
        present: "an all-reduce sent analog symbols and its tensors were computed, or its joules asked for a transceiver",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "all_reduce_quantiser_mse",
        symbol: "",
        unit: "1",
        meaning: "what a uniform quantiser predicts: Δ²/12 per real entry, summed over the devices, with Δ the step at their shared maximum; too much where most entries lie within a step or two of zero",
        present: "an all-reduce was digital and its tensors were computed",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "all_reduce_nmse",
        symbol: "NMSE",
        unit: "1",
        meaning: "error power over the power of the exact sum, mean over all-reduces",
        present: "an all-reduce used the radio and its tensors were computed",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "all_reduces",
        symbol: "",
        unit: "1",
        meaning: "all-reduces that used the radio",
        present: "an all-reduce used the radio",
        rests_on: RestsOn::NOTHING,
    },
    Definition {
        name: "subchannel_rounding_s",
        symbol: "",
        unit: "s",
        meaning: "how much longer an all-reduce's uplink lasts because sub-channels are given whole, mean over all-reduces",
        present: "an all-reduce gave its sub-channels whole",
        rests_on: RestsOn::LINKS,
    },
];

/// A mean over complex entries.
#[derive(Debug, Clone, Copy, Default)]
struct PerEntry {
    sum: f64,
    entries: u64,
}

impl PerEntry {
    fn add(&mut self, value: Option<f64>, entries: u64) {
        if let Some(value) = value {
            self.sum += value * entries as f64;
            self.entries += entries;
        }
    }

    fn value(&self) -> Option<f64> {
        (self.entries > 0).then(|| self.sum / self.entries as f64)
    }
}

/// All-reduces so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Errors {
    rounds: u64,
    mse: PerEntry,
    noise: PerEntry,
    analytic: PerEntry,
    quantiser: PerEntry,
    nmse: Mean,
    rounding: Mean,
}

impl Errors {
    pub(super) fn enter(&mut self, block: &BlockRecord) {
        if let Some(seconds) = block.rounding_s {
            self.rounding.add(seconds);
        }
        let Some(round) = block.distortion else {
            return;
        };
        self.rounds += 1;
        let (felt, entries) = (round.felt, round.entries);
        self.mse.add(felt.map(|felt| felt.mse), entries);
        self.noise.add(felt.map(|felt| felt.noise_mse), entries);
        self.analytic.add(round.analytic_mse, entries);
        self.quantiser.add(round.quantiser_mse, entries);
        if let Some(felt) = felt {
            self.nmse.add(felt.nmse);
        }
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        if self.rounds == 0 {
            return;
        }
        metrics.put("all_reduce_mse", self.mse.value());
        metrics.put("all_reduce_noise_mse", self.noise.value());
        metrics.put("all_reduce_analytic_mse", self.analytic.value());
        metrics.put("all_reduce_quantiser_mse", self.quantiser.value());
        metrics.put("all_reduce_nmse", self.nmse.value());
        metrics.put("all_reduces", self.rounds as f64);
        metrics.put("subchannel_rounding_s", self.rounding.value());
    }
}
