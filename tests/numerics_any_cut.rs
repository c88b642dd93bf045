//! Any number of devices divides a model, more than it has heads too: their partial outputs
//! sum to what a layer computes in f64, and each device computes with what its shard says.

use airloom::model::{Architecture, ModelShape, ShardPlan, Shares};
use airloom::numerics::kernels::{Cache, Kernels, Path, Queries};
use airloom::numerics::{Llama, Rows, ShardedLlama};
use airloom::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};
use proptest::prelude::*;
use std::ops::Range;

/// Relative to the largest entry: that of `numerics_reference`, for the same reason.
const TOLERANCE: f64 = 2e-6;

fn shape(kv_heads: usize, group: usize, head_dim: usize) -> ModelShape {
    ModelShape {
        name: "random".into(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 1,
        hidden: 24,
        heads: kv_heads * group,
        kv_heads,
        head_dim,
        ffn: 20,
        vocabulary: 37,
        tied_embeddings: false,
        experts: None,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

fn random(shape: &ModelShape, seed: u64) -> Llama {
    let mut stream = Streams { seed, run: 0 }.open("test.weights", NO_DEVICE, 0);
    Llama::random(shape, &mut stream).expect("a model's shape")
}

fn values(llama: &Llama, name: &str) -> Vec<f64> {
    let tensor = llama.tensor(name).expect("a published name");
    let flat = tensor
        .flatten_all()
        .and_then(|flat| flat.to_vec1::<f32>())
        .expect("f32");
    flat.into_iter().map(f64::from).collect()
}

fn linear(x: &[f64], weights: &[f64]) -> Vec<f64> {
    let rows = weights.chunks(x.len());
    rows.map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum())
        .collect()
}

/// The attention block of layer 0 in f64, as the papers write it: norm, projections, rotary
/// embedding of halves, softmax over what was seen, W_O.
fn reference(llama: &Llama, tokens: &[u32]) -> Vec<f64> {
    let shape = llama.shape();
    let (dim, width) = (shape.head_dim, shape.hidden);
    let table = values(llama, "model.embed_tokens.weight");
    let gain = values(llama, "model.layers.0.input_layernorm.weight");
    let part = |name: &str| {
        values(
            llama,
            &format!("model.layers.0.self_attn.{name}_proj.weight"),
        )
    };
    let [query, key, value, output] = ["q", "k", "v", "o"].map(part);
    let frequencies = llama.config().rope.frequencies(dim, 1);
    let rotate = |heads: &mut [f64], position: usize| {
        for head in heads.chunks_mut(dim) {
            for (i, &frequency) in frequencies.iter().enumerate() {
                let (sin, cos) = (position as f64 * f64::from(frequency)).sin_cos();
                let (a, b) = (head[i], head[i + dim / 2]);
                (head[i], head[i + dim / 2]) = (a * cos - b * sin, b * cos + a * sin);
            }
        }
    };
    let (mut keys, mut stored, mut out) = (Vec::new(), Vec::new(), Vec::new());
    for (position, &token) in tokens.iter().enumerate() {
        let x = &table[token as usize * width..][..width];
        let mean = x.iter().map(|x| x * x).sum::<f64>() / width as f64;
        let root = (mean + f64::from(llama.config().norm_epsilon)).sqrt();
        let x: Vec<f64> = x
            .iter()
            .zip(&gain)
            .map(|(x, gain)| x / root * gain)
            .collect();
        let (mut q, mut k) = (linear(&x, &query), linear(&x, &key));
        rotate(&mut q, position);
        rotate(&mut k, position);
        keys.push(k);
        stored.push(linear(&x, &value));
        let mut context = Vec::new();
        for (head, q) in q.chunks(dim).enumerate() {
            let at = head / shape.group() * dim;
            let scores = keys.iter().map(|k| {
                let product: f64 = q.iter().zip(&k[at..at + dim]).map(|(q, k)| q * k).sum();
                (product / (dim as f64).sqrt()).exp()
            });
            let scores: Vec<f64> = scores.collect();
            let total: f64 = scores.iter().sum();
            for column in at..at + dim {
                let products = scores.iter().zip(&stored).map(|(s, v)| s * v[column]);
                context.push(products.sum::<f64>() / total);
            }
        }
        out.extend(linear(&context, &output));
    }
    out
}

/// The sum of the devices' partial outputs, of a prompt and then token by token.
fn summed(model: &ShardedLlama, tokens: &[u32], prompt: usize) -> Vec<f64> {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    let mut out = Vec::new();
    let (first, rest) = tokens.split_at(prompt.min(tokens.len()));
    let mut position = 0;
    for now in std::iter::once(first).chain(rest.chunks(1)) {
        if now.is_empty() {
            continue;
        }
        let hidden = model.embed(now, position).expect("known tokens");
        for device in (0..model.devices()).rev() {
            model
                .attention(0, device, &hidden, &mut cache, &mut workspace)
                .expect("in turn");
        }
        let partials = workspace.partials().expect("just computed");
        out.extend((0..now.len() * hidden.width()).map(|entry| {
            let entries = partials.iter().map(|partial| f64::from(partial[entry]));
            entries.sum::<f64>()
        }));
        position += now.len();
    }
    out
}

fn check(llama: &Llama, shares: &Shares, tokens: &[u32], prompt: usize) -> Result<(), String> {
    let plan = ShardPlan::new(llama.shape(), shares).expect("a model's shape");
    let model = llama.shard(&plan).expect("its own plan");
    let expected = reference(llama, tokens);
    let largest = expected
        .iter()
        .fold(0f64, |most, entry| most.max(entry.abs()));
    let found = summed(&model, tokens, prompt);
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        if (found - expected).abs() > TOLERANCE * largest {
            return Err(format!("{shares:?}, entry {index}: {found} for {expected}"));
        }
    }
    // Whole steps go through on every number of devices.
    let (mut cache, mut workspace) = (model.cache(tokens.len()).expect("short"), model.workspace());
    model
        .forward_ideal(tokens, &mut cache, &mut workspace, Rows::Last)
        .map_err(|error| error.to_string())
}

#[test]
fn one_to_three_times_as_many_devices_as_heads_sum_to_the_whole() {
    let tokens: Vec<u32> = (0..9).map(|token| token * 5 % 37).collect();
    for (kv_heads, group, head_dim) in [(1, 1, 6), (2, 2, 6), (1, 3, 34), (3, 1, 2)] {
        let llama = random(&shape(kv_heads, group, head_dim), 3);
        // Beyond the columns of the smallest, too.
        for devices in 1..=3 * kv_heads * group {
            let shares = Shares::equal(devices).expect("not zero");
            check(&llama, &shares, &tokens, 6).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

/// Scores are computed whole and a column of values is summed for itself, so a part of a head
/// has the bits of the whole one, on every path.
#[test]
fn columns_of_values_held_apart_make_the_same_bits() {
    const DIM: usize = 38;
    const ROWS: usize = 71;
    const CACHED: usize = 130;
    let mut stream = Streams { seed: 5, run: 0 }.open("test.weights", NO_DEVICE, 0);
    let mut draws = vec![0.0; 3 * CACHED * DIM];
    StandardNormal.fill(&mut stream, &mut draws);
    let draws: Vec<f32> = draws.into_iter().map(|draw| draw as f32).collect();
    let (query, rest) = draws.split_at(CACHED * DIM);
    let (keys, values) = rest.split_at(CACHED * DIM);
    let attended = |kernels: Kernels, columns: Range<usize>, rows: usize| {
        let mut cache = Cache::divided(1, DIM, columns.len(), CACHED);
        let mut memory = vec![f32::NAN; cache.memory()];
        for (key, value) in keys.chunks(DIM).zip(values.chunks(DIM)) {
            cache.push(&mut memory, key, &value[columns.clone()]);
        }
        let queries = Queries {
            data: &query[..rows * DIM],
            stride: DIM,
            rows,
            heads: &[0],
            cache: &cache,
            memory: &memory,
            scale: 0.2,
            cap: None,
            window: None,
        };
        let mut scratch = vec![0.0; queries.scratch_len()];
        let mut out = vec![0.0; rows * columns.len()];
        kernels.attention(queries, &mut scratch, &mut out);
        out.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
    };
    let paths = Path::ALL.into_iter();
    for kernels in paths.filter_map(|path| Kernels::with_path(path).ok()) {
        for rows in [1, 7, ROWS] {
            let whole = attended(kernels, 0..DIM, rows);
            for columns in [0..1, 0..16, 3..20, 17..18, 20..38, 1..38] {
                let found = attended(kernels, columns.clone(), rows);
                let expected = whole.chunks(DIM).flat_map(|row| &row[columns.clone()]);
                assert!(found.iter().eq(expected), "{rows} {columns:?}");
            }
        }
    }
}

fn divisions() -> impl Strategy<Value = Shares> {
    prop::collection::vec(prop_oneof![Just(0.0), Just(0.01), 0.05..1.0f64], 1..14)
        .prop_filter("some device must hold something", |w| {
            w.iter().sum::<f64>() > 0.0
        })
        .prop_map(|weights| {
            let sum: f64 = weights.iter().sum();
            Shares::new(weights.iter().map(|w| w / sum).collect()).expect("sums to 1")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_shares_sum_to_the_whole(
        kv_heads in 1usize..3,
        group in 1usize..4,
        half in 1usize..20,
        shares in divisions(),
        tokens in prop::collection::vec(0u32..37, 1..20),
        prompt in 0usize..20,
        seed in any::<u64>(),
    ) {
        let llama = random(&shape(kv_heads, group, 2 * half), seed);
        if let Err(error) = check(&llama, &shares, &tokens, prompt) {
            prop_assert!(false, "{error}");
        }
    }
}
