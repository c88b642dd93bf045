//! A run that is interrupted while it is prepared ends there: while the model is read, while
//! texts are, while the model is divided.

use airloom::interrupt::Interrupt;
use airloom::numerics::{Llama, LoadError};
use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{RunError, check_inputs, prepare_until};
use std::path::Path;
use std::sync::atomic::AtomicBool;

const SCENARIO: &str = r#"Scenario(
    seed: 1,
    model: Folder("models/tiny-llama"),
    nodes: {"device": (count: 2)},
    replicas: [(placement: TensorParallel(all_reduce: Ideal))],
    workload: [WORKLOAD],
)"#;

/// With an assignment that is optimised over channel samples.
const DIVIDED: &str = r#"Scenario(
    seed: 1,
    model: Shape("llama-2-7b"),
    nodes: {"device": (count: 4)},
    replicas: [(placement: TensorParallel(
        assignment: StochasticSca(latency_weight: 1.0, iterations: 1000000, tolerance: 0.0),
        all_reduce: AirComp(streams: 4),
    ))],
    workload: [Tokens(prompt: 1)],
)"#;

fn is_interrupted(scenario: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("it.ron");
    let resolved = scenario::parse(scenario, &file, &[]).expect("a scenario");
    let raised = AtomicBool::new(true);
    let prepared = prepare_until(
        &resolved,
        Streams { seed: 1, run: 0 },
        Vec::new(),
        Interrupt::from(&raised),
    );
    let error = prepared.expect_err("interrupted");
    assert!(matches!(error, RunError::Interrupted { .. }), "{error}");
    assert!(!error.is_input());
}

#[test]
fn while_the_model_is_read() {
    is_interrupted(&SCENARIO.replace("WORKLOAD", "Generate(prompt: \"A\")"));
    let raised = AtomicBool::new(true);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny-llama");
    let loaded = Llama::load_until(&folder, Interrupt::from(&raised));
    assert!(matches!(loaded, Err(LoadError::Interrupted(_))));
}

#[test]
fn while_texts_are_read() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("it.ron");
    for workload in [
        "Score(text: World(documents: 1000000))",
        "Choose(suite: Pairs, questions: 1000000)",
        "Score(text: File(\"README.md\"), window: 8, windows: 1)",
    ] {
        let scenario = SCENARIO.replace("WORKLOAD", workload);
        let resolved = scenario::parse(&scenario, &file, &[]).expect("a scenario");
        let raised = AtomicBool::new(true);
        // A check reads no weights, so that it comes to the texts.
        let error = check_inputs(&resolved, Interrupt::from(&raised)).expect_err("interrupted");
        assert!(matches!(error, RunError::Interrupted { .. }), "{error}");
    }
}

#[test]
fn while_the_model_is_divided() {
    is_interrupted(DIVIDED);
}
