//! Law 5 of experts: tokens, bits and joules, none is lost and none is invented.

use crate::{SYNTHETIC, number, simulate};
use airloom::device::PRESETS;

#[test]
fn every_token_comes_back_and_every_joule_is_someones() {
    let fields = format!("{SYNTHETIC}, server_compute: Timed");
    let run = simulate(
        &fields,
        "Tokens(prompt: 30), Tokens(prompt: 5, generate: 2)",
    );
    let events = run.rows("events.csv");
    let bits = |kind: &str| -> u64 {
        let of_kind = events.iter().filter(|event| event["kind"] == kind);
        of_kind
            .map(|event| event["bits"].parse::<u64>().unwrap_or(0))
            .sum()
    };
    let visits: f64 = run
        .rows("experts.csv")
        .iter()
        .map(|e| number(e, "visits"))
        .sum();
    assert_eq!(visits, 2.0 * 32.0 * 36.0);
    assert_eq!(run.metric("expert_visits"), visits);
    assert_eq!(bits("downlink"), visits as u64 * 65536);
    assert_eq!(bits("uplink"), visits as u64 * 65536);
    let joules: f64 = events
        .iter()
        .map(|e| e["joules"].parse::<f64>().unwrap_or(0.0))
        .sum();
    let parts = ["energy_compute_j", "energy_radio_j", "energy_idle_j"];
    let parts: f64 = parts.iter().map(|part| run.metric(part)).sum();
    assert!((run.metric("energy_j") / parts - 1.0).abs() < 1e-12);
    let makespan = run.metric("makespan_s");
    let server = PRESETS
        .iter()
        .find(|preset| preset.name == "edge-server-l4");
    let server_idle = server.unwrap().profile.idle_power.unwrap().0;
    // Four devices of 1 W and the server draw their idle power all the time.
    let idle = (4.0 + server_idle) * makespan;
    assert!((run.metric("energy_idle_j") / idle - 1.0).abs() < 1e-12);
    assert!(((joules + idle) / parts - 1.0).abs() < 1e-9);
    // Whatever was not measured is absent.
    for name in ["perplexity", "accuracy", "all_reduce_mse"] {
        assert_eq!(run.finished.metrics.get(name), None, "{name}");
    }
}
