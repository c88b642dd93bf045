//! Caches that keep keys and values in fewer bits: any way of feeding tokens gives the same bits,
//! logits stay near those of a full cache, and caches of different formats are not mixed up.

use airloom::model::{Architecture, ModelShape, ShardPlan};
use airloom::numerics::kernels::{CacheFormat, Kernels, Path};
use airloom::numerics::{KvCache, Llama, Rows, ShardedLlama};
use airloom::rng::{NO_DEVICE, Streams};

const VOCABULARY: usize = 37;

/// Formats, and how far from those of a full cache logits of random weights may be, of their
/// greatest magnitude.
const FEW: [(CacheFormat, f32); 2] = [(CacheFormat::Int8, 0.02), (CacheFormat::Int4, 0.3)];

fn model(path: Path) -> ShardedLlama {
    let shape = ModelShape {
        name: "random".into(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 2,
        hidden: 24,
        heads: 4,
        kv_heads: 2,
        head_dim: 6,
        ffn: 20,
        vocabulary: VOCABULARY,
        tied_embeddings: false,
        experts: None,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    };
    let mut stream = Streams { seed: 3, run: 0 }.open("test.weights", NO_DEVICE, 0);
    let llama = Llama::random(&shape, &mut stream).expect("a model's shape");
    let plan = ShardPlan::whole(&shape).expect("a model's shape");
    let kernels = Kernels::with_path(path).expect("available");
    llama.shard_on(&plan, kernels).expect("its own plan")
}

fn tokens() -> Vec<u32> {
    (0..90).map(|i| i * i % VOCABULARY as u32).collect()
}

/// Logits of `tokens`, fed in chunks.
fn logits(model: &ShardedLlama, cache: &mut KvCache, tokens: &[u32], chunk: usize) -> Vec<f32> {
    let mut workspace = model.workspace();
    let mut all = Vec::new();
    for now in tokens.chunks(chunk) {
        let step = model.forward_ideal(now, cache, &mut workspace, Rows::All);
        step.expect("a valid step");
        all.extend_from_slice(&workspace.logits().expect("just computed"));
    }
    all
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn logits_have_the_same_bits_however_tokens_are_fed_and_are_near_those_of_a_full_cache() {
    let tokens = tokens();
    let portable = model(Path::Portable);
    let mut full = portable.cache(tokens.len()).expect("any length");
    let exact = logits(&portable, &mut full, &tokens, tokens.len());
    let magnitude = exact.iter().fold(0f32, |most, x| most.max(x.abs()));
    for (format, limit) in FEW {
        let mut cache = portable.cache_in(format, tokens.len()).expect("any length");
        let expected = logits(&portable, &mut cache, &tokens, 1);
        let distance = exact.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let distance = distance.fold(0f32, f32::max) / magnitude;
        assert!(distance > 0.0 && distance < limit, "{format:?}: {distance}");
        for path in Path::available() {
            let model = model(path);
            for chunk in [1, 7, 64, tokens.len()] {
                let mut cache = model.cache_in(format, tokens.len()).expect("any length");
                let found = logits(&model, &mut cache, &tokens, chunk);
                assert!(
                    bits(&found) == bits(&expected),
                    "{path}: {format:?}, {chunk}"
                );
                cache.clear();
                let again = logits(&model, &mut cache, &tokens, chunk);
                assert!(bits(&again) == bits(&expected), "{path}: {format:?}, again");
            }
        }
    }
}

#[test]
fn a_fork_goes_on_with_the_bits_of_a_cache_of_its_own() {
    let tokens = tokens();
    let model = model(Path::best());
    for (format, _) in FEW {
        let mut whole = model.cache_in(format, tokens.len()).expect("any length");
        let expected = logits(&model, &mut whole, &tokens, tokens.len());
        for first in [1, 40, 64, 70] {
            let mut fork = whole.fork(first).expect("memory");
            assert_eq!(fork.format(), format);
            let found = logits(&model, &mut fork, &tokens[first..], 5);
            assert_eq!(bits(&found), bits(&expected[first * VOCABULARY..]));
        }
    }
}

#[test]
fn layers_are_not_adopted_by_a_cache_of_another_format() {
    let model = model(Path::best());
    let full = model.cache(8).expect("any length");
    let mut few = model.cache_in(CacheFormat::Int8, 8).expect("any length");
    let mut layers = full.into_layers().expect("one device");
    assert!(few.adopt(&mut layers).is_err());
    let other = model.cache_in(CacheFormat::Int8, 8).expect("any length");
    let mut layers = other.into_layers().expect("one device");
    assert!(few.adopt(&mut layers).is_ok());
}
