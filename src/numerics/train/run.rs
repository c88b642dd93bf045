//! The training loop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::TrainError;
use super::batch::{Reader, Sequence};
use super::checkpoint::{self, Resumed};
use super::config::{Distilling, TrainConfig};
use super::evaluate::{Evaluation, evaluate};
use super::export;
use super::log::{HeldOutRow, Log, LossRow};
use super::network::Network;
use super::optimizer::AdamW;
use super::shards::Shards;
use super::teacher::Teacher;
use super::vocabulary;
use crate::corpus::{Split, World};
use crate::whole::{CreatedFolders, Files};

/// Documents from which the vocabulary is learnt.
const VOCABULARY_DOCUMENTS: u64 = 20_000;

/// Steps per row of the loss log.
const LOG_EVERY: u64 = 10;

/// Where a run stands after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// The step's mean loss in nats per predicted token.
    pub loss: f64,
    /// The gradients' norm before clipping.
    pub gradient_norm: f64,
    /// The learning rate it used.
    pub rate: f64,
    /// Tokens predicted by this step.
    pub tokens: u64,
}

/// Watches a run.
pub trait Observer {
    /// Training starts, or goes on, after `done` steps, with `parameters` numbers
    /// to train and a vocabulary of `vocabulary` entries.
    fn started(&mut self, done: u64, parameters: usize, vocabulary: usize) {
        let _ = (done, parameters, vocabulary);
    }
    /// A step is done.
    fn stepped(&mut self, progress: &Progress) {
        let _ = progress;
    }
    /// Held-out documents were scored after `step` steps.
    fn evaluated(&mut self, step: u64, evaluation: &Evaluation) {
        let _ = (step, evaluation);
    }
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Trained numbers.
    pub parameters: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Tokens predicted in training.
    pub tokens: u64,
    /// Wall-clock time of all parts of the run, evaluations included.
    pub seconds: f64,
    /// The stored (bf16) model on held-out documents.
    pub held_out: Evaluation,
    /// Losses on the way.
    pub log: Log,
}

/// Trains a model as `config` says and writes its folder: `config.json`,
/// `model.safetensors`, `tokenizer.json` and `loss.csv`. A checkpoint in the folder is
/// resumed. When `interrupt` turns true the run saves a
/// checkpoint and stops.
///
/// # Errors
/// [`TrainError`]; a run that was stopped is [`TrainError::Interrupted`].
pub fn train(
    config: &TrainConfig,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<Outcome, TrainError> {
    config.check()?;
    if config.out.join(export::WEIGHTS).exists() {
        return Err(TrainError::Exists {
            folder: config.out.clone(),
        });
    }
    // One that stays empty goes again.
    let _created = CreatedFolders::create(&config.out)?;
    let begin = Instant::now();
    let world = World::new(config.seed);
    let taught = match &config.distilling {
        Some(distilling) => {
            let teacher = Teacher::load(&distilling.teacher, config.window)?;
            Some((distilling, teacher))
        }
        None => None,
    };
    let tokenizer_json = match &taught {
        Some((_, teacher)) => teacher.tokenizer_json.clone(),
        None => {
            let text = |index| world.document(Split::Train, index).text;
            vocabulary::learn((0..VOCABULARY_DOCUMENTS).map(text), config.vocabulary)?
        }
    };
    let reader = Reader::new(world, &tokenizer_json, config.window)?;
    let vocabulary = match &taught {
        Some((distilling, teacher)) => teacher.vocabulary(&reader, &distilling.teacher)?,
        None => reader.vocabulary(),
    };
    let teacher = taught.as_ref().map(|(_, teacher)| teacher);
    let network = Network::new(&config.network, vocabulary, config.window, config.seed)?;
    let shards = Shards::new(config.shards)?;
    let mut optimizer = AdamW::new(
        network.variables(),
        config.betas,
        config.weight_decay,
        config.clip,
    );
    let fingerprint = config.fingerprint(teacher.map(|teacher| &*teacher.digests));
    let resumed = checkpoint::load(
        &config.out,
        &fingerprint,
        network.variables(),
        &mut optimizer,
    )?;
    let mut state = resumed.unwrap_or_else(|| Resumed {
        step: 0,
        seconds: 0.0,
        log: Log::default(),
    });
    let before = state.seconds;
    observer.started(state.step, network.parameters(), vocabulary);

    let mut recent = (0.0, 0);
    while state.step < config.steps {
        let rate = config.rate_after(state.step);
        let (documents, questions) = (config.documents, config.questions);
        let dealt = reader.step(state.step, documents, questions, config.shards)?;
        let (loss, tokens, gradients) =
            gradients(&network, taught.as_ref(), &reader, &dealt, &shards)?;
        let step = state.step + 1;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, loss });
        }
        let gradient_norm = optimizer.step(network.variables(), &gradients, step, rate)?;
        state.step = step;
        observer.stepped(&Progress {
            step,
            steps: config.steps,
            loss,
            gradient_norm,
            rate,
            tokens,
        });

        recent = (recent.0 + loss * tokens as f64, recent.1 + tokens);
        let last = step == config.steps;
        if step % LOG_EVERY == 0 || last {
            let so_far = state.log.losses.last().map_or(0, |row| row.tokens);
            state.log.losses.push(LossRow {
                step,
                tokens: so_far + recent.1,
                rate,
                nats: recent.0 / recent.1 as f64,
            });
            recent = (0.0, 0);
        }
        if step % config.evaluate_every == 0 && !last {
            let documents = (config.held_out as u64).div_ceil(8);
            let evaluation = evaluate(&network, teacher, &reader, documents, &shards)?;
            note(&mut state.log, step, &evaluation);
            observer.evaluated(step, &evaluation);
        }
        // The log's running sum starts anew at its rows, so a checkpoint is made
        // at a row only.
        let stop = interrupt.load(Ordering::Relaxed) && recent.1 == 0;
        if (step % config.checkpoint_every == 0 && recent.1 == 0) || stop {
            state.seconds = before + begin.elapsed().as_secs_f64();
            checkpoint::save(
                &config.out,
                &fingerprint,
                &state,
                network.variables(),
                &optimizer,
            )?;
        }
        if stop && !last {
            return Err(TrainError::Interrupted {
                step,
                checkpoint: config.out.join(checkpoint::FILE),
            });
        }
    }

    export::round_to_bf16(network.variables())?;
    let held_out = evaluate(&network, teacher, &reader, config.held_out as u64, &shards)?;
    note(&mut state.log, state.step, &held_out);
    observer.evaluated(state.step, &held_out);
    let mut files = Files::default();
    files.stage(&config.out.join("loss.csv"), state.log.csv().as_bytes())?;
    let variables = network.variables();
    export::stage(&mut files, config, variables, &tokenizer_json, vocabulary)?;
    files.commit()?;
    let used = config.out.join(checkpoint::FILE);
    if used.exists() {
        std::fs::remove_file(&used).map_err(|source| TrainError::Write { path: used, source })?;
    }
    Ok(Outcome {
        parameters: network.parameters(),
        vocabulary,
        tokens: state.log.losses.last().map_or(0, |row| row.tokens),
        seconds: before + begin.elapsed().as_secs_f64(),
        held_out,
        log: state.log,
    })
}

/// Notes an evaluation in the log.
fn note(log: &mut Log, step: u64, evaluation: &Evaluation) {
    let all = evaluation.overall();
    log.held_out.push(HeldOutRow {
        step,
        model: all.model_nats / all.tokens as f64,
        generator: all.generator_nats / all.tokens as f64,
    });
}

/// Gradients by the variables' names.
type Gradients = BTreeMap<String, Vec<f32>>;

/// The mean loss over all predicted tokens of a step, their number, and the
/// gradient of that mean, the shards' parts added in order.
fn gradients(
    network: &Network,
    taught: Option<&(&Distilling, Teacher)>,
    reader: &Reader,
    dealt: &[Vec<Sequence>],
    shards: &Shards,
) -> Result<(f64, u64, Gradients), TrainError> {
    let tokens: usize = dealt
        .iter()
        .flatten()
        .map(|sequence| sequence.predicted())
        .sum();
    let weight = 1.0 / tokens as f32;
    let parts = shards.map(dealt, |sequences| {
        let batch = reader.pack(sequences);
        let taught = match taught {
            Some((distilling, teacher)) => Some((*distilling, teacher.logits(sequences, &batch)?)),
            None => None,
        };
        let (loss, objective) = network.loss(&batch, weight, taught)?;
        let store = objective.backward()?;
        let mut gradients = BTreeMap::new();
        for (name, var) in network.variables() {
            let gradient = match store.get(var) {
                Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>()?,
                None => vec![0.0; var.elem_count()],
            };
            gradients.insert(name.clone(), gradient);
        }
        Ok::<_, TrainError>((f64::from(loss.to_scalar::<f32>()?), gradients))
    });
    let mut loss = 0.0;
    let mut sum: Option<Gradients> = None;
    for part in parts {
        let (part_loss, gradients) = part?;
        loss += part_loss;
        match &mut sum {
            None => sum = Some(gradients),
            Some(sum) => {
                for (name, gradient) in gradients {
                    let total = sum.get_mut(&name).expect("every part has every variable");
                    for (total, g) in total.iter_mut().zip(gradient) {
                        *total += g;
                    }
                }
            }
        }
    }
    Ok((loss, tokens as u64, sum.unwrap_or_default()))
}
