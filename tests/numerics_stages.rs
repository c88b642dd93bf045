//! A model in stages of some layers each: any cut of a pipeline has the bits of the whole,
//! and what a stage does not hold is refused by name.

use airloom::model::{Architecture, Experts, ModelShape, Parts, ShardPlan, Shares};
use airloom::numerics::{Contribution, StepError, top_experts};
use airloom::numerics::{Hidden, KvCache, Llama, Mixtral, Routing, Rows, ShardedLlama, Workspace};
use airloom::rng::{NO_DEVICE, Streams};
use proptest::prelude::*;

const LAYERS: usize = 5;

fn shape(experts: Option<Experts>) -> ModelShape {
    ModelShape {
        name: "random".into(),
        architecture: match experts {
            None => Architecture::Llama,
            Some(_) => Architecture::Mixtral,
        },
        design: Default::default(),
        layers: LAYERS,
        hidden: 20,
        heads: 4,
        kv_heads: 2,
        head_dim: 6,
        ffn: 11,
        vocabulary: 37,
        tied_embeddings: true,
        experts,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

fn llama() -> Llama {
    let mut stream = Streams { seed: 9, run: 0 }.open("test.weights", NO_DEVICE, 0);
    Llama::random(&shape(None), &mut stream).expect("a model's shape")
}

fn mixtral() -> Mixtral {
    let mut stream = Streams { seed: 9, run: 0 }.open("test.weights", NO_DEVICE, 0);
    let experts = Experts {
        count: 4,
        active: 2,
    };
    Mixtral::random(&shape(Some(experts)), &mut stream).expect("a model's shape")
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Stages between cuts, the embedding on the first and the head on the last; stages without
/// a layer are among them.
fn stages(mut cuts: Vec<usize>) -> Vec<Parts> {
    cuts.sort_unstable();
    cuts.insert(0, 0);
    cuts.push(LAYERS);
    let last = cuts.len() - 2;
    let ranges = cuts.windows(2).enumerate();
    ranges
        .map(|(stage, ends)| Parts {
            embedding: stage == 0,
            layers: ends[0]..ends[1],
            head: stage == last,
        })
        .collect()
}

struct Stage {
    model: ShardedLlama,
    cache: KvCache,
    workspace: Workspace,
}

impl Stage {
    fn sum(&self) -> Vec<f32> {
        let partials = self.workspace.partials().expect("just computed");
        let mut sum = partials[0].to_vec();
        for partial in &partials[1..] {
            sum.iter_mut()
                .zip(partial.iter())
                .for_each(|(s, p)| *s += p);
        }
        sum
    }

    fn step(&mut self, hidden: &mut Hidden) {
        for layer in self.model.plan().parts().layers.clone() {
            self.model
                .attention_on_all(layer, hidden, &mut self.cache, &mut self.workspace)
                .expect("in turn");
            hidden.add(&self.sum()).expect("the right length");
            self.model
                .mlp_on_all(layer, hidden, &mut self.workspace)
                .expect("in turn");
            hidden.add(&self.sum()).expect("the right length");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_llama_in_stages_has_the_bits_of_the_whole(
        cuts in prop::collection::vec(0..=LAYERS, 0..5),
        devices in 1usize..4,
        tokens in prop::collection::vec(0u32..37, 2..9),
        packed_apart in any::<bool>(),
    ) {
        let llama = llama();
        let shares = Shares::equal(devices).expect("not zero");
        let plan = ShardPlan::new(llama.shape(), &shares).expect("valid");
        let whole = llama.shard(&plan).expect("its own plan");
        let mut stages: Vec<Stage> = stages(cuts)
            .into_iter()
            .map(|parts| {
                let model = match packed_apart {
                    true => llama.shard(&plan.covering(parts).expect("its layers")),
                    false => whole.covering(parts),
                };
                let model = model.expect("among the whole");
                Stage {
                    cache: model.cache(tokens.len()).expect("short"),
                    workspace: model.workspace(),
                    model,
                }
            })
            .collect();
        let (mut cache, mut workspace) = (whole.cache(tokens.len()).expect("short"), whole.workspace());
        let mut position = 0;
        // A prompt and then one token.
        for now in [&tokens[..tokens.len() - 1], &tokens[tokens.len() - 1..]] {
            whole.forward_ideal(now, &mut cache, &mut workspace, Rows::All).expect("valid");
            let mut hidden = stages[0].model.embed(now, position).expect("known tokens");
            for stage in &mut stages {
                stage.step(&mut hidden);
                // As if it came through a network that changes nothing.
                let states = hidden.values().to_vec();
                hidden.replace(&states).expect("the right length");
            }
            let last = stages.last_mut().expect("one at least");
            last.model.logits(&hidden, Rows::All, &mut last.workspace).expect("the head");
            prop_assert_eq!(
                bits(&last.workspace.logits().expect("just computed")),
                bits(&workspace.logits().expect("just computed"))
            );
            position += now.len();
        }
    }

    #[test]
    fn a_mixtral_in_stages_has_the_bits_of_the_whole(
        cuts in prop::collection::vec(0..=LAYERS, 0..5),
        tokens in prop::collection::vec(0u32..37, 1..9),
    ) {
        let whole = mixtral();
        let (mut cache, mut workspace) = (whole.cache(tokens.len()).expect("short"), whole.workspace());
        whole.forward(&tokens, &mut cache, &mut workspace, Rows::All).expect("valid");
        let stages: Vec<Mixtral> = stages(cuts)
            .into_iter()
            .map(|parts| whole.covering(parts).expect("among the whole"))
            .collect();
        let mut hidden = stages[0].embed(&tokens, 0).expect("known tokens");
        let mut routing = Routing::default();
        for stage in &stages {
            let (mut cache, mut workspace) = (stage.cache(tokens.len()).expect("short"), stage.workspace());
            for layer in stage.parts().layers.clone() {
                stage.attend(layer, &mut hidden, &mut cache, &mut workspace).expect("in turn");
                stage.route(layer, &hidden, &mut routing).expect("held");
                mix(stage, layer, &mut hidden, &routing);
            }
        }
        let last = stages.last().expect("one at least");
        let mut own = last.workspace();
        last.logits(&hidden, Rows::All, &mut own).expect("the head");
        prop_assert_eq!(
            bits(&own.logits().expect("just computed")),
            bits(&workspace.logits().expect("just computed"))
        );
    }
}

/// The published choice of experts, expert by expert.
fn mix(stage: &Mixtral, layer: usize, hidden: &mut Hidden, routing: &Routing) {
    let (count, width) = (stage.shape().expert_count(), stage.shape().hidden);
    let mut visits = vec![(Vec::new(), Vec::new(), Vec::new()); count];
    for token in 0..routing.tokens() {
        let weights = routing.weights_of(token).expect("a token");
        for (expert, weight) in top_experts(&weights, stage.shape().active_experts()) {
            let mut output = vec![0.0; width];
            let input = routing.input(token).expect("a token");
            stage
                .expert(layer, expert, &input, &mut output)
                .expect("held");
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
    stage.combine(hidden, &contributions).expect("fitting");
}

fn says(error: StepError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{text}` lacks `{word}`");
    }
}

#[test]
fn what_a_stage_does_not_hold_is_refused_by_name() {
    let llama = llama();
    let plan = ShardPlan::whole(llama.shape()).expect("valid");
    let whole = llama.shard(&plan).expect("its own plan");
    let middle = whole.covering(Parts::layers(1..3)).expect("its layers");
    let held = "layers 1 to 3 (exclusive), no embedding and no LM head";
    says(
        middle.embed(&[1], 0).expect_err("no table"),
        &["the embedding is not held", held],
    );
    let hidden = whole.embed(&[1], 0).expect("known");
    let (mut cache, mut workspace) = (middle.cache(4).expect("short"), middle.workspace());
    let error = middle.attention(3, 0, &hidden, &mut cache, &mut workspace);
    says(error.expect_err("outside"), &["layer 3 is not held", held]);
    let error = middle.mlp(0, 0, &hidden, &mut workspace);
    says(error.expect_err("outside"), &["layer 0 is not held", held]);
    let error = middle.mlp(LAYERS, 0, &hidden, &mut workspace);
    says(error.expect_err("of no model"), &["layer 5", "there are 5"]);
    let error = middle.logits(&hidden, Rows::All, &mut workspace);
    says(
        error.expect_err("no head"),
        &["the LM head is not held", held],
    );
    let error = middle.covering(Parts::layers(0..2));
    says(error.expect_err("more than it has"), &["layers 0..2", held]);
    let error = whole.covering(Parts::layers(2..6));
    says(
        error.expect_err("of no model"),
        &["layers 2..6", "among its 5"],
    );

    let middle = mixtral().covering(Parts::layers(1..3)).expect("its layers");
    let error = middle.route(0, &hidden, &mut Routing::default());
    says(error.expect_err("outside"), &["layer 0 is not held", held]);
    let error = middle.expert(4, 0, &[], &mut []);
    says(error.expect_err("outside"), &["layer 4 is not held", held]);
    let other = airloom::numerics::kernels::Kernels::active().expect("available");
    assert_eq!(middle.on(other).expect("packs").parts(), middle.parts());
}
