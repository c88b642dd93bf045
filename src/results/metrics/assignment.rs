//! What is to be expected of the division of the model.

use super::{Collector, Definition};
use crate::measurement::Totals;
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "assignment_mse",
        symbol: "",
        unit: "1",
        meaning: "error per complex entry to be expected of the shares asked for: mean over channel samples that neither assignment nor run sees",
        present: "the model is divided other than equally, and combined over the air",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "assignment_rounded_mse",
        symbol: "",
        unit: "1",
        meaning: "the same after rounding to whole heads and columns, replicated weights included",
        present: "the model is divided other than equally, and combined over the air",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "assignment_compute_s",
        symbol: "",
        unit: "s",
        meaning: "compute per layer and token with the shares asked for, each half waiting for its slowest node",
        present: "the model is divided other than equally",
        rests_on: RestsOn::COMPUTE,
    },
    Definition {
        name: "assignment_rounded_compute_s",
        symbol: "",
        unit: "s",
        meaning: "the same after rounding to whole heads and columns",
        present: "the model is divided other than equally",
        rests_on: RestsOn::COMPUTE,
    },
];

pub(super) fn collect(totals: &Totals, metrics: &mut Collector) {
    let Some(record) = &totals.assignment else {
        return;
    };
    for (division, error, compute) in [
        (&record.asked, "assignment_mse", "assignment_compute_s"),
        (
            &record.rounded,
            "assignment_rounded_mse",
            "assignment_rounded_compute_s",
        ),
    ] {
        metrics.put(error, division.error.map(|(mean, _)| mean));
        metrics.put(compute, division.compute_s);
    }
}
