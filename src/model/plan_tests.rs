//! Laws of shard plans: parts partition the model, and counts add up.

use super::*;
use crate::model::{Architecture, Experts};
use proptest::prelude::*;

fn shape(heads: usize, kv_heads: usize, ffn: usize, vocabulary: usize) -> ModelShape {
    ModelShape {
        name: "test".into(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 3,
        hidden: 24,
        heads,
        kv_heads,
        head_dim: 6,
        ffn,
        vocabulary,
        tied_embeddings: false,
        experts: None,
        weight_bits: 16.0,
        cache_bits: 16.0,
        activation_bits: 32.0,
    }
}

fn mixture(mut dense: ModelShape, count: usize, active: usize) -> ModelShape {
    dense.architecture = Architecture::Mixtral;
    dense.experts = Some(Experts { count, active });
    dense
}

/// Multiplications and additions of attention, counted one query position, one
/// head and one matrix entry at a time instead of by formula.
fn attention_flops_by_loop(shape: &ModelShape, tokens: usize, context: usize) -> u64 {
    let mut flops = 0;
    for token in 0..tokens {
        let mut squares = 0;
        for _ in 0..shape.hidden {
            squares += 2; // square, accumulate
            flops += 2 + 1; // scale by the root and by the weight; residual
        }
        flops += squares - 1 + 4; // the first square starts the sum; mean, ε, root, reciprocal
        for head in 0..shape.heads + 2 * shape.kv_heads {
            for _ in 0..shape.head_dim {
                flops += 2 * shape.hidden as u64;
            }
            let rotated = head < shape.heads + shape.kv_heads;
            flops += if rotated {
                6 * shape.head_dim as u64 / 2
            } else {
                0
            };
        }
        for _ in 0..shape.heads {
            for _position in 0..=context + token {
                flops += 2 * shape.head_dim as u64 + 1; // score, scale
                flops += 4; // softmax
                flops += 2 * shape.head_dim as u64; // weighted sum
            }
        }
        flops += 2 * (shape.heads * shape.head_dim * shape.hidden) as u64;
    }
    flops
}

#[test]
fn attention_flops_match_a_count_by_loop() {
    for (tokens, context) in [(1, 0), (1, 7), (5, 0), (4, 9)] {
        let shape = shape(6, 2, 11, 17);
        let plan = ShardPlan::whole(&shape).expect("valid");
        assert_eq!(
            plan.attention(0, tokens, context).flops,
            attention_flops_by_loop(&shape, tokens, context),
            "{tokens} tokens after {context}"
        );
    }
}

#[test]
fn a_prefill_costs_the_flops_of_its_tokens_decoded_one_by_one() {
    let plan = ShardPlan::whole(&shape(6, 2, 11, 17)).expect("valid");
    let stepwise: u64 = (0..9)
        .map(|token| plan.attention(0, 1, 4 + token).flops)
        .sum();
    assert_eq!(plan.attention(0, 9, 4).flops, stepwise);
    assert_eq!(plan.mlp(0, 9).flops, 9 * plan.mlp(0, 1).flops);
}

/// Hand calculation for h = 24, H = 6, G = 2, d = 6, one token after three.
#[test]
fn bytes_and_weights_match_a_hand_calculation() {
    let plan = ShardPlan::whole(&shape(6, 2, 11, 17)).expect("valid");
    let attention = plan.attention(0, 1, 3);
    // q and o: 24·36 each; k and v: 24·12 each; norm 24.
    assert_eq!(attention.weights, 2 * 864 + 2 * 288 + 24);
    // Activations: 7·24 replicated, q and context 36 each written and read.
    // Cache: k and v of 12 entries written, four positions read.
    assert_eq!(attention.bytes, 2 * 2328 + 4 * (168 + 144) + 2 * (24 + 96));
    let mlp = plan.mlp(0, 1);
    assert_eq!(mlp.weights, 3 * 24 * 11 + 24);
    assert_eq!(mlp.bytes, 2 * 816 + 4 * (168 + 66));
    assert_eq!(mlp.flops, 99 + 24 + 11 * (6 * 24 + 9));
    let head = plan.lm_head(0, 1);
    assert_eq!(head.weights, 24 * 17 + 24);
    assert_eq!(head.flops, 99 + 2 * 24 * 17);
    assert_eq!(plan.kv_cache_bytes(0, 5), 3 * 2 * 12 * 5 * 2);
    // 3·24 + max(2·6·8, 3·11) = 168 entries of 4 bytes per token.
    assert_eq!(plan.activation_bytes(0, 5), 5 * 168 * 4);
}

/// The WDMoE paper's (5): 4·m·m_h + 2·m_h·m + η·m_h + m_h with m = 4096,
/// m_h = 14336, η = 8 is 352.5 MFLOP per token and expert.
#[test]
fn an_expert_costs_what_equation_5_says() {
    let shape = ModelShape::named("mixtral-8x7b").expect("known");
    let plan = ShardPlan::whole(&shape).expect("valid");
    let (m, hidden, experts) = (4096u64, 14336u64, 8u64);
    let expert = 4 * m * hidden + 2 * hidden * m + 8 * hidden + hidden;
    assert!((expert as f64 / 1e6 - 352.5).abs() < 0.06);
    let around = 5 * m + 3 + 2 * m * experts + 4 * experts + 3 + 4 * m;
    assert_eq!(plan.mlp(0, 1).flops, 2 * expert + around);
    assert_eq!(plan.mlp(0, 1).weights, 2 * 3 * m * hidden + 8 * m + m);
    assert_eq!(plan.mlp(0, 500).weights, shape.mlp_parameters());
}

/// Parameters touched per token in table I of the tensor-parallel paper, in
/// units of 10⁹: everything but the embedding table.
#[test]
fn weights_per_token_are_those_of_table_i() {
    for (name, touched) in [
        ("llama-2-7b", 6.607),
        ("llama-2-13b", 12.852),
        ("llama-2-70b", 68.71),
        ("llama-3-70b", 69.50),
    ] {
        let shape = ModelShape::named(name).expect("known");
        let plan = ShardPlan::whole(&shape).expect("valid");
        let layer = plan.attention(0, 1, 0) + plan.mlp(0, 1);
        let weights = shape.layers as u64 * layer.weights + plan.lm_head(0, 1).weights;
        assert!(
            (weights as f64 / 1e9 - touched).abs() < 5e-3,
            "{name}: {weights}"
        );
        assert_eq!(weights, plan.weights(0));
        assert_eq!(weights, shape.parameters() - shape.embedding_parameters());
    }
}

#[test]
fn a_split_group_keeps_its_keys_and_values_on_both_devices() {
    // Eight heads in two groups of four; the border after head 3 splits the first.
    let shares = Shares::new(vec![0.375, 0.625]).expect("sums to 1");
    let plan = ShardPlan::new(&shape(8, 2, 16, 16), &shares).expect("valid");
    assert_eq!(plan.shards()[0].heads, 0..3);
    assert_eq!(plan.shards()[0].kv_heads, 0..1);
    assert_eq!(plan.shards()[1].heads, 3..8);
    assert_eq!(plan.shards()[1].kv_heads, 0..2);
    assert_eq!(plan.replicated_kv_heads(), 1);
    assert_eq!(plan.kv_cache_bytes(1, 4), 2 * plan.kv_cache_bytes(0, 4));
}

#[test]
fn devices_beyond_the_heads_share_heads_and_compute_their_scores() {
    let dense = shape(2, 1, 16, 16);
    let plan = ShardPlan::new(&dense, &Shares::equal(3).expect("three")).expect("valid");
    let contexts = plan.shards().iter().map(|shard| shard.context.clone());
    assert!(contexts.eq([0..6, 6..8, 8..12]));
    assert_eq!(
        (&plan.shards()[1].heads, &plan.shards()[2].heads),
        (&(1..2), &(1..2))
    );
    assert_eq!(
        (&plan.shards()[1].values, &plan.shards()[2].values),
        (&(0..2), &(2..6))
    );
    // All keys of the head on each, and the columns of its values on one: 6 + 2 and 6 + 4.
    assert_eq!(plan.kv_cache_bytes(1, 1), 3 * (6 + 2) * 2);
    assert_eq!(plan.kv_cache_bytes(2, 1), 3 * (6 + 4) * 2);
    // Query, key and value rows and columns of W_O, with the norm.
    assert_eq!(plan.attention(1, 1, 0).weights, 24 * (6 + 6 + 2 + 2) + 24);
    // Scores of six entries and two columns of values over five positions.
    let longer = plan.attention(1, 1, 5).flops - plan.attention(1, 1, 0).flops;
    assert_eq!(longer, 5 * (2 * 6 + 5 + 2 * 2));
}

#[test]
fn a_device_without_a_part_costs_nothing() {
    let shares = Shares::new(vec![0.0, 1.0]).expect("sums to 1");
    let plan = ShardPlan::new(&shape(8, 2, 16, 16), &shares).expect("valid");
    for work in [plan.attention(0, 9, 3), plan.mlp(0, 9), plan.lm_head(0, 9)] {
        assert_eq!(work, Work::default());
    }
    assert_eq!(
        plan.weight_bytes(0) + plan.kv_cache_bytes(0, 9) + plan.activation_bytes(0, 9),
        0
    );
    assert_eq!(plan.realised()[1].weights, 1.0);
}

#[test]
fn stages_together_hold_the_whole_and_each_its_own() {
    let shares = Shares::new(vec![0.375, 0.625]).expect("sums to 1");
    let whole = ShardPlan::new(&shape(8, 2, 16, 16), &shares).expect("valid");
    let stage = |embedding, layers: Range<usize>, head| {
        let parts = Parts {
            embedding,
            layers,
            head,
        };
        whole.covering(parts).expect("three layers")
    };
    let stages = [
        stage(true, 0..1, false),
        stage(false, 1..3, false),
        stage(false, 3..3, true),
    ];
    for device in 0..2 {
        let sum = |count: &dyn Fn(&ShardPlan) -> u64| stages.iter().map(count).sum::<u64>();
        assert_eq!(
            sum(&|plan| plan.weight_bytes(device)),
            whole.weight_bytes(device)
        );
        assert_eq!(
            sum(&|plan| plan.head_bytes(device)),
            whole.head_bytes(device)
        );
        assert_eq!(stages[2].head_bytes(device), stages[2].weight_bytes(device));
        assert_eq!(
            sum(&|plan| plan.kv_cache_bytes(device, 7)),
            whole.kv_cache_bytes(device, 7)
        );
        assert_eq!(
            stages[1].kv_cache_bytes(device, 7),
            2 * stages[0].kv_cache_bytes(device, 7)
        );
        let most = stages.iter().map(|plan| plan.activation_bytes(device, 7));
        assert_eq!(most.max(), Some(whole.activation_bytes(device, 7)));
        assert_eq!(stages[0].lm_head(device, 1), Work::default());
        assert_eq!(stages[2].lm_head(device, 1), whole.lm_head(device, 1));
    }
    let tables = stages.each_ref().map(ShardPlan::embedding_bytes);
    assert_eq!(tables, [whole.embedding_bytes(), 0, 0]);
    let nothing = whole
        .covering(Parts::layers(1..1))
        .expect("no layer is one");
    assert_eq!(nothing.weight_bytes(1) + nothing.activation_bytes(1, 9), 0);
    assert_eq!(nothing.realised()[1].weights, 0.0);
    let error = whole
        .covering(Parts::layers(1..4))
        .expect_err("three layers");
    assert!(error.to_string().contains("1..4"), "{error}");
}

#[test]
fn counts_saturate_instead_of_wrapping() {
    let plan = ShardPlan::whole(&ModelShape::named("llama-3-70b").expect("known")).expect("valid");
    assert_eq!(plan.attention(0, usize::MAX, usize::MAX).flops, u64::MAX);
    assert_eq!(
        plan.kv_cache_bytes(0, usize::MAX),
        80 * 2 * 8 * 128 * 2 * (1 << 32)
    );
}

fn shapes() -> impl Strategy<Value = ModelShape> {
    (
        1usize..5,
        1usize..9,
        1usize..40,
        1usize..90,
        prop::option::of((1usize..6, 1usize..6)),
    )
        .prop_map(|(kv, group, ffn, vocabulary, experts)| {
            let dense = shape(kv * group, kv, ffn, vocabulary);
            match experts {
                None => dense,
                Some((a, b)) => mixture(dense, a.max(b), a.min(b)),
            }
        })
}

fn divisions() -> impl Strategy<Value = Shares> {
    prop::collection::vec(prop_oneof![Just(0.0), Just(1e-3), 0.01..1.0f64], 1..12)
        .prop_filter("some device must hold something", |w| {
            w.iter().sum::<f64>() > 0.0
        })
        .prop_map(|weights| {
            let sum: f64 = weights.iter().sum();
            Shares::new(weights.iter().map(|w| w / sum).collect()).expect("sums to 1")
        })
}

fn covers(ranges: impl Iterator<Item = Range<usize>>, total: usize) -> bool {
    let mut end = 0;
    for range in ranges {
        if range.start != end {
            return false;
        }
        end = range.end;
    }
    end == total
}

proptest! {
    #[test]
    fn shards_partition_heads_columns_and_rows(shape in shapes(), shares in divisions()) {
        let plan = ShardPlan::new(&shape, &shares).expect("valid");
        let shards = plan.shards();
        prop_assert!(covers(
            shards.iter().map(|shard| shard.context.clone()),
            shape.heads * shape.head_dim
        ));
        prop_assert!(covers(shards.iter().map(|shard| shard.columns.clone()), shape.ffn));
        prop_assert!(covers(shards.iter().map(|shard| shard.rows.clone()), shape.vocabulary));
        for shard in shards {
            // Exactly the heads that the columns are of.
            let used: std::collections::BTreeSet<usize> =
                shard.context.clone().map(|column| column / shape.head_dim).collect();
            prop_assert!(used.into_iter().eq(shard.heads.clone()));
            // Exactly the key–value heads that the query heads use.
            let used: std::collections::BTreeSet<usize> =
                shard.heads.clone().map(|head| head / shape.group()).collect();
            prop_assert!(used.into_iter().eq(shard.kv_heads.clone()));
        }
    }

    #[test]
    fn devices_together_cost_the_whole_plus_what_is_replicated(
        shape in shapes(),
        shares in divisions(),
        tokens in 1usize..20,
        context in 0usize..20,
    ) {
        let plan = ShardPlan::new(&shape, &shares).expect("valid");
        let whole = ShardPlan::whole(&shape).expect("valid");
        let sum = |work: &dyn Fn(usize) -> Work| (0..plan.devices()).map(work).sum::<Work>();
        // What is held or computed more than once because a head or a group is in parts.
        let sum_of = |part: fn(&DeviceShard) -> usize| -> u64 {
            plan.shards().iter().map(|shard| part(shard) as u64).sum()
        };
        let (heads, kv) = (shape.heads as u64, shape.kv_heads as u64);
        let copies = |part: fn(&DeviceShard) -> &Range<usize>| {
            plan.shards().iter().filter(|shard| !part(shard).is_empty()).count() as u64 - 1
        };
        let (h, d, t) = (shape.hidden as u64, shape.head_dim as u64, tokens as u64);
        let extra_kv = plan.replicated_kv_heads() as u64;
        let extra_heads = sum_of(|shard| shard.heads.len()) - heads;
        let extra_values = sum_of(|shard| shard.kv_heads.len() * shard.values.len()) - kv * d;
        let extra_context = sum_of(|shard| shard.heads.len() * shard.values.len()) - heads * d;
        let extra_cache = extra_kv * d + extra_values;
        let extra_rows = extra_heads * d + extra_cache;
        let seen = t * context as u64 + t * (t + 1) / 2;

        let attention = sum(&|device| plan.attention(device, tokens, context));
        let alone = whole.attention(0, tokens, context);
        let around = copies(|shard| &shard.heads);
        prop_assert_eq!(
            attention.flops,
            alone.flops
                + t * (around * (5 * h + 3) + 2 * h * extra_rows + 3 * d * (extra_heads + extra_kv))
                + seen * (extra_heads * (2 * d + 5) + 2 * extra_context)
        );
        prop_assert_eq!(attention.weights, alone.weights + around * h + h * extra_rows);
        prop_assert_eq!(
            attention.bytes,
            alone.bytes
                + 2 * (around * h + h * extra_rows)
                + 4 * t * (around * 7 * h + 2 * d * extra_heads + extra_context)
                + 2 * extra_cache * (context as u64 + 2 * t)
        );

        let mlp = sum(&|device| plan.mlp(device, tokens));
        let alone = whole.mlp(0, tokens);
        let around = copies(|shard| &shard.columns);
        let (experts, active) = (shape.expert_count() as u64, shape.active_experts() as u64);
        let routing = shape
            .experts
            .map_or(0, |_| 2 * h * experts + 4 * experts + 2 * active - 1 + 2 * active * h);
        prop_assert_eq!(mlp.flops, alone.flops + t * around * (5 * h + 3 + routing));
        prop_assert_eq!(mlp.weights, alone.weights + around * (h + shape.router_parameters()));

        let head = sum(&|device| plan.lm_head(device, tokens));
        let alone = whole.lm_head(0, tokens);
        let around = copies(|shard| &shard.rows);
        prop_assert_eq!(head.flops, alone.flops + t * around * (4 * h + 3));
        prop_assert_eq!(head.weights, alone.weights + around * h);

        let cache: u64 = (0..plan.devices()).map(|n| plan.kv_cache_bytes(n, tokens)).sum();
        prop_assert_eq!(
            cache,
            whole.kv_cache_bytes(0, tokens) + shape.layers as u64 * extra_cache * t * 2
        );
    }

    #[test]
    fn realised_shares_are_within_one_part_of_what_was_asked(
        shape in shapes(),
        shares in divisions(),
    ) {
        let plan = ShardPlan::new(&shape, &shares).expect("valid");
        let realised = plan.realised();
        for real in &realised {
            prop_assert!((real.heads - real.asked).abs() <= 1.0 / shape.heads as f64 + 1e-9);
            prop_assert!((real.columns - real.asked).abs() <= 1.0 / shape.ffn as f64 + 1e-9);
            prop_assert!((real.rows - real.asked).abs() <= 1.0 / shape.vocabulary as f64 + 1e-9);
        }
        let sum = |part: fn(&Realised) -> f64| realised.iter().map(part).sum::<f64>();
        prop_assert!((sum(|real| real.heads) - 1.0).abs() < 1e-9);
        prop_assert!((sum(|real| real.columns) - 1.0).abs() < 1e-9);
        prop_assert!(sum(|real| real.weights) > 1.0 - 1e-9);
    }
}
