//! Perplexity on held-out documents, beside the generator's own; right answers to
//! held-out questions; which experts which register uses; and how like its teacher a
//! model is.

use std::collections::BTreeMap;

use super::TrainError;
use super::batch::Reader;
use super::network::Network;
use super::ops::token_nats;
use super::shards::Shards;
use super::teacher::{Likeness, Teacher};
use crate::corpus::{Register, Split, Suite};

/// Documents that one thread evaluates at a time.
const CHUNK: u64 = 32;

/// Questions that one thread evaluates at a time.
const QUESTIONS: u64 = 8;

/// Sums over documents.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Documents scored.
    pub documents: u64,
    /// Predicted tokens: those of the text and the one that ends it.
    pub tokens: u64,
    /// −ln of the model's probability, summed, in nats.
    pub model_nats: f64,
    /// −ln of the generator's probability, summed, in nats.
    pub generator_nats: f64,
}

impl Tally {
    /// exp of the model's nats per token.
    pub fn perplexity(&self) -> f64 {
        libm::exp(self.model_nats / self.tokens as f64)
    }

    /// exp of the generator's nats per token: the least that any model can reach
    /// on average.
    pub fn generator_perplexity(&self) -> f64 {
        libm::exp(self.generator_nats / self.tokens as f64)
    }

    fn add(&mut self, other: &Self) {
        self.documents += other.documents;
        self.tokens += other.tokens;
        self.model_nats += other.model_nats;
        self.generator_nats += other.generator_nats;
    }
}

/// Answers to multiple-choice questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Questions whose right answer is the most probable.
    pub right: u64,
    /// Questions put.
    pub questions: u64,
}

impl Marks {
    /// The share of right answers.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.questions as f64
    }
}

/// A model by register and by suite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One tally per register seen.
    pub registers: BTreeMap<Register, Tally>,
    /// Right answers by suite.
    pub suites: BTreeMap<Suite, Marks>,
    /// How many tokens of a register went to each expert of each layer; empty in a
    /// LLaMA.
    pub experts: BTreeMap<Register, Vec<Vec<u64>>>,
    /// How like its teacher it is on the documents, if it had one.
    pub teacher: Option<Likeness>,
}

impl Evaluation {
    /// All registers together.
    pub fn overall(&self) -> Tally {
        let mut all = Tally::default();
        for tally in self.registers.values() {
            all.add(tally);
        }
        all
    }
}

/// Scores the first `documents` held-out documents, each from its start alone, and
/// an eighth as many questions of each suite.
pub(super) fn evaluate(
    network: &Network,
    teacher: Option<&Teacher>,
    reader: &Reader,
    documents: u64,
    shards: &Shards,
) -> Result<Evaluation, TrainError> {
    let firsts: Vec<u64> = (0..documents).step_by(CHUNK as usize).collect();
    let mut evaluation = Evaluation::default();
    for round in firsts.chunks(shards.count()) {
        let parts = shards.map(round, |&first| {
            score(
                network,
                teacher,
                reader,
                first..documents.min(first + CHUNK),
            )
        });
        for part in parts {
            let (scored, likeness) = part?;
            if let Some(likeness) = likeness {
                evaluation.teacher.get_or_insert_default().add(&likeness);
            }
            for (register, tally, experts) in scored {
                evaluation
                    .registers
                    .entry(register)
                    .or_default()
                    .add(&tally);
                add_experts(&mut evaluation.experts, register, &experts);
            }
        }
    }
    let questions = documents.div_ceil(8);
    let firsts: Vec<u64> = (0..questions).step_by(QUESTIONS as usize).collect();
    let tasks: Vec<(Suite, u64)> = Suite::ALL
        .iter()
        .flat_map(|&suite| firsts.iter().map(move |&first| (suite, first)))
        .collect();
    for round in tasks.chunks(shards.count()) {
        let parts = shards.map(round, |&(suite, first)| {
            let range = first..questions.min(first + QUESTIONS);
            Ok::<_, TrainError>((suite, answer(network, reader, suite, range)?))
        });
        for part in parts {
            let (suite, marks) = part?;
            let all = evaluation.suites.entry(suite).or_default();
            all.right += marks.right;
            all.questions += marks.questions;
        }
    }
    Ok(evaluation)
}

fn add_experts(
    all: &mut BTreeMap<Register, Vec<Vec<u64>>>,
    register: Register,
    counts: &[Vec<u64>],
) {
    if counts.is_empty() {
        return;
    }
    let sums = all
        .entry(register)
        .or_insert_with(|| counts.iter().map(|layer| vec![0; layer.len()]).collect());
    for (sum, count) in sums.iter_mut().flatten().zip(counts.iter().flatten()) {
        *sum += count;
    }
}

/// Puts the questions of `range`: each choice is read after the prompt, and the
/// model answers with the one that has the highest log-likelihood, the end of the
/// text not counted.
fn answer(
    network: &Network,
    reader: &Reader,
    suite: Suite,
    range: std::ops::Range<u64>,
) -> Result<Marks, TrainError> {
    let questions: Vec<_> = range
        .map(|index| reader.world().question(suite, Split::HeldOut, index))
        .collect();
    let mut sequences = Vec::new();
    let mut prompts = Vec::new();
    for question in &questions {
        prompts.push(reader.encode(&question.prompt)?.predicted() - 1);
        for choice in &question.choices {
            sequences.push(reader.encode(&format!("{}{choice}", question.prompt))?);
        }
    }
    let batch = reader.pack(&sequences);
    let logits = network.logits(&batch)?.flatten_all()?.to_vec1::<f32>()?;
    let nats = token_nats(&logits, &batch.targets);
    let mut places = sequences.iter().zip(&batch.places);
    let mut marks = Marks::default();
    for (question, prompt) in questions.iter().zip(prompts) {
        let mut best = (f64::INFINITY, 0);
        for choice in 0..question.choices.len() {
            let (sequence, place) = places.next().expect("one sequence per choice");
            let own = &nats[place + prompt..place + sequence.predicted() - 1];
            let cost: f64 = own.iter().map(|&nats| f64::from(nats)).sum();
            if cost < best.0 {
                best = (cost, choice);
            }
        }
        marks.right += u64::from(best.1 == question.answer);
        marks.questions += 1;
    }
    Ok(marks)
}

/// What one document tells: its register, its tally, and how many of its tokens went
/// to each expert of each layer.
type Scored = (Register, Tally, Vec<Vec<u64>>);

/// The documents of `range`, and how like `teacher` the model is on them.
fn score(
    network: &Network,
    teacher: Option<&Teacher>,
    reader: &Reader,
    range: std::ops::Range<u64>,
) -> Result<(Vec<Scored>, Option<Likeness>), TrainError> {
    let documents: Vec<_> = range
        .map(|index| reader.world().document(Split::HeldOut, index))
        .collect();
    let sequences = documents
        .iter()
        .map(|document| reader.encode(&document.text))
        .collect::<Result<Vec<_>, _>>()?;
    let batch = reader.pack(&sequences);
    let pass = network.pass(&batch)?;
    let logits = pass.logits.flatten_all()?.to_vec1::<f32>()?;
    let nats = token_nats(&logits, &batch.targets);
    let likeness = match teacher {
        Some(teacher) => {
            let told = teacher.logits(&sequences, &batch)?;
            Some(Likeness::of(&logits, &told, &batch.targets))
        }
        None => None,
    };
    let scored = documents.iter().zip(&sequences).zip(&batch.places);
    let scored = scored
        .map(|((document, sequence), &place)| {
            let own = &nats[place..place + sequence.predicted()];
            let tally = Tally {
                documents: 1,
                tokens: own.len() as u64,
                model_nats: own.iter().map(|&nats| f64::from(nats)).sum(),
                generator_nats: document.nats,
            };
            let span = place..place + sequence.predicted();
            let experts = pass.mixed.iter().map(|layer| layer.counts(&span)).collect();
            (document.register, tally, experts)
        })
        .collect();
    Ok((scored, likeness))
}
