//! Behaviour of whole training runs, on a network small enough for a moment.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{NetworkConfig, Observer, Progress, TrainConfig, TrainError, train};

fn tiny(out: &Path) -> TrainConfig {
    TrainConfig {
        network: NetworkConfig {
            hidden: 16,
            layers: 1,
            heads: 2,
            ffn: 24,
            ..NetworkConfig::default()
        },
        steps: 40,
        documents: 4,
        vocabulary: 700,
        warm_up: 5,
        learning_rate: 1e-2,
        checkpoint_every: 20,
        evaluate_every: 20,
        held_out: 16,
        ..TrainConfig::new(out)
    }
}

/// Remembers the losses and asks to stop after a step.
struct Watch<'a> {
    losses: Vec<f64>,
    stop_after: u64,
    interrupt: &'a AtomicBool,
}

impl Observer for Watch<'_> {
    fn stepped(&mut self, progress: &Progress) {
        self.losses.push(progress.loss);
        if progress.step == self.stop_after {
            self.interrupt.store(true, Ordering::Relaxed);
        }
    }
}

fn run(config: &TrainConfig, stop_after: u64) -> (Vec<f64>, Result<super::Outcome, TrainError>) {
    let interrupt = AtomicBool::new(false);
    let mut watch = Watch {
        losses: Vec::new(),
        stop_after,
        interrupt: &interrupt,
    };
    let outcome = train(config, &mut watch, &interrupt);
    (watch.losses, outcome)
}

#[test]
fn a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let (losses, outcome) = run(&tiny(&whole), u64::MAX);
    let outcome = outcome.unwrap();
    let early: f64 = losses[..4].iter().sum::<f64>() / 4.0;
    let late: f64 = losses[36..].iter().sum::<f64>() / 4.0;
    assert!(late < 0.8 * early, "the loss went from {early} to {late}");

    let (_, stopped) = run(&tiny(&parts), 17);
    assert!(
        matches!(stopped, Err(TrainError::Interrupted { step: 20, .. })),
        "{stopped:?}"
    );
    assert!(!parts.join("model.safetensors").exists());
    let (_, resumed) = run(&tiny(&parts), u64::MAX);
    assert_eq!(resumed.unwrap().held_out, outcome.held_out);
    for file in [
        "model.safetensors",
        "loss.csv",
        "config.json",
        "tokenizer.json",
    ] {
        assert!(
            std::fs::read(whole.join(file)).unwrap() == std::fs::read(parts.join(file)).unwrap(),
            "{file} differs"
        );
    }
    assert!(!parts.join("checkpoint.safetensors").exists());

    let (_, again) = run(&tiny(&whole), u64::MAX);
    assert!(matches!(again, Err(TrainError::Exists { .. })), "{again:?}");
}

#[test]
fn a_checkpoint_of_other_settings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = tiny(folder.path());
    let (_, stopped) = run(&config, 3);
    assert!(stopped.is_err());
    let other = TrainConfig {
        learning_rate: 2e-2,
        ..config
    };
    let message = run(&other, 3).1.unwrap_err().to_string();
    assert!(message.contains("other settings"), "{message}");
    std::fs::write(folder.path().join("checkpoint.safetensors"), b"rubbish").unwrap();
    let message = run(&other, 3).1.unwrap_err().to_string();
    assert!(message.contains("checkpoint.safetensors"), "{message}");
}

#[test]
fn documents_that_share_a_row_do_not_see_each_other() {
    use super::batch::Reader;
    use super::network::Network;
    use super::ops::token_nats;
    use super::vocabulary;
    use crate::corpus::{Split, World};

    let config = tiny(Path::new(""));
    let world = World::new(1);
    let texts: Vec<String> = (0..6)
        .map(|index| world.document(Split::Train, index).text)
        .collect();
    let json = vocabulary::learn(texts.clone().into_iter(), 500).unwrap();
    let reader = Reader::new(world, &json, 256).unwrap();
    let network = Network::new(&config.network, reader.vocabulary(), 256, 3).unwrap();
    let nats = |texts: &[String]| -> Vec<Vec<f32>> {
        let sequences: Vec<_> = texts.iter().map(|t| reader.encode(t).unwrap()).collect();
        let batch = reader.pack(&sequences);
        let logits = network.logits(&batch).unwrap().flatten_all().unwrap();
        let nats = token_nats(&logits.to_vec1::<f32>().unwrap(), &batch.targets);
        let own = sequences.iter().zip(&batch.places);
        own.map(|(s, &place)| nats[place..place + s.predicted()].to_vec())
            .collect()
    };
    let together = nats(&texts);
    for (text, shared) in texts.iter().zip(together) {
        let alone = &nats(std::slice::from_ref(text))[0];
        for (a, b) in alone.iter().zip(&shared) {
            assert!((a - b).abs() < 1e-4, "{a} alone, {b} in company");
        }
    }
}

/// The bundled model as this module reads it.
fn bundled() -> (super::batch::Reader, super::network::Network) {
    use candle_core::{DType, Device, safetensors};

    let folder = bundled_folder();
    let config = TrainConfig::new(&folder);
    let json = std::fs::read_to_string(folder.join("tokenizer.json")).unwrap();
    let world = crate::corpus::World::new(config.seed);
    let reader = super::batch::Reader::new(world, &json, config.window).unwrap();
    let network =
        super::network::Network::new(&config.network, reader.vocabulary(), config.window, 0)
            .unwrap();
    let weights = safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap();
    assert_eq!(weights.len(), network.variables().len());
    for (name, var) in network.variables() {
        assert_eq!(weights[name].dtype(), DType::BF16);
        var.set(&weights[name].to_dtype(DType::F32).unwrap())
            .unwrap();
    }
    (reader, network)
}

fn bundled_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny-llama")
}

#[test]
fn the_bundled_model_reaches_the_perplexity_on_its_card() {
    let (reader, network) = bundled();
    let shards = super::shards::Shards::new(2).unwrap();
    let evaluation = super::evaluate::evaluate(&network, &reader, 128, &shards).unwrap();
    let held_out = evaluation.overall();
    let ratio = held_out.perplexity() / held_out.generator_perplexity();
    // 1.027 on 2000 documents; below 1 would mean that the entropy is wrong.
    assert!((1.0..1.05).contains(&ratio), "ratio {ratio}");
}

#[test]
fn inference_finds_the_bundled_model_as_trained() {
    use crate::corpus::Split;
    use crate::model::ShardPlan;
    use crate::numerics::{Llama, Rows, Tokenizer, score};

    let (reader, network) = bundled();
    let llama = Llama::load(&bundled_folder()).unwrap();
    let tokenizer = Tokenizer::load(&bundled_folder()).unwrap();
    let plan = ShardPlan::whole(llama.shape()).unwrap();
    let model = llama.shard(&plan).unwrap();
    for index in 0..4 {
        let text = reader.world().document(Split::HeldOut, index).text;
        let sequence = reader.encode(&text).unwrap();
        let (inputs, targets) = (
            &sequence.tokens[..sequence.predicted()],
            &sequence.tokens[1..],
        );
        assert_eq!(tokenizer.encode_document(&text).unwrap(), inputs);

        let (mut cache, mut workspace) = (model.cache(inputs.len()).unwrap(), model.workspace());
        model
            .forward_ideal(inputs, &mut cache, &mut workspace, Rows::All)
            .unwrap();
        let logits = workspace.logits().unwrap();
        let inferred = score(logits, tokenizer.vocabulary(), targets).unwrap();

        let batch = reader.pack(&[sequence]);
        let logits = network.logits(&batch).unwrap().flatten_all().unwrap();
        let logits = logits.to_vec1::<f32>().unwrap();
        let trained = super::ops::token_nats(&logits, &batch.targets);
        for (a, b) in inferred.iter().zip(trained) {
            assert!((a - f64::from(b)).abs() < 2e-3, "{a} inferred, {b} trained");
        }
    }
}
