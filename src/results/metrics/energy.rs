//! What a run spends and holds.

use super::mean::Mean;
use super::{Collector, Definition, Metrics, of_mode};
use crate::measurement::{BlockRecord, Mode, NodeRecord, RequestRecord, Totals};
use crate::results::readable::significant;
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "energy_j",
        symbol: "E",
        unit: "J",
        meaning: "energy of the whole run: compute + radio + idle, of all nodes",
        present: "every node and the radio can state joules",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_compute_j",
        symbol: "",
        unit: "J",
        meaning: "energy of all nodes' compute",
        present: "every node states the energy of a FLOP and of a byte",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_radio_j",
        symbol: "",
        unit: "J",
        meaning: "energy radiated by all nodes",
        present: "transmit power is known in watts",
        rests_on: RestsOn::LINKS,
    },
    Definition {
        name: "energy_idle_j",
        symbol: "",
        unit: "J",
        meaning: "idle power of all nodes over the whole run, busy or not",
        present: "every node states its idle power",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_score_j",
        symbol: "",
        unit: "J",
        meaning: "energy of the passes of Score requests, computing and radiating; with those of the other modes and energy_idle_j it adds up to energy_j",
        present: "every node and the radio can state joules of work, and a Score request was served",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_generate_j",
        symbol: "",
        unit: "J",
        meaning: "energy of the passes of Generate requests, computing and radiating; with those of the other modes and energy_idle_j it adds up to energy_j",
        present: "every node and the radio can state joules of work, and a Generate request was served",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_choose_j",
        symbol: "",
        unit: "J",
        meaning: "energy of the passes of Choose requests, computing and radiating; with those of the other modes and energy_idle_j it adds up to energy_j",
        present: "every node and the radio can state joules of work, and a Choose request was served",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "tokens_per_joule",
        symbol: "TPJ",
        unit: "1/J",
        meaning: "generated_tokens over energy_j, idling and other requests included",
        present: "energy_j is, and tokens were generated",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_per_token_j",
        symbol: "",
        unit: "J",
        meaning: "energy_generate_j over generated_tokens: what tokens cost beside idling",
        present: "energy_generate_j is, and tokens were generated",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_per_request_j",
        symbol: "",
        unit: "J",
        meaning: "energy of a request's passes, computing and radiating on all nodes, a batch's divided by tokens: mean over requests; idling is nobody's",
        present: "every node and the radio can state joules of work",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_first_token_j",
        symbol: "",
        unit: "J",
        meaning: "the part of a request's energy up to its first token: mean over requests",
        present: "energy_per_request_j is, and tokens were generated",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_delay_js",
        symbol: "EDP",
        unit: "J·s",
        meaning: "energy–delay product: a request's energy times its end-to-end latency, mean over requests",
        present: "energy_per_request_j is",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "requests_per_joule",
        symbol: "RPJ",
        unit: "1/J",
        meaning: "requests answered over energy_j, idling included",
        present: "energy_j is",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "energy_budget_ratio",
        symbol: "",
        unit: "1",
        meaning: "joules that a node drew for a vector, in the sublayer's compute and in sending, over its budget P_n: the largest over nodes and all-reduces; above 1 the budget was passed",
        present: "budgets are EnergyPerVector, and nodes sent",
        rests_on: RestsOn::ENERGY,
    },
    Definition {
        name: "peak_memory_bytes",
        symbol: "",
        unit: "B",
        meaning: "largest memory use of any node: weights + KV cache + activations",
        present: "always",
        rests_on: RestsOn::NOTHING,
    },
];

/// Budgets drawn on so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Budgets(Option<f64>);

impl Budgets {
    pub(super) fn enter(&mut self, block: &BlockRecord) {
        let drawn = block.budget.map(|budget| budget.ratio);
        self.0 = self.0.into_iter().chain(drawn).reduce(f64::max);
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        metrics.put("energy_budget_ratio", self.0);
    }
}

pub(super) fn collect(requests: &[RequestRecord], totals: &Totals, metrics: &mut Collector) {
    let nodes = || totals.per_node.iter();
    let total = |joules: fn(&NodeRecord) -> Option<f64>| nodes().map(joules).sum::<Option<f64>>();
    let compute = total(|node| node.compute_j);
    let radio = total(|node| node.radio_j);
    let idle = total(|node| node.idle_j);
    metrics.put("energy_compute_j", compute);
    metrics.put("energy_radio_j", radio);
    metrics.put("energy_idle_j", idle);
    let whole = [compute, radio, idle].into_iter().sum::<Option<f64>>();
    metrics.put("energy_j", whole);
    let peak = nodes()
        .map(|node| node.weight_bytes + node.kv_cache_bytes + node.activation_bytes)
        .max();
    metrics.put("peak_memory_bytes", peak.map(|bytes| bytes as f64));
    let answered = || requests.iter().filter(|request| request.is_answered());
    let of = |mode| {
        let of_mode = || answered().filter(move |request| request.mode == mode);
        let joules: Option<f64> = of_mode().map(|request| request.energy_j).sum();
        joules.filter(|_| of_mode().next().is_some())
    };
    let generating = of(Mode::Generate);
    metrics.put("energy_score_j", of(Mode::Score));
    metrics.put("energy_generate_j", generating);
    metrics.put("energy_choose_j", of(Mode::Choose));
    let generated = of_mode(requests, Mode::Generate);
    let generated: u64 = generated.map(|request| request.output_tokens).sum();
    let tokens = (generated > 0).then_some(generated as f64);
    metrics.put(
        "energy_per_token_j",
        generating
            .zip(tokens)
            .map(|(joules, tokens)| joules / tokens),
    );
    metrics.put(
        "tokens_per_joule",
        whole.zip(tokens).map(|(joules, tokens)| tokens / joules),
    );
    let count = answered().count();
    let each: Option<f64> = answered().map(|request| request.energy_j).sum();
    metrics.put("energy_per_request_j", each.map(|sum| sum / count as f64));
    let first: Vec<f64> = answered()
        .filter_map(|request| request.energy_first_token_j)
        .collect();
    metrics.put("energy_first_token_j", Mean::of(first.into_iter()));
    let products = answered().map(|request| {
        let latency = request.latency()?.as_seconds();
        Some(request.energy_j? * latency)
    });
    let products: Option<f64> = products.sum();
    metrics.put("energy_delay_js", products.map(|sum| sum / count as f64));
    metrics.put(
        "requests_per_joule",
        whole
            .filter(|_| count > 0)
            .map(|joules| count as f64 / joules),
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
