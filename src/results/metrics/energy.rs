//! What a run spends and holds.

use super::{Collector, Definition, Metrics, of_mode};
use crate::measurement::{Measurements, Mode, NodeRecord};
use crate::results::readable::significant;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "energy_j",
        symbol: "E",
        unit: "J",
        meaning: "energy of the whole run: compute + radio + idle, of all nodes",
        present: "every node and the radio can state joules",
    },
    Definition {
        name: "energy_compute_j",
        symbol: "",
        unit: "J",
        meaning: "energy of all nodes' compute",
        present: "every node states the energy of a FLOP and of a byte",
    },
    Definition {
        name: "energy_radio_j",
        symbol: "",
        unit: "J",
        meaning: "energy radiated by all nodes",
        present: "transmit power is known in watts",
    },
    Definition {
        name: "energy_idle_j",
        symbol: "",
        unit: "J",
        meaning: "idle power of all nodes over the whole run, busy or not",
        present: "every node states its idle power",
    },
    Definition {
        name: "energy_score_j",
        symbol: "",
        unit: "J",
        meaning: "the part of energy_j spent while Score requests were served",
        present: "energy_j is, and a Score request was served",
    },
    Definition {
        name: "energy_generate_j",
        symbol: "",
        unit: "J",
        meaning: "the part of energy_j spent while Generate requests were served",
        present: "energy_j is, and a Generate request was served",
    },
    Definition {
        name: "energy_choose_j",
        symbol: "",
        unit: "J",
        meaning: "the part of energy_j spent while Choose requests were served",
        present: "energy_j is, and a Choose request was served",
    },
    Definition {
        name: "tokens_per_joule",
        symbol: "TPJ",
        unit: "1/J",
        meaning: "generated tokens over energy_generate_j",
        present: "energy_generate_j is",
    },
    Definition {
        name: "energy_budget_ratio",
        symbol: "",
        unit: "1",
        meaning: "joules that a node drew for a vector, in the sublayer's compute and in sending, over its budget P_n: the largest over nodes and all-reduces; above 1 the budget was passed",
        present: "budgets are EnergyPerVector, and nodes sent",
    },
    Definition {
        name: "peak_memory_bytes",
        symbol: "",
        unit: "B",
        meaning: "largest memory use of any node: weights + KV cache + activations",
        present: "always",
    },
];

pub(super) fn collect(run: &Measurements, metrics: &mut Collector) {
    let nodes = || run.totals.per_node.iter();
    let total = |joules: fn(&NodeRecord) -> Option<f64>| nodes().map(joules).sum::<Option<f64>>();
    let compute = total(|node| node.compute_j);
    let radio = total(|node| node.radio_j);
    let idle = total(|node| node.idle_j);
    metrics.put("energy_compute_j", compute);
    metrics.put("energy_radio_j", radio);
    metrics.put("energy_idle_j", idle);
    let parts = [compute, radio, idle];
    metrics.put("energy_j", parts.into_iter().sum::<Option<f64>>());
    let drawn = run.blocks.iter().filter_map(|block| block.budget);
    metrics.put(
        "energy_budget_ratio",
        drawn.map(|budget| budget.ratio).reduce(f64::max),
    );
    let peak = nodes()
        .map(|node| node.weight_bytes + node.kv_cache_bytes + node.activation_bytes)
        .max();
    metrics.put("peak_memory_bytes", peak.map(|bytes| bytes as f64));
    let of = |mode| {
        let joules: Option<f64> = of_mode(run, mode).map(|request| request.energy_j).sum();
        joules.filter(|_| of_mode(run, mode).next().is_some())
    };
    metrics.put("energy_score_j", of(Mode::Score));
    metrics.put("energy_generate_j", of(Mode::Generate));
    metrics.put("energy_choose_j", of(Mode::Choose));
    let generated: u64 = of_mode(run, Mode::Generate)
        .map(|request| request.output_tokens)
        .sum();
    metrics.put(
        "tokens_per_joule",
        of(Mode::Generate).map(|joules| generated as f64 / joules),
    );
}

/// A budget counts as passed beyond this, which is more than rounding.
const PASSED: f64 = 1.0 + 1e-9;

/// What to say of a run whose nodes drew more than their budgets, if they did.
pub fn overdraft(metrics: &Metrics) -> Option<String> {
    let ratio = metrics.get("energy_budget_ratio")?;
    (ratio > PASSED).then(|| {
        format!(
            "a node draws up to {} times its budget P_n for a vector (blocks.csv tells where): \
             KV cache, norms, activations, unlike halves of a layer and pilots come on top of the \
             weights that (8) charges; radio.convention: EnergyPerVector(charge: Sublayer) \
             charges all but pilots",
            significant(ratio)
        )
    })
}
