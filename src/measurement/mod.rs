//! What a run measured, as plain records: the rows of `requests.csv`, `answers.csv`,
//! `tokens.csv`, `batches.csv`, `nodes.csv` and `blocks.csv` before anybody formats them.
//!
//! Times are simulated [`Instant`]s; a value that a run cannot know is `None`,
//! never zero.

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
    /// When it was submitted.
    pub arrival: Instant,
    /// When its first pass began.
    pub start: Instant,
    /// When its first token was known; only for Generate.
    pub first_token: Option<Instant>,
    /// When its last token was known.
    pub end: Instant,
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
    /// Energy of its passes on all nodes, and its equal part of that of idling while it was
    /// served, in joules; `None` if the scenario's power has no watts.
    pub energy_j: Option<f64>,
    /// The generated text; only for Generate.
    pub text: Option<String>,
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

/// Where the time of one pass went, as the mean over the nodes that share the work.
///
/// The four parts add up to the pass's duration: a node computes, sends,
/// receives, or waits. Where tokens are pipelined the first three overlap, and waiting is
/// what is left beside all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimeSplit {
    /// Compute, in seconds.
    pub compute_s: f64,
    /// Uplink, in seconds.
    pub uplink_s: f64,
    /// Downlink, in seconds.
    pub downlink_s: f64,
    /// Waiting for other nodes, in seconds.
    pub wait_s: f64,
}

/// One request's part of one forward pass: a prefill, a decode step, a scored window or a
/// choice.
#[derive(Debug, Clone)]
pub struct PassRecord {
    /// The forward pass, counted over the run: the batch of its tasks.
    pub batch: u32,
    /// The copy of the model that ran it.
    pub replica: u32,
    /// The request it served.
    pub request: u32,
    /// Number of the pass within its request.
    pub step: u32,
    /// Score or Generate.
    pub mode: Mode,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Tokens already in the KV cache when it began.
    pub context: u64,
    /// When it began.
    pub start: Instant,
    /// When its logits were known where tokens are chosen.
    pub end: Instant,
    /// Where the time went.
    pub split: TimeSplit,
    /// The token it chose, with its text; only for Generate.
    pub chosen: Option<(u32, String)>,
    /// −ln p of the chosen token, or the sum over the scored ones, in nats; `None` if
    /// the pass was timed and not computed.
    pub negative_log_likelihood: Option<f64>,
}

impl PassRecord {
    /// What kind of pass it is, as `batches.csv` says.
    pub fn phase(&self) -> &'static str {
        match self.mode {
            Mode::Score => "score",
            Mode::Choose => "choose",
            Mode::Generate | Mode::Tokens if self.context == 0 => "prefill",
            Mode::Generate | Mode::Tokens => "decode",
        }
    }

    /// Whether its tensors were computed; else it was only timed.
    pub fn is_computed(&self) -> bool {
        self.negative_log_likelihood.is_some()
    }
}

/// One all-reduce with the compute before it.
#[derive(Debug, Clone)]
pub struct BlockRecord {
    /// The batch.
    pub batch: u32,
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer.
    pub layer: u32,
    /// `attention`, `mlp`, or `experts` where these are spread.
    pub sublayer: &'static str,
    /// When the block's compute could begin.
    pub start: Instant,
    /// When the last node had computed: the barrier opened.
    pub gathered: Instant,
    /// When the sum was known where it is formed.
    pub reduced: Instant,
    /// The node that held the barrier; of several the first.
    pub slowest_node: Option<u32>,
    /// Σ over nodes of the time spent at the barrier.
    pub waiting: Duration,
    /// What the radio did to the sum; `None` where no radio was used.
    pub distortion: Option<Distortion>,
    /// How much longer the uplink lasted because sub-channels are given whole, in seconds;
    /// `None` where they are not.
    pub rounding_s: Option<f64>,
    /// How much of its energy budget the node drew that drew most of it; `None` where
    /// budgets are not joules per vector, or joules are not known.
    pub budget: Option<BudgetUse>,
}

/// What a node drew of its budget P_n for a vector that it computed and sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetUse {
    /// The node.
    pub node: u32,
    /// (Compute of the sublayer + radio) per token, over P_n.
    pub ratio: f64,
}

impl BlockRecord {
    /// The error as its tensors felt it, if they were computed and sent.
    pub fn felt(&self) -> Option<Felt> {
        self.distortion?.felt
    }
}

/// Whether who comes `lead` before the last to a meeting for which `span` was worked comes
/// together with it: within a millionth.
///
/// Every duration is rounded up to a picosecond. Nodes meant to arrive together, as
/// under `MinMax`, miss each other by a few, and which of them is last means nothing.
pub fn is_together(lead: Duration, span: Duration) -> bool {
    lead.0 <= span.0 / 1_000_000
}

/// One node's part of one block whose experts are spread: its tokens' journey.
#[derive(Debug, Clone)]
pub struct VisitRecord {
    /// The batch.
    pub batch: u32,
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer.
    pub layer: u32,
    /// The node.
    pub node: u32,
    /// Tokens that it received, once for each expert visited.
    pub tokens: u64,
    /// Its part of the band, in Hz.
    pub bandwidth_hz: f64,
    /// Time receiving, of all tokens.
    pub downlink: Duration,
    /// Time computing.
    pub compute: Duration,
    /// Time sending.
    pub uplink: Duration,
    /// When the gate had spoken.
    pub start: Instant,
    /// When its last token was back.
    pub end: Instant,
    /// From then until the block's barrier opened.
    pub wait: Duration,
    /// Whether the barrier waited for it: it came last, or [together](is_together) with
    /// the last.
    pub holds_barrier: bool,
    /// The stage in which its tokens spent most time.
    pub bottleneck: &'static str,
}

/// One expert's part of one block.
#[derive(Debug, Clone)]
pub struct ExpertRecord {
    /// The batch.
    pub batch: u32,
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer.
    pub layer: u32,
    /// The expert.
    pub expert: u32,
    /// The node that holds it.
    pub node: u32,
    /// Tokens for which it was among the k heaviest within reach.
    pub wanted: u64,
    /// Tokens that visited it.
    pub visits: u64,
    /// Tokens for which it was among the k heaviest of all, but its node was cut off.
    pub lost: u64,
}

/// The two experts that a layer's tokens visit together most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairRecord {
    /// The kind of text: a suite's name, else the name of its requests' mode.
    pub texts: &'static str,
    /// The layer.
    pub layer: u32,
    /// Tokens of all passes on such texts.
    pub tokens: u64,
    /// One expert.
    pub first: u32,
    /// The other one.
    pub second: u32,
    /// Tokens that visited both.
    pub together: u64,
    /// Experts of the layer.
    pub experts: u32,
}

impl PairRecord {
    /// The part of the tokens that visited both.
    pub fn share(&self) -> f64 {
        self.together as f64 / self.tokens as f64
    }

    /// The share that every pair would have if all were equally frequent and tokens
    /// visited two experts: 2/(n(n − 1)).
    pub fn share_if_even(&self) -> f64 {
        let n = f64::from(self.experts);
        2.0 / (n * (n - 1.0))
    }
}

/// The error of one all-reduce, per complex entry after normalisation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Distortion {
    /// What the tensors felt; `None` if nothing was computed.
    pub felt: Option<Felt>,
    /// What is to be expected: the value of (7), for independent unit-variance entries.
    /// `None` where links are digital, and where nothing was computed and nothing but the
    /// error would have asked for a transceiver.
    pub analytic_mse: Option<f64>,
    /// What the quantiser of a digital scheme is expected to do: Δ²/12 per real entry and
    /// device. `None` where symbols are analog, and where nothing was computed.
    pub quantiser_mse: Option<f64>,
    /// Complex entries behind the means.
    pub entries: u64,
}

/// The error of one all-reduce as its tensors felt it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Felt {
    /// Mean squared error.
    pub mse: f64,
    /// The part of it that is noise.
    pub noise_mse: f64,
    /// Error power over the power of the exact sum.
    pub nmse: f64,
}

/// One node over the whole run.
#[derive(Debug, Clone)]
pub struct NodeRecord {
    /// The node: a place in [`Measurements::nodes`].
    pub node: u32,
    /// The profile's name.
    pub profile: String,
    /// Share of the model asked for (m_n).
    pub share: Option<f64>,
    /// Attention heads held.
    pub heads: u64,
    /// FFN columns held.
    pub ffn_columns: u64,
    /// Weights held, in bytes.
    pub weight_bytes: u64,
    /// Largest KV cache, in bytes.
    pub kv_cache_bytes: u64,
    /// What one token adds to it.
    pub kv_token_bytes: u64,
    /// Largest activations, in bytes.
    pub activation_bytes: u64,
    /// Memory there is, in bytes.
    pub memory_bytes: u64,
    /// FLOPs computed.
    pub flops: u64,
    /// Bits sent.
    pub uplink_bits: u64,
    /// Time computing.
    pub compute: Duration,
    /// Time sending.
    pub uplink: Duration,
    /// Time receiving.
    pub downlink: Duration,
    /// Time in which a request was being served and it neither computed nor used the radio.
    pub wait: Duration,
    /// Time in which no request was being served.
    pub no_request: Duration,
    /// Energy of compute, in joules; `None` if the profile does not say.
    pub compute_j: Option<f64>,
    /// Energy radiated, in joules; `None` if the scenario's power has no watts.
    pub radio_j: Option<f64>,
    /// Idle power over the whole run, busy or not, in joules; `None` if the profile does not
    /// say.
    pub idle_j: Option<f64>,
}

/// How the model was divided, before and after rounding to whole heads and columns.
#[derive(Debug, Clone)]
pub struct AssignmentRecord {
    /// The nodes among which it was, in the order of the shares.
    pub nodes: Vec<u32>,
    /// The assignment's name.
    pub method: &'static str,
    /// The steps of an iterative method, in order.
    pub iterates: Vec<IterateRecord>,
    /// The shares as the method gave them.
    pub asked: DivisionRecord,
    /// What they became.
    pub rounded: DivisionRecord,
}

/// One step of an iterative assignment.
#[derive(Debug, Clone)]
pub struct IterateRecord {
    /// Share of the model, per node.
    pub shares: Vec<f64>,
    /// Error (7) per complex entry, on the step's channel sample.
    pub error: f64,
    /// Compute per layer and token, in seconds.
    pub compute_s: f64,
}

/// A division of the model and what is to be expected of it.
#[derive(Debug, Clone)]
pub struct DivisionRecord {
    /// Share of each node in a layer's weights, whatever it replicates included.
    pub weights: Vec<f64>,
    /// Share of the heads.
    pub heads: Vec<f64>,
    /// Share of the feed-forward columns.
    pub columns: Vec<f64>,
    /// Compute before each all-reduce of a token's vector, in joules; `None` if a profile
    /// does not say.
    pub compute_j: Option<Vec<f64>>,
    /// What that leaves of the node's energy budget, in joules; `None` where compute and
    /// radio do not share one.
    pub headroom_j: Option<Vec<f64>>,
    /// Error (7) per complex entry with half its 95 % confidence interval, over channel
    /// samples that no assignment has seen; `None` where nothing is combined over the
    /// air, or a budget is exceeded.
    pub error: Option<(f64, f64)>,
    /// Compute per layer and token, each half waiting for its slowest node, in seconds.
    pub compute_s: f64,
}

/// Everything one run measured.
#[derive(Debug, Clone, Default)]
pub struct Measurements {
    /// The names of the nodes, by their number.
    pub nodes: Vec<String>,
    /// Per request, in workload order.
    pub requests: Vec<RequestRecord>,
    /// Per multiple-choice question, in the order in which they were answered.
    pub answers: Vec<AnswerRecord>,
    /// Per pass and request in it, in time order.
    pub passes: Vec<PassRecord>,
    /// Per all-reduce, in time order.
    pub blocks: Vec<BlockRecord>,
    /// Per block and node with tokens, if experts are spread.
    pub visits: Vec<VisitRecord>,
    /// Per block and expert, if experts are spread.
    pub experts: Vec<ExpertRecord>,
    /// Per kind of text and layer, if experts are spread and tokens visit two or more.
    pub pairs: Vec<PairRecord>,
    /// Per node, in the order of [`nodes`](Self::nodes).
    pub per_node: Vec<NodeRecord>,
    /// How the model was divided, where that is worth telling.
    pub assignment: Option<AssignmentRecord>,
}
