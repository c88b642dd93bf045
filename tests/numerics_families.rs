//! Every family equals the reference implementation (law 7), on the tiny random models that
//! `tests/fixtures/family_reference.py` made with PyTorch: whole, over the cache token by token, and
//! divided over devices.
//!
//! Tolerance: the script measures float32 to be within 7·10⁻⁷ of float64, relative to the
//! largest logit. Twice that is what two float32 implementations may differ by; caps and
//! activations by our own exponential add a little: 4·10⁻⁶.

use airloom::model::{Architecture, ShardPlan, Shares};
use airloom::numerics::{
    Contribution, Llama, Mixtral, Routing, Rows, ShardedLlama, architecture, strongest, top_experts,
};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

const TOLERANCE: f32 = 4e-6;

#[derive(Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    prefill: Vec<Vec<f32>>,
    decode: Vec<Vec<f32>>,
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/families")
        .join(name)
}

fn expected(folder: &Path) -> Expected {
    let text = fs::read(folder.join("expected.json")).expect("the fixture is complete");
    serde_json::from_slice(&text).expect("the script wrote it")
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[Vec<f32>], what: &str) {
    let expected: Vec<f32> = expected.concat();
    assert_eq!(found.len(), expected.len());
    let magnitudes = expected.iter().map(|logit| logit.abs());
    let largest = magnitudes.fold(0f32, f32::max);
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let error = (found - expected).abs() / largest;
        assert!(
            error <= TOLERANCE,
            "{what}, entry {index}: {found} for {expected}"
        );
    }
}

/// The logits of all tokens, fed in pieces of the given length.
fn dense(model: &ShardedLlama, tokens: &[u32], piece: usize) -> Vec<f32> {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    let mut logits = Vec::new();
    for tokens in tokens.chunks(piece) {
        model
            .forward_ideal(tokens, &mut cache, &mut workspace, Rows::All)
            .expect("a valid step");
        logits.extend_from_slice(&workspace.logits().expect("just computed"));
    }
    logits
}

fn sparse(model: &Mixtral, tokens: &[u32], piece: usize) -> Vec<f32> {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    let mut logits = Vec::new();
    for tokens in tokens.chunks(piece) {
        model
            .forward(tokens, &mut cache, &mut workspace, Rows::All)
            .expect("a valid step");
        logits.extend_from_slice(&workspace.logits().expect("just computed"));
    }
    logits
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Holds the logits of `step`, which feeds tokens in pieces, against those expected.
fn check(name: &str, expected: &Expected, step: impl Fn(usize) -> Vec<f32>) {
    let whole = step(expected.tokens.len());
    assert_close(&whole, &expected.prefill, &format!("{name}, prefill"));
    let decoded = step(1);
    assert_close(&decoded, &expected.decode, &format!("{name}, decode"));
    // Law 9: however the tokens are fed, the bits are the same.
    assert_eq!(bits(&whole), bits(&decoded), "{name}");
    assert_eq!(bits(&whole), bits(&step(5)), "{name}");
}

#[test]
fn every_family_equals_the_reference_whole_and_divided() {
    let all = fs::read_dir(folder("")).expect("the fixtures");
    let mut names: Vec<String> = all
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .into_string()
                .expect("plain")
        })
        .collect();
    names.sort();
    assert!(names.len() >= 25, "{names:?}");
    for name in names {
        let folder = folder(&name);
        let expected = expected(&folder);
        match architecture(&folder).expect("a family that is known") {
            Architecture::Llama => {
                let llama = Llama::load(&folder).unwrap_or_else(|error| panic!("{error}"));
                let shard = |plan| llama.shard(&plan).expect("its own plan");
                let whole = shard(ShardPlan::whole(llama.shape()).expect("a model's shape"));
                check(&name, &expected, |piece| {
                    dense(&whole, &expected.tokens, piece)
                });
                // Four heads on five devices, of which one holds nothing: heads are cut.
                for shares in [vec![0.5, 0.0, 0.2, 0.3], vec![0.2; 5]] {
                    let shares = Shares::new(shares).expect("sums to 1");
                    let plan = ShardPlan::new(llama.shape(), &shares).expect("a model's shape");
                    let divided = shard(plan);
                    let what = format!("{name}, divided");
                    let logits = dense(&divided, &expected.tokens, 7);
                    assert_close(&logits, &expected.prefill, &what);
                }
            }
            Architecture::Mixtral => {
                let model = Mixtral::load(&folder).unwrap_or_else(|error| panic!("{error}"));
                check(&name, &expected, |piece| {
                    sparse(&model, &expected.tokens, piece)
                });
            }
        }
    }
}

#[test]
fn layers_in_stages_have_the_bits_of_the_whole() {
    for name in ["gemma2", "opt", "qwen2_window"] {
        let folder = folder(name);
        let expected = expected(&folder);
        let llama = Llama::load(&folder).expect("intact");
        let plan = ShardPlan::whole(llama.shape()).expect("a model's shape");
        let whole = llama.shard(&plan).expect("its own plan");
        let layers = llama.shape().layers;
        let mut parts = airloom::model::Parts::whole(llama.shape());
        parts.layers = 0..1;
        parts.head = false;
        let first = whole.covering(parts).expect("its first layer");
        let rest = airloom::model::Parts {
            embedding: false,
            layers: 1..layers,
            head: true,
        };
        let rest = whole.covering(rest).expect("its other layers");
        let tokens = &expected.tokens;
        let mut hidden = first.embed(tokens, 0).expect("its embedding");
        let mut workspace = None;
        for (stage, layers) in [(&first, 0..1), (&rest, 1..layers)] {
            let mut cache = stage.cache(tokens.len()).expect("short");
            let mut buffers = stage.workspace();
            for layer in layers {
                use airloom::numerics::Sublayer::{Attention, Mlp};
                stage
                    .attention_on_all(layer, &hidden, &mut cache, &mut buffers)
                    .expect("in turn");
                let sum = buffers.partial(0).expect("made").to_vec();
                stage
                    .add(layer, Attention, &mut hidden, &sum)
                    .expect("as long");
                stage
                    .mlp_on_all(layer, &hidden, &mut buffers)
                    .expect("in turn");
                let sum = buffers.partial(0).expect("made").to_vec();
                stage.add(layer, Mlp, &mut hidden, &sum).expect("as long");
            }
            workspace = Some(buffers);
        }
        let mut buffers = workspace.expect("two stages");
        rest.logits(&hidden, Rows::All, &mut buffers)
            .expect("has the head");
        let staged = bits(&buffers.logits().expect("made"));
        assert_eq!(staged, bits(&dense(&whole, tokens, tokens.len())), "{name}");
    }
}

/// Experts that may be anywhere, each computed on its tokens and added by weight, make the whole.
#[test]
fn experts_apart_have_the_bits_of_the_whole() {
    for name in ["qwen2_moe", "qwen3_moe", "mixtral_window"] {
        let folder = folder(name);
        let tokens = expected(&folder).tokens;
        let model = Mixtral::load(&folder).expect("intact");
        let shape = model.shape().clone();
        let (width, active) = (shape.hidden, shape.active_experts());
        let mut hidden = model.embed(&tokens, 0).expect("its tokens");
        let mut cache = model.cache(tokens.len()).expect("short");
        let mut workspace = model.workspace();
        let mut routing = Routing::default();
        for layer in 0..shape.layers {
            model
                .attend(layer, &mut hidden, &mut cache, &mut workspace)
                .expect("in turn");
            model.route(layer, &hidden, &mut routing).expect("a layer");
            let mut visits = Vec::new();
            for expert in 0..shape.expert_count() {
                let (mut visitors, mut weights, mut inputs) = (vec![], vec![], vec![]);
                for token in 0..tokens.len() {
                    let given = routing.weights_of(token).expect("a token");
                    let chosen = match shape.design.sums_to_one {
                        true => top_experts(&given, active),
                        false => strongest(&given, active),
                    };
                    let Some((_, weight)) = chosen.iter().find(|(chosen, _)| *chosen == expert)
                    else {
                        continue;
                    };
                    visitors.push(token);
                    weights.push(*weight);
                    inputs.extend_from_slice(&routing.input(token).expect("a token"));
                }
                let mut outputs = vec![0.0; visitors.len() * width];
                model
                    .expert(layer, expert, &inputs, &mut outputs)
                    .expect("whole rows");
                visits.push((visitors, weights, outputs));
            }
            let contributions = visits
                .iter()
                .map(|(tokens, weights, outputs)| Contribution {
                    tokens,
                    weights,
                    outputs,
                });
            let contributions: Vec<_> = contributions.collect();
            model
                .combine(&mut hidden, &contributions)
                .expect("they fit");
            model
                .add_shared(&mut hidden, &routing)
                .expect("of this step");
        }
        model
            .logits(&hidden, Rows::All, &mut workspace)
            .expect("has the head");
        let apart = bits(&workspace.logits().expect("made"));
        assert_eq!(
            apart,
            bits(&sparse(&model, &tokens, tokens.len())),
            "{name}"
        );
    }
}
