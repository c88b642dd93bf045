//! The requests of a scenario: text to be scored, prompts to be continued, questions to
//! be answered, and streams of requests that are drawn or recorded.

use super::arrivals::{Arrivals, Recorded};
use crate::corpus::{Suite, World};
use crate::serving::Sampling;
use crate::serving::workload::Carries;
use crate::units::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One request, or a stream of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Request {
    /// Evaluates given text: yields perplexity.
    Score(Score),
    /// Continues a prompt: yields TTFT and TPOT.
    Generate(Generate),
    /// Answers multiple-choice questions: yields accuracy.
    Choose(Choose),
    /// A number of tokens instead of text, for a model that is only a shape: yields TTFT and
    /// TPOT if it generates any.
    Tokens(Tokens),
    /// Many requests that come at random: yields TTFT, TPOT and latency under load.
    Arrivals(Box<Arrivals>),
    /// Requests that somebody recorded, from a file.
    Trace(Box<Recorded>),
}

impl Request {
    /// When it arrives; `None` of a stream.
    pub fn arrival(&self) -> Option<Arrival> {
        match self {
            Self::Score(score) => Some(score.arrival),
            Self::Generate(generate) => Some(generate.arrival),
            Self::Choose(choose) => Some(choose.arrival),
            Self::Tokens(tokens) => Some(tokens.arrival),
            Self::Arrivals(_) | Self::Trace(_) => None,
        }
    }

    /// Its class, if nothing else says one.
    pub fn priority(&self) -> u32 {
        match self {
            Self::Score(_) | Self::Choose(_) => 0,
            Self::Generate(generate) => generate.priority,
            Self::Tokens(tokens) => tokens.priority,
            Self::Arrivals(arrivals) => arrivals.priority,
            Self::Trace(recorded) => recorded.priority,
        }
    }

    /// How its tokens are drawn, if it says so itself.
    pub fn sampling(&self) -> Option<Sampling> {
        match self {
            Self::Score(_) | Self::Choose(_) | Self::Tokens(_) => None,
            Self::Generate(generate) => generate.sampling,
            Self::Arrivals(arrivals) => arrivals.sampling,
            Self::Trace(recorded) => recorded.sampling,
        }
    }

    /// What goes over the links between who asks and who answers.
    pub fn carries(&self) -> Carries {
        match self {
            Self::Score(_) | Self::Choose(_) => Carries::default(),
            Self::Generate(generate) => generate.carries,
            Self::Tokens(tokens) => tokens.carries,
            Self::Arrivals(arrivals) => arrivals.carries,
            Self::Trace(recorded) => recorded.carries,
        }
    }

    /// The node or group that it comes from, if it says one.
    pub fn from(&self) -> Option<&str> {
        match self {
            Self::Score(_) | Self::Choose(_) => None,
            Self::Generate(generate) => generate.from.as_deref(),
            Self::Tokens(tokens) => tokens.from.as_deref(),
            Self::Arrivals(arrivals) => arrivals.from.as_deref(),
            Self::Trace(recorded) => recorded.from.as_deref(),
        }
    }
}

/// The fields of [`Request::Score`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// What is evaluated.
    pub text: Text,
    /// Tokens per window of a file, 2 to 1 048 576. A document of the world is one window
    /// and takes none. Default: 128 for a file.
    #[serde(default)]
    pub window: Option<usize>,
    /// Most windows to take from a file, at least 1 and together at most 16 777 216 tokens.
    /// Default: all that are full, of a file of at most 32 MiB.
    #[serde(default)]
    pub windows: Option<usize>,
    /// Whether tokens pass one by one, as in generation, instead of one prefill per
    /// window. Default: no.
    #[serde(default)]
    pub stepwise: bool,
    /// When it arrives. Default: after the request before it.
    #[serde(default)]
    pub arrival: Arrival,
}

impl Score {
    /// Tokens per window of a file where the scenario does not say.
    pub const DEFAULT_WINDOW: usize = 128;
}

/// A text to evaluate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Text {
    /// Held-out documents of the bundled small world, whose entropy is known.
    World(WorldText),
    /// A UTF-8 file, cut into windows. The path is relative to the scenario's file.
    File(String),
}

/// The fields of [`Text::World`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorldText {
    /// How many documents, 1 to 1 048 576. Default 64.
    pub documents: u64,
    /// The number of the first one. Default 0.
    pub first: u64,
    /// The world's seed. Default: that of the world which the bundled model learned.
    pub seed: u64,
}

impl Default for WorldText {
    fn default() -> Self {
        Self {
            documents: 64,
            first: 0,
            seed: World::BUNDLED_SEED,
        }
    }
}

/// The fields of [`Request::Generate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// The text to continue.
    pub prompt: String,
    /// Most tokens to generate, at least 1. Default 32.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: u32,
    /// When it arrives. Default: after the request before it.
    #[serde(default)]
    pub arrival: Arrival,
    /// The node that asks: the prompt goes up from there, tokens come down to there. Of a
    /// group, its first. Default: it is asked where it is served.
    #[serde(default)]
    pub from: Option<String>,
    /// What goes over the links of `from`: numbers of tokens, or text. Default: Tokens.
    #[serde(default)]
    pub carries: Carries,
    /// Its class, where a replica's order is Priority: the smaller is served first. Default 0.
    #[serde(default)]
    pub priority: u32,
    /// How its tokens are drawn, whatever its replica's `decoding` says of that. Default: as it
    /// says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
}

fn default_max_tokens() -> u32 {
    32
}

/// The fields of [`Request::Choose`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// Which kind of held-out questions about the bundled small world: `Pairs` (two
    /// choices, short), `Facts` (four, knowledge), `Reasoning` (four, to be worked out),
    /// `YesNo` (two), `Stories` (four, the longest texts).
    pub suite: Suite,
    /// How many questions, 1 to 1 048 576. Default 64.
    #[serde(default = "default_questions")]
    pub questions: u64,
    /// The number of the first one. Default 0.
    #[serde(default)]
    pub first: u64,
    /// The world's seed. Default: that of the world which the bundled models learned.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// When it arrives. Default: after the request before it.
    #[serde(default)]
    pub arrival: Arrival,
}

/// The fields of [`Request::Tokens`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Tokens of the prompt, read in one pass: 1 to 1 048 576.
    pub prompt: u32,
    /// Tokens to generate, the first of which comes with the prompt's pass. Default 0.
    #[serde(default)]
    pub generate: u32,
    /// When it arrives. Default: after the request before it.
    #[serde(default)]
    pub arrival: Arrival,
    /// The node that asks: the prompt goes up from there, tokens come down to there. Of a
    /// group, its first. Default: it is asked where it is served.
    #[serde(default)]
    pub from: Option<String>,
    /// What goes over the links of `from`: numbers of tokens, or text. Default: Tokens.
    #[serde(default)]
    pub carries: Carries,
    /// Its class, where a replica's order is Priority: the smaller is served first. Default 0.
    #[serde(default)]
    pub priority: u32,
}

fn default_questions() -> u64 {
    64
}

fn default_seed() -> u64 {
    World::BUNDLED_SEED
}

/// When a request is submitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Arrival {
    /// As soon as the request before it is answered; the first one at the start.
    #[default]
    AfterPrevious,
    /// At this time after the start of the run.
    At(Seconds),
}
