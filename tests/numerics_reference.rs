//! The unsharded model equals the reference implementation (law 7), on the tiny
//! random models that `tests/fixtures/llama_reference.py` made with PyTorch.
//!
//! Tolerance: the script measures float32 to be within 8·10⁻⁷ of float64,
//! relative to the largest logit. Two float32 implementations that sum in
//! different orders may differ by twice that, 1.6·10⁻⁶; 2·10⁻⁶ is the next round
//! number. It is tight enough to have caught reference frequencies that were
//! rounded to half precision.

use airloom::model::{ShardPlan, Shares};
use airloom::numerics::{Llama, Rows, ShardedLlama};
use serde::Deserialize;
use std::path::PathBuf;

const TOLERANCE: f32 = 2e-6;

#[derive(Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    prefill: Vec<Vec<f32>>,
    decode: Vec<Vec<f32>>,
}

fn fixture(name: &str) -> (Llama, Expected) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    let llama = Llama::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let text = std::fs::read(folder.join("expected.json")).expect("the fixture is complete");
    (
        llama,
        serde_json::from_slice(&text).expect("the script wrote it"),
    )
}

fn assert_close(found: &[f32], expected: &[Vec<f32>], what: &str) {
    let expected: Vec<f32> = expected.concat();
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0f32, |largest, logit| largest.max(logit.abs()));
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let error = (found - expected).abs() / largest;
        assert!(
            error <= TOLERANCE,
            "{what}, entry {index}: {found} for {expected}"
        );
    }
}

fn prefill(model: &ShardedLlama, tokens: &[u32]) -> Vec<f32> {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    model
        .forward_ideal(tokens, &mut cache, &mut workspace, Rows::All)
        .expect("a valid step");
    workspace.logits().expect("just computed").to_vec()
}

fn decode(model: &ShardedLlama, tokens: &[u32]) -> Vec<f32> {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    let mut logits = Vec::new();
    for token in tokens {
        model
            .forward_ideal(&[*token], &mut cache, &mut workspace, Rows::Last)
            .expect("a valid step");
        logits.extend_from_slice(&workspace.logits().expect("just computed"));
    }
    logits
}

fn equals_the_reference(name: &str) {
    let (llama, expected) = fixture(name);
    let whole = ShardPlan::whole(llama.shape()).expect("a model's shape");
    let model = llama.shard(&whole).expect("its own plan");
    assert_close(
        &prefill(&model, &expected.tokens),
        &expected.prefill,
        "prefill",
    );
    assert_close(
        &decode(&model, &expected.tokens),
        &expected.decode,
        "decode",
    );

    let shares = Shares::new(vec![0.5, 0.0, 0.2, 0.3]).expect("sums to 1");
    let plan = ShardPlan::new(llama.shape(), &shares).expect("a model's shape");
    let model = llama.shard(&plan).expect("its own plan");
    assert_close(
        &prefill(&model, &expected.tokens),
        &expected.prefill,
        "sharded prefill",
    );
}

#[test]
fn multi_head_attention_in_f32_equals_the_reference() {
    equals_the_reference("llama_multi_head");
}

#[test]
fn grouped_queries_and_tied_embeddings_in_bf16_equal_the_reference() {
    equals_the_reference("llama_grouped_tied");
}

#[test]
fn scaled_rotary_embeddings_in_sharded_f16_files_equal_the_reference() {
    equals_the_reference("llama_rope_scaled");
}
