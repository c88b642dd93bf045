//! Texts of a scenario as token sequences.
//!
//! Scored text always starts from the tokens that the tokenizer puts before a document, where
//! it has any; a text that spells them out has them once. A document of the bundled world ends
//! with the end token, whose likelihood counts too, because the document's known entropy
//! includes where it ends. Text from a file is cut into windows of equal length, each scored
//! from its own start; what is left over at the end is not scored, and no more of the file is
//! read than the windows take. Of a question's choices the answer's tokens are scored, up to
//! its full stop; the prompt and the end token are not.

use crate::corpus::{Split, TextFile, World};
use crate::interrupt::Interrupt;
use crate::numerics::{ModelConfig, Tokenizer};
use crate::scenario;
use crate::serving::workload::{Continuation, Question, Task, Window};
use crate::simulation::error::RunError;
use crate::units::FieldFault;
use std::path::Path;

/// Reads a workload's texts as a model's tokens.
pub(in crate::simulation) struct Reader<'a> {
    pub(in crate::simulation) tokenizer: &'a Tokenizer,
    /// The model that will read them.
    pub(in crate::simulation) config: &'a ModelConfig,
    /// Folder that paths of the scenario are relative to.
    pub(in crate::simulation) folder: &'a Path,
    /// Of each request's documents or questions of the world, the most that are read.
    pub(in crate::simulation) most_of_world: u64,
    pub(in crate::simulation) interrupt: Interrupt<'a>,
}

impl Reader<'_> {
    /// Refuses a tokenizer of another model.
    pub(super) fn check_tokenizer(&self) -> Result<(), FieldFault> {
        let around = [self.tokenizer.begin(), self.tokenizer.end()].concat();
        self.check_vocabulary("model", &around)
    }

    pub(super) fn score(&self, index: usize, score: &scenario::Score) -> Result<Task, RunError> {
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

    pub(super) fn generate(
        &self,
        index: usize,
        generate: &scenario::Generate,
    ) -> Result<Task, RunError> {
        let prompt = self.prompt(&format!("workload[{index}].prompt"), &generate.prompt)?;
        let needed = prompt.len() + generate.max_tokens as usize - 1;
        self.check_positions(&format!("workload[{index}].max_tokens"), needed)?;
        Ok(Task::Generate {
            prompt,
            max_tokens: generate.max_tokens,
        })
    }

    /// The prompt `text` of the field `path`.
    pub(super) fn prompt(&self, path: &str, text: &str) -> Result<Vec<u32>, RunError> {
        self.of_prompt(path, self.tokenizer.encode_document(text)?)
    }

    /// The beginning `text` of a document, of the field `path`.
    pub(super) fn opening(&self, path: &str, text: &str) -> Result<Vec<u32>, RunError> {
        let own = self.own(text)?;
        self.of_prompt(path, [self.tokenizer.begin(), &own].concat())
    }

    /// The tokens of `text` without any around it.
    pub(super) fn own(&self, text: &str) -> Result<Vec<u32>, RunError> {
        let mut own = self.tokenizer.encode(text)?;
        if own.starts_with(self.tokenizer.begin()) {
            own.drain(..self.tokenizer.begin().len());
        }
        Ok(own)
    }

    fn of_prompt(&self, path: &str, prompt: Vec<u32>) -> Result<Vec<u32>, RunError> {
        if prompt.is_empty() {
            let message = "the prompt has no token; write at least one word";
            return Err(FieldFault::new(path, message).into());
        }
        self.check_vocabulary(path, &prompt)?;
        Ok(prompt)
    }

    pub(super) fn choose(&self, index: usize, choose: &scenario::Choose) -> Result<Task, RunError> {
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

    pub(super) fn check_positions(&self, path: &str, needed: usize) -> Result<(), FieldFault> {
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

    pub(super) fn check_vocabulary(&self, path: &str, tokens: &[u32]) -> Result<(), FieldFault> {
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
