//! Energy that is drawn all the time, time in which nothing is asked for, and budgets in joules
//! per vector against what a run draws.

use crate::{Run, simulate};
use airloom::measurement::{Measurements, NodeRecord};
use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{RunOptions, prepare, run};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// Runs a scenario of a model that is only a shape.
fn timed(shape: &str, body: &str) -> Run {
    let text = format!("Scenario(model: Shape({shape:?}), {body})");
    let resolved = scenario::parse(&text, Path::new("test.ron"), &[]).unwrap();
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).unwrap();
    Run {
        finished,
        measured,
        folder,
    }
}

fn joules(device: &NodeRecord) -> f64 {
    device.compute_j.unwrap() + device.radio_j.unwrap() + device.idle_j.unwrap()
}

/// A LLaMA-2-7B on one device of 10 TFLOP/s, 100 GB/s, 1 pJ/FLOP and 10 pJ/B, asked twice with
/// a pause between: 4.5638 J of work and 10 W for 101.332 s.
#[test]
fn idle_power_is_drawn_all_the_time_and_a_pause_is_no_waiting() {
    let watts = |idle: &str, memory: &str| {
        format!(
            "Custom(peak: \"10 TFLOP/s\", memory_bandwidth: \"{memory}\", memory: \"64 GB\", \
             idle_power: \"{idle}\", energy_per_flop: \"1 pJ/FLOP\", energy_per_byte: \"10 pJ/B\")"
        )
    };
    let asked = timed(
        "llama-2-7b",
        &format!(
            "nodes: {{\"device\": (count: 1, profile: {}), \"server\": (profile: {})}}, replicas: [(placement: TensorParallel(all_reduce: Ideal))],
             workload: [Tokens(prompt: 64, generate: 10),
                        Tokens(prompt: 64, generate: 10, arrival: At(\"100 s\"))]",
            watts("10 W", "100 GB/s"),
            watts("100 W", "1 TB/s"),
        ),
    );
    let makespan = asked.metric("makespan_s");
    assert!((makespan - 101.332).abs() < 1e-3, "{makespan}");
    let [device, server] = &asked.finished.totals.per_node[..] else {
        panic!("one device and a server")
    };
    assert!(
        (joules(device) - 1017.88).abs() < 0.01,
        "{}",
        joules(device)
    );
    assert!((device.compute_j.unwrap() - 4.5638).abs() < 1e-3);
    assert!((server.idle_j.unwrap() / (100.0 * makespan) - 1.0).abs() < 1e-12);
    // The second request comes when the first has long been answered.
    let [first, second] = &asked.measured.requests[..] else {
        panic!("two requests")
    };
    let pause = second.admitted.unwrap().since(first.end);
    assert!(pause.as_seconds() > 90.0);
    for record in [device, server] {
        assert_eq!(record.no_request, pause);
        let parts = record.compute + record.uplink + record.downlink + record.wait;
        assert_eq!(
            parts + pause,
            second.end.since(airloom::units::Instant::ZERO)
        );
    }
    // What the server computes the device waits for, and nothing else.
    assert_eq!(device.wait, server.compute);
    assert!((asked.metric("no_request_s") - pause.as_seconds()).abs() < 1e-12);
}

/// Four unlike devices whose shares and halves differ, with a budget of 12 µJ per vector.
fn budgeted(charge: &str, workload: &str) -> Run {
    simulate(&format!(
        "nodes: {{\"device\": (count: 4, profile: Preset(\"jetson-orin-nano\"),
                   except: {{1: Preset(\"phone-a17-pro\"), 3: Custom(peak: \"153.6 GFLOP/s\", efficiency: 0.6,
                       memory_bandwidth: \"17.1 GB/s\", memory: \"8 GB\", overhead: \"50 us\",
                       energy_per_flop: \"54.140625 pJ/FLOP\", energy_per_byte: \"40 pJ/B\",
                       idle_power: \"3 W\")}})}},
         links: {{\"air\": Radio(budget: Normalised(snr: \"0 dB\", reference_power: \"2 W\"),
                 convention: EnergyPerVector(energy: \"30 uJ\", charge: {charge}),
                 budget_offsets: {{1: \"-1 dB\"}})}},
         replicas: [(placement: TensorParallel(all_reduce: AirComp(streams: 4), design: Descent(),
                                      assignment: Fixed([0.3, 0.2, 0.3, 0.2])))],
         workload: [{workload}]"
    ))
}

/// Σ joules of a device's compute and uplink around each all-reduce, from the events, over the
/// pass's tokens and the device's budget; the largest.
fn drawn(run: &Run) -> f64 {
    let tokens: BTreeMap<(u32, u32), u64> = run
        .measured
        .passes
        .iter()
        .map(|pass| ((pass.request, pass.step), pass.tokens))
        .collect();
    let mut spent: BTreeMap<String, f64> = BTreeMap::new();
    for event in run.events() {
        let half = match event["stage"].as_str() {
            "attention" | "attention_uplink" => "attention",
            "mlp" | "mlp_uplink" => "mlp",
            _ => continue,
        };
        let number = |column: &str| event[column].parse::<u32>().unwrap();
        let vectors = tokens[&(number("request"), number("step"))] as f64;
        let budget = match event["node"].as_str() {
            "device1" => 30e-6 * 10f64.powf(-0.1),
            _ => 30e-6,
        };
        let joules = event["joules"].parse::<f64>().unwrap() / vectors / budget;
        let key = ["request", "step", "layer", "node"].map(|column| event[column].as_str());
        *spent.entry(key.join("/") + half).or_default() += joules;
    }
    spent.into_values().fold(0.0, f64::max)
}

#[test]
fn what_a_vector_costs_is_held_against_its_budget() {
    let workload =
        "Score(text: World(documents: 1)), Generate(prompt: \"Once Clara\", max_tokens: 12)";
    let literal = budgeted("Weights", workload);
    let ratio = literal.metric("energy_budget_ratio");
    assert!((ratio / drawn(&literal) - 1.0).abs() < 1e-9, "{ratio}");
    // (8) charges half a layer's weights, and a run draws more.
    assert!(ratio > 1.02, "{ratio}");
    let warning = &literal.finished.warnings()[0];
    assert!(warning.contains("charge: Sublayer"), "{warning}");

    let whole = budgeted("Sublayer", workload);
    let ratio = whole.metric("energy_budget_ratio");
    assert!((ratio / drawn(&whole) - 1.0).abs() < 1e-9, "{ratio}");
    assert!(ratio <= 1.0 + 1e-9 && ratio > 0.9, "{ratio}");
    assert!(whole.finished.warnings().is_empty());
}

/// A budget of watts is none of joules, and a digital sum has a quantiser and no equation (7).
#[test]
fn a_run_says_only_what_applies_to_it() {
    let body = |all_reduce: &str| {
        simulate(&format!(
            "nodes: {{\"device\": (count: 2)}}, replicas: [(placement: TensorParallel(all_reduce: {all_reduce}))],
             workload: [Score(text: World(documents: 1))]"
        ))
    };
    // Fine enough steps that entries are spread over many of them.
    let digital = body("Digital(bits: 12)");
    let metric = |run: &Run, name: &str| run.finished.metrics.get(name);
    assert_eq!(metric(&digital, "energy_budget_ratio"), None);
    assert_eq!(metric(&digital, "all_reduce_analytic_mse"), None);
    let predicted = digital.metric("all_reduce_quantiser_mse");
    let measured = digital.metric("all_reduce_mse");
    assert!(
        (measured / predicted - 1.0).abs() < 0.3,
        "{measured} {predicted}"
    );
    let summary = digital.finished.summary(None).to_string();
    assert!(!summary.contains("equation (7)"), "{summary}");
    assert!(summary.contains("Δ²/12"), "{summary}");
    let air = body("AirComp()");
    assert_eq!(metric(&air, "all_reduce_quantiser_mse"), None);
    assert!(metric(&air, "all_reduce_analytic_mse").is_some());
}
