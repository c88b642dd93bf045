//! What the radio does to the sums of an all-reduce.

use super::{Collector, Definition, mean};
use crate::measurement::{Distortion, Measurements};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "all_reduce_mse",
        symbol: "MSE",
        unit: "1",
        meaning: "mean squared error of an all-reduce per complex entry after normalisation, as the tensors felt it",
        present: "an all-reduce used the radio and its tensors were computed",
    },
    Definition {
        name: "all_reduce_noise_mse",
        symbol: "",
        unit: "1",
        meaning: "the part of all_reduce_mse that is receiver noise or quantisation",
        present: "an all-reduce used the radio and its tensors were computed",
    },
    Definition {
        name: "all_reduce_analytic_mse",
        symbol: "",
        unit: "1",
        meaning: "what equation (7) of Zhang et al. predicts for independent unit-variance entries",
        present: "an all-reduce sent analog symbols and its tensors were computed, or its joules asked for a transceiver",
    },
    Definition {
        name: "all_reduce_quantiser_mse",
        symbol: "",
        unit: "1",
        meaning: "what a uniform quantiser predicts: Δ²/12 per real entry, summed over the devices, with Δ the step at their shared maximum; too much where most entries lie within a step or two of zero",
        present: "an all-reduce was digital and its tensors were computed",
    },
    Definition {
        name: "all_reduce_nmse",
        symbol: "NMSE",
        unit: "1",
        meaning: "error power over the power of the exact sum, mean over all-reduces",
        present: "an all-reduce used the radio and its tensors were computed",
    },
    Definition {
        name: "all_reduces",
        symbol: "",
        unit: "1",
        meaning: "all-reduces that used the radio",
        present: "an all-reduce used the radio",
    },
    Definition {
        name: "subchannel_rounding_s",
        symbol: "",
        unit: "s",
        meaning: "how much longer an all-reduce's uplink lasts because sub-channels are given whole, mean over all-reduces",
        present: "an all-reduce gave its sub-channels whole",
    },
];

pub(super) fn collect(run: &Measurements, metrics: &mut Collector) {
    let rounds: Vec<Distortion> = run
        .blocks
        .iter()
        .filter_map(|block| block.distortion)
        .collect();
    if rounds.is_empty() {
        return;
    }
    let per_entry = |value: fn(&Distortion) -> Option<f64>| {
        let (mut sum, mut entries) = (0.0, 0);
        for round in &rounds {
            if let Some(value) = value(round) {
                sum += value * round.entries as f64;
                entries += round.entries;
            }
        }
        (entries > 0).then(|| sum / entries as f64)
    };
    metrics.put("all_reduce_mse", per_entry(|round| Some(round.felt?.mse)));
    metrics.put(
        "all_reduce_noise_mse",
        per_entry(|round| Some(round.felt?.noise_mse)),
    );
    metrics.put(
        "all_reduce_analytic_mse",
        per_entry(|round| round.analytic_mse),
    );
    metrics.put(
        "all_reduce_quantiser_mse",
        per_entry(|round| round.quantiser_mse),
    );
    let felt = rounds.iter().filter_map(|round| round.felt);
    metrics.put("all_reduce_nmse", mean(felt.map(|felt| felt.nmse)));
    metrics.put("all_reduces", rounds.len() as f64);
    metrics.put(
        "subchannel_rounding_s",
        mean(run.blocks.iter().filter_map(|block| block.rounding_s)),
    );
}
