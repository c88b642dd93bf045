//! Law 10: what tables say is what the engine recorded, also where tasks wait for each other.

use super::{Row, Tables, number, simulated};
use std::collections::BTreeMap;

/// Two requests at once through two groups, whose members and radios are busy when the second
/// batch comes.
const BUSY: &str = r#"workload: [
    Generate(prompt: "Once Clara was in the barn", max_tokens: 5, arrival: At("0 s")),
    Generate(prompt: "The town of Arden lies in", max_tokens: 5, arrival: At("0 s")),
    Score(text: World(documents: 2), arrival: At("0 s")),
],
replicas: [(in_flight: 3, placement: Pipeline(stages: [
    TensorParallel(over: "left", at: "edge", all_reduce: AirComp(streams: 4)),
    TensorParallel(over: "right", at: "edge", all_reduce: Digital(bits: 8)),
]))],"#;

/// Seconds of a column.
fn seconds(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

#[test]
fn law_10_sublayers_are_what_the_log_says_though_tasks_queue() {
    let run = Tables::of(BUSY);
    let events = run.rows("events.csv");
    let queued = events.iter().filter(|e| e["reason"] == "resource").count();
    assert!(queued > 0, "tasks queue for a resource");
    let batches = run.rows("batches.csv");
    let mut checked = 0;
    for block in run.rows("blocks.csv") {
        let batch = batch_of(&batches, &block);
        let of = |stage: String| -> Vec<&Row> {
            let own = |event: &&Row| {
                event["stage"] == stage
                    && event["layer"] == block["layer"]
                    && event["batch"] == batch
            };
            events.iter().filter(own).collect()
        };
        let parts = of(block["sublayer"].clone());
        assert_eq!(parts.len(), 2);
        let ends: Vec<u64> = parts.iter().map(|part| number(part, "end_ps")).collect();
        let gathered = *ends.iter().max().unwrap();
        let ready = parts.iter().map(|part| number(part, "ready_ps")).min();
        assert_eq!(number(&block, "gathered_ps"), gathered);
        assert_eq!(number(&block, "start_ps"), ready.unwrap());
        let waited: u64 = ends.iter().map(|end| gathered - end).sum();
        assert!((seconds(&block, "waiting_s") - waited as f64 * 1e-12).abs() < 1e-15);
        let reduced = of(format!("{}_uplink", block["sublayer"]));
        let reduced = reduced.iter().map(|sent| number(sent, "end_ps")).max();
        assert_eq!(number(&block, "reduced_ps"), reduced.unwrap());
        let last = parts.iter().find(|part| number(part, "end_ps") == gathered);
        assert_eq!(block["slowest_node"], last.unwrap()["node"]);
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

/// The batch of a row that names request and step.
fn batch_of(batches: &[Row], row: &Row) -> String {
    let own = batches
        .iter()
        .find(|batch| batch["request"] == row["request"] && batch["step"] == row["step"]);
    own.unwrap()["batch"].clone()
}

#[test]
fn law_5_nodes_did_what_the_log_says_and_every_request_is_answered_once() {
    let run = Tables::of(BUSY);
    let events = run.rows("events.csv");
    let mut joules: BTreeMap<String, f64> = BTreeMap::new();
    for event in &events {
        // Who sends pays, on whichever lane it is heard.
        let payer = match event["kind"].as_str() {
            "downlink" if !event["peer"].is_empty() => &event["peer"],
            _ => &event["node"],
        };
        *joules.entry(payer.clone()).or_default() += seconds(event, "joules");
    }
    for node in run.rows("nodes.csv") {
        let of = |kinds: &'static [&'static str]| {
            let name = node["node"].clone();
            events.iter().filter(move |event| {
                event["node"] == name && kinds.contains(&event["kind"].as_str())
            })
        };
        for (column, kinds) in [
            ("compute_s", &["compute"][..]),
            ("uplink_s", &["uplink", "transfer"]),
            ("downlink_s", &["downlink"]),
        ] {
            let spent = of(kinds).map(|e| number(e, "end_ps") - number(e, "start_ps"));
            let spent = spent.sum::<u64>() as f64 * 1e-12;
            assert!((seconds(&node, column) - spent).abs() < 1e-12, "{column}");
        }
        let bits: u64 = of(&["uplink", "transfer"]).map(|e| number(e, "bits")).sum();
        assert_eq!(number(&node, "uplink_bits"), bits);
        if !node["energy_radio_j"].is_empty() {
            let spent = seconds(&node, "energy_compute_j") + seconds(&node, "energy_radio_j");
            let logged = joules.get(&node["node"]).copied().unwrap_or(0.0);
            assert!(
                (spent - logged).abs() <= 1e-12 * logged.abs(),
                "{spent} {logged}"
            );
        }
    }
    let requests = run.rows("requests.csv");
    let served: Vec<u64> = requests.iter().map(|row| number(row, "request")).collect();
    assert_eq!(served, [0, 1, 2]);
}

#[test]
fn law_4_nothing_starts_before_its_inputs_end() {
    let run = Tables::of(BUSY);
    let events = run.rows("events.csv");
    for (place, event) in events.iter().enumerate() {
        assert_eq!(number(event, "number"), place as u64);
        for input in event["inputs"].split_whitespace() {
            let input = &events[input.parse::<usize>().unwrap()];
            assert!(number(input, "end_ps") <= number(event, "ready_ps"));
        }
    }
}

/// Two requests that are generated at once, from the first instant to the last: the pace is their
/// tokens over the makespan.
#[test]
fn the_time_of_requests_served_at_once_counts_once() {
    let run = simulated(
        r#"replicas: [(placement: Single(at: "edge")), (placement: Single(at: "cloud"))],
        workload: [
            Generate(prompt: "Once Clara was", max_tokens: 4, arrival: At("0 s")),
            Generate(prompt: "The town of Arden lies in", max_tokens: 6, arrival: At("0 s")),
        ],"#,
    );
    let metric = |name| run.metrics.get(name).unwrap();
    let tokens = metric("tokens_per_s") * metric("makespan_s");
    assert!(
        (tokens / metric("generated_tokens") - 1.0).abs() < 1e-9,
        "{tokens}"
    );
}
