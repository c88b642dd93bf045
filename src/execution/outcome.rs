//! What passes yield: logits turned into scores, tokens and answers, whichever
//! placement made them.

use super::ExecutionError;
use crate::digest::little_endian;
use crate::measurement::{AnswerRecord, Mode, RequestRecord};
use crate::numerics::{Tokenizer, score};
use crate::observer::{Observer, Travelling};
use crate::serving::passes::Pass;
use crate::serving::workload::Task;
use crate::units::Instant;

/// What one pass's logits say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// The tokens they choose; only when generating.
    pub(super) chosen: Vec<u32>,
    /// −ln p of each chosen token, or of each of the targets.
    pub(super) rows: Vec<f64>,
}

impl Reading {
    /// Reads `logits`, rows of `vocabulary`: scores `targets`, one for each row.
    pub(super) fn of(
        logits: &[f32],
        vocabulary: usize,
        targets: &[u32],
    ) -> Result<Self, ExecutionError> {
        Ok(Self {
            chosen: Vec::new(),
            rows: score(logits, vocabulary, targets)?,
        })
    }

    /// −ln p of all of it.
    pub(super) fn nats(&self) -> f64 {
        self.rows.iter().sum()
    }
}

/// The answer to a question.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: AnswerRecord,
    /// The probability of the chosen answer among all: of the choices' likelihoods p₁ … pₙ, of which
    /// that one has the largest, max p / Σ p.
    pub(super) probability: f64,
}

/// Notes the logits of pass `step` of `request`, row by row from `first` on, and hashes them.
pub(super) fn note_logits(
    logits: &[f32],
    vocabulary: usize,
    (request, step, first): (u32, u32, usize),
    observer: &mut dyn Observer,
    hasher: &mut blake3::Hasher,
) -> Result<(), ExecutionError> {
    let rows = logits.chunks_exact(vocabulary).enumerate();
    let tensors: Vec<Travelling<'_>> = rows
        .map(|(row, values)| Travelling {
            request,
            step,
            layer: None,
            stage: "logits",
            node: None,
            row: Some((first + row) as u32),
            columns: vocabulary,
            values,
        })
        .collect();
    let noted = observer.tensors(&tensors);
    noted.map_err(ExecutionError::Observer)?;
    hasher.update(&little_endian(logits));
    Ok(())
}

/// What a request has yielded so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    input_tokens: u64,
    /// Tokens generated, or counted as such.
    output_tokens: u64,
    scored_tokens: u64,
    nats: f64,
    chosen: Vec<u32>,
    /// −ln p of each choice of the question being answered that was read.
    choices: Vec<f64>,
    /// Questions answered.
    answered: usize,
}

impl Outcome {
    /// The token chosen last.
    pub(super) fn last(&self) -> Option<u32> {
        self.chosen.last().copied()
    }

    /// Enters a pass of `task` that `asked` for so many tokens to be read, with what it said unless
    /// it was only timed; returns the answer to a question that it completes.
    pub(super) fn enter(
        &mut self,
        request: u32,
        task: &Task,
        (pass, asked): (&Pass, usize),
        reading: Option<Reading>,
    ) -> Option<Answered> {
        // What is generated goes through the model too, but is no input.
        let generates = matches!(task, Task::Generate { .. } | Task::Tokens { .. });
        if pass.fresh || !generates {
            self.input_tokens += asked as u64;
        }
        self.scored_tokens += pass.targets.len() as u64;
        let Some(reading) = reading else {
            if let Task::Tokens { .. } = task {
                self.output_tokens += 1;
            }
            return None;
        };
        let nats = reading.nats();
        self.nats += nats;
        self.output_tokens += reading.chosen.len() as u64;
        self.chosen.extend(reading.chosen);
        let Task::Choose { questions } = task else {
            return None;
        };
        self.choices.push(nats);
        let question = &questions[self.answered];
        if self.choices.len() < question.choices.len() {
            return None;
        }
        let answer = question.judge(request, self.answered as u32, &self.choices);
        let best = self.choices[answer.chosen as usize];
        let weights = self.choices.iter().map(|nats| libm::exp(best - nats));
        let probability = 1.0 / weights.sum::<f64>();
        self.choices.clear();
        self.answered += 1;
        Some(Answered {
            answer,
            probability,
        })
    }

    /// The tokens chosen so far.
    pub(super) fn tokens(&self) -> &[u32] {
        &self.chosen
    }

    /// Tokens generated, or counted as such.
    pub(super) fn generated(&self) -> u64 {
        self.output_tokens
    }

    /// The record of a request that has yielded this; when and where is for others to say.
    pub(super) fn record(
        &self,
        request: u32,
        task: &Task,
        tokenizer: Option<&Tokenizer>,
    ) -> Result<RequestRecord, ExecutionError> {
        let mode = task.mode();
        let text = match (task, tokenizer) {
            (Task::Generate { .. }, Some(tokenizer)) => Some(tokenizer.decode(&self.chosen)?),
            _ => None,
        };
        let source_nats = match task {
            Task::Score { windows, .. } => windows.iter().map(|window| window.source_nats).sum(),
            _ => None,
        };
        Ok(RequestRecord {
            request,
            mode,
            from: None,
            replica: None,
            priority: 0,
            arrival: Instant::ZERO,
            admitted: None,
            first_token: None,
            longest_gap: None,
            end: Instant::ZERO,
            preemptions: 0,
            recomputed_tokens: 0,
            reused_tokens: 0,
            rejected: None,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            scored_tokens: self.scored_tokens,
            negative_log_likelihood: (mode == Mode::Score).then_some(self.nats),
            source_nats,
            energy_j: None,
            energy_first_token_j: None,
            text,
        })
    }
}
