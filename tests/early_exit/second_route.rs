//! Greedy decoding with exits written out: one sequence on one device, keys and values of skipped
//! layers made at once. The run makes them when they are needed, and has to say the same.

use super::simulated;
use airloom::model::ShardPlan;
use airloom::numerics::{
    ExitHeads, Hidden, Llama, Rows, ShardedLlama, Sublayer, Tokenizer, greedy,
};
use std::path::Path;

const PROMPT: &str = "Once Clara was in the barn and needed the green lamp.";
const TOKENS: usize = 30;
const THRESHOLD: f64 = 0.6;

/// p₁ − p₂ by sorting probabilities.
fn margin(logits: &[f32]) -> f64 {
    let all: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
    let mut p: Vec<f64> = logits.iter().map(|&z| f64::from(z).exp() / all).collect();
    p.sort_by(f64::total_cmp);
    p[p.len() - 1] - p[p.len() - 2]
}

fn layer(
    model: &ShardedLlama,
    number: usize,
    hidden: &mut Hidden,
    cache: &mut airloom::numerics::KvCache,
    workspace: &mut airloom::numerics::Workspace,
) {
    model
        .attention(number, 0, hidden, cache, workspace)
        .unwrap();
    let sum = workspace.partial(0).unwrap().to_vec();
    model
        .add(number, Sublayer::Attention, hidden, &sum)
        .unwrap();
    model.mlp(number, 0, hidden, workspace).unwrap();
    let sum = workspace.partial(0).unwrap().to_vec();
    model.add(number, Sublayer::Mlp, hidden, &sum).unwrap();
}

#[test]
fn keys_and_values_made_when_needed_are_those_made_at_once() {
    let folder = Path::new("models/tiny-llama");
    let llama = Llama::load(folder).unwrap();
    let heads = ExitHeads::load(folder, &llama).unwrap().unwrap();
    let model = llama
        .shard(&ShardPlan::whole(llama.shape()).unwrap())
        .unwrap();
    let tokenizer = Tokenizer::load(folder).unwrap();
    let mut cache = model.cache(128).unwrap();
    let mut workspace = model.workspace();
    let prompt = [tokenizer.begin(), &tokenizer.encode(PROMPT).unwrap()].concat();
    model
        .forward_ideal(&prompt, &mut cache, &mut workspace, Rows::Last)
        .unwrap();
    let mut chosen = vec![greedy(&workspace.logits().unwrap()).unwrap()];
    let mut depths = Vec::new();
    while chosen.len() < TOKENS {
        let last = chosen[chosen.len() - 1];
        let mut hidden = model
            .embed(&[last], prompt.len() + chosen.len() - 1)
            .unwrap();
        let mut token = None;
        let mut depth = 6;
        for number in 0..6 {
            if token.is_some() {
                // The state stays; attention leaves its keys and values, and nothing is added.
                model
                    .attention(number, 0, &hidden, &mut cache, &mut workspace)
                    .unwrap();
                continue;
            }
            layer(&model, number, &mut hidden, &mut cache, &mut workspace);
            let after = number + 1;
            if [2, 4].contains(&after) {
                let logits = heads.logits(after, &hidden.values()).unwrap();
                if margin(&logits) > THRESHOLD {
                    (token, depth) = (Some(greedy(&logits).unwrap()), after);
                }
            }
        }
        depths.push(depth as u32);
        chosen.push(token.unwrap_or_else(|| {
            model.logits(&hidden, Rows::Last, &mut workspace).unwrap();
            greedy(&workspace.logits().unwrap()).unwrap()
        }));
    }
    assert!(
        depths.contains(&2) && depths.contains(&4) && depths.contains(&6),
        "{depths:?}"
    );

    let replica = "placement: Single(at: \"edge\"),
        decoding: EarlyExit(threshold: 0.6, after: [4, 2])";
    let workload = format!("workload: [Generate(prompt: \"{PROMPT}\", max_tokens: {TOKENS})],");
    let run = simulated(replica, &workload);
    let exits = run.measured.exits.iter();
    assert_eq!(exits.map(|exit| exit.layers).collect::<Vec<_>>(), depths);
    let text = tokenizer.decode(&chosen).unwrap();
    assert_eq!(run.measured.requests[0].text.as_deref(), Some(&*text));
}
