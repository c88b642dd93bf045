//! Speed of a forward pass beside what a user would otherwise write: the same
//! LLaMA in plain candle operations, on the same weights, in the same run.
//!
//! Shape: hidden 256, 6 layers, 8 heads, feed-forward 704, vocabulary 1024: that
//! of the bundled model's kind. `prefill` is one window of 256 tokens with all
//! logits; `decode` is 32 tokens one by one after 128, so a step is a 32nd of
//! what is shown. Plain candle's logits are compared with ours before anything is
//! timed.

mod race;
mod shape;

use airloom::model::{ModelShape, ShardPlan, Shares};
use airloom::numerics::{KvCache, Llama, Rows, ShardedLlama, Workspace};
use airloom::rng::{NO_DEVICE, Streams};
use candle_core::{Device, Result, Tensor};
use candle_nn::ops::{rms_norm, silu, softmax_last_dim};
use candle_nn::rotary_emb::rope;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use race::{CANDLE, race};
use shape::shape;
use std::hint::black_box;

const WINDOW: usize = 256;
const CONTEXT: usize = 128;
const STEPS: usize = 32;
const EPSILON: f32 = 1e-5;
const THETA: f32 = 10_000.0;

/// Weights in the order in which a random model draws them.
struct Plain {
    shape: ModelShape,
    embedding: Tensor,
    layers: Vec<Vec<Tensor>>,
    norm: Tensor,
    head: Tensor,
    cos: Tensor,
    sin: Tensor,
}

type Cache = Vec<Option<(Tensor, Tensor)>>;

impl Plain {
    fn new(llama: &Llama) -> Result<Self> {
        let shape = llama.shape().clone();
        let tensor = |name: &str| llama.tensor(name).expect("published name").clone();
        let layers = (0..shape.layers).map(|layer| {
            [
                "input_layernorm",
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.o_proj",
                "post_attention_layernorm",
                "mlp.gate_proj",
                "mlp.up_proj",
                "mlp.down_proj",
            ]
            .map(|name| tensor(&format!("model.layers.{layer}.{name}.weight")))
            .to_vec()
        });
        let half = shape.head_dim / 2;
        let frequencies: Vec<f32> = (0..half)
            .map(|pair| THETA.powf(-(2.0 * pair as f32) / shape.head_dim as f32))
            .collect();
        let positions = Tensor::arange(0f32, WINDOW as f32, &Device::Cpu)?.unsqueeze(1)?;
        let angles = positions.matmul(&Tensor::new(frequencies, &Device::Cpu)?.unsqueeze(0)?)?;
        Ok(Self {
            embedding: tensor("model.embed_tokens.weight"),
            layers: layers.collect(),
            norm: tensor("model.norm.weight"),
            head: tensor("lm_head.weight"),
            cos: angles.cos()?,
            sin: angles.sin()?,
            shape,
        })
    }

    fn forward(&self, tokens: &[u32], position: usize, cache: &mut Cache) -> Result<Tensor> {
        let (count, dim) = (tokens.len(), self.shape.head_dim);
        let linear = |x: &Tensor, weight: &Tensor| x.matmul(&weight.t()?);
        let cos = self.cos.narrow(0, position, count)?;
        let sin = self.sin.narrow(0, position, count)?;
        let ids = Tensor::new(tokens, &Device::Cpu)?;
        let mut hidden = self.embedding.index_select(&ids, 0)?;
        for (weights, cache) in self.layers.iter().zip(cache) {
            let normed = rms_norm(&hidden, &weights[0], EPSILON)?;
            let heads = |weight: &Tensor| {
                let projected = linear(&normed, weight)?;
                let split = projected.reshape((1, count, self.shape.heads, dim))?;
                split.transpose(1, 2)?.contiguous()
            };
            let query = rope(&heads(&weights[1])?, &cos, &sin)?;
            let mut key = rope(&heads(&weights[2])?, &cos, &sin)?;
            let mut value = heads(&weights[3])?;
            if let Some((keys, values)) = cache.take() {
                key = Tensor::cat(&[keys, key], 2)?;
                value = Tensor::cat(&[values, value], 2)?;
            }
            let scores = (query.matmul(&key.t()?)? * (1.0 / (dim as f64).sqrt()))?;
            let scores = if count > 1 {
                let mask: Vec<f32> = (0..count * count)
                    .map(|at| {
                        if at % count > at / count {
                            f32::NEG_INFINITY
                        } else {
                            0.0
                        }
                    })
                    .collect();
                scores.broadcast_add(&Tensor::from_vec(mask, (count, count), &Device::Cpu)?)?
            } else {
                scores
            };
            let attended = softmax_last_dim(&scores)?.matmul(&value)?;
            *cache = Some((key, value));
            let attended = attended
                .transpose(1, 2)?
                .reshape((count, self.shape.hidden))?;
            hidden = (hidden + linear(&attended, &weights[4])?)?;
            let normed = rms_norm(&hidden, &weights[5], EPSILON)?;
            let gate = silu(&linear(&normed, &weights[6])?)?;
            let product = (gate * linear(&normed, &weights[7])?)?;
            hidden = (hidden + linear(&product, &weights[8])?)?;
        }
        linear(&rms_norm(&hidden, &self.norm, EPSILON)?, &self.head)
    }
}

fn ours(model: &ShardedLlama, tokens: &[u32], cache: &mut KvCache, workspace: &mut Workspace) {
    model
        .forward_ideal(tokens, cache, workspace, Rows::All)
        .expect("a valid step");
}

fn check(plain: &Plain, model: &ShardedLlama, tokens: &[u32]) {
    let mut workspace = model.workspace();
    ours(
        model,
        tokens,
        &mut model.cache(WINDOW).expect("small"),
        &mut workspace,
    );
    let ours = workspace.logits().expect("computed").to_vec();
    let theirs = plain
        .forward(tokens, 0, &mut vec![None; plain.shape.layers])
        .expect("candle");
    let ours = Tensor::from_vec(ours, theirs.shape(), &Device::Cpu).expect("same shape");
    let error = (ours - theirs).and_then(|e| e.abs()?.max_all()?.to_scalar::<f32>());
    assert!(error.expect("numbers") < 1e-3, "the two models must agree");
}

fn forward(criterion: &mut Criterion) {
    // As in the program, this thread is one of the pool's: candle's products share it, too.
    let pool = rayon::ThreadPoolBuilder::new().use_current_thread();
    pool.build_global().expect("nobody was faster");
    let shape = shape();
    let mut stream = Streams { seed: 1, run: 0 }.open("bench.weights", NO_DEVICE, 0);
    let llama = Llama::random(&shape, &mut stream).expect("a model's shape");
    let plain = Plain::new(&llama).expect("candle");
    let models: Vec<(String, ShardedLlama)> = [1, 4]
        .map(|devices| {
            let shares = Shares::equal(devices).expect("at least one");
            let plan = ShardPlan::new(&shape, &shares).expect("a model's shape");
            (
                format!("airloom_{devices}"),
                llama.shard(&plan).expect("its own plan"),
            )
        })
        .into();
    let tokens: Vec<u32> = (0..WINDOW as u32).map(|token| token * 37 % 1024).collect();
    check(&plain, &models[0].1, &tokens);
    ratios(&plain, &models, &tokens);

    let mut group = criterion.benchmark_group("prefill_256");
    group.throughput(Throughput::Elements(WINDOW as u64));
    group.bench_function("candle", |bencher| {
        bencher.iter(|| {
            let mut cache = vec![None; shape.layers];
            plain
                .forward(black_box(&tokens), 0, &mut cache)
                .expect("candle")
        });
    });
    for (name, model) in &models {
        let mut cache = model.cache(WINDOW).expect("small");
        let mut workspace = model.workspace();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                cache.clear();
                ours(model, black_box(&tokens), &mut cache, &mut workspace);
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("decode_32_after_128");
    group.throughput(Throughput::Elements(STEPS as u64));
    let mut prompt = vec![None; shape.layers];
    plain
        .forward(&tokens[..CONTEXT], 0, &mut prompt)
        .expect("candle");
    group.bench_function("candle", |bencher| {
        bencher.iter_batched(
            || prompt.clone(),
            |mut cache| {
                for position in CONTEXT..CONTEXT + STEPS {
                    let token = &tokens[position..=position];
                    black_box(plain.forward(token, position, &mut cache).expect("candle"));
                }
            },
            BatchSize::SmallInput,
        );
    });
    for (name, model) in &models {
        let mut workspace = model.workspace();
        let mut prompt = model.cache(WINDOW).expect("small");
        ours(model, &tokens[..CONTEXT], &mut prompt, &mut workspace);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || prompt.clone(),
                |mut cache| {
                    for position in CONTEXT..CONTEXT + STEPS {
                        ours(
                            model,
                            &tokens[position..=position],
                            &mut cache,
                            &mut workspace,
                        );
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Times both against each other: what criterion measures minutes apart.
fn ratios(plain: &Plain, models: &[(String, ShardedLlama)], tokens: &[u32]) {
    let theirs = || {
        let mut cache = vec![None; plain.shape.layers];
        black_box(plain.forward(tokens, 0, &mut cache).expect("candle"));
    };
    let mut contenders: Vec<(String, Box<dyn FnMut() + Send + '_>)> =
        vec![(CANDLE.into(), Box::new(theirs))];
    for (name, model) in models {
        let mut cache = model.cache(WINDOW).expect("small");
        let mut workspace = model.workspace();
        let run = move || {
            cache.clear();
            ours(model, tokens, &mut cache, &mut workspace);
        };
        contenders.push((name.clone(), Box::new(run)));
    }
    race("prefill of 256", &mut contenders);

    let prompt = &tokens[..CONTEXT];
    let steps = CONTEXT..CONTEXT + STEPS;
    let mut keys = vec![None; plain.shape.layers];
    plain.forward(prompt, 0, &mut keys).expect("candle");
    let theirs = || {
        let mut cache = keys.clone();
        for position in steps.clone() {
            let token = &tokens[position..=position];
            black_box(plain.forward(token, position, &mut cache).expect("candle"));
        }
    };
    let mut contenders: Vec<(String, Box<dyn FnMut() + Send + '_>)> =
        vec![(CANDLE.into(), Box::new(theirs))];
    for (name, model) in models {
        let mut cache = model.cache(WINDOW).expect("small");
        let mut workspace = model.workspace();
        ours(model, prompt, &mut cache, &mut workspace);
        let steps = steps.clone();
        let run = move || {
            cache.truncate(CONTEXT).expect("it holds more");
            for position in steps.clone() {
                let token = &tokens[position..=position];
                ours(model, token, &mut cache, &mut workspace);
            }
        };
        contenders.push((name.clone(), Box::new(run)));
    }
    race("decode of 32 after 128", &mut contenders);
}

criterion_group!(benches, forward);
criterion_main!(benches);
