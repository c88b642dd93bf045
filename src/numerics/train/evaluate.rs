//! Perplexity on held-out documents, beside the generator's own.

use std::collections::BTreeMap;

use super::TrainError;
use super::batch::Reader;
use super::network::Network;
use super::ops::token_nats;
use super::shards::Shards;
use crate::corpus::{Register, Split};

/// Documents that one thread evaluates at a time.
const CHUNK: u64 = 32;

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

/// A model's perplexity by register.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One tally per register seen.
    pub registers: BTreeMap<Register, Tally>,
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

/// Scores the first `documents` held-out documents, each from its start alone.
pub(super) fn evaluate(
    network: &Network,
    reader: &Reader,
    documents: u64,
    shards: &Shards,
) -> Result<Evaluation, TrainError> {
    let firsts: Vec<u64> = (0..documents).step_by(CHUNK as usize).collect();
    let mut evaluation = Evaluation::default();
    for round in firsts.chunks(shards.count()) {
        let parts = shards.map(round, |&first| {
            score(network, reader, first..documents.min(first + CHUNK))
        });
        for part in parts {
            for (register, tally) in part? {
                evaluation
                    .registers
                    .entry(register)
                    .or_default()
                    .add(&tally);
            }
        }
    }
    Ok(evaluation)
}

/// One tally per document of `range`.
fn score(
    network: &Network,
    reader: &Reader,
    range: std::ops::Range<u64>,
) -> Result<Vec<(Register, Tally)>, TrainError> {
    let documents: Vec<_> = range
        .map(|index| reader.world().document(Split::HeldOut, index))
        .collect();
    let sequences = documents
        .iter()
        .map(|document| reader.encode(&document.text))
        .collect::<Result<Vec<_>, _>>()?;
    let batch = reader.pack(&sequences);
    let logits = network.logits(&batch)?.flatten_all()?.to_vec1::<f32>()?;
    let nats = token_nats(&logits, &batch.targets);
    let scored = documents.iter().zip(&sequences).zip(&batch.places);
    Ok(scored
        .map(|((document, sequence), &place)| {
            let own = &nats[place..place + sequence.predicted()];
            let tally = Tally {
                documents: 1,
                tokens: own.len() as u64,
                model_nats: own.iter().map(|&nats| f64::from(nats)).sum(),
                generator_nats: document.nats,
            };
            (document.register, tally)
        })
        .collect())
}
