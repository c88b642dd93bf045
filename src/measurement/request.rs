//! Requests, their tokens, and the answers to questions.

use crate::corpus::Suite;
use crate::units::{Duration, Instant};

/// How a request uses the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Given text is scored: its log-likelihood yields perplexity.
    Score,
    /// New tokens are generated: their pace yields TTFT and TPOT.
    Generate,
    /// The likelihoods of given answers are compared: their choice yields accuracy.
    Choose,
    /// A pass of a model that drafts for another one, for a request that generates.
    Draft,
    /// Tokens are counted, not read, and none is generated: only their time is known.
    Tokens,
}

impl Mode {
    /// The mode's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Generate => "generate",
            Self::Choose => "choose",
            Self::Draft => "draft",
            Self::Tokens => "tokens",
        }
    }
}

/// One served request.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Position in the workload.
    pub request: u32,
    /// Score, Generate or Choose.
    pub mode: Mode,
    /// The node that asked; `None` if it arose where it is served.
    pub from: Option<u32>,
    /// The copy of the model that served it last; `None` if it was rejected before one was
    /// chosen.
    pub replica: Option<u32>,
    /// Its class; smaller ones go first where the order is by priority.
    pub priority: u32,
    /// When it was submitted.
    pub arrival: Instant,
    /// When its first pass began; `None` if it never did.
    pub admitted: Option<Instant>,
    /// When its first token was delivered; only for Generate.
    pub first_token: Option<Instant>,
    /// The longest time between two of its tokens; `None` below two.
    pub longest_gap: Option<Duration>,
    /// When its last token was delivered, or it was rejected.
    pub end: Instant,
    /// How often it had to leave and wait again.
    pub preemptions: u32,
    /// Tokens that were read again because their cache had been given up.
    pub recomputed_tokens: u64,
    /// Tokens of its prompt that were not read because another request's cache held them.
    pub reused_tokens: u64,
    /// Why it was turned away, if it was.
    pub rejected: Option<String>,
    /// Tokens of the prompt, or of the text that was read, for every choice of a question
    /// anew; none that were generated.
    pub input_tokens: u64,
    /// Tokens that the model generated.
    pub output_tokens: u64,
    /// Tokens whose likelihood was taken.
    pub scored_tokens: u64,
    /// Σ −ln p over the scored tokens, in nats; only for Score.
    pub negative_log_likelihood: Option<f64>,
    /// The text's own −ln p under the process that generated it, in nats;
    /// only for text of known entropy.
    pub source_nats: Option<f64>,
    /// Energy of its passes, computing and radiating, on all nodes, in joules; that of a batch
    /// is divided by tokens, and idling is nobody's. `None` if the scenario's power has no
    /// watts.
    pub energy_j: Option<f64>,
    /// The part of it up to its first token.
    pub energy_first_token_j: Option<f64>,
    /// The generated text; only for Generate.
    pub text: Option<String>,
}

impl RequestRecord {
    /// Whether it was served to its end.
    pub fn is_answered(&self) -> bool {
        self.rejected.is_none()
    }

    /// Time to first token: first token − arrival.
    pub fn ttft(&self) -> Option<Duration> {
        Some(self.first_token?.since(self.arrival))
    }

    /// Time per output token, in seconds: (last − first token)/(tokens − 1); `None` below two
    /// tokens.
    pub fn tpot_s(&self) -> Option<f64> {
        let steps = self
            .output_tokens
            .checked_sub(1)
            .filter(|steps| *steps > 0)?;
        Some(self.end.since(self.first_token?).as_seconds() / steps as f64)
    }

    /// End-to-end latency: end − arrival; `None` if it was rejected.
    pub fn latency(&self) -> Option<Duration> {
        self.is_answered().then(|| self.end.since(self.arrival))
    }

    /// From arrival to the first pass.
    pub fn queueing(&self) -> Option<Duration> {
        Some(self.admitted?.since(self.arrival))
    }
}

/// A token that reached who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRecord {
    /// The request.
    pub request: u32,
    /// Its place among the tokens generated for the request, counted from 0.
    pub index: u32,
    /// When it was delivered.
    pub at: Instant,
}

/// The answer to one multiple-choice question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerRecord {
    /// The request.
    pub request: u32,
    /// Number of the question within its request.
    pub question: u32,
    /// Its suite.
    pub suite: Suite,
    /// Answers to choose from.
    pub choices: u32,
    /// The right one.
    pub answer: u32,
    /// The one with the highest likelihood.
    pub chosen: u32,
    /// −ln p of the best wrong answer minus that of the right one, in nats: how clear
    /// the answer is, below zero if it is wrong. `None` without a wrong one.
    pub margin_nats: Option<f64>,
}
