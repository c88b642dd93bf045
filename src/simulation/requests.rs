//! Turns a scenario's workload into token sequences.
//!
//! Scored text always starts from the tokens that the tokenizer puts before a document, where
//! it has any; a text that spells them out has them once. A document of the bundled world ends
//! with the end token, whose likelihood counts too, because the document's known entropy
//! includes where it ends. Text from a file is cut into windows of equal length, each scored
//! from its own start; what is left over at the end is not scored, and no more of the file is
//! read than the windows take. Of a question's choices the answer's tokens are scored, up to
//! its full stop; the prompt and the end token are not.

use super::error::RunError;
use crate::corpus::{Split, TextFile, World};
use crate::interrupt::Interrupt;
use crate::numerics::{ModelConfig, Tokenizer};
use crate::scenario;
use crate::serving::workload::{Arrival, Continuation, Question, Request, Task, Window};
use crate::units::{Duration, FieldFault, Instant};
use std::path::Path;

/// Reads a workload's texts as a model's tokens.
pub(super) struct Reader<'a> {
    pub(super) tokenizer: &'a Tokenizer,
    /// The model that will read them.
    pub(super) config: &'a ModelConfig,
    /// Folder that paths of the scenario are relative to.
    pub(super) folder: &'a Path,
    /// Of each request's documents or questions of the world, the most that are read.
    pub(super) most_of_world: u64,
    pub(super) interrupt: Interrupt<'a>,
}

impl Reader<'_> {
    /// The requests of `workload`.
    pub(super) fn requests(
        &self,
        workload: &[scenario::Request],
    ) -> Result<Vec<Request>, RunError> {
        let around = [self.tokenizer.begin(), self.tokenizer.end()].concat();
        self.check_vocabulary("model", &around)?;
        workload
            .iter()
            .enumerate()
            .map(|(index, request)| {
                let (arrival, task) = match request {
                    scenario::Request::Score(score) => (score.arrival, self.score(index, score)?),
                    scenario::Request::Generate(generate) => {
                        (generate.arrival, self.generate(index, generate)?)
                    }
                    scenario::Request::Choose(choose) => {
                        (choose.arrival, self.choose(index, choose)?)
                    }
                    scenario::Request::Tokens(tokens) => (tokens.arrival, counted(tokens)),
                };
                Ok(Request::new(self::arrival(index, arrival)?, task))
            })
            .collect()
    }

    fn score(&self, index: usize, score: &scenario::Score) -> Result<Task, RunError> {
        let field = format!("workload[{index}].text");
        let windows = match &score.text {
            scenario::Text::World(world) => self.documents(&field, world)?,
            scenario::Text::File(path) => self.windows(&field, &self.folder.join(path), score)?,
        };
        for window in &windows {
            self.check_positions(&field, window.inputs.len())?;
            self.check_vocabulary(&field, &window.inputs)?;
            self.check_vocabulary(&field, &window.targets)?;
        }
        Ok(Task::Score {
            windows,
            stepwise: score.stepwise,
        })
    }

    /// Held-out documents, one window each.
    fn documents(&self, field: &str, text: &scenario::WorldText) -> Result<Vec<Window>, RunError> {
        let world = World::new(text.seed);
        let count = text.documents.min(self.most_of_world);
        (text.first..text.first + count)
            .map(|number| {
                self.interrupt.check()?;
                let document = world.document(Split::HeldOut, number);
                let mut sequence = self.tokenizer.encode_document(&document.text)?;
                if self.tokenizer.end().is_empty() {
                    sequence.extend(self.config.eos.first());
                }
                if sequence.len() < 2 {
                    let message = format!(
                        "the tokenizer makes {} of document {number}, and scoring takes two: one \
                         to read, one to predict; use the model's own tokenizer",
                        tokens(sequence.len())
                    );
                    return Err(FieldFault::new(field, message).into());
                }
                Ok(Window {
                    targets: sequence[1..].to_vec(),
                    inputs: {
                        sequence.pop();
                        sequence
                    },
                    source_nats: Some(document.nats),
                })
            })
            .collect()
    }

    /// Windows of a text file.
    fn windows(
        &self,
        field: &str,
        path: &Path,
        score: &scenario::Score,
    ) -> Result<Vec<Window>, RunError> {
        let length = score.window.unwrap_or(scenario::Score::DEFAULT_WINDOW);
        let limit = score.windows.unwrap_or(usize::MAX);
        let begin = self.tokenizer.begin();
        let needed = limit.saturating_mul(length).saturating_add(begin.len());
        let fault = |message: String| RunError::from(FieldFault::new(field, message));
        let mut file = TextFile::open(path).map_err(|error| fault(error.to_string()))?;
        let piece = |from, most| {
            let piece = file.piece(from, most);
            piece.map_err(|error| fault(error.to_string()))
        };
        let text = self.tokenizer.encode_first(needed, self.interrupt, piece)?;
        let own = text.strip_prefix(begin).unwrap_or(&text);
        if own.len() < length {
            return Err(fault(format!(
                "{} holds {}, fewer than one window of {length}; use a longer text or a smaller \
                 `window`",
                path.display(),
                tokens(own.len()),
            )));
        }
        let windows = own.chunks_exact(length).take(limit).map(|chunk| {
            // Without a beginning, the first token has nothing to be predicted from.
            let targets = &chunk[usize::from(begin.is_empty())..];
            Window {
                inputs: [begin, &chunk[..chunk.len() - 1]].concat(),
                targets: targets.to_vec(),
                source_nats: None,
            }
        });
        Ok(windows.collect())
    }

    fn generate(&self, index: usize, generate: &scenario::Generate) -> Result<Task, RunError> {
        let field = format!("workload[{index}].prompt");
        let prompt = self.tokenizer.encode_document(&generate.prompt)?;
        if prompt.is_empty() {
            let message = "the prompt has no token; write at least one word";
            return Err(FieldFault::new(field, message).into());
        }
        self.check_vocabulary(&field, &prompt)?;
        let needed = prompt.len() + generate.max_tokens as usize - 1;
        self.check_positions(&format!("workload[{index}].max_tokens"), needed)?;
        Ok(Task::Generate {
            prompt,
            max_tokens: generate.max_tokens,
        })
    }

    fn choose(&self, index: usize, choose: &scenario::Choose) -> Result<Task, RunError> {
        let field = format!("workload[{index}]");
        let world = World::new(choose.seed);
        let count = choose.questions.min(self.most_of_world);
        let questions = (choose.first..choose.first + count)
            .map(|number| {
                self.interrupt.check()?;
                let question = world.question(choose.suite, Split::HeldOut, number);
                let own = self.tokenizer.encode(&question.prompt)?;
                let begin = self.tokenizer.begin();
                let prompt = [begin, own.strip_prefix(begin).unwrap_or(&own)].concat();
                let choices = question.choices.iter().map(|choice| {
                    let targets = self.tokenizer.encode(choice)?;
                    if prompt.is_empty() || targets.is_empty() {
                        let message = format!(
                            "the tokenizer makes no token of question {number} or of its choice \
                             `{choice}`; use the model's own tokenizer"
                        );
                        return Err(FieldFault::new(field.as_str(), message).into());
                    }
                    let inputs = [&prompt[..], &targets[..targets.len() - 1]].concat();
                    self.check_positions(&field, inputs.len())?;
                    self.check_vocabulary(&field, &inputs)?;
                    self.check_vocabulary(&field, &targets)?;
                    Ok(Continuation { inputs, targets })
                });
                Ok(Question {
                    suite: question.suite,
                    choices: choices.collect::<Result<_, RunError>>()?,
                    answer: question.answer,
                })
            })
            .collect::<Result<_, RunError>>()?;
        Ok(Task::Choose { questions })
    }

    fn check_positions(&self, path: &str, needed: usize) -> Result<(), FieldFault> {
        let made_for = self.config.max_positions;
        if needed <= made_for {
            return Ok(());
        }
        Err(FieldFault::new(
            path,
            format!(
                "needs a context of {needed} tokens, but the model was made for {made_for} (max_position_embeddings); shorten it",
            ),
        ))
    }

    fn check_vocabulary(&self, path: &str, tokens: &[u32]) -> Result<(), FieldFault> {
        let vocabulary = self.config.shape.vocabulary;
        let outside = tokens.iter().find(|token| **token as usize >= vocabulary);
        outside.map_or(Ok(()), |token| {
            Err(FieldFault::new(
                path,
                format!(
                    "the tokenizer uses token {token}, which is outside the model's vocabulary of \
                     {vocabulary}; text and model need the same tokenizer"
                ),
            ))
        })
    }
}

/// A number of tokens in words.
fn tokens(count: usize) -> String {
    match count {
        1 => "1 token".to_owned(),
        count => format!("{count} tokens"),
    }
}

/// A request of bare tokens.
fn counted(tokens: &scenario::Tokens) -> Task {
    Task::Tokens {
        prompt: tokens.prompt,
        generate: tokens.generate,
    }
}

/// The requests of a workload for a model without tokenizer.
pub(super) fn counted_requests(workload: &[scenario::Request]) -> Result<Vec<Request>, RunError> {
    let requests = workload.iter().enumerate();
    requests
        .filter_map(|(index, request)| match request {
            scenario::Request::Tokens(tokens) => Some((index, tokens)),
            _ => None,
        })
        .map(|(index, tokens)| {
            let arrival = arrival(index, tokens.arrival)?;
            Ok(Request::new(arrival, counted(tokens)))
        })
        .collect()
}

fn arrival(index: usize, arrival: scenario::Arrival) -> Result<Arrival, FieldFault> {
    match arrival {
        scenario::Arrival::AfterPrevious => Ok(Arrival::after_previous(index as u32)),
        scenario::Arrival::At(seconds) => {
            let since_start = Duration::from_seconds(seconds.0).map_err(|error| {
                FieldFault::new(format!("workload[{index}].arrival"), error.to_string())
            })?;
            Ok(Arrival::At(Instant(since_start.0)))
        }
    }
}
