//! Law 9: any way of feeding tokens gives the same bits, at every length and on every path of the
//! kernels: one prefill, token by token, chunks of any size, a split anywhere.
//!
//! A token sees only those before it, so the logits of the longest text, made token by
//! token on the portable path, hold those of every shorter one. Keys stand in panels of 64
//! positions, so these texts cross four of their edges.

use airloom::model::{Architecture, Experts, ModelShape, ShardPlan};
use airloom::numerics::kernels::{Kernels, Path};
use airloom::numerics::{Llama, Mixtral, Rows, ShardedLlama};
use airloom::rng::{NO_DEVICE, Stream, Streams};
use rayon::prelude::*;

const LONGEST: usize = 300;
const VOCABULARY: usize = 11;

fn shape(architecture: Architecture, head_dim: usize) -> ModelShape {
    ModelShape {
        name: "small".into(),
        architecture,
        design: Default::default(),
        layers: 2,
        hidden: 24,
        heads: 4,
        kv_heads: 2,
        head_dim,
        ffn: 20,
        vocabulary: VOCABULARY,
        tied_embeddings: true,
        experts: (architecture == Architecture::Mixtral).then_some(Experts {
            count: 4,
            active: 2,
        }),
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

fn weights() -> Stream {
    Streams { seed: 5, run: 0 }.open("test.weights", NO_DEVICE, 0)
}

fn tokens() -> Vec<u32> {
    (0..LONGEST as u32).map(|i| i * i % 11).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A model on one path, asked for the bits of all tokens' logits.
trait Model: Sync {
    /// `tokens` in chunks of the given lengths, which repeat until none is left.
    fn logits(&self, tokens: &[u32], chunks: &[usize]) -> Vec<u32>;
}

/// Steps through `tokens`; `step` makes the logits of a chunk.
fn feed(tokens: &[u32], chunks: &[usize], mut step: impl FnMut(&[u32]) -> Vec<u32>) -> Vec<u32> {
    let (mut logits, mut rest) = (Vec::new(), tokens);
    for &chunk in chunks.iter().cycle() {
        let (now, later) = rest.split_at(chunk.min(rest.len()));
        logits.extend(step(now));
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(logits.len(), tokens.len() * VOCABULARY);
    logits
}

impl Model for ShardedLlama {
    fn logits(&self, tokens: &[u32], chunks: &[usize]) -> Vec<u32> {
        let mut cache = self.cache(tokens.len()).expect("any length");
        let mut workspace = self.workspace();
        feed(tokens, chunks, |now| {
            self.forward_ideal(now, &mut cache, &mut workspace, Rows::All)
                .expect("a valid step");
            bits(&workspace.logits().expect("just computed"))
        })
    }
}

impl Model for Mixtral {
    fn logits(&self, tokens: &[u32], chunks: &[usize]) -> Vec<u32> {
        let mut cache = self.cache(tokens.len()).expect("any length");
        let mut workspace = self.workspace();
        feed(tokens, chunks, |now| {
            self.forward(now, &mut cache, &mut workspace, Rows::All)
                .expect("a valid step");
            bits(&workspace.logits().expect("just computed"))
        })
    }
}

/// A model on every path that this CPU has, the portable one first.
fn on_every_path<M: Model>(model: impl Fn(Kernels) -> M) -> Vec<(Path, M)> {
    let paths = Path::available().map(|path| {
        let kernels = Kernels::with_path(path).expect("available");
        (path, model(kernels))
    });
    paths.collect()
}

fn llama(head_dim: usize) -> Vec<(Path, ShardedLlama)> {
    let shape = shape(Architecture::Llama, head_dim);
    let llama = Llama::random(&shape, &mut weights()).expect("a model's shape");
    let plan = ShardPlan::whole(&shape).expect("a model's shape");
    on_every_path(|kernels| llama.shard_on(&plan, kernels).expect("its own plan"))
}

fn mixtral() -> Vec<(Path, Mixtral)> {
    let shape = shape(Architecture::Mixtral, 8);
    let mixtral = Mixtral::random(&shape, &mut weights()).expect("a model's shape");
    on_every_path(|kernels| mixtral.on(kernels).expect("the same weights"))
}

/// Feeds every (length, chunks) on every path.
fn check<M: Model>(models: &[(Path, M)], feeds: &[(usize, Vec<usize>)]) {
    let tokens = tokens();
    let expected = models[0].1.logits(&tokens, &[1]);
    for (path, model) in models {
        feeds.par_iter().for_each(|(length, chunks)| {
            let found = model.logits(&tokens[..*length], chunks);
            assert!(
                found == expected[..length * VOCABULARY],
                "{path}: {length} tokens in chunks of {chunks:?}"
            );
        });
    }
}

/// One prefill of every length.
fn prefills() -> impl Iterator<Item = (usize, Vec<usize>)> {
    (1..=LONGEST).map(|length| (length, vec![length]))
}

/// All tokens in equal chunks of every size.
fn equal_chunks() -> impl Iterator<Item = (usize, Vec<usize>)> {
    (1..=LONGEST).map(|chunk| (LONGEST, vec![chunk]))
}

/// All tokens in two chunks, split anywhere.
fn splits() -> impl Iterator<Item = (usize, Vec<usize>)> {
    (1..LONGEST).map(|first| (LONGEST, vec![first, LONGEST - first]))
}

#[test]
fn a_llama_has_the_same_bits_however_its_tokens_are_fed() {
    let feeds: Vec<_> = prefills().chain(equal_chunks()).chain(splits()).collect();
    check(&llama(6), &feeds);
}

/// A head of more than one vector, whose values stand in padded rows.
#[test]
fn wide_heads_have_the_same_bits_however_tokens_are_fed() {
    let feeds: Vec<_> = prefills().chain(equal_chunks().take(20)).collect();
    check(&llama(34), &feeds);
}

#[test]
fn a_mixtral_has_the_same_bits_however_its_tokens_are_fed() {
    let splits = splits().step_by(7);
    let feeds: Vec<_> = prefills()
        .chain(equal_chunks().take(70))
        .chain(splits)
        .collect();
    check(&mixtral(), &feeds);
}
