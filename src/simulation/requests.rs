//! Turns a scenario's workload into token sequences.
//!
//! Scored text always starts from its beginning-of-text token, where the tokenizer
//! has one. A document of the bundled world ends with the end token, whose
//! likelihood counts too, because the document's known entropy includes where it
//! ends. Text from a file is cut into windows of equal length, each scored from its
//! own start; what is left over at the end is not scored. Of a question's choices the
//! answer's tokens are scored, up to its full stop; the prompt and the end token are not.

use super::error::RunError;
use crate::architecture::workload::{Arrival, Continuation, Question, Request, Task, Window};
use crate::corpus::{Split, World, read_text};
use crate::numerics::Tokenizer;
use crate::scenario;
use crate::units::{Duration, FieldFault, Instant};
use std::path::Path;

/// The special tokens that frame a text.
pub(super) struct Frame {
    pub(super) begin: Option<u32>,
    pub(super) end: Option<u32>,
}

/// Reads a workload's texts as a model's tokens.
pub(super) struct Reader<'a> {
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) frame: Frame,
    /// Folder that paths of the scenario are relative to.
    pub(super) folder: &'a Path,
    /// The longest context that the model was made for, in tokens.
    pub(super) max_positions: usize,
}

impl Reader<'_> {
    /// The requests of `workload`.
    pub(super) fn requests(
        &self,
        workload: &[scenario::Request],
    ) -> Result<Vec<Request>, RunError> {
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
                Ok(Request {
                    arrival: self::arrival(index, arrival)?,
                    task,
                })
            })
            .collect()
    }

    fn score(&self, index: usize, score: &scenario::Score) -> Result<Task, RunError> {
        let windows = match &score.text {
            scenario::Text::World(world) => self.documents(world)?,
            scenario::Text::File(path) => self.windows(index, &self.folder.join(path), score)?,
        };
        for window in &windows {
            self.check_positions(&format!("workload[{index}].text"), window.inputs.len())?;
        }
        Ok(Task::Score {
            windows,
            stepwise: score.stepwise,
        })
    }

    /// Held-out documents, one window each.
    fn documents(&self, text: &scenario::WorldText) -> Result<Vec<Window>, RunError> {
        let world = World::new(text.seed);
        (text.first..text.first + text.documents)
            .map(|number| {
                let document = world.document(Split::HeldOut, number);
                let tokens = self.tokenizer.encode(&document.text)?;
                let mut sequence: Vec<u32> = self.frame.begin.into_iter().collect();
                sequence.extend(tokens);
                sequence.extend(self.frame.end);
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
        index: usize,
        path: &Path,
        score: &scenario::Score,
    ) -> Result<Vec<Window>, RunError> {
        let length = score.window.unwrap_or(scenario::Score::DEFAULT_WINDOW);
        let text = read_text(path, 1)?;
        let tokens = self.tokenizer.encode(&text)?;
        if tokens.len() < length {
            let message = format!(
                "{} holds {} tokens, fewer than one window of {}; use a longer text or a smaller `window`",
                path.display(),
                tokens.len(),
                length
            );
            return Err(FieldFault::new(format!("workload[{index}].text"), message).into());
        }
        let limit = score.windows.unwrap_or(usize::MAX);
        Ok(tokens
            .chunks_exact(length)
            .take(limit)
            .map(|chunk| match self.frame.begin {
                Some(begin) => Window {
                    inputs: std::iter::once(begin)
                        .chain(chunk[..chunk.len() - 1].iter().copied())
                        .collect(),
                    targets: chunk.to_vec(),
                    source_nats: None,
                },
                None => Window {
                    inputs: chunk[..chunk.len() - 1].to_vec(),
                    targets: chunk[1..].to_vec(),
                    source_nats: None,
                },
            })
            .collect())
    }

    fn generate(&self, index: usize, generate: &scenario::Generate) -> Result<Task, RunError> {
        let mut prompt: Vec<u32> = self.frame.begin.into_iter().collect();
        prompt.extend(self.tokenizer.encode(&generate.prompt)?);
        if prompt.is_empty() {
            let message = "the prompt has no token; write at least one word";
            return Err(FieldFault::new(format!("workload[{index}].prompt"), message).into());
        }
        let needed = prompt.len() + generate.max_tokens as usize - 1;
        self.check_positions(&format!("workload[{index}].max_tokens"), needed)?;
        Ok(Task::Generate {
            prompt,
            max_tokens: generate.max_tokens,
        })
    }

    fn choose(&self, index: usize, choose: &scenario::Choose) -> Result<Task, RunError> {
        let world = World::new(choose.seed);
        let questions = (choose.first..choose.first + choose.questions)
            .map(|number| {
                let question = world.question(choose.suite, Split::HeldOut, number);
                let mut prompt: Vec<u32> = self.frame.begin.into_iter().collect();
                prompt.extend(self.tokenizer.encode(&question.prompt)?);
                let choices = question.choices.iter().map(|choice| {
                    let targets = self.tokenizer.encode(choice)?;
                    let mut inputs = prompt.clone();
                    inputs.extend(&targets[..targets.len().saturating_sub(1)]);
                    self.check_positions(&format!("workload[{index}]"), inputs.len())?;
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
        if needed <= self.max_positions {
            return Ok(());
        }
        Err(FieldFault::new(
            path,
            format!(
                "needs a context of {needed} tokens, but the model was made for {} (max_position_embeddings); shorten it",
                self.max_positions
            ),
        ))
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
            Ok(Request {
                arrival: arrival(index, tokens.arrival)?,
                task: counted(tokens),
            })
        })
        .collect()
}

fn arrival(index: usize, arrival: scenario::Arrival) -> Result<Arrival, FieldFault> {
    match arrival {
        scenario::Arrival::AfterPrevious => Ok(Arrival::AfterPrevious),
        scenario::Arrival::At(seconds) => {
            let since_start = Duration::from_seconds(seconds.0).map_err(|error| {
                FieldFault::new(format!("workload[{index}].arrival"), error.to_string())
            })?;
            Ok(Arrival::At(Instant(since_start.0)))
        }
    }
}
