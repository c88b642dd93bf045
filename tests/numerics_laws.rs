//! Laws of the divided model (law 7, and the bit law of the kernels): one device
//! gives the bits of the textbook composition, any division the same numbers to
//! rounding, and any way of feeding the tokens the same bits.

use airloom::model::{Architecture, ModelShape, ShardPlan, Shares};
use airloom::numerics::kernels::{
    Cache, Kernels, Packed, Queries, RopeTable, attention_scratch_len,
};
use airloom::numerics::{Llama, Rows, ShardedLlama, Workspace};
use airloom::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};
use proptest::prelude::*;

fn shape(kv_heads: usize, group: usize, half_dim: usize, ffn: usize, tied: bool) -> ModelShape {
    ModelShape {
        name: "random".into(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 2,
        hidden: 20,
        heads: kv_heads * group,
        kv_heads,
        head_dim: 2 * half_dim,
        ffn,
        vocabulary: 37,
        tied_embeddings: tied,
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

fn divided(llama: &Llama, shares: &Shares) -> ShardedLlama {
    let plan = ShardPlan::new(llama.shape(), shares).expect("a model's shape");
    llama.shard(&plan).expect("its own plan")
}

fn alone(llama: &Llama) -> ShardedLlama {
    divided(llama, &Shares::equal(1).expect("one"))
}

/// Logits of all tokens, fed in chunks of the given lengths.
fn logits(model: &ShardedLlama, tokens: &[u32], chunks: &[usize]) -> Vec<f32> {
    let mut cache = model.cache(tokens.len()).expect("any length");
    let mut workspace = model.workspace();
    let (mut logits, mut rest) = (Vec::new(), tokens);
    for &chunk in chunks {
        let (now, later) = rest.split_at(chunk.min(rest.len()));
        if now.is_empty() {
            break;
        }
        model
            .forward_ideal(now, &mut cache, &mut workspace, Rows::All)
            .expect("a valid step");
        logits.extend_from_slice(&workspace.logits().expect("just computed"));
        rest = later;
    }
    assert_eq!(logits.len(), tokens.len() * model.shape().vocabulary);
    logits
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The model as a textbook writes it, matrix by matrix and head by head on plain
/// slices: nothing packed together, nothing divided, no workspace, no cache kept.
struct Textbook<'a> {
    llama: &'a Llama,
    kernels: Kernels,
}

impl Textbook<'_> {
    fn values(&self, name: &str) -> Vec<f32> {
        let tensor = self.llama.tensor(name).expect("a published name");
        tensor
            .flatten_all()
            .and_then(|flat| flat.to_vec1())
            .expect("f32")
    }

    fn linear(&self, x: &[f32], rows: usize, name: &str) -> Vec<f32> {
        let weights = self.values(name);
        let inputs = x.len() / rows;
        let outputs = weights.len() / inputs;
        let packed = Packed::new(&weights, outputs, inputs).expect("whole rows");
        let mut out = vec![0.0; rows * outputs];
        self.kernels.matmul(x, rows, &packed, &mut out);
        out
    }

    fn norm(&self, x: &[f32], name: &str) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        let epsilon = self.llama.config().norm_epsilon;
        self.kernels
            .rms_norm(x, &self.values(name), epsilon, &mut out);
        out
    }

    fn attention(&self, normed: &[f32], rows: usize, layer: usize) -> Vec<f32> {
        let shape = self.llama.shape();
        let dim = shape.head_dim;
        let name = |part: &str| format!("model.layers.{layer}.self_attn.{part}_proj.weight");
        let frequencies = self.llama.config().rope.frequencies(dim, 1);
        let table = RopeTable::from_frequencies(&frequencies, rows);
        let rotated = |part: &str, heads: usize| {
            let mut projected = self.linear(normed, rows, &name(part));
            self.kernels
                .rope(&mut projected, heads * dim, heads, 0, &table);
            projected
        };
        let query = rotated("q", shape.heads);
        let key = rotated("k", shape.kv_heads);
        let value = self.linear(normed, rows, &name("v"));
        let mut context = vec![0.0; rows * shape.heads * dim];
        for head in 0..shape.heads {
            let mut cache = Cache::new(1, dim, rows);
            let mut memory = vec![0.0; cache.memory()];
            for row in 0..rows {
                let at = (row * shape.kv_heads + head / shape.group()) * dim;
                cache.push(&mut memory, &key[at..at + dim], &value[at..at + dim]);
            }
            let one: Vec<f32> = (0..rows)
                .flat_map(|row| &query[(row * shape.heads + head) * dim..][..dim])
                .copied()
                .collect();
            let mut out = vec![0.0; rows * dim];
            let mut scratch = vec![0.0; attention_scratch_len(rows, 1, rows)];
            let queries = Queries {
                data: &one,
                stride: dim,
                rows,
                heads: &[0],
                cache: &cache,
                memory: &memory,
                scale: (1.0 / (dim as f64).sqrt()) as f32,
                cap: None,
                window: None,
            };
            self.kernels.attention(queries, &mut scratch, &mut out);
            for (row, out) in out.chunks(dim).enumerate() {
                context[(row * shape.heads + head) * dim..][..dim].copy_from_slice(out);
            }
        }
        self.linear(&context, rows, &name("o"))
    }

    fn mlp(&self, normed: &[f32], rows: usize, layer: usize) -> Vec<f32> {
        let name = |part: &str| format!("model.layers.{layer}.mlp.{part}_proj.weight");
        let gate = self.linear(normed, rows, &name("gate"));
        let up = self.linear(normed, rows, &name("up"));
        let mut product = vec![0.0; gate.len()];
        self.kernels.silu_mul(&gate, &up, &mut product);
        self.linear(&product, rows, &name("down"))
    }

    fn logits(&self, tokens: &[u32]) -> Vec<f32> {
        let (rows, width) = (tokens.len(), self.llama.shape().hidden);
        let table = self.values("model.embed_tokens.weight");
        let mut hidden: Vec<f32> = tokens
            .iter()
            .flat_map(|&token| &table[token as usize * width..][..width])
            .copied()
            .collect();
        let add = |hidden: &mut Vec<f32>, block: Vec<f32>| {
            hidden
                .iter_mut()
                .zip(block)
                .for_each(|(hidden, block)| *hidden += block);
        };
        for layer in 0..self.llama.shape().layers {
            let name = |norm: &str| format!("model.layers.{layer}.{norm}_layernorm.weight");
            let normed = self.norm(&hidden, &name("input"));
            add(&mut hidden, self.attention(&normed, rows, layer));
            let normed = self.norm(&hidden, &name("post_attention"));
            add(&mut hidden, self.mlp(&normed, rows, layer));
        }
        let head = match self.llama.shape().tied_embeddings {
            true => "model.embed_tokens.weight",
            false => "lm_head.weight",
        };
        self.linear(&self.norm(&hidden, "model.norm.weight"), rows, head)
    }
}

fn shapes() -> impl Strategy<Value = ModelShape> {
    (1usize..4, 1usize..4, 1usize..6, 1usize..30, any::<bool>())
        .prop_map(|(kv, group, half, ffn, tied)| shape(kv, group, half, ffn, tied))
}

fn divisions() -> impl Strategy<Value = Shares> {
    prop::collection::vec(prop_oneof![Just(0.0), Just(0.01), 0.05..1.0f64], 1..6)
        .prop_filter("some device must hold something", |w| {
            w.iter().sum::<f64>() > 0.0
        })
        .prop_map(|weights| {
            let sum: f64 = weights.iter().sum();
            Shares::new(weights.iter().map(|w| w / sum).collect()).expect("sums to 1")
        })
}

fn texts() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0u32..37, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_device_gives_the_textbooks_bits(
        shape in shapes(),
        tokens in texts(),
        seed in any::<u64>(),
    ) {
        let llama = random(&shape, seed);
        let kernels = Kernels::active().expect("available");
        let textbook = Textbook { llama: &llama, kernels }.logits(&tokens);
        let ours = logits(&alone(&llama), &tokens, &[tokens.len()]);
        prop_assert_eq!(bits(&ours), bits(&textbook));
    }

    #[test]
    fn one_holder_among_devices_without_a_part_gives_the_same_bits(
        shape in shapes(),
        tokens in texts(),
        before in 0usize..3,
        after in 0usize..3,
    ) {
        let llama = random(&shape, 3);
        let mut shares = vec![0.0; before + 1 + after];
        shares[before] = 1.0;
        let shares = Shares::new(shares).expect("sums to 1");
        let chunks = [tokens.len()];
        let ours = logits(&divided(&llama, &shares), &tokens, &chunks);
        prop_assert_eq!(bits(&ours), bits(&logits(&alone(&llama), &tokens, &chunks)));
    }

    /// Sums regrouped at the borders between devices differ by rounding alone. The
    /// reference fixtures, of this size, show float32 to be within 10⁻⁶ of exact,
    /// relative to the largest logit; 10⁻⁵ allows for both sides and for draws
    /// worse than those.
    #[test]
    fn any_division_equals_the_whole_to_rounding(
        shape in shapes(),
        shares in divisions(),
        tokens in texts(),
        seed in any::<u64>(),
    ) {
        let llama = random(&shape, seed);
        let chunks = [tokens.len()];
        let whole = logits(&alone(&llama), &tokens, &chunks);
        let parts = logits(&divided(&llama, &shares), &tokens, &chunks);
        let largest = whole.iter().fold(0f32, |largest, logit| largest.max(logit.abs()));
        for (part, whole) in parts.iter().zip(&whole) {
            prop_assert!((part - whole).abs() <= 1e-5 * largest, "{part} for {whole}");
        }
    }

    #[test]
    fn chunks_of_any_lengths_give_the_bits_of_one_prefill(
        shape in shapes(),
        shares in divisions(),
        tokens in texts(),
        mut chunks in prop::collection::vec(1usize..7, 20),
    ) {
        let model = divided(&random(&shape, 7), &shares);
        chunks.push(tokens.len());
        let at_once = logits(&model, &tokens, &[tokens.len()]);
        prop_assert_eq!(bits(&logits(&model, &tokens, &chunks)), bits(&at_once));
        prop_assert_eq!(bits(&logits(&model, &tokens, &[1; 20])), bits(&at_once));
    }

    #[test]
    fn the_lm_head_has_the_same_bits_on_any_number_of_devices(
        shape in shapes(),
        shares in divisions(),
        tokens in texts(),
    ) {
        let llama = random(&shape, 11);
        let head = |model: &ShardedLlama, rows: Rows| {
            let hidden = model.embed(&tokens, 0).expect("known tokens");
            let mut workspace = model.workspace();
            model.logits(&hidden, rows, &mut workspace).expect("its own workspace");
            let logits = workspace.logits().expect("just computed");
            bits(&logits)
        };
        let (whole, parts) = (alone(&llama), divided(&llama, &shares));
        let all = head(&whole, Rows::All);
        prop_assert_eq!(&head(&parts, Rows::All), &all);
        let last = head(&parts, Rows::Last);
        prop_assert_eq!(last.as_slice(), &all[all.len() - shape.vocabulary..]);
    }

    #[test]
    fn a_cleared_cache_and_a_used_workspace_leave_no_trace(
        shape in shapes(),
        shares in divisions(),
        first in texts(),
        second in texts(),
    ) {
        let model = divided(&random(&shape, 13), &shares);
        let mut cache = model.cache(20).expect("any length");
        let mut workspace = model.workspace();
        model.forward_ideal(&first, &mut cache, &mut workspace, Rows::All).expect("valid");
        cache.clear();
        prop_assert_eq!(cache.tokens(), 0);
        model.forward_ideal(&second, &mut cache, &mut workspace, Rows::All).expect("valid");
        prop_assert_eq!(cache.tokens(), second.len());
        let reused = workspace.logits().expect("just computed");
        prop_assert_eq!(bits(&reused), bits(&logits(&model, &second, &[second.len()])));
    }
}

/// Large enough that the devices of a block go to several threads.
#[test]
fn devices_one_after_the_other_give_the_bits_of_all_together() {
    let large = ModelShape {
        hidden: 64,
        ..shape(2, 4, 8, 160, false)
    };
    let shares = Shares::new(vec![0.4, 0.0, 0.35, 0.25]).expect("sums to 1");
    let model = divided(&random(&large, 17), &shares);
    let tokens: Vec<u32> = (0..24).map(|token| token * 5 % 37).collect();
    let together = logits(&model, &tokens, &[tokens.len()]);

    let mut cache = model.cache(tokens.len()).expect("any length");
    let mut workspace = model.workspace();
    let mut hidden = model.embed(&tokens, 0).expect("known tokens");
    let sum = |workspace: &Workspace| {
        let partials = workspace.partials().expect("just computed");
        let mut sum = partials[0].to_vec();
        for partial in &partials[1..] {
            sum.iter_mut()
                .zip(partial.iter())
                .for_each(|(sum, part)| *sum += part);
        }
        sum
    };
    for layer in 0..large.layers {
        for device in (0..4).rev() {
            let step = model.attention(layer, device, &hidden, &mut cache, &mut workspace);
            step.expect("in turn");
        }
        hidden.add(&sum(&workspace)).expect("the right length");
        for device in [2, 0, 1, 3] {
            model
                .mlp(layer, device, &hidden, &mut workspace)
                .expect("in turn");
        }
        hidden.add(&sum(&workspace)).expect("the right length");
    }
    model
        .logits(&hidden, Rows::All, &mut workspace)
        .expect("its own workspace");
    let apart = workspace.logits().expect("just computed");
    assert_eq!(bits(&apart), bits(&together));
}

/// Known answers: the first entries of a model drawn from a named stream. They
/// change only if the drawing order does, and with it every random model.
#[test]
fn random_weights_are_drawn_in_a_fixed_order() {
    let llama = random(&shape(2, 2, 2, 5, false), 1);
    let mut stream = Streams { seed: 1, run: 0 }.open("test.weights", NO_DEVICE, 0);
    let mut draws = vec![0.0; 37 * 20];
    StandardNormal.fill(&mut stream, &mut draws);
    let entry = |name: &str| -> f32 {
        let tensor = llama.tensor(name).expect("a published name");
        let flat = tensor
            .flatten_all()
            .and_then(|flat| flat.to_vec1::<f32>())
            .expect("f32");
        flat[0]
    };
    assert_eq!(entry("model.embed_tokens.weight"), draws[0] as f32);
    let mut next = vec![0.0; 16 * 20];
    StandardNormal.fill(&mut stream, &mut next);
    let query = entry("model.layers.0.self_attn.q_proj.weight");
    assert_eq!(query, (next[0] * (1.0 / 20f64.sqrt())) as f32);
    assert_eq!(entry("model.layers.1.input_layernorm.weight"), 1.0);
}
