//! Multiple-choice questions through the whole simulator: the answers are those of
//! the unsharded model, and what is reported follows from the answers.

use airloom::corpus::{Split, Suite, World};
use airloom::measurement::Measurements;
use airloom::model::ShardPlan;
use airloom::numerics::{Llama, Rows, Tokenizer, score};
use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{Finished, RunOptions, prepare, run};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const MODEL: &str = "models/tiny-llama";

fn simulate(body: &str) -> (Finished, Measurements, TempDir) {
    let text = format!("Scenario(model: Folder({MODEL:?}), {body})");
    let resolved = match scenario::parse(&text, Path::new("test.ron"), &[]) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    };
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).unwrap();
    (finished, measured, folder)
}

/// −ln p of each choice after the prompt, from the whole model, the text encoded in
/// one piece.
fn unsharded_nats(suite: Suite, number: u64) -> (Vec<f64>, usize) {
    let model = Llama::load(Path::new(MODEL)).unwrap();
    let tokenizer = Tokenizer::load(Path::new(MODEL)).unwrap();
    let whole = model
        .shard(&ShardPlan::whole(model.shape()).unwrap())
        .unwrap();
    let question = World::new(1).question(suite, Split::HeldOut, number);
    let prompt = tokenizer.encode_document(&question.prompt).unwrap().len();
    let nats = question.choices.iter().map(|choice| {
        let text = format!("{}{choice}", question.prompt);
        let tokens = tokenizer.encode_document(&text).unwrap();
        let (inputs, targets) = (&tokens[..tokens.len() - 1], &tokens[1..]);
        let mut cache = whole.cache(inputs.len()).unwrap();
        let mut workspace = whole.workspace();
        whole
            .forward_ideal(inputs, &mut cache, &mut workspace, Rows::All)
            .unwrap();
        let logits = workspace.logits().unwrap();
        let nats = score(&logits, model.shape().vocabulary, targets).unwrap();
        nats[prompt - 1..].iter().sum()
    });
    (nats.collect(), question.answer)
}

#[test]
fn one_device_answers_exactly_as_the_unsharded_model() {
    for suite in Suite::ALL {
        let (_, measured, _folder) = simulate(&format!(
            "nodes: {{\"device\": (count: 1)}}, workload: [Choose(suite: {suite:?}, questions: 2, first: 5)]"
        ));
        let answers = &measured.answers;
        assert_eq!(answers.len(), 2);
        for (record, number) in answers.iter().zip(5..) {
            let (nats, answer) = unsharded_nats(suite, number);
            assert_eq!(record.answer as usize, answer);
            let best = (0..nats.len()).min_by(|&a, &b| nats[a].total_cmp(&nats[b]));
            assert_eq!(record.chosen as usize, best.unwrap());
            let wrong = (0..nats.len()).filter(|&choice| choice != answer);
            let rival = wrong
                .map(|choice| nats[choice])
                .fold(f64::INFINITY, f64::min);
            let margin = record.margin_nats.unwrap();
            assert_eq!(margin.to_bits(), (rival - nats[answer]).to_bits());
        }
        let passes = measured.passes.len();
        assert_eq!(passes, 2 * suite.choices());
    }
}

#[test]
fn accuracy_and_chance_are_counted_by_suite() {
    let (finished, measured, folder) = simulate(
        "nodes: {\"device\": (count: 2)}, replicas: [(placement: TensorParallel(all_reduce: Ideal))], workload: [
             Choose(suite: Facts, questions: 6), Choose(suite: YesNo, questions: 3),
         ]",
    );
    let metric = |name: &str| finished.metrics.get(name);
    let right = |suite: Suite| {
        let answers = measured.answers.iter();
        let own = answers.filter(|answer| answer.suite == suite);
        own.filter(|answer| answer.chosen == answer.answer).count() as f64
    };
    let (facts, yes_no) = (right(Suite::Facts), right(Suite::YesNo));
    assert_eq!(metric("questions"), Some(9.0));
    assert_eq!(metric("accuracy"), Some((facts + yes_no) / 9.0));
    assert_eq!(metric("accuracy_facts"), Some(facts / 6.0));
    assert_eq!(metric("accuracy_yes_no"), Some(yes_no / 3.0));
    assert_eq!(metric("accuracy_stories"), None);
    assert_eq!(
        metric("accuracy_by_chance"),
        Some((6.0 * 0.25 + 3.0 * 0.5) / 9.0)
    );
    assert_eq!(
        metric("perplexity"),
        None,
        "answers are no text to be scored"
    );
    let seconds = metric("question_s").unwrap() * 9.0;
    assert!((seconds / metric("makespan_s").unwrap() - 1.0).abs() < 1e-9);
    // What is not spent on questions nodes draw idling.
    let energy = metric("energy_choose_j").unwrap() + metric("energy_idle_j").unwrap();
    assert!((energy / metric("energy_j").unwrap() - 1.0).abs() < 1e-9);

    let path = folder.path().join("run/answers.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "right");
    let marks = reader
        .records()
        .map(|row| row.unwrap()[column.unwrap()].to_owned());
    let right = marks.filter(|mark| mark == "true").count();
    assert_eq!(right as f64, facts + yes_no);
}

/// A noise far above the signal leaves nothing of the model: its answers are about as
/// often right as guesses, and well below what it knows.
#[test]
fn a_drowned_signal_answers_by_chance() {
    let accuracy = |all_reduce: &str, snr: &str| {
        let (finished, _, _folder) = simulate(&format!(
            "nodes: {{\"device\": (count: 2)}}, links: {{\"air\": Radio(budget: Normalised(snr: {snr:?}))}},
             replicas: [(placement: TensorParallel(all_reduce: {all_reduce}))],
             workload: [Choose(suite: Facts, questions: 60)]"
        ));
        finished.metrics.get("accuracy").unwrap()
    };
    let known = accuracy("Ideal", "0 dB");
    assert!(known > 0.8, "the model knows its world: {known}");
    let drowned = accuracy("AirComp(streams: 4)", "-40 dB");
    // Four standard deviations of 60 guesses at a quarter.
    assert!(
        drowned < 0.25 + 4.0 * (0.25 * 0.75 / 60.0f64).sqrt(),
        "{drowned}"
    );
}

#[test]
fn impossible_questions_are_refused_at_their_field() {
    for (request, words) in [
        (
            "Choose(suite: Facts, questions: 0)",
            ["questions", "use 1 to "],
        ),
        ("Choose(suite: Fact)", ["Fact", "did you mean `Facts`"]),
        ("Choose(questions: 3)", ["suite", "Choose"]),
        (
            "Choose(suite: Pairs, first: 18446744073709551615)",
            ["first", "leaves no number"],
        ),
    ] {
        let text = format!(
            "Scenario(model: Folder({MODEL:?}), nodes: {{\"device\": (count: 1)}}, workload: [{request}])"
        );
        let error = scenario::parse(&text, Path::new("test.ron"), &[]).unwrap_err();
        let told = error.to_string();
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
}
