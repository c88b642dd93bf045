//! Exit heads for a model whose own weights stay as they are.
//!
//! Each exit learns to say what the whole model says: KL(model ‖ exit) in nats is descended on
//! text of the world, the states being inference's own, so that an exit sees in training what it
//! sees when it is asked. The exits have nothing in common but their text.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Tensor, Var};
use half::bf16;
use rand::RngExt;
use safetensors::tensor::{Dtype, TensorView};

use super::TrainError;
use super::batch::{Reader, Sequence};
use super::export;
use super::ops::{Distillation, RmsNorm};
use super::optimizer::AdamW;
use super::teacher::Likeness;
use crate::corpus::{Split, World};
use crate::files;
use crate::model::ShardPlan;
use crate::numerics::exits::{EXITS_FILE, ExitHeads, TRUNK, trunk_digest};
use crate::numerics::{Llama, Rows, ShardedLlama, StepError, Sublayer, score};
use crate::rng::{NO_DEVICE, Streams};
use crate::whole::Files;

/// Exit heads to train.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitsConfig {
    /// The folder of the model, which gets them.
    pub folder: PathBuf,
    /// After how many layers there is an exit.
    pub after: Vec<usize>,
    /// Rank of each exit's change of basis.
    pub rank: usize,
    /// Seed of the world, its documents and the initial weights.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: u64,
    /// Documents per step.
    pub documents: usize,
    /// Learning rate at the first step, from which it falls to zero by a cosine.
    pub learning_rate: f64,
    /// Held-out documents that they are scored on.
    pub held_out: usize,
}

impl ExitsConfig {
    /// The recipe of the bundled exits, for the model in `folder`.
    pub fn new(folder: impl Into<PathBuf>, after: Vec<usize>) -> Self {
        Self {
            folder: folder.into(),
            after,
            rank: 48,
            seed: World::BUNDLED_SEED,
            steps: 600,
            documents: 24,
            learning_rate: 3e-3,
            held_out: 500,
        }
    }

    fn check(&self, layers: usize) -> Result<(), TrainError> {
        let fault = |field, fault: String| Err(TrainError::Config { field, fault });
        for (field, value) in [
            ("exits", self.after.len()),
            ("rank", self.rank),
            ("documents", self.documents),
            ("held_out", self.held_out),
            ("steps", self.steps as usize),
        ] {
            if value == 0 {
                return fault(field, "is 0; give at least 1".to_owned());
            }
        }
        for (place, &after) in self.after.iter().enumerate() {
            if after == 0 || after >= layers {
                return fault(
                    "exits",
                    format!(
                        "there is no exit after {after} of {layers} layers; give numbers from 1 \
                         to {}",
                        layers - 1
                    ),
                );
            }
            if self.after[..place].contains(&after) {
                return fault("exits", format!("{after} is there twice; give it once"));
            }
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            let told = self.learning_rate;
            return fault("learning_rate", format!("{told} is not a positive number"));
        }
        Ok(())
    }
}

/// What an exit is worth on held-out documents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExitQuality {
    /// Layers before it; all of them for the model itself.
    pub after: usize,
    /// Its −ln p of the text, in nats per token.
    pub nats: f64,
    /// How like the whole model it is.
    pub likeness: Likeness,
}

/// Trained exits.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitsOutcome {
    /// Trained numbers.
    pub parameters: usize,
    /// By the layers before them, the whole model last.
    pub exits: Vec<ExitQuality>,
    /// Mean KL(model ‖ exit) in nats per token at the last step, all exits together.
    pub loss: f64,
}

/// A frozen model.
struct Trunk {
    model: Llama,
    packed: ShardedLlama,
}

/// What a trunk makes of some documents, row by row.
struct Seen {
    /// By exit, \[rows × hidden\].
    states: Vec<Vec<f32>>,
    /// Of the whole model, \[rows × vocabulary\].
    logits: Vec<f32>,
    /// The tokens that follow.
    targets: Vec<u32>,
}

impl Trunk {
    fn see(&self, sequences: &[Sequence], after: &[usize]) -> Result<Seen, TrainError> {
        let texts: Vec<(&[u32], usize)> = sequences
            .iter()
            .map(|sequence| (&sequence.tokens[..sequence.predicted()], 0))
            .collect();
        let caches = texts.iter().map(|(text, _)| self.packed.cache(text.len()));
        let mut caches = caches.collect::<Result<Vec<_>, _>>()?;
        let mut caches: Vec<_> = caches.iter_mut().collect();
        let mut workspace = self.packed.workspace();
        let mut hidden = self.packed.embed_slices(&texts)?;
        let mut states = Vec::with_capacity(after.len());
        for layer in 0..self.model.shape().layers {
            if after.contains(&layer) {
                states.push(hidden.values().to_vec());
            }
            let packed = &self.packed;
            packed.attention_slices_on_all(layer, &hidden, &mut caches, &mut workspace)?;
            let sum = workspace.partial(0)?.to_vec();
            packed.add(layer, Sublayer::Attention, &mut hidden, &sum)?;
            packed.mlp_on_all(layer, &hidden, &mut workspace)?;
            let sum = workspace.partial(0)?.to_vec();
            packed.add(layer, Sublayer::Mlp, &mut hidden, &sum)?;
        }
        let rows = vec![Rows::All; texts.len()];
        self.packed.logits_slices(&hidden, &rows, &mut workspace)?;
        let targets = sequences.iter().flat_map(|own| &own.tokens[1..]);
        Ok(Seen {
            states,
            logits: workspace.logits()?.to_vec(),
            targets: targets.copied().collect(),
        })
    }
}

/// Trains the exits of `config` and writes them beside the model's weights, in the place of those
/// that may be there. `watch` is told the step and its loss. When `interrupt` turns true the run
/// ends and nothing is written.
///
/// # Errors
/// [`TrainError`]; a run that was stopped is [`TrainError::Stopped`].
pub fn train_exits(
    config: &ExitsConfig,
    watch: &mut dyn FnMut(u64, f64),
    interrupt: &AtomicBool,
) -> Result<ExitsOutcome, TrainError> {
    let model = Llama::load(&config.folder)?;
    config.check(model.shape().layers)?;
    let mut after = config.after.clone();
    after.sort_unstable();
    let plan = ShardPlan::whole(model.shape()).map_err(StepError::from)?;
    let packed = model.shard(&plan)?;
    let trunk = Trunk { model, packed };
    let path = config.folder.join("tokenizer.json");
    let tokenizer = files::read(&path, 256 << 20).and_then(|content| {
        String::from_utf8(content)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    });
    let tokenizer = tokenizer.map_err(|source| TrainError::Read { path, source })?;
    let window = trunk.model.config().max_positions;
    let reader = Reader::new(World::new(config.seed), &tokenizer, window)?;
    let variables = initial(&trunk.model, &after, config)?;
    let mut optimizer = AdamW::new(&variables, (0.9, 0.98), 0.0, 1.0);
    let head = trunk.model.lm_head()?.to_dtype(candle_core::DType::F32)?;
    let head = head.t()?.contiguous()?;
    let epsilon = trunk.model.config().norm_epsilon;
    let mut last = 0.0;
    for done in 0..config.steps {
        if interrupt.load(Ordering::Relaxed) {
            return Err(TrainError::Stopped { step: done });
        }
        let mut dealt = reader.step(done, config.documents, 0, 1)?;
        let sequences = dealt.pop().unwrap_or_default();
        let seen = trunk.see(&sequences, &after)?;
        let rows = seen.targets.len();
        let objective = Distillation {
            targets: Arc::new(seen.targets),
            teacher: Arc::new(seen.logits),
            weight: 1.0 / rows as f32,
            share: 1.0,
            temperature: 1.0,
        };
        let mut total: Option<Tensor> = None;
        for (exit, states) in after.iter().zip(seen.states) {
            let weight = |part: &str| variables[&name(*exit, part)].as_tensor();
            let x = Tensor::from_vec(states, (rows, trunk.model.shape().hidden), &Device::Cpu)?;
            let normed = x.apply_op2(weight("norm"), RmsNorm { epsilon })?;
            let low = normed.matmul(&weight("down").t()?)?;
            let turned = (&normed + low.matmul(&weight("up").t()?)?)?;
            let loss = turned.matmul(&head)?.apply_op1(objective.clone())?;
            total = Some(match total {
                Some(total) => (total + loss)?,
                None => loss,
            });
        }
        let total = total.expect("there is an exit");
        last = f64::from(total.to_scalar::<f32>()?) / after.len() as f64;
        let step = done + 1;
        if !last.is_finite() {
            return Err(TrainError::Diverged { step, loss: last });
        }
        let store = total.backward()?;
        let mut gradients = BTreeMap::new();
        for (name, var) in &variables {
            let gradient = match store.get(var) {
                Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>()?,
                None => vec![0.0; var.elem_count()],
            };
            gradients.insert(name.clone(), gradient);
        }
        let x = done as f64 / config.steps as f64;
        let rate = config.learning_rate * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * x));
        optimizer.step(&variables, &gradients, step, rate)?;
        watch(step, last);
    }
    export::round_to_bf16(&variables)?;
    let tensors: BTreeMap<String, Tensor> = variables
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
        .collect();
    let heads = ExitHeads::from_tensors(&trunk.model, &tensors)?;
    let exits = qualities(&trunk, &heads, &reader, config.held_out as u64)?;
    let mut files = Files::default();
    let content = serialise(&variables, trunk_digest(trunk.model.digests()))?;
    files.stage(&config.folder.join(EXITS_FILE), &content)?;
    files.commit()?;
    Ok(ExitsOutcome {
        parameters: variables.values().map(|var| var.elem_count()).sum(),
        exits,
        loss: last,
    })
}

fn name(after: usize, part: &str) -> String {
    format!("exits.{after}.{part}.weight")
}

/// Norms of 1; V uniform in ±√(3 / hidden), so that V n has variance 1; U zero: each exit begins as
/// the model's own head.
fn initial(
    model: &Llama,
    after: &[usize],
    config: &ExitsConfig,
) -> Result<BTreeMap<String, Var>, TrainError> {
    let (hidden, rank) = (model.shape().hidden, config.rank);
    let streams = Streams {
        seed: config.seed,
        run: 0,
    };
    let reach = (3.0 / hidden as f64).sqrt();
    let mut variables = BTreeMap::new();
    for &exit in after {
        let mut stream = streams.open("train.exits", NO_DEVICE, exit as u64);
        let down =
            (0..rank * hidden).map(|_| (reach * (2.0 * stream.random::<f64>() - 1.0)) as f32);
        let down = Tensor::from_vec(down.collect::<Vec<_>>(), (rank, hidden), &Device::Cpu)?;
        let norm = Tensor::from_vec(vec![1f32; hidden], hidden, &Device::Cpu)?;
        let up = Tensor::from_vec(vec![0f32; hidden * rank], (hidden, rank), &Device::Cpu)?;
        for (part, tensor) in [("down", down), ("norm", norm), ("up", up)] {
            variables.insert(name(exit, part), Var::from_tensor(&tensor)?);
        }
    }
    Ok(variables)
}

/// What the exits and the whole model are worth on the first `documents` held-out ones.
fn qualities(
    trunk: &Trunk,
    heads: &ExitHeads,
    reader: &Reader,
    documents: u64,
) -> Result<Vec<ExitQuality>, TrainError> {
    let after = heads.after();
    let layers = trunk.model.shape().layers;
    let mut all: Vec<ExitQuality> = after
        .iter()
        .chain([&layers])
        .map(|&after| ExitQuality {
            after,
            nats: 0.0,
            likeness: Likeness::default(),
        })
        .collect();
    let vocabulary = trunk.model.shape().vocabulary;
    for first in (0..documents).step_by(32) {
        let range = first..documents.min(first + 32);
        let sequences = range
            .map(|index| reader.encode(&reader.world().document(Split::HeldOut, index).text))
            .collect::<Result<Vec<_>, _>>()?;
        let seen = trunk.see(&sequences, &after)?;
        for (place, quality) in all.iter_mut().enumerate() {
            let own = match seen.states.get(place) {
                Some(states) => heads.logits(after[place], states)?,
                None => seen.logits.clone(),
            };
            let nats = score(&own, vocabulary, &seen.targets)?;
            quality.nats += nats.iter().sum::<f64>();
            let likeness = Likeness::of(&own, &seen.logits, &seen.targets);
            quality.likeness.add(&likeness);
        }
    }
    for quality in &mut all {
        quality.nats /= quality.likeness.tokens as f64;
    }
    Ok(all)
}

/// The content of the file, in bf16.
fn serialise(variables: &BTreeMap<String, Var>, trunk: String) -> Result<Vec<u8>, TrainError> {
    let mut data = Vec::with_capacity(variables.len());
    for (name, var) in variables {
        let values = var.flatten_all()?.to_vec1::<f32>()?;
        let bytes = values.iter();
        let bytes = bytes.flat_map(|&value| bf16::from_f32(value).to_le_bytes());
        data.push((name, var.dims().to_vec(), bytes.collect::<Vec<u8>>()));
    }
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::BF16, shape.clone(), bytes)
            .expect("as many bytes as the shape says");
        (name.as_str(), view)
    });
    // One field: several would be written in any order.
    let metadata = [(TRUNK.to_owned(), trunk)].into();
    Ok(safetensors::serialize(views, Some(metadata))
        .expect("tensors of checked sizes always serialise"))
}
