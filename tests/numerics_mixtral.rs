//! A Mixtral equals the reference implementation (law 7), on the tiny random models
//! that `tests/fixtures/mixtral_reference.py` made with PyTorch, and has the same
//! bits however it is stepped.
//!
//! Tolerance: that of `numerics_reference`, for the same reason; the script prints
//! how far float32 is from float64, and that no choice of an expert hangs on
//! rounding.

use airloom::model::{Architecture, Experts, ModelShape};
use airloom::numerics::kernels::{Kernels, Path as KernelPath};
use airloom::numerics::{Contribution, Llama, Mixtral, Routing, Rows, StepError, top_experts};
use airloom::rng::{NO_DEVICE, Streams};
use proptest::prelude::*;
use serde::Deserialize;
use std::path::PathBuf;

const TOLERANCE: f32 = 2e-6;

#[derive(Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    /// By layer and token, ascending.
    experts: Vec<Vec<Vec<usize>>>,
    prefill: Vec<Vec<f32>>,
    decode: Vec<Vec<f32>>,
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn fixture(name: &str) -> (Mixtral, Expected) {
    let mixtral = Mixtral::load(&folder(name)).unwrap_or_else(|error| panic!("{error}"));
    let text = std::fs::read(folder(name).join("expected.json")).expect("the fixture is complete");
    (
        mixtral,
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

/// Logits of all tokens, fed in chunks of the given lengths.
fn logits(model: &Mixtral, tokens: &[u32], chunks: &[usize]) -> Vec<f32> {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    let (mut logits, mut rest) = (Vec::new(), tokens);
    for &chunk in chunks {
        let (now, later) = rest.split_at(chunk.min(rest.len()));
        if now.is_empty() {
            break;
        }
        model
            .forward(now, &mut cache, &mut workspace, Rows::All)
            .expect("a valid step");
        logits.extend_from_slice(&workspace.logits().expect("just computed"));
        rest = later;
    }
    logits
}

/// Steps block by block as a network would: each expert's rows gathered in
/// `order`, computed alone, and combined by ascending expert. Returns the logits and
/// the experts by layer and token.
fn stepped(model: &Mixtral, tokens: &[u32], backwards: bool) -> (Vec<f32>, Vec<Vec<Vec<usize>>>) {
    let shape = model.shape();
    let (experts, active) = (shape.expert_count(), shape.active_experts());
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    let mut hidden = model.embed(tokens, 0).expect("known tokens");
    let mut routing = Routing::default();
    let mut chosen_by_layer = Vec::new();
    for layer in 0..shape.layers {
        model
            .attend(layer, &mut hidden, &mut cache, &mut workspace)
            .expect("in turn");
        model.route(layer, &hidden, &mut routing).expect("a layer");
        let choices: Vec<Vec<(usize, f32)>> = routing
            .weights()
            .chunks(experts)
            .map(|row| top_experts(row, active))
            .collect();
        let mut visits = vec![(Vec::new(), Vec::new(), Vec::new()); experts];
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        if backwards {
            order.reverse();
        }
        for token in order {
            for &(expert, weight) in &choices[token] {
                let input = routing.input(token).expect("a token");
                let mut output = vec![0.0; shape.hidden];
                model
                    .expert(layer, expert, &input, &mut output)
                    .expect("one row");
                visits[expert].0.push(token);
                visits[expert].1.push(weight);
                visits[expert].2.extend(output);
            }
        }
        let contributions: Vec<Contribution<'_>> = visits
            .iter()
            .map(|(tokens, weights, outputs)| Contribution {
                tokens,
                weights,
                outputs,
            })
            .collect();
        model.combine(&mut hidden, &contributions).expect("fitting");
        chosen_by_layer.push(
            choices
                .iter()
                .map(|choice| {
                    let mut experts: Vec<usize> = choice.iter().map(|c| c.0).collect();
                    experts.sort_unstable();
                    experts
                })
                .collect(),
        );
    }
    model
        .logits(&hidden, Rows::All, &mut workspace)
        .expect("its own workspace");
    let logits = workspace.logits().expect("just computed").to_vec();
    (logits, chosen_by_layer)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn equals_the_reference(name: &str) {
    let (model, expected) = fixture(name);
    let tokens = &expected.tokens;
    assert_close(
        &logits(&model, tokens, &[tokens.len()]),
        &expected.prefill,
        "prefill",
    );
    assert_close(
        &logits(&model, tokens, &vec![1; tokens.len()]),
        &expected.decode,
        "decode",
    );
    assert_eq!(stepped(&model, tokens, false).1, expected.experts);
}

#[test]
fn eight_experts_in_sharded_bf16_files_equal_the_reference() {
    equals_the_reference("mixtral_eight");
}

#[test]
fn five_experts_and_tied_embeddings_in_f32_equal_the_reference() {
    equals_the_reference("mixtral_five_tied");
}

#[test]
fn a_mixtral_is_no_llama_and_a_llama_no_mixtral() {
    let error = Llama::load(&folder("mixtral_eight")).expect_err("another family");
    assert!(error.to_string().contains("LlamaForCausalLM"), "{error}");
    let error = Mixtral::load(&folder("llama_multi_head")).expect_err("another family");
    assert!(error.to_string().contains("MixtralForCausalLM"), "{error}");
}

#[test]
fn a_loaded_model_says_where_it_came_from_and_how_it_is_stored() {
    let (model, _) = fixture("mixtral_eight");
    assert_eq!(model.shape().weight_bits, 16.0);
    let names: Vec<&str> = model.digests().iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names[..2], ["config.json", "model.safetensors.index.json"]);
    assert!(names.len() > 3, "several weights files: {names:?}");
}

fn shape(experts: usize, active: usize, ffn: usize, hidden: usize) -> ModelShape {
    ModelShape {
        name: "random".into(),
        architecture: Architecture::Mixtral,
        design: Default::default(),
        layers: 2,
        hidden,
        heads: 4,
        kv_heads: 2,
        head_dim: 6,
        ffn,
        vocabulary: 37,
        tied_embeddings: true,
        experts: Some(Experts {
            count: experts,
            active,
        }),
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

fn random(shape: &ModelShape, seed: u64) -> Mixtral {
    let mut stream = Streams { seed, run: 0 }.open("test.weights", NO_DEVICE, 0);
    Mixtral::random(shape, &mut stream).expect("a model's shape")
}

fn shapes() -> impl Strategy<Value = ModelShape> {
    (1usize..10, 1usize..30)
        .prop_flat_map(|(experts, ffn)| (Just(experts), 1..=experts, Just(ffn)))
        .prop_map(|(experts, active, ffn)| shape(experts, active, ffn, 20))
}

fn texts() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0u32..37, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn chunks_of_any_lengths_give_the_bits_of_one_prefill(
        shape in shapes(),
        tokens in texts(),
        seed in any::<u64>(),
        mut chunks in prop::collection::vec(1usize..7, 20),
    ) {
        let model = random(&shape, seed);
        chunks.push(tokens.len());
        let at_once = bits(&logits(&model, &tokens, &[tokens.len()]));
        prop_assert_eq!(&bits(&logits(&model, &tokens, &chunks)), &at_once);
        prop_assert_eq!(&bits(&logits(&model, &tokens, &[1; 20])), &at_once);
    }

    #[test]
    fn experts_row_by_row_in_any_order_give_the_bits_of_the_whole_step(
        shape in shapes(),
        tokens in texts(),
        seed in any::<u64>(),
        backwards in any::<bool>(),
    ) {
        let model = random(&shape, seed);
        let whole = bits(&logits(&model, &tokens, &[tokens.len()]));
        prop_assert_eq!(bits(&stepped(&model, &tokens, backwards).0), whole);
    }

    #[test]
    fn router_weights_are_distributions(shape in shapes(), tokens in texts(), seed in any::<u64>()) {
        let model = random(&shape, seed);
        let hidden = model.embed(&tokens, 0).expect("known tokens");
        let mut routing = Routing::default();
        model.route(1, &hidden, &mut routing).expect("a layer");
        prop_assert_eq!((routing.tokens(), routing.experts()), (tokens.len(), shape.expert_count()));
        for row in routing.weights().chunks(routing.experts()) {
            let sum: f32 = row.iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-5 && row.iter().all(|&w| w >= 0.0));
        }
    }
}

/// Large enough that products go to several threads.
#[test]
fn every_path_and_thread_count_has_the_same_bits() {
    let large = shape(8, 2, 260, 128);
    let model = random(&large, 17);
    let tokens: Vec<u32> = (0..96).map(|token| token * 5 % 37).collect();
    let expected = bits(&logits(&model, &tokens, &[tokens.len()]));
    for path in KernelPath::ALL {
        let Ok(kernels) = Kernels::with_path(path) else {
            continue;
        };
        let other = model.on(kernels).expect("the same weights");
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let found = pool
                .expect("threads")
                .install(|| bits(&logits(&other, &tokens, &[tokens.len()])));
            assert!(found == expected, "{path} on {threads} threads");
        }
    }
}

#[test]
fn wrong_calls_are_named_and_change_nothing() {
    let model = random(&shape(3, 2, 8, 20), 1);
    let mut hidden = model.embed(&[1, 2], 0).expect("known tokens");
    let before = hidden.values().to_vec();
    let says = |error: StepError, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    let error = model.route(2, &hidden, &mut Routing::default());
    says(error.expect_err("2 layers"), &["layer 2", "there are 2"]);
    let error = model.expert(0, 3, &[0.0; 20], &mut [0.0; 20]);
    says(error.expect_err("3 experts"), &["expert 3", "there are 3"]);
    let error = model.expert(0, 0, &[0.0; 21], &mut [0.0; 21]);
    says(error.expect_err("a row and a bit"), &["inputs", "21"]);
    let error = model.expert(0, 0, &[0.0; 40], &mut [0.0; 20]);
    says(error.expect_err("too short"), &["outputs", "expected 40"]);

    let fits = Contribution {
        tokens: &[0],
        weights: &[1.0],
        outputs: &[1.0; 20],
    };
    let stray = Contribution {
        tokens: &[2],
        ..fits
    };
    let error = model.combine(&mut hidden, &[fits, stray]);
    says(error.expect_err("2 tokens"), &["token 2", "there are 2"]);
    let short = Contribution {
        weights: &[],
        ..fits
    };
    let error = model.combine(&mut hidden, &[fits, short]);
    says(error.expect_err("no weight"), &["weights", "0 values"]);
    assert_eq!(*hidden.values(), before[..]);
    assert!(model.expert(0, 0, &[], &mut []).is_ok(), "an idle expert");
}

#[test]
fn a_token_without_contribution_keeps_its_state() {
    let model = random(&shape(3, 2, 8, 20), 2);
    let mut hidden = model.embed(&[1, 2, 3], 0).expect("known tokens");
    let before = hidden.values().to_vec();
    let ones = Contribution {
        tokens: &[2, 0],
        weights: &[0.5, 0.25],
        outputs: &[1.0; 40],
    };
    model.combine(&mut hidden, &[ones]).expect("fitting");
    let after = hidden.values();
    assert_eq!(after[20..40], before[20..40]);
    assert!(after[..20].iter().zip(&before).all(|(a, b)| *a == b + 0.25));
    assert!(
        after[40..]
            .iter()
            .zip(&before[40..])
            .all(|(a, b)| *a == b + 0.5)
    );
}
