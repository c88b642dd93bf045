//! What a run serves: requests on one clock, each a sequence of forward passes.
//!
//! A Score request reads given text in windows; a Generate request reads a prompt
//! and then one token after another of its own choosing; a Choose request reads a
//! question once with each of its answers. A request's number is its place in the workload.

use super::decoding::Sampling;
use crate::corpus::Suite;
use crate::measurement::{AnswerRecord, Mode};
use crate::topology::NodeId;
use crate::units::{Duration, Instant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a request is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// At a given instant.
    At(Instant),
    /// After an earlier one is done with: answered, or turned away.
    After {
        /// The number of the earlier one, smaller than its own.
        request: u32,
        /// How long after that.
        pause: Duration,
    },
}

impl Arrival {
    /// As soon as the request before request `number` is done with; the first one at the start.
    pub fn after_previous(number: u32) -> Self {
        match number.checked_sub(1) {
            None => Self::At(Instant::ZERO),
            Some(request) => Self::After {
                request,
                pause: Duration::ZERO,
            },
        }
    }
}

/// What goes over the links between who asks and who answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Carries {
    /// Numbers of tokens, of 32 bits each.
    #[default]
    Tokens,
    /// Their text, of 8 bits a byte in UTF-8; of tokens that are only counted 4 bytes each, as
    /// English texts have.
    Text,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it is submitted.
    pub arrival: Arrival,
    /// What it asks for.
    pub task: Task,
    /// The node that submits it: its prompt goes up from there, its tokens come down to there.
    /// `None`: it is submitted where it is served.
    pub from: Option<NodeId>,
    /// What goes over the links from there and back.
    pub carries: Carries,
    /// Its class where a scheduler ranks by classes; the smaller is served first.
    pub priority: u32,
    /// Whether a scheduler may know before how many tokens it will generate.
    pub tells_output: bool,
    /// Leading tokens of its prompt that all of its [`prefix_group`](Self::prefix_group) share,
    /// where they are only counted.
    pub shared_prefix: u32,
    /// Whom it shares them with.
    pub prefix_group: u32,
    /// The entry of the scenario's workload that it comes from.
    pub entry: u32,
    /// How its tokens are drawn, if not as its replica says.
    pub sampling: Option<Sampling>,
}

impl Request {
    /// A request that is submitted where it is served, of the first class, and alone in what it
    /// asks. Counted tokens tell how many are to come; a text that ends where the model ends it
    /// does not.
    pub fn new(arrival: Arrival, task: Task) -> Self {
        Self {
            arrival,
            from: None,
            carries: Carries::default(),
            priority: 0,
            tells_output: matches!(task, Task::Tokens { .. }),
            shared_prefix: 0,
            prefix_group: 0,
            entry: 0,
            sampling: None,
            task,
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone)]
pub enum Task {
    /// The likelihood of windows of text.
    Score {
        /// The windows, each scored from its own start.
        windows: Vec<Window>,
        /// Whether each token is a pass of its own, as in decoding, rather than
        /// each window one prefill.
        stepwise: bool,
    },
    /// New tokens after a prompt.
    Generate {
        /// The prompt.
        prompt: Vec<u32>,
        /// Most tokens to generate.
        max_tokens: u32,
    },
    /// The most likely answer to multiple-choice questions.
    Choose {
        /// The questions, each choice read from the start of its prompt.
        questions: Vec<Question>,
    },
    /// Tokens of which only the number counts: for models known by their shape.
    Tokens {
        /// Tokens of the prompt, read in one pass.
        prompt: u32,
        /// Tokens to generate; the first comes with the prompt's pass.
        generate: u32,
    },
}

/// A multiple-choice question as tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its suite.
    pub suite: Suite,
    /// The prompt continued by each answer.
    pub choices: Vec<Continuation>,
    /// Which of them is right.
    pub answer: usize,
}

/// A prompt with an answer after it: the model reads `inputs` and is asked for
/// `targets`, which follow the last as many of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuation {
    /// Tokens that the model reads: the prompt, and the answer but its last token.
    pub inputs: Vec<u32>,
    /// The answer's tokens.
    pub targets: Vec<u32>,
}

impl Question {
    /// What a model answers that gives the choices −ln p of `nats`: the choice of the
    /// least, at a tie the first. Neither is divided by the answer's length (`acc`,
    /// not `acc_norm`, of the usual evaluation harness).
    ///
    /// # Panics
    /// If there is not one value per choice.
    pub fn judge(&self, request: u32, question: u32, nats: &[f64]) -> AnswerRecord {
        assert_eq!(nats.len(), self.choices.len(), "one likelihood per choice");
        let least = |choices: &mut dyn Iterator<Item = usize>| {
            choices.reduce(|best, choice| {
                if nats[choice] < nats[best] {
                    choice
                } else {
                    best
                }
            })
        };
        let wrong = least(&mut (0..nats.len()).filter(|&choice| choice != self.answer));
        AnswerRecord {
            request,
            question,
            suite: self.suite,
            choices: nats.len() as u32,
            answer: self.answer as u32,
            chosen: least(&mut (0..nats.len())).unwrap_or(0) as u32,
            margin_nats: wrong.map(|wrong| nats[wrong] - nats[self.answer]),
        }
    }
}

/// A stretch of text to be scored: the model reads `inputs` and is asked for
/// each of `targets`.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Tokens that the model reads.
    pub inputs: Vec<u32>,
    /// The token that follows each input.
    pub targets: Vec<u32>,
    /// −ln p of the window under the process that generated it, in nats.
    pub source_nats: Option<f64>,
}

impl Task {
    /// How it uses the model: counted tokens are generated, unless there are none to be.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Score { .. } => Mode::Score,
            Self::Generate { .. } => Mode::Generate,
            Self::Choose { .. } => Mode::Choose,
            Self::Tokens { generate: 0, .. } => Mode::Tokens,
            Self::Tokens { .. } => Mode::Generate,
        }
    }

    /// The kind of its text: the suite of its questions, else the mode's name.
    pub fn texts(&self) -> &'static str {
        match self {
            Self::Choose { questions } => questions
                .first()
                .map_or(self.mode().name(), |question| question.suite.name()),
            _ => self.mode().name(),
        }
    }

    /// The most forward passes that it can take.
    pub fn most_passes(&self) -> u64 {
        match self {
            Self::Score {
                windows,
                stepwise: false,
            } => windows.len() as u64,
            Self::Score { windows, .. } => windows
                .iter()
                .map(|window| window.inputs.len() as u64)
                .sum(),
            Self::Generate { max_tokens, .. } => u64::from(*max_tokens),
            Self::Tokens { generate, .. } => u64::from(*generate).max(1),
            Self::Choose { questions } => questions
                .iter()
                .map(|question| question.choices.len() as u64)
                .sum(),
        }
    }

    /// Tokens that it is submitted with: its prompt, or all that it wants read.
    pub fn prompt_tokens(&self) -> u64 {
        match self {
            Self::Generate { prompt, .. } => prompt.len() as u64,
            Self::Tokens { prompt, .. } => u64::from(*prompt),
            Self::Score { windows, .. } => {
                let lengths = windows.iter().map(|window| window.inputs.len() as u64);
                lengths.sum()
            }
            Self::Choose { questions } => {
                let choices = questions.iter().flat_map(|question| &question.choices);
                choices.map(|choice| choice.inputs.len() as u64).sum()
            }
        }
    }

    /// Tokens that say what is asked: a question once, and then its choices.
    pub fn asked_tokens(&self) -> u64 {
        let Self::Choose { questions } = self else {
            return self.prompt_tokens();
        };
        let asked = questions.iter().map(|question| {
            let targets = question.choices.iter().map(|choice| choice.targets.len());
            let first = question.choices.first();
            let own = first.map_or(0, |choice| choice.inputs.len() + 1 - choice.targets.len());
            own + targets.sum::<usize>()
        });
        asked.sum::<usize>() as u64
    }

    /// Most tokens that any one pass of this request carries.
    pub fn longest_pass(&self) -> u64 {
        match self {
            Self::Score { stepwise: true, .. } => 1,
            Self::Score { windows, .. } => {
                let lengths = windows.iter().map(|window| window.inputs.len());
                lengths.max().unwrap_or(0) as u64
            }
            Self::Generate { prompt, .. } => prompt.len() as u64,
            Self::Choose { questions } => longest_choice(questions),
            Self::Tokens { prompt, .. } => u64::from(*prompt),
        }
    }

    /// Most tokens that its KV cache ever holds.
    pub fn longest_context(&self) -> u64 {
        match self {
            Self::Score { windows, .. } => {
                let lengths = windows.iter().map(|window| window.inputs.len());
                lengths.max().unwrap_or(0) as u64
            }
            // The last token generated is never read.
            Self::Generate { prompt, max_tokens } => {
                prompt.len() as u64 + u64::from(max_tokens.saturating_sub(1))
            }
            Self::Choose { questions } => longest_choice(questions),
            Self::Tokens { prompt, generate } => {
                u64::from(*prompt) + u64::from(generate.saturating_sub(1))
            }
        }
    }
}

fn longest_choice(questions: &[Question]) -> u64 {
    let choices = questions.iter().flat_map(|question| &question.choices);
    let lengths = choices.map(|choice| choice.inputs.len());
    lengths.max().unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_nats_win_and_at_a_tie_the_first_choice() {
        let choice = Continuation {
            inputs: vec![0, 1],
            targets: vec![2],
        };
        let question = Question {
            suite: Suite::Facts,
            choices: vec![choice; 3],
            answer: 1,
        };
        let right = question.judge(0, 7, &[2.0, 0.5, 1.5]);
        assert_eq!(
            (right.question, right.chosen, right.margin_nats),
            (7, 1, Some(1.0))
        );
        let wrong = question.judge(0, 0, &[2.0, 3.0, 1.5]);
        assert_eq!((wrong.chosen, wrong.margin_nats), (2, Some(-1.5)));
        let tie = question.judge(0, 0, &[1.0, 1.0, 1.0]);
        assert_eq!((tie.chosen, tie.margin_nats), (0, Some(0.0)));
    }
}
