//! Several sequences in one step (law 9): the rows of a sequence have the same bits among
//! others as alone, for any mix of prompts, pieces of prompts and decoded tokens.

use airloom::model::{Architecture, Experts, ModelShape, ShardPlan, Shares};
use airloom::numerics::kernels::{Kernels, Path};
use airloom::numerics::{KvCache, Llama, Mixtral, Rows, ShardedLlama, StepError, Workspace};
use airloom::rng::{NO_DEVICE, Streams};
use proptest::prelude::*;

const VOCABULARY: usize = 37;

fn shape(kv_heads: usize, group: usize, ffn: usize, experts: Option<Experts>) -> ModelShape {
    ModelShape {
        name: "random".into(),
        architecture: match experts {
            None => Architecture::Llama,
            Some(_) => Architecture::Mixtral,
        },
        design: Default::default(),
        layers: 2,
        hidden: 20,
        heads: kv_heads * group,
        kv_heads,
        head_dim: 6,
        ffn,
        vocabulary: VOCABULARY,
        tied_embeddings: false,
        experts,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

/// What both families can do.
enum Model {
    Llama(ShardedLlama),
    Mixtral(Mixtral),
}

impl Model {
    fn cache(&self, capacity: usize) -> KvCache {
        match self {
            Self::Llama(model) => model.cache(capacity),
            Self::Mixtral(model) => model.cache(capacity),
        }
        .expect("short")
    }

    fn workspace(&self) -> Workspace {
        match self {
            Self::Llama(model) => model.workspace(),
            Self::Mixtral(model) => model.workspace(),
        }
    }

    fn forward(
        &self,
        tokens: &[&[u32]],
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
        rows: &[Rows],
    ) -> Result<(), StepError> {
        match self {
            Self::Llama(model) => model.forward_slices_ideal(tokens, caches, workspace, rows),
            Self::Mixtral(model) => model.forward_slices(tokens, caches, workspace, rows),
        }
    }
}

/// The same weights on every kernel path that this machine has.
fn models(shape: &ModelShape, devices: usize, seed: u64) -> Vec<Model> {
    let kernels = Path::ALL
        .into_iter()
        .filter_map(|path| Kernels::with_path(path).ok());
    let mut stream = Streams { seed, run: 0 }.open("test.weights", NO_DEVICE, 0);
    if shape.experts.is_some() {
        let mixtral = Mixtral::random(shape, &mut stream).expect("a model's shape");
        return kernels
            .map(|kernels| Model::Mixtral(mixtral.on(kernels).expect("the same weights")))
            .collect();
    }
    let llama = Llama::random(shape, &mut stream).expect("a model's shape");
    let shares = Shares::equal(devices).expect("not zero");
    let plan = ShardPlan::new(shape, &shares).expect("a model's shape");
    kernels
        .map(|kernels| Model::Llama(llama.shard_on(&plan, kernels).expect("its own plan")))
        .collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Logits of all tokens of a sequence that is alone, in one prefill.
fn alone(model: &Model, tokens: &[u32]) -> Vec<u32> {
    let (mut cache, mut workspace) = (model.cache(tokens.len()), model.workspace());
    model
        .forward(&[tokens], &mut [&mut cache], &mut workspace, &[Rows::All])
        .expect("a valid step");
    bits(&workspace.logits().expect("just computed"))
}

/// Sequences with what is fed of each step by step: 0 tokens of one that sits a step out.
type Batch = Vec<(Vec<u32>, Vec<usize>)>;

/// Steps all sequences together; returns the logits of each.
fn together(model: &Model, batch: &Batch) -> Vec<Vec<u32>> {
    let caches = batch.iter().map(|(tokens, _)| model.cache(tokens.len()));
    let mut caches: Vec<KvCache> = caches.collect();
    let mut workspace = model.workspace();
    let mut logits = vec![Vec::new(); batch.len()];
    for step in 0.. {
        let mut part = Vec::new();
        for (index, (cache, (tokens, pieces))) in caches.iter_mut().zip(batch).enumerate() {
            let done = cache.tokens();
            let left = tokens.len() - done;
            let now = pieces.get(step).copied().unwrap_or(left).min(left);
            if now > 0 {
                part.push((index, &tokens[done..done + now], cache));
            }
        }
        if part.is_empty() && step >= batch.iter().map(|(_, pieces)| pieces.len()).max().unwrap() {
            return logits;
        }
        if part.is_empty() {
            continue;
        }
        let places: Vec<(usize, usize)> = part.iter().map(|p| (p.0, p.1.len())).collect();
        let tokens: Vec<&[u32]> = part.iter().map(|p| p.1).collect();
        let mut caches: Vec<&mut KvCache> = part.into_iter().map(|p| p.2).collect();
        let rows = vec![Rows::All; tokens.len()];
        model
            .forward(&tokens, &mut caches, &mut workspace, &rows)
            .expect("a valid step");
        let found = bits(&workspace.logits().expect("just computed"));
        let mut rest = &found[..];
        for (index, rows) in places {
            let (own, later) = rest.split_at(rows * VOCABULARY);
            logits[index].extend_from_slice(own);
            rest = later;
        }
    }
    unreachable!("steps end when all is fed")
}

fn batches() -> impl Strategy<Value = Batch> {
    let tokens = prop::collection::vec(0u32..VOCABULARY as u32, 1..14);
    // Decoded tokens most often, pieces of prompts, and steps sat out.
    let piece = prop_oneof![4 => Just(1usize), 2 => 2usize..8, 1 => Just(0)];
    prop::collection::vec((tokens, prop::collection::vec(piece, 0..9)), 1..6)
}

fn shapes() -> impl Strategy<Value = ModelShape> {
    (
        1usize..3,
        1usize..4,
        1usize..30,
        prop::option::of((1usize..6, 1usize..6)),
    )
        .prop_map(|(kv, group, ffn, experts)| {
            let experts = experts.map(|(a, b)| Experts {
                count: a.max(b),
                active: a.min(b),
            });
            shape(kv, group, ffn, experts)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_sequence_has_the_same_bits_alone_and_among_others(
        shape in shapes(),
        devices in 1usize..5,
        batch in batches(),
        seed in any::<u64>(),
    ) {
        let models = models(&shape, devices, seed);
        let expected: Vec<Vec<u32>> =
            batch.iter().map(|(tokens, _)| alone(&models[0], tokens)).collect();
        for model in &models {
            prop_assert_eq!(&together(model, &batch), &expected);
        }
    }

    #[test]
    fn rows_are_chosen_slice_by_slice(
        shape in shapes(),
        choices in prop::collection::vec(
            (1usize..9, prop_oneof![
                Just(Rows::None),
                Just(Rows::Last),
                (1usize..9).prop_map(Rows::Final),
                Just(Rows::All),
            ]),
            1..6,
        ),
    ) {
        let model = &models(&shape, 2, 5)[0];
        let mut workspace = model.workspace();
        let mut caches: Vec<KvCache> = choices.iter().map(|_| model.cache(8)).collect();
        let mut caches: Vec<&mut KvCache> = caches.iter_mut().collect();
        let texts: Vec<Vec<u32>> = choices.iter().enumerate()
            .map(|(i, (length, _))| (0..*length as u32).map(|t| (7 * t + i as u32) % 37).collect())
            .collect();
        let tokens: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let rows: Vec<Rows> = choices.iter().map(|&(length, rows)| match rows {
            Rows::Final(count) => Rows::Final(count.min(length)),
            other => other,
        }).collect();
        let mut expected = Vec::new();
        for (tokens, rows) in texts.iter().zip(&rows) {
            let all = alone(model, tokens);
            expected.extend_from_slice(&all[all.len() - rows.count(tokens.len()) * VOCABULARY..]);
        }
        model.forward(&tokens, &mut caches, &mut workspace, &rows).expect("a valid step");
        match workspace.logits() {
            Ok(logits) => prop_assert_eq!(bits(&logits), expected),
            Err(error) => prop_assert!(expected.is_empty(), "{error}"),
        }
    }
}

/// Large enough that devices, products and heads go to several threads.
#[test]
fn a_large_step_has_the_bits_of_its_sequences() {
    let large = ModelShape {
        hidden: 64,
        head_dim: 16,
        ..shape(2, 4, 160, None)
    };
    let batch: Batch = (0..12)
        .map(|sequence| {
            let length = 10 + 9 * (sequence % 4);
            let tokens = (0..length).map(|token| (token * 5 + sequence) % 37);
            let first = [40, 3, 0, 17][sequence as usize % 4];
            (tokens.collect(), vec![first, 1, 1, 6, 1, 1, 1])
        })
        .collect();
    for model in models(&large, 3, 17) {
        let expected: Vec<Vec<u32>> = batch
            .iter()
            .map(|(tokens, _)| alone(&model, tokens))
            .collect();
        assert!(together(&model, &batch) == expected);
    }
}

#[test]
fn what_does_not_fit_the_slices_is_refused_and_changes_nothing() {
    let mut stream = Streams { seed: 5, run: 0 }.open("test.weights", NO_DEVICE, 0);
    let shape = shape(1, 2, 6, None);
    let llama = Llama::random(&shape, &mut stream).expect("a model's shape");
    let plan = ShardPlan::whole(&shape).expect("valid");
    let model = llama.shard(&plan).expect("its own plan");
    let (mut a, mut b) = (
        model.cache(4).expect("short"),
        model.cache(2).expect("short"),
    );
    let mut workspace = model.workspace();
    let says = |result: Result<(), StepError>, words: &[&str]| {
        let text = result.expect_err("refused").to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    let two = model
        .embed_slices(&[(&[1, 2], 0), (&[3], 0)])
        .expect("known tokens");
    assert_eq!(two.slices()[1].rows, 2..3);
    let one = model.attention(0, 0, &two, &mut a, &mut workspace);
    says(one, &["1 caches", "2 slices"]);
    let rows = model.logits(&two, Rows::All, &mut workspace);
    says(rows, &["1 choices of rows", "2 slices"]);
    let rows = model.logits_slices(&two, &[Rows::All, Rows::Final(2)], &mut workspace);
    says(rows, &["row 1", "there are 1"]);

    let late = model
        .embed_slices(&[(&[1, 2], 0), (&[3, 4, 5], 0)])
        .expect("known tokens");
    let full = model.attention_slices_on_all(0, &late, &mut [&mut a, &mut b], &mut workspace);
    says(full, &["up to 2 tokens", "3 are needed"]);
    assert_eq!((a.tokens(), b.tokens()), (0, 0));
    says(model.embed_slices(&[]).map(|_| ()), &["at least one"]);
    says(
        model.embed_slices(&[(&[1], 0), (&[], 3)]).map(|_| ()),
        &["at least one"],
    );
    let ragged = model.forward_slices_ideal(
        &[&[1], &[2]],
        &mut [&mut a],
        &mut workspace,
        &[Rows::Last; 2],
    );
    says(ragged, &["1 caches", "2 slices"]);
}
