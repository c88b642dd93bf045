//! What a run spends and holds.

use super::{Collector, Definition, Metrics, of_mode};
use crate::architecture::measurement::{DeviceRecord, Measurements, Mode};
use crate::results::readable::significant;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "energy_j",
        symbol: "E",
        unit: "J",
        meaning: "energy of the whole run: compute + radio + idle + server",
        present: "every device, the server and the radio can state joules",
    },
    Definition {
        name: "energy_compute_j",
        symbol: "",
        unit: "J",
        meaning: "energy of the devices' compute",
        present: "every device states the energy of a FLOP and of a byte",
    },
    Definition {
        name: "energy_radio_j",
        symbol: "",
        unit: "J",
        meaning: "energy radiated by the devices",
        present: "transmit power is known in watts",
    },
    Definition {
        name: "energy_idle_j",
        symbol: "",
        unit: "J",
        meaning: "idle power of the devices over the whole run, busy or not",
        present: "every device states its idle power",
    },
    Definition {
        name: "energy_server_j",
        symbol: "",
        unit: "J",
        meaning: "energy of the server: compute + radio + idle",
        present: "the server and the radio can state joules",
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
        meaning: "joules that a device drew for a vector, in the sublayer's compute and in sending, over its budget P_n: the largest over devices and all-reduces; above 1 the budget was passed",
        present: "budgets are EnergyPerVector, and devices sent",
    },
    Definition {
        name: "peak_memory_bytes",
        symbol: "",
        unit: "B",
        meaning: "largest memory use of any device: weights + KV cache + activations",
        present: "always",
    },
];

pub(super) fn collect(run: &Measurements, metrics: &mut Collector) {
    let devices = || run.devices.iter().filter(|device| device.device.is_some());
    let server = || run.devices.iter().filter(|device| device.device.is_none());
    let total =
        |joules: fn(&DeviceRecord) -> Option<f64>| devices().map(joules).sum::<Option<f64>>();
    let compute = total(|device| device.compute_j);
    let radio = total(|device| device.radio_j);
    let idle = total(|device| device.idle_j);
    let server: Option<f64> = server()
        .map(|server| Some(server.compute_j? + server.radio_j? + server.idle_j?))
        .sum();
    metrics.put("energy_compute_j", compute);
    metrics.put("energy_radio_j", radio);
    metrics.put("energy_idle_j", idle);
    metrics.put("energy_server_j", server);
    let parts = [compute, radio, idle, server];
    metrics.put("energy_j", parts.into_iter().sum::<Option<f64>>());
    let drawn = run.blocks.iter().filter_map(|block| block.budget);
    metrics.put(
        "energy_budget_ratio",
        drawn.map(|budget| budget.ratio).reduce(f64::max),
    );
    let peak = devices()
        .map(|device| device.weight_bytes + device.kv_cache_bytes + device.activation_bytes)
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

/// What to say of a run whose devices drew more than their budgets, if they did.
pub fn overdraft(metrics: &Metrics) -> Option<String> {
    let ratio = metrics.get("energy_budget_ratio")?;
    (ratio > PASSED).then(|| {
        format!(
            "a device draws up to {} times its budget P_n for a vector (blocks.csv tells where): \
             KV cache, norms, activations, unlike halves of a layer and pilots come on top of the \
             weights that (8) charges; radio.convention: EnergyPerVector(charge: Sublayer) \
             charges all but pilots",
            significant(ratio)
        )
    })
}
