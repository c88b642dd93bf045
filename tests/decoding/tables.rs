//! What tables say of drafts and first answers, against what other tables say of the same tokens.

use super::cascade::{LARGE, PLACES, SMALL, TEXTS};
use super::resolved;
use airloom::rng::Streams;
use airloom::simulation::{RunOptions, prepare, run};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

type Row = BTreeMap<String, String>;

/// The run folder of the scenario that decodes so.
fn folder(decoding: &str) -> TempDir {
    let resolved = resolved(&format!(
        "seed: 3, model: {LARGE}, models: {{\"small\": {SMALL}}}, {PLACES} workload: [{TEXTS}], \
         trace: Summary, replicas: [(placement: Single(at: \"edge\"), decoding: {decoding})]"
    ));
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, Streams { seed: 3, run: 0 }, Vec::new()).unwrap();
    run(prepared, &options, &mut ()).unwrap();
    folder
}

fn rows(folder: &TempDir, table: &str) -> Vec<Row> {
    let path = folder.path().join("run").join(table);
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

#[test]
fn a_text_has_the_tokens_of_its_rounds_and_one_of_every_other_pass() {
    let folder = folder("Speculative(draft: Model(model: \"small\", at: \"phone\"))");
    let mut passes: BTreeMap<(String, String), f64> = rows(&folder, "tokens.csv")
        .into_iter()
        .filter(|pass| pass["mode"] == "generate")
        .map(|pass| ((pass["request"].clone(), pass["step"].clone()), 1.0))
        .collect();
    let rounds = rows(&folder, "rounds.csv");
    for round in &rounds {
        let [drafted, accepted, tokens] =
            ["drafted", "accepted", "tokens"].map(|column| number(round, column));
        assert!(accepted <= drafted && tokens <= accepted + 1.0, "{round:?}");
        assert_eq!(
            number(round, "wasted_flops") > 0.0,
            accepted < drafted,
            "{round:?}"
        );
        let pass = (round["request"].clone(), round["step"].clone());
        *passes.get_mut(&pass).unwrap() = tokens;
    }
    for request in rows(&folder, "requests.csv") {
        let own = passes
            .iter()
            .filter(|((of, _), _)| *of == request["request"]);
        let tokens: f64 = own.map(|(_, tokens)| tokens).sum();
        assert_eq!(number(&request, "output_tokens"), tokens, "{request:?}");
    }
    let accepted = rounds.iter().map(|round| number(round, "accepted"));
    assert!(accepted.sum::<f64>() > 0.0, "nothing was ever right");
}

#[test]
fn an_answer_that_stands_is_sure_of_all_that_was_delivered() {
    let folder = folder("Cascade(model: \"small\", at: \"phone\", threshold: 0.5)");
    let requests = rows(&folder, "requests.csv");
    let answers = rows(&folder, "first_answers.csv");
    assert_eq!(answers.len(), requests.len());
    for answer in &answers {
        let request = &requests[number(answer, "request") as usize];
        let stands = answer["stands"] == "true";
        assert_eq!(number(answer, "least_probability") >= 0.5, stands);
        assert_eq!(number(answer, "spared_bits") > 0.0, stands);
        if stands {
            assert_eq!(number(answer, "tokens"), number(request, "output_tokens"));
            assert_eq!(answer["end_ps"], request["end_ps"]);
        } else {
            assert!(number(answer, "end_ps") < number(request, "end_ps"));
        }
    }
    let standing = answers.iter().filter(|answer| answer["stands"] == "true");
    assert!((1..answers.len()).contains(&standing.count()));
}
