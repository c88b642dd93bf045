//! Exit heads alone: their logits by candle's own operations, their card, and files that do not fit.

use airloom::corpus::{Split, World};
use airloom::model::ShardPlan;
use airloom::numerics::{EXITS_FILE, ExitHeads, Llama, Rows, Sublayer, Tokenizer, greedy, score};
use candle_core::{DType, Device, Tensor, safetensors};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const MODEL: &str = "models/tiny-llama";

fn tensors() -> BTreeMap<String, Tensor> {
    let path = Path::new(MODEL).join(EXITS_FILE);
    let tensors = safetensors::load(path, &Device::Cpu).unwrap();
    tensors.into_iter().collect()
}

#[test]
fn logits_are_those_of_the_formula_and_a_row_has_the_same_bits_alone() {
    let llama = Llama::load(Path::new(MODEL)).unwrap();
    let heads = ExitHeads::load(Path::new(MODEL), &llama).unwrap().unwrap();
    let states: Vec<f32> = (0..3 * 192)
        .map(|n| ((n * 37 % 101) as f32 - 50.0) / 17.0)
        .collect();
    let x = Tensor::from_slice(&states, (3, 192), &Device::Cpu).unwrap();
    let tensors = tensors();
    for after in heads.after() {
        let of = |part: &str| {
            let name = format!("exits.{after}.{part}.weight");
            tensors[&name].to_dtype(DType::F32).unwrap()
        };
        let square = x.sqr().unwrap().mean_keepdim(1).unwrap();
        let root = (square + 1e-5).unwrap().sqrt().unwrap();
        let n = x
            .broadcast_div(&root)
            .unwrap()
            .broadcast_mul(&of("norm"))
            .unwrap();
        let low = n.matmul(&of("down").t().unwrap()).unwrap();
        let y = (&n + low.matmul(&of("up").t().unwrap()).unwrap()).unwrap();
        let head = llama.lm_head().unwrap().to_dtype(DType::F32).unwrap();
        let plain = y.matmul(&head.t().unwrap()).unwrap();
        let plain = plain.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let told = heads.logits(after, &states).unwrap();
        for (a, b) in told.iter().zip(&plain) {
            assert!((a - b).abs() < 1e-3, "after {after}: {a} and {b}");
        }
        let alone = heads.logits(after, &states[192..384]).unwrap();
        assert_eq!(alone, told[1024..2048]);
    }
    assert!(heads.logits(6, &states).is_err());
    assert!(heads.logits(2, &states[1..]).is_err());
}

/// The card's table is over 500 documents; these are the first 60 of them.
#[test]
fn the_bundled_exits_are_worth_what_their_card_says() {
    let folder = Path::new(MODEL);
    let card = fs::read_to_string(folder.join("README.md")).unwrap();
    let numbers = |after: usize| -> Vec<f64> {
        let row = format!("| after {after} of 6 |");
        let row = card.lines().find(|line| line.starts_with(&row));
        let cells = row.expect("the card has a row per exit").split('|').skip(2);
        cells
            .filter_map(|cell| cell.trim().trim_end_matches(" %").parse().ok())
            .collect()
    };
    let llama = Llama::load(folder).unwrap();
    let heads = ExitHeads::load(folder, &llama).unwrap().unwrap();
    let model = llama
        .shard(&ShardPlan::whole(llama.shape()).unwrap())
        .unwrap();
    let tokenizer = Tokenizer::load(folder).unwrap();
    let world = World::new(World::BUNDLED_SEED);
    let mut workspace = model.workspace();
    let mut sums = BTreeMap::<usize, (f64, f64, f64)>::new();
    for index in 0..60 {
        let mut tokens = tokenizer
            .encode_document(&world.document(Split::HeldOut, index).text)
            .unwrap();
        let inputs = tokens.clone();
        tokens.remove(0);
        tokens.push(1);
        let mut cache = model.cache(inputs.len()).unwrap();
        let mut hidden = model.embed(&inputs, 0).unwrap();
        let mut told = BTreeMap::new();
        for layer in 0..6 {
            for sublayer in [Sublayer::Attention, Sublayer::Mlp] {
                match sublayer {
                    Sublayer::Attention => {
                        model
                            .attention(layer, 0, &hidden, &mut cache, &mut workspace)
                            .unwrap();
                    }
                    Sublayer::Mlp => model.mlp(layer, 0, &hidden, &mut workspace).unwrap(),
                }
                let sum = workspace.partial(0).unwrap().to_vec();
                model.add(layer, sublayer, &mut hidden, &sum).unwrap();
            }
            if heads.after().contains(&(layer + 1)) {
                told.insert(
                    layer + 1,
                    heads.logits(layer + 1, &hidden.values()).unwrap(),
                );
            }
        }
        model.logits(&hidden, Rows::All, &mut workspace).unwrap();
        let whole = workspace.logits().unwrap();
        for (after, logits) in told {
            let own = sums.entry(after).or_default();
            own.0 += score(&logits, 1024, &tokens).unwrap().iter().sum::<f64>();
            let rows = logits.chunks_exact(1024).zip(whole.chunks_exact(1024));
            let same = rows.filter(|(a, b)| greedy(a).unwrap() == greedy(b).unwrap());
            own.1 += same.count() as f64;
            own.2 += tokens.len() as f64;
        }
    }
    assert_eq!(sums.len(), 5);
    for (after, (nats, same, tokens)) in sums {
        let card = numbers(after);
        let perplexity = (nats / tokens).exp();
        let same = 100.0 * same / tokens;
        assert!(
            (perplexity / card[0] - 1.0).abs() < 0.06,
            "after {after}: {perplexity}, {card:?}"
        );
        assert!(
            (same - card[1]).abs() < 3.0,
            "after {after}: {same} %, {card:?}"
        );
    }
}

#[test]
fn exits_of_other_weights_or_of_layers_that_are_not_there_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(Path::new(MODEL).join(name), folder.path().join(name)).unwrap();
    }
    let llama = Llama::load(folder.path()).unwrap();
    assert!(ExitHeads::load(folder.path(), &llama).unwrap().is_none());
    assert_eq!(
        ExitHeads::listed(folder.path()).unwrap(),
        Vec::<usize>::new()
    );
    let file = folder.path().join(EXITS_FILE);
    fs::copy(Path::new(MODEL).join(EXITS_FILE), &file).unwrap();
    assert_eq!(ExitHeads::listed(folder.path()).unwrap(), [1, 2, 3, 4, 5]);

    let draft = Llama::load(Path::new("models/tiny-llama-draft")).unwrap();
    let error = ExitHeads::load(folder.path(), &draft)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("exits.safetensors") && error.contains("other weights"),
        "{error}"
    );

    let renamed = |to: &str| {
        let mut tensors = tensors();
        let one = tensors.remove("exits.2.norm.weight").unwrap();
        tensors.insert(to.to_owned(), one);
        ExitHeads::from_tensors(&llama, &tensors)
            .unwrap_err()
            .to_string()
    };
    assert!(renamed("exits.6.norm.weight").contains("after 6 layers"));
    assert!(renamed("exits.2.bias").contains("`exits.2.bias` means nothing"));
    assert!(renamed("exits.3.norm.weight").contains("`exits.2.norm.weight` is missing"));

    let content = fs::read(&file).unwrap();
    fs::write(&file, &content[..content.len() / 2]).unwrap();
    let error = ExitHeads::load(folder.path(), &llama)
        .unwrap_err()
        .to_string();
    assert!(error.contains("truncated or damaged"), "{error}");
}
