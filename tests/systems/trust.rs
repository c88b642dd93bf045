//! Every metric of a run says how far it can be trusted, and that follows from what took part.

use airloom::results::metrics::{DEFINITIONS, Metrics, card};
use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{Finished, RunOptions, prepare, run};
use airloom::trust::{Card, Mark, Source};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// A run of a scenario with these fields, and the text of its `metrics.json`.
fn finished(fields: &str) -> (Finished, String) {
    let text = format!("Scenario({fields})");
    let resolved = scenario::parse(&text, Path::new("test.ron"), &[]);
    let resolved = resolved.unwrap_or_else(|error| panic!("{error}"));
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
    let finished = run(prepared, &options, &mut ()).unwrap();
    let metrics = std::fs::read_to_string(finished.folder.join("metrics.json")).unwrap();
    (finished, metrics)
}

/// Boards of a preset that decode together over a switch.
fn boards(preset: &str, count: usize, bits: f64) -> (Finished, String) {
    finished(&format!(
        r#"model: Shape("llama-2-7b"), precision: (weight_bits: {bits}),
        nodes: {{"board": (count: {count}, profile: Preset("{preset}"))}},
        links: {{"lan": Switch(members: ["board"], rate: "1 Gbit/s", delay: "0 s")}},
        replicas: [(placement: TensorParallel(over: "board", at: "board0",
            all_reduce: Star()))],
        workload: [Tokens(prompt: 1, generate: 4)], trace: Off"#
    ))
}

fn mark(card: &Card, name: &str) -> Mark {
    let metric = DEFINITIONS.iter().find(|metric| metric.name == name);
    card.judge(metric.unwrap().rests_on).mark
}

#[test]
fn a_run_inside_of_a_calibration_is_fitted_and_outside_extrapolated() {
    let (inside, _) = boards("raspberry-pi-4b", 2, 4.5);
    assert_eq!(
        inside.card.source(Source::Compute).unwrap().mark,
        Mark::Fitted
    );
    assert!(inside.card.source(Source::Compute).unwrap().error.is_some());
    assert_eq!(
        inside.card.source(Source::Links).unwrap().mark,
        Mark::Fitted
    );
    // Prompts of one token and contexts of five have no say.
    for name in ["pass_uplink_s", "pass_compute_s", "tpot_s", "ttft_s"] {
        assert_eq!(mark(&inside.card, name), Mark::Fitted, "{name}");
    }
    let (many, _) = boards("raspberry-pi-4b", 4, 4.5);
    assert_eq!(
        many.card.source(Source::Compute).unwrap().mark,
        Mark::Extrapolated
    );
    let reason = &many.card.source(Source::Compute).unwrap().reason;
    assert!(reason.contains("4 devices"), "{reason}");
    let (wide, _) = boards("raspberry-pi-4b", 2, 8.5);
    let compute = wide.card.source(Source::Compute).unwrap();
    assert!(compute.mark >= Mark::Extrapolated, "{compute:?}");
}

#[test]
fn a_data_sheet_is_an_assumption() {
    let (sheet, _) = boards("jetson-orin-nano", 2, 4.5);
    for name in [
        "tpot_s",
        "ttft_s",
        "makespan_s",
        "energy_j",
        "pass_uplink_s",
    ] {
        assert_eq!(mark(&sheet.card, name), Mark::Assumed, "{name}");
    }
    assert_eq!(mark(&sheet.card, "peak_memory_bytes"), Mark::Computed);
    assert_eq!(mark(&sheet.card, "generated_tokens"), Mark::Computed);
    let summary = sheet.summary(None).to_string();
    let row = summary
        .lines()
        .find(|line| line.contains(" TPOT "))
        .unwrap();
    assert!(row.starts_with("? "), "{summary}");
    let line = summary.lines().filter(|line| line.contains("? assumed ("));
    assert_eq!(line.count(), 1, "{summary}");
}

#[test]
fn tensors_are_computed_until_an_analog_channel_has_a_say() {
    let fleet = |all_reduce: &str| {
        finished(&format!(
            r#"model: Folder("models/tiny-llama"), nodes: {{"device": (count: 2)}},
            workload: [Score(text: World(documents: 1))],
            replicas: [(placement: TensorParallel(all_reduce: {all_reduce}))], trace: Off"#
        ))
    };
    for (all_reduce, expected) in [
        ("Ideal", Mark::Computed),
        ("Digital()", Mark::Computed),
        ("Star()", Mark::Computed),
        ("AirComp()", Mark::Assumed),
    ] {
        let (run, _) = fleet(all_reduce);
        assert_eq!(mark(&run.card, "perplexity"), expected, "{all_reduce}");
    }
}

#[test]
fn every_metric_of_the_file_has_a_mark_and_its_reason_is_told() {
    let (run, text) = boards("raspberry-pi-4b", 2, 4.5);
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let told = file["trust"]["metrics"].as_object().unwrap();
    let measured: Vec<&str> = run.metrics.iter().map(|(name, _)| name).collect();
    assert_eq!(told.len(), measured.len());
    for name in measured {
        let word = told[name]["mark"].as_str().unwrap();
        assert!(Mark::of_word(word).is_some(), "{name}: {word}");
        if word != "computed" {
            let source = told[name]["reason"].as_str().unwrap();
            let reason = file["trust"]["sources"][source]["reason"].as_str().unwrap();
            assert!(!reason.is_empty(), "{name}");
        }
    }
    assert_eq!(card(&text), Some(run.card));
    let read = Metrics::from_json(&text).unwrap();
    assert_eq!(
        read.to_json(),
        run.metrics.to_json(),
        "metrics are what they were"
    );
    assert_eq!(card(&read.to_json()), None, "an old file tells nothing");
    assert_eq!(Metrics::from_json(&read.to_json()), Some(read));
}
