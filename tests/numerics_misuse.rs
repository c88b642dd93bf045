//! Wrong calls get errors that say what is wrong; none panics, and none leaves a
//! cache half written.

use airloom::model::{Architecture, ModelShape, ShardPlan, Shares};
use airloom::numerics::{Llama, ModelConfig, Rows, ShardedLlama, StepError};
use airloom::rng::{NO_DEVICE, Streams};
use std::collections::BTreeMap;

fn shape() -> ModelShape {
    ModelShape {
        name: "small".into(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 2,
        hidden: 8,
        heads: 2,
        kv_heads: 1,
        head_dim: 4,
        ffn: 6,
        vocabulary: 10,
        tied_embeddings: true,
        experts: None,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

fn llama() -> Llama {
    let mut stream = Streams { seed: 5, run: 0 }.open("test.weights", NO_DEVICE, 0);
    Llama::random(&shape(), &mut stream).expect("a model's shape")
}

fn model() -> ShardedLlama {
    let plan = ShardPlan::new(&shape(), &Shares::equal(2).expect("two")).expect("valid");
    llama().shard(&plan).expect("its own plan")
}

fn says(error: StepError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{text}` lacks `{word}`");
    }
}

#[test]
fn unknown_tokens_and_empty_steps_are_refused() {
    let model = model();
    says(model.embed(&[], 0).expect_err("empty"), &["at least one"]);
    let error = model.embed(&[1, 10], 0).expect_err("10 is outside");
    says(
        error,
        &["token 10 at position 1", "vocabulary of 10", "tokenizer"],
    );
}

#[test]
fn rows_that_a_step_does_not_have_are_refused() {
    let model = model();
    let hidden = model.embed(&[1, 2, 3], 0).expect("known");
    let mut workspace = model.workspace();
    let mut rows = |count| {
        model.logits(&hidden, Rows::Final(count), &mut workspace)?;
        Ok::<_, StepError>(workspace.logits()?.to_vec())
    };
    says(rows(4).expect_err("3 tokens"), &["row 3", "there are 3"]);
    says(rows(0).expect_err("no row"), &["at least one"]);
    let (two, all) = (rows(2).expect("of 3"), rows(3).expect("of 3"));
    assert_eq!(two, all[10..]);
}

#[test]
fn layers_and_devices_that_do_not_exist_are_named() {
    let model = model();
    let hidden = model.embed(&[1], 0).expect("known");
    let (mut cache, mut workspace) = (model.cache(4).expect("short"), model.workspace());
    let error = model.attention(2, 0, &hidden, &mut cache, &mut workspace);
    says(error.expect_err("two layers"), &["layer 2", "there are 2"]);
    let error = model.mlp(0, 7, &hidden, &mut workspace);
    says(
        error.expect_err("two devices"),
        &["device 7", "there are 2"],
    );
    says(
        workspace.partial(9).expect_err("two devices"),
        &["device 9"],
    );
}

#[test]
fn a_full_cache_refuses_and_stays_usable() {
    let model = model();
    let (mut cache, mut workspace) = (model.cache(3).expect("short"), model.workspace());
    let error = model.forward_ideal(&[1, 2, 3, 4], &mut cache, &mut workspace, Rows::Last);
    says(
        error.expect_err("too long"),
        &["up to 3 tokens", "4 are needed"],
    );
    assert_eq!(cache.tokens(), 0);
    for token in [1, 2, 3] {
        let step = model.forward_ideal(&[token], &mut cache, &mut workspace, Rows::Last);
        step.expect("there is room");
    }
    assert_eq!((cache.tokens(), cache.capacity()), (3, 3));
}

#[test]
fn a_block_run_twice_or_skipped_is_out_of_turn() {
    let model = model();
    let (mut cache, mut workspace) = (model.cache(4).expect("short"), model.workspace());
    let hidden = model.embed(&[1, 2], 0).expect("known");
    model
        .attention(0, 1, &hidden, &mut cache, &mut workspace)
        .expect("in turn");
    let again = model.attention(0, 1, &hidden, &mut cache, &mut workspace);
    says(
        again.expect_err("twice"),
        &["layer 0 on device 1", "2 tokens", "position 0"],
    );
    let later = model.embed(&[3], 2).expect("known");
    let skipped = model.attention(1, 1, &later, &mut cache, &mut workspace);
    says(
        skipped.expect_err("skipped"),
        &["layer 1 on device 1", "0 tokens", "position 2"],
    );
}

#[test]
fn a_block_on_all_devices_is_refused_whole_if_one_is_out_of_turn() {
    let model = model();
    let (mut cache, mut workspace) = (model.cache(4).expect("short"), model.workspace());
    let hidden = model.embed(&[1, 2], 0).expect("known");
    model
        .attention(0, 1, &hidden, &mut cache, &mut workspace)
        .expect("in turn");
    let all = model.attention_on_all(0, &hidden, &mut cache, &mut workspace);
    says(
        all.expect_err("device 1 is ahead"),
        &["layer 0 on device 1"],
    );
    // Device 0 was not touched, so its turn is still to come.
    model
        .attention(0, 0, &hidden, &mut cache, &mut workspace)
        .expect("in turn");
    model
        .attention_on_all(1, &hidden, &mut cache, &mut workspace)
        .expect("in turn");
    assert_eq!(cache.tokens(), 2);
    let error = model.mlp_on_all(2, &hidden, &mut workspace);
    says(error.expect_err("two layers"), &["layer 2"]);
}

#[test]
fn strangers_caches_and_workspaces_are_refused() {
    let (model, other) = (model(), model());
    let hidden = model.embed(&[1], 0).expect("known");
    let mut cache = other.cache(4).expect("short");
    let error = model.attention(0, 0, &hidden, &mut cache, &mut model.workspace());
    says(
        error.expect_err("another's"),
        &["cache", "another sharded model"],
    );
    let error = model.mlp(0, 0, &hidden, &mut other.workspace());
    says(
        error.expect_err("another's"),
        &["workspace", "another sharded model"],
    );
}

#[test]
fn sums_of_the_wrong_length_are_refused() {
    let mut hidden = model().embed(&[1, 2], 0).expect("known");
    let error = hidden.add(&[0.0; 15]).expect_err("16 are needed");
    says(error, &["15 values", "expected 16", "2 tokens × 8"]);
}

#[test]
fn results_are_not_there_before_they_are_made() {
    let workspace = model().workspace();
    says(
        workspace.logits().expect_err("none yet"),
        &["nothing has been computed"],
    );
    says(
        workspace.partial(0).expect_err("none yet"),
        &["nothing has been computed"],
    );
}

#[test]
fn a_plan_of_another_shape_is_refused() {
    let other = ModelShape {
        ffn: 7,
        name: "other".into(),
        ..shape()
    };
    let plan = ShardPlan::whole(&other).expect("valid");
    says(
        llama().shard(&plan).expect_err("another shape"),
        &["`other`", "`small`"],
    );
    // Another precision is the same model.
    let quantised = ModelShape {
        weight_bits: 4.5,
        ..shape()
    };
    let plan = ShardPlan::whole(&quantised).expect("valid");
    assert!(llama().shard(&plan).is_ok());
}

#[test]
fn shapes_that_are_no_llama_are_refused() {
    let mut stream = Streams { seed: 5, run: 0 }.open("test.weights", NO_DEVICE, 0);
    let odd = ModelShape {
        head_dim: 3,
        ..shape()
    };
    says(
        Llama::random(&odd, &mut stream).expect_err("odd"),
        &["head_dim is odd"],
    );
    let mixtral = ModelShape::named("mixtral-8x7b").expect("known");
    says(
        Llama::random(&mixtral, &mut stream).expect_err("mixture"),
        &["only a Llama"],
    );
}

#[test]
fn tensors_of_a_training_run_are_checked_by_name_and_shape() {
    let config = ModelConfig::plain(&shape());
    let missing = Llama::from_tensors(config.clone(), &BTreeMap::new());
    says(
        missing.expect_err("empty"),
        &["model.embed_tokens.weight", "missing", "[10, 8]"],
    );
    let table = llama().tensor("model.norm.weight").expect("there").clone();
    let wrong = BTreeMap::from([("model.embed_tokens.weight".to_owned(), table)]);
    let error = Llama::from_tensors(config, &wrong).expect_err("a norm is no table");
    says(
        error,
        &["model.embed_tokens.weight", "[8]", "expected [10, 8]"],
    );
}

#[test]
fn more_positions_than_the_model_was_made_for_are_refused() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/llama_multi_head"
    );
    let llama = Llama::load(folder.as_ref()).expect("the fixture is complete");
    let plan = ShardPlan::whole(llama.shape()).expect("valid");
    let model = llama.shard(&plan).expect("its own plan");
    assert!(model.cache(64).is_ok());
    let error = model.cache(65).expect_err("64 positions");
    says(
        error,
        &["65 tokens", "64 positions", "max_position_embeddings"],
    );
}
