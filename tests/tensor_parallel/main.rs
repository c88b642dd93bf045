//! Whole tensor-parallel runs against second routes to the same numbers: closed
//! forms, the unsharded model, and conservation laws over the event log.

mod energy;
mod hierarchy;
mod misalignment;
mod timed;

use airloom::corpus::{Split, World};
use airloom::device::Group;
use airloom::measurement::Measurements;
use airloom::model::{ShardPlan, Shares};
use airloom::numerics::{Llama, Rows, Tokenizer, score};
use airloom::rng::Streams;
use airloom::scenario::{self, Resolved};
use airloom::simulation::{Finished, RunOptions, prepare, run};
use airloom::units::Duration;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const MODEL: &str = "models/tiny-llama";

struct Run {
    finished: Finished,
    measured: Measurements,
    folder: TempDir,
}

impl Run {
    fn metric(&self, name: &str) -> f64 {
        let value = self.finished.metrics.get(name);
        value.unwrap_or_else(|| panic!("{name} was not measured"))
    }

    fn rows(&self, file: &str) -> Vec<BTreeMap<String, String>> {
        let path = self.folder.path().join("run").join(file);
        let mut reader = csv::Reader::from_path(path).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// The event log, with the request and the step that each batch served.
    fn events(&self) -> Vec<BTreeMap<String, String>> {
        let mut served = BTreeMap::new();
        for batch in self.rows("batches.csv") {
            let place = ["request", "step"].map(|column| batch[column].clone());
            assert_eq!(served.insert(batch["batch"].clone(), place), None);
        }
        let mut events = self.rows("events.csv");
        for event in &mut events {
            if let Some([request, step]) = served.get(&event["batch"]).cloned() {
                event.insert("request".to_owned(), request);
                event.insert("step".to_owned(), step);
            }
        }
        events
    }
}

fn resolve(body: &str) -> Resolved {
    let text = format!("Scenario(model: Folder({MODEL:?}), {body})");
    match scenario::parse(&text, Path::new("test.ron"), &[]) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    }
}

fn simulate(body: &str) -> Run {
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&resolve(body), streams, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).unwrap();
    Run {
        finished,
        measured,
        folder,
    }
}

/// Σ −ln p of the bundled world's first held-out documents, from the whole model.
fn unsharded_nats(documents: u64) -> (f64, u64) {
    let model = Llama::load(Path::new(MODEL)).unwrap();
    let tokenizer = Tokenizer::load(Path::new(MODEL)).unwrap();
    let whole = model
        .shard(&ShardPlan::whole(model.shape()).unwrap())
        .unwrap();
    let (begin, end) = (model.config().bos.unwrap(), model.config().eos[0]);
    let mut workspace = whole.workspace();
    let (mut nats, mut count) = (0.0, 0);
    for number in 0..documents {
        let text = World::new(1).document(Split::HeldOut, number).text;
        let mut tokens = vec![begin];
        tokens.extend(tokenizer.encode(&text).unwrap());
        let mut targets = tokens[1..].to_vec();
        targets.push(end);
        let mut cache = whole.cache(tokens.len()).unwrap();
        whole
            .forward_ideal(&tokens, &mut cache, &mut workspace, Rows::All)
            .unwrap();
        let logits = workspace.logits().unwrap();
        nats += score(&logits, model.shape().vocabulary, &targets)
            .unwrap()
            .iter()
            .sum::<f64>();
        count += targets.len() as u64;
    }
    (nats, count)
}

#[test]
fn law_7_one_device_scores_exactly_as_the_unsharded_model() {
    let run =
        simulate("nodes: {\"device\": (count: 1)}, workload: [Score(text: World(documents: 3))]");
    let (nats, tokens) = unsharded_nats(3);
    let request = &run.measured.requests[0];
    assert_eq!(request.scored_tokens, tokens);
    assert_eq!(
        request.negative_log_likelihood.unwrap().to_bits(),
        nats.to_bits()
    );
}

#[test]
fn law_7_a_perfect_channel_leaves_the_model_as_it_is() {
    let (nats, tokens) = unsharded_nats(3);
    let exact = (nats / tokens as f64).exp();
    for devices in [2, 3, 8] {
        let run = simulate(&format!(
            "nodes: {{\"device\": (count: {devices})}}, workload: [Score(text: World(documents: 3))],
             replicas: [(placement: TensorParallel(all_reduce: Ideal))]"
        ));
        let error = (run.metric("perplexity") / exact - 1.0).abs();
        // f32 sums in another order: relative errors of 1e-7 a rounding, a few
        // hundred roundings deep.
        assert!(error < 1e-4, "{devices} devices: {error}");
    }
}

#[test]
fn scoring_step_by_step_gives_the_likelihoods_of_a_prefill() {
    let nats = |stepwise: bool| {
        let run = simulate(&format!(
            "nodes: {{\"device\": (count: 2)}}, replicas: [(placement: TensorParallel(all_reduce: Ideal))],
             workload: [Score(text: World(documents: 1), stepwise: {stepwise})]"
        ));
        let passes = run.measured.passes.len();
        let nats = run.measured.requests[0].negative_log_likelihood;
        (nats.unwrap(), passes)
    };
    let ((prefill, one), (stepwise, many)) = (nats(false), nats(true));
    assert_eq!(one, 1);
    assert!(many > 10);
    // Each pass's nats are summed apart: f64 rounding is all that may differ.
    assert!(
        (prefill / stepwise - 1.0).abs() < 1e-12,
        "{prefill} {stepwise}"
    );
}

#[test]
fn a_decode_step_takes_what_the_closed_form_says() {
    let body = "nodes: {\"device\": (count: 4)}, links: {\"air\": Radio(bandwidth: \"7 MHz\", round_overhead: \"3 us\")},
        replicas: [(placement: TensorParallel(all_reduce: AirComp(streams: 3)))],
        workload: [Generate(prompt: \"The\", max_tokens: 3)]";
    let run = simulate(body);
    let resolved = resolve(body);
    let model = Llama::load(Path::new(MODEL)).unwrap();
    let shape = model.shape();
    let plan = ShardPlan::new(shape, &Shares::equal(4).unwrap()).unwrap();
    let device = *resolved.profile(resolved.replicas[0].members()[0]);
    let pass = &run.measured.passes[1];
    let context = pass.context as usize;
    let compute = |work, weights| {
        let group = Group {
            devices: 4,
            weights,
        };
        device.compute(&work, group).unwrap().duration
    };
    // Two real entries a symbol, three symbols a channel use.
    let uses = (shape.hidden as f64 / 6.0).ceil();
    let air = Duration::from_seconds(uses / 7e6 + 3e-6).unwrap();
    let layer = [
        compute(plan.attention(0, 1, context), shape.attention_parameters()),
        air,
        compute(plan.mlp(0, 1), shape.mlp_parameters()),
        air,
    ];
    let layers: Duration = (0..shape.layers).flat_map(|_| layer).sum();
    let head = compute(plan.lm_head(0, 1), shape.embedding_parameters());
    let server: Duration = run
        .events()
        .iter()
        .filter(|event| event["step"] == "1" && event["resource"] == "server.compute")
        .map(|event| {
            let at = |column: &str| event[column].parse::<u64>().unwrap();
            Duration(at("end_ps") - at("start_ps"))
        })
        .sum();
    assert_eq!(pass.end.since(pass.start), layers + head + server);
}

const BUSY: &str = "nodes: {\"device\": (count: 3, except: {1: Preset(\"raspberry-pi-5\")})},
    replicas: [(placement: TensorParallel(assignment: Fixed([0.5, 0.125, 0.375])))],
    links: {\"air\": Radio(downlink: Multicast(bits: 12),
            budget: Normalised(snr: \"20 dB\", reference_power: \"100 mW\"))},
    workload: [Score(text: World(documents: 2)), Generate(prompt: \"The\", max_tokens: 4)]";

#[test]
fn law_5_every_device_computes_sends_receives_or_waits() {
    let run = simulate(BUSY);
    let makespan = run.metric("makespan_s");
    for device in &run.finished.totals.per_node {
        let parts = device.compute + device.uplink + device.downlink + device.wait;
        assert_eq!(device.no_request, Duration::ZERO);
        assert!((parts.as_seconds() - makespan).abs() < 1e-12);
    }
    for pass in &run.measured.passes {
        let split = pass.split;
        let parts = split.compute_s + split.uplink_s + split.downlink_s + split.wait_s;
        let length = pass.end.since(pass.start).as_seconds();
        assert!((parts - length).abs() < 1e-12);
        assert!(split.wait_s >= -1e-12, "{split:?}");
    }
}

#[test]
fn law_5_the_energy_of_the_events_is_the_energy_of_the_run() {
    let run = simulate(BUSY);
    let mut joules: BTreeMap<String, f64> = BTreeMap::new();
    for event in run.events() {
        *joules.entry(event["resource"].clone()).or_default() +=
            event["joules"].parse::<f64>().unwrap();
    }
    let lanes = |suffix: &str| -> f64 {
        let chosen = joules.iter().filter(|(name, _)| name.ends_with(suffix));
        chosen.map(|(_, joules)| joules).sum()
    };
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
    close(lanes(".compute"), run.metric("energy_compute_j"));
    let radio = lanes(".uplink") + lanes(".downlink");
    close(radio, run.metric("energy_radio_j"));
    // What the server radiates nobody else does.
    assert_eq!(joules["device1.downlink"], 0.0);
    let idle: f64 = run
        .finished
        .totals
        .per_node
        .iter()
        .map(|d| d.idle_j.unwrap())
        .sum();
    close(joules.values().sum::<f64>() + idle, run.metric("energy_j"));
    // Idling is nobody's.
    close(
        run.metric("energy_score_j") + run.metric("energy_generate_j") + idle,
        run.metric("energy_j"),
    );
}

#[test]
fn law_5_every_bit_sent_is_received() {
    let run = simulate(BUSY);
    let mut sent: BTreeMap<String, u64> = BTreeMap::new();
    for event in run.events() {
        *sent.entry(event["resource"].clone()).or_default() +=
            event["bits"].parse::<u64>().unwrap();
    }
    assert!(sent["server.downlink"] > 0);
    for device in 0..3 {
        assert_eq!(
            sent[&format!("device{device}.downlink")],
            sent["server.downlink"]
        );
    }
}

#[test]
fn law_8_measured_noise_is_what_the_formula_says() {
    let run = simulate(
        "nodes: {\"device\": (count: 4)}, workload: [Score(text: World(documents: 8))],
         links: {\"air\": Radio(budget: Normalised(snr: \"10 dB\"))}",
    );
    let (noise, analytic) = (
        run.metric("all_reduce_noise_mse"),
        run.metric("all_reduce_analytic_mse"),
    );
    // Means of |CN(0, v)|² over n entries: standard deviation v/√n. Noise of the four
    // streams is correlated and differs between rounds, hence the factor of four.
    let entries: u64 = run
        .measured
        .blocks
        .iter()
        .filter_map(|block| block.distortion)
        .map(|distortion| distortion.entries)
        .sum();
    let tolerance = 4.0 * 4.0 / (entries as f64).sqrt();
    assert!(
        (noise / analytic - 1.0).abs() < tolerance,
        "{noise} {analytic} {tolerance}"
    );
}

#[test]
fn a_noisier_channel_costs_perplexity() {
    let perplexity = |snr: i32| {
        simulate(&format!(
            "nodes: {{\"device\": (count: 4)}}, workload: [Score(text: World(documents: 16))],
             links: {{\"air\": Radio(budget: Normalised(snr: \"{snr} dB\"))}}"
        ))
        .metric("perplexity")
    };
    // Above 5 dB the error is too small to tell on so few documents.
    let [clean, fair, poor] = [40, 0, -5].map(perplexity);
    assert!(clean < fair && fair < poor, "{clean} {fair} {poor}");
}

#[test]
fn a_request_that_comes_later_waits_for_nobody_and_the_clock_goes_on() {
    let run = simulate(
        "nodes: {\"device\": (count: 2)}, workload: [
            Generate(prompt: \"The\", max_tokens: 2),
            Generate(prompt: \"The\", max_tokens: 2, arrival: At(\"2 s\")),
            Generate(prompt: \"The\", max_tokens: 2, arrival: At(\"2 s\")),
        ]",
    );
    let [first, second, third] = &run.measured.requests[..] else {
        panic!("three requests")
    };
    assert!(first.end.as_seconds() < 1.0);
    assert_eq!(second.admitted.unwrap().as_seconds(), 2.0);
    // The third queues behind the second, and its TTFT counts from its arrival.
    assert_eq!(third.arrival.as_seconds(), 2.0);
    assert_eq!(third.admitted, Some(second.end));
}

#[test]
fn first_come_is_first_served_wherever_it_stands_in_the_workload() {
    let run = simulate(
        "nodes: {\"device\": (count: 2)}, workload: [
            Generate(prompt: \"The\", max_tokens: 2, arrival: At(\"5 s\")),
            Generate(prompt: \"The\", max_tokens: 2),
            Generate(prompt: \"The\", max_tokens: 2, arrival: At(\"1 s\")),
            Generate(prompt: \"The\", max_tokens: 2, arrival: At(\"1 s\")),
        ]",
    );
    let requests = &run.measured.requests;
    assert!(requests.iter().map(|r| r.request).eq(0..4));
    let [late, after_late, early, beside] = &requests[..] else {
        panic!("four requests")
    };
    // Nobody is served: the request of the first second waits for none that is yet to come.
    assert_eq!(early.admitted.unwrap().as_seconds(), 1.0);
    assert_eq!(beside.admitted, Some(early.end));
    assert_eq!(late.admitted.unwrap().as_seconds(), 5.0);
    assert_eq!(
        (after_late.arrival, after_late.admitted),
        (late.end, Some(late.end))
    );
}
