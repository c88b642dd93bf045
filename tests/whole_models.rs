//! Law 1: the bundled models on hundreds of documents and questions: every path of the kernels
//! makes the same logits, bit for bit, and they are the pinned ones, so that a CPU with
//! other paths is held to them too.

use airloom::corpus::{Split, Suite, World};
use airloom::model::ShardPlan;
use airloom::numerics::kernels::{Kernels, Path as KernelPath};
use airloom::numerics::{Llama, Mixtral, Rows, Tokenizer};
use rayon::prelude::*;
use std::path::Path;

const LLAMA: &str = "models/tiny-llama";
const MIXTRAL: &str = "models/tiny-mixtral";

/// Tokens that both models were made for.
const WINDOW: usize = 128;

/// BLAKE3 of the digests of all passes' logits, in order. They change only with the models,
/// the texts, or the definition of a kernel.
const LLAMA_DIGEST: &str = "d1287202148949dab414b865b19e43fd03fd66303b1f8608f3fcb5b50c002d4a";
const MIXTRAL_DIGEST: &str = "997ad8cd5017ef56acbc1565056cc0956ec628616cb9108b0c03709d9272a4e7";

/// One forward pass: what it reads, in words, and as tokens.
struct Pass {
    name: String,
    tokens: Vec<u32>,
}

/// A text as both models read it: the token that begins it, 0, and its own.
fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut tokens = vec![0];
    tokens.extend(tokenizer.encode(text).expect("text"));
    tokens
}

/// Held-out documents of the world that the models know, each in one pass.
fn documents(tokenizer: &Tokenizer, count: u64) -> impl Iterator<Item = Pass> {
    (0..count).map(|number| {
        let text = World::new(World::BUNDLED_SEED).document(Split::HeldOut, number);
        Pass {
            name: format!("document {number}"),
            tokens: tokens(tokenizer, &text.text),
        }
    })
}

/// The documents' text in windows of `length` tokens: default and shorter ones of a text file.
fn windows(tokenizer: &Tokenizer, length: usize, count: usize) -> Vec<Pass> {
    let tokens: Vec<u32> = documents(tokenizer, 4 * count as u64)
        .flat_map(|pass| pass.tokens)
        .collect();
    let windows = tokens.chunks_exact(length).take(count).enumerate();
    let windows: Vec<_> = windows
        .map(|(number, tokens)| Pass {
            name: format!("window {number} of {length}"),
            tokens: tokens.to_vec(),
        })
        .collect();
    assert_eq!(windows.len(), count, "text enough");
    windows
}

/// Every choice of `count` questions of each suite.
fn questions(tokenizer: &Tokenizer, count: u64) -> Vec<Pass> {
    let world = World::new(World::BUNDLED_SEED);
    let mut passes = Vec::new();
    for suite in Suite::ALL {
        for number in 0..count {
            let question = world.question(suite, Split::HeldOut, number);
            for choice in &question.choices {
                let text = format!("{}{choice}", question.prompt);
                passes.push(Pass {
                    name: format!("{} {number}, answer{choice}", suite.name()),
                    tokens: tokens(tokenizer, &text),
                });
            }
        }
    }
    passes
}

/// The digest of each pass's logits; `logits` makes them.
fn digests<W>(
    passes: &[Pass],
    workspace: impl Fn() -> W + Sync + Send,
    logits: impl Fn(&[u32], &mut W) -> Vec<f32> + Sync,
) -> Vec<blake3::Hash> {
    let digests = passes.par_iter().map_init(workspace, |workspace, pass| {
        let mut hasher = blake3::Hasher::new();
        for logit in logits(&pass.tokens, workspace) {
            hasher.update(&logit.to_bits().to_le_bytes());
        }
        hasher.finalize()
    });
    digests.collect()
}

/// Compares the digests on every path, pass by pass, and all of them with the pin.
fn check(passes: &[Pass], pinned: &str, digests: impl Fn(Kernels) -> Vec<blake3::Hash>) {
    assert!(passes.iter().all(|pass| pass.tokens.len() <= WINDOW));
    let mut first: Option<(KernelPath, Vec<blake3::Hash>)> = None;
    for path in KernelPath::available() {
        let found = digests(Kernels::with_path(path).expect("available"));
        let mut all = blake3::Hasher::new();
        found
            .iter()
            .for_each(|digest| _ = all.update(digest.as_bytes()));
        let (other, expected) = first.get_or_insert_with(|| (path, found.clone()));
        for (pass, (found, expected)) in passes.iter().zip(found.iter().zip(expected)) {
            let tokens = pass.tokens.len();
            assert_eq!(
                found, expected,
                "{}, {tokens} tokens: {path} and {other} differ",
                pass.name
            );
        }
        let all = all.finalize().to_hex();
        assert_eq!(all.as_str(), pinned, "{} passes on {path}", passes.len());
    }
}

#[test]
fn a_llama_has_the_pinned_bits_on_every_path() {
    let llama = Llama::load(Path::new(LLAMA)).expect("the bundled model");
    let tokenizer = Tokenizer::load(Path::new(LLAMA)).expect("the bundled model");
    let mut passes: Vec<_> = documents(&tokenizer, 256).collect();
    passes.extend(windows(&tokenizer, WINDOW, 16));
    passes.extend(windows(&tokenizer, 80, 16));
    let plan = ShardPlan::whole(llama.shape()).expect("its own shape");
    check(&passes, LLAMA_DIGEST, |kernels| {
        let model = llama.shard_on(&plan, kernels).expect("its own plan");
        let workspace = || (model.workspace(), model.cache(WINDOW).expect("short"));
        digests(&passes, workspace, |tokens, (workspace, cache)| {
            cache.clear();
            model
                .forward_ideal(tokens, cache, workspace, Rows::All)
                .expect("a window");
            workspace.logits().expect("just computed").to_vec()
        })
    });
}

#[test]
fn a_mixtral_has_the_pinned_bits_on_every_path() {
    let mixtral = Mixtral::load(Path::new(MIXTRAL)).expect("the bundled model");
    let tokenizer = Tokenizer::load(Path::new(MIXTRAL)).expect("the bundled model");
    let mut passes: Vec<_> = documents(&tokenizer, 192).collect();
    passes.extend(questions(&tokenizer, 16));
    check(&passes, MIXTRAL_DIGEST, |kernels| {
        let model = mixtral.on(kernels).expect("the same weights");
        let workspace = || (model.workspace(), model.cache(WINDOW).expect("short"));
        digests(&passes, workspace, |tokens, (workspace, cache)| {
            cache.clear();
            model
                .forward(tokens, cache, workspace, Rows::All)
                .expect("a window");
            workspace.logits().expect("just computed").to_vec()
        })
    });
}
