//! Law 12: a threshold of 1 is plain decoding to the bit; neither batches, nor memory, nor where
//! layers lie changes a token; each state crosses once.

use super::{NODES, WORKLOAD, depths, parsed, simulated, texts};
use airloom::scenario::parse;
use airloom::simulation::{RunOptions, prepare, run, simulate};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const SINGLE: &str = "placement: Single(at: \"edge\")";
/// Full precision across the cut: nothing is rounded.
const PIPELINE: &str =
    "placement: Pipeline(stages: [Single(at: \"handset\"), Single(at: \"edge\")],
    partition: Fixed([3, 3]), bits: 32)";
const TENSOR: &str = "placement: TensorParallel(over: \"phone\", at: \"edge\", all_reduce: Ideal)";

#[test]
fn at_a_threshold_of_one_every_logit_is_that_of_plain_decoding() {
    for placement in [SINGLE, PIPELINE, TENSOR] {
        let plain = simulated(placement, WORKLOAD);
        let replica = format!("{placement}, decoding: EarlyExit(threshold: 1)");
        let never = simulated(&replica, WORKLOAD);
        assert_eq!(plain.logits_blake3, never.logits_blake3, "{placement}");
        assert_eq!(texts(&plain), texts(&never));
        assert!(never.measured.exits.iter().all(|exit| exit.layers == 6));
        assert_eq!(never.metrics.get("exit_agreement"), Some(1.0));
        assert_eq!(plain.metrics.get("exit_share"), None);
    }
}

#[test]
fn neither_batches_nor_memory_nor_placement_change_a_token_or_its_depth() {
    let exit = "decoding: EarlyExit(threshold: 0.7, after: [2, 3, 5])";
    let alone = simulated(&format!("{SINGLE}, {exit}"), WORKLOAD);
    let left = alone.metrics.get("exit_share").unwrap();
    assert!((0.2..1.0).contains(&left), "{left} left early");
    let several = depths(&alone).iter().map(|(_, _, layers)| *layers).fold(
        BTreeMap::<u32, u32>::new(),
        |mut all, layers| {
            *all.entry(layers).or_default() += 1;
            all
        },
    );
    assert!(several.len() > 2, "{several:?}");
    let together = format!("{SINGLE}, {exit}, scheduler: Continuous(batch: 4)");
    let pieces = format!("{SINGLE}, {exit}, scheduler: Continuous(batch: 3, chunk: 7)");
    // Blocks for fewer than four texts: some are taken out and read again.
    let scarce = format!(
        "{together}, cache: Paged(block: 4, tokens: 96, watermark: 0, preemption: Recompute)"
    );
    let split = format!("{PIPELINE}, {exit}, scheduler: Continuous(batch: 2)");
    let tensor = format!("{TENSOR}, {exit}, scheduler: Continuous(batch: 4)");
    for replica in [&together, &pieces, &scarce, &split, &tensor] {
        let other = simulated(replica, WORKLOAD);
        let whole = |it: &airloom::simulation::Simulated| -> Vec<u64> {
            let mut exits = it.measured.exits.clone();
            exits.sort_by_key(|exit| (exit.request, exit.step));
            exits.iter().map(|exit| exit.nats.to_bits()).collect()
        };
        if replica == &tensor {
            // Two devices add up in another order: the same to rounding.
            continue;
        }
        assert_eq!(texts(&alone), texts(&other), "{replica}");
        assert_eq!(depths(&alone), depths(&other), "{replica}");
        assert_eq!(whole(&alone), whole(&other), "{replica}");
        if replica == &scarce {
            let preempted = other.measured.requests.iter().map(|it| it.preemptions);
            assert!(preempted.sum::<u32>() > 0, "the memory is not scarce");
        }
    }
}

#[test]
fn each_state_crosses_at_most_once_and_only_before_one_that_is_not_sure() {
    let replica = "placement: Pipeline(stages: [Single(at: \"handset\"), Single(at: \"edge\")],
        partition: Fixed([3, 3]), bits: 16), in_flight: 1,
        decoding: EarlyExit(threshold: 0.7, after: [3])";
    let text = format!(
        "Scenario(model: Folder(\"models/tiny-llama\"), {NODES} replicas: [({replica})], {WORKLOAD}
         trace: Full)"
    );
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let options = RunOptions {
        out: out.clone(),
        interrupt: &AtomicBool::new(false),
    };
    let streams = airloom::rng::Streams { seed: 1, run: 0 };
    let prepared = prepare(&parsed(&text), streams, Vec::new()).unwrap();
    if let Err(error) = run(prepared, &options, &mut ()) {
        panic!("{error}");
    }
    let rows = |table: &str| -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(out.join(table)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    };
    // What crosses, worked out from the depths alone: a prompt's states, and of later tokens one
    // that is not sure with those before it that were.
    let mut crossing = Vec::new();
    let mut owed = 0;
    let exits = rows("exits.csv");
    let requests = rows("requests.csv");
    let mut request = String::new();
    for exit in &exits {
        if exit["request"] != request {
            request.clone_from(&exit["request"]);
            owed = 0;
            let number: usize = request.parse().unwrap();
            crossing.push(requests[number]["input_tokens"].parse::<u64>().unwrap());
        }
        owed += 1;
        if exit["layers"] == "6" {
            crossing.push(owed);
            owed = 0;
        }
    }
    assert!(
        crossing
            .iter()
            .skip(1)
            .any(|states| *states == 2 || *states == 3)
    );
    let events = rows("events.csv");
    let cuts = events.iter().filter(|event| event["stage"] == "cut");
    let bits: Vec<u64> = cuts.map(|event| event["bits"].parse().unwrap()).collect();
    let expected: Vec<u64> = crossing.iter().map(|states| states * 192 * 16).collect();
    assert_eq!(bits, expected);
    // A token that the phone wrote does not come back to it.
    let returned = events
        .iter()
        .filter(|event| event["stage"] == "token_return");
    let fed: usize = exits
        .windows(2)
        .filter(|pair| pair[0]["request"] == pair[1]["request"] && pair[0]["layers"] == "6")
        .count();
    assert_eq!(returned.count(), fed + requests.len());
}

#[test]
fn noise_on_the_air_goes_through_exits_too() {
    let replica = |threshold: f64| {
        format!(
            "placement: TensorParallel(over: \"phone\", at: \"edge\", all_reduce: AirComp(streams: 4)),
             scheduler: Continuous(batch: 4), decoding: EarlyExit(threshold: {threshold})"
        )
    };
    let early = simulated(&replica(0.5), WORKLOAD);
    let never = simulated(&replica(1.0), WORKLOAD);
    assert!(early.metrics.get("exit_share").unwrap() > 0.0);
    let blocks = |it: &airloom::simulation::Simulated| it.measured.blocks.len();
    assert!(
        blocks(&early) < blocks(&never),
        "a layer that all skip is not summed"
    );
}

#[test]
fn exits_that_cannot_be_are_refused_where_they_are_asked_for() {
    let refused = |model: &str, decoding: &str| {
        let task = match model.starts_with("Shape") {
            true => "Tokens(prompt: 4, generate: 4)",
            false => "Generate(prompt: \"Once\", max_tokens: 4)",
        };
        let text = format!(
            "Scenario(model: {model}, nodes: {{\"edge\": (profile: Preset(\"edge-server-l4\"))}},
             replicas: [(placement: Single(at: \"edge\"), decoding: {decoding})],
             workload: [{task}])"
        );
        match parse(&text, Path::new("test.ron"), &[]) {
            Err(error) => error.to_string(),
            Ok(resolved) => match simulate(&resolved, &mut ()) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("{decoding} of {model} is not refused"),
            },
        }
    };
    let llama = "Folder(\"models/tiny-llama\")";
    for (model, decoding, told) in [
        (
            llama,
            "EarlyExit(threshold: 1.5)",
            "decoding.threshold: 1.5",
        ),
        (
            llama,
            "EarlyExit(threshold: 0.5, after: [6])",
            "decoding.after[0]: there is no exit after layer 6 of a model of 6",
        ),
        (
            "Folder(\"models/tiny-mixtral\")",
            "EarlyExit(threshold: 0.5)",
            "the model has no exits",
        ),
        (
            "Shape(\"llama-3-8b\")",
            "EarlyExit(threshold: 0.5)",
            "the model has no exits",
        ),
    ] {
        let error = refused(model, decoding);
        assert!(error.contains(told), "{error}");
    }
}
