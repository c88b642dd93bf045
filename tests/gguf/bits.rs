//! A model of fewer bits: near the published one, however it is divided and batched.

use super::bundled;
use super::whole::{likelihood, tiny};
use super::writer::Q8_0;
use airloom::corpus::{Split, World};
use airloom::interrupt::Interrupt;
use airloom::model::{ShardPlan, Shares};
use airloom::numerics::{CacheFormat, Groups, Llama, Rounding, Rows, ShardedLlama, Tokenizer};

fn rounded(bits: u32, cache: CacheFormat) -> Llama {
    let rounding = Rounding {
        weights: Some(Groups { bits, size: 64 }),
        cache,
    };
    Llama::load_rounded(&bundled("tiny-llama"), rounding, Interrupt::NEVER).expect("intact")
}

fn shard(model: &Llama, devices: usize) -> ShardedLlama {
    let shares = Shares::equal(devices).expect("some");
    let plan = ShardPlan::new(model.shape(), &shares).expect("a model's shape");
    model.shard(&plan).expect("its own plan")
}

fn tokens() -> Vec<u32> {
    let tokenizer = Tokenizer::load(&bundled("tiny-llama")).expect("the bundled model");
    let document = World::new(World::BUNDLED_SEED).document(Split::HeldOut, 3);
    tokenizer.encode_document(&document.text).expect("cut")
}

#[test]
fn fewer_bits_cost_likelihood_and_say_what_they_take() {
    let tokens = tokens();
    let published = Llama::load(&bundled("tiny-llama")).expect("intact");
    let (own, logits) = likelihood(&shard(&published, 1), &tokens);
    // Root mean square of how far logits lie from the published ones.
    let far = |bits, cache| {
        let (nats, others) = likelihood(&shard(&rounded(bits, cache), 1), &tokens);
        let pairs = logits.iter().zip(&others);
        let squares = pairs.map(|(own, other)| {
            let difference = f32::from_bits(*own) - f32::from_bits(*other);
            f64::from(difference * difference)
        });
        ((squares.sum::<f64>() / logits.len() as f64).sqrt(), nats)
    };
    let [eight, four, two] = [8, 4, 2].map(|bits| far(bits, CacheFormat::Full));
    assert!((eight.1 - own).abs() < 0.02 * own, "{own} {eight:?}");
    assert!(two.1 > 1.04 * own, "{own} {two:?}");
    assert!(
        8.0 * eight.0 < four.0 && four.0 < two.0,
        "{eight:?} {four:?} {two:?}"
    );
    let [cached, coarse] = [CacheFormat::Int8, CacheFormat::Int4].map(|cache| far(8, cache));
    assert!((cached.1 - own).abs() < 0.03 * own, "{own} {cached:?}");
    assert!(
        eight.0 < cached.0 && 2.0 * cached.0 < coarse.0,
        "{eight:?} {cached:?} {coarse:?}"
    );
    let shape = rounded(4, CacheFormat::Int8).shape().clone();
    assert_eq!(
        (shape.weight_bits, shape.cache_bits),
        (4.25, 8.0 + 32.0 / 24.0)
    );
}

/// Law 9: however tokens are fed, the bits are the same.
#[test]
fn a_batch_changes_no_bit_of_a_rounded_model() {
    let tokens = tokens();
    let model = shard(&rounded(4, CacheFormat::Int8), 1);
    let logits = |piece: usize| -> Vec<u32> {
        let mut cache = model.cache(tokens.len()).expect("short");
        let mut workspace = model.workspace();
        let mut logits = Vec::new();
        for tokens in tokens.chunks(piece) {
            model
                .forward_ideal(tokens, &mut cache, &mut workspace, Rows::All)
                .expect("a valid step");
            let made = workspace.logits().expect("just computed");
            logits.extend(made.iter().map(|logit| logit.to_bits()));
        }
        logits
    };
    let whole = logits(tokens.len());
    assert_eq!(whole, logits(1));
    assert_eq!(whole, logits(7));
}

/// Law 7: on two devices every cut falls between blocks of 32; on four and five it does not.
#[test]
fn a_divided_model_is_near_the_whole() {
    let tokens = tokens();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tiny.gguf");
    tiny(Q8_0).write(&file);
    for model in [
        rounded(8, CacheFormat::Full),
        Llama::load(&file).expect("intact"),
    ] {
        let (whole, _) = likelihood(&shard(&model, 1), &tokens);
        for devices in [2, 4, 5] {
            let (divided, _) = likelihood(&shard(&model, devices), &tokens);
            let near = (whole - divided).abs() < 0.01 * whole;
            assert!(near, "{devices} devices: {whole} {divided}");
        }
    }
}
