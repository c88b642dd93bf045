//! Likelihood with experts across the air, against the bundled model alone.

use crate::{TINY, body, outcome};
use airloom::corpus::{Split, World};
use airloom::numerics::{Mixtral, Rows, Tokenizer, score};
use std::path::Path;
use tempfile::TempDir;

/// −ln p of the bundled world's first held-out documents, from the model alone.
fn undistributed_nats(documents: u64) -> f64 {
    let model = Mixtral::load(Path::new(TINY)).unwrap();
    let tokenizer = Tokenizer::load(Path::new(TINY)).unwrap();
    let config = model.config();
    let mut workspace = model.workspace();
    let world = World::new(World::BUNDLED_SEED);
    let mut nats = 0.0;
    for number in 0..documents {
        let text = world.document(Split::HeldOut, number).text;
        let mut tokens: Vec<u32> = config.bos.into_iter().collect();
        tokens.extend(tokenizer.encode(&text).unwrap());
        tokens.extend(config.eos.first());
        let (inputs, targets) = (&tokens[..tokens.len() - 1], &tokens[1..]);
        let mut cache = model.cache(inputs.len()).unwrap();
        model
            .forward(inputs, &mut cache, &mut workspace, Rows::All)
            .unwrap();
        let logits = workspace.logits().unwrap();
        let scored = score(&logits, model.shape().vocabulary, targets).unwrap();
        nats += scored.iter().sum::<f64>();
    }
    nats
}

#[test]
fn exact_entries_and_the_models_own_choice_give_the_models_own_likelihood() {
    let simulate = |architecture: &str| -> f64 {
        let workload = "Score(text: World(documents: 2))";
        let body = body(architecture, workload)
            .replace("Shape(\"mixtral-8x7b\")", &format!("Folder({TINY:?})"));
        let folder = TempDir::new().unwrap();
        let (_, measured) = outcome(&body, folder.path()).unwrap();
        measured.requests[0].negative_log_likelihood.unwrap()
    };
    let alone = undistributed_nats(2);
    // To the bit, wherever the experts are.
    assert_eq!(simulate("bits: 32"), alone);
    assert_eq!(
        simulate("bits: 32, pipelining: Tokens, bandwidth: Uniform"),
        alone
    );
    // What stays at the server is not quantised, however few the bits.
    let server = ["Server"; 8].join(", ");
    assert_eq!(
        simulate(&format!("bits: 2, experts: Experts([{server}])")),
        alone
    );
    // Half precision is felt and hardly matters; two bits ruin it.
    let half = simulate("bits: 16");
    assert!(
        half != alone && (half / alone - 1.0).abs() < 1e-2,
        "{half} {alone}"
    );
    assert!(simulate("bits: 2") > 2.0 * alone);
}
