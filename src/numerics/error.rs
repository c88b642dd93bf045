//! What can go wrong in this room: loading a model folder, and stepping a model.

use super::kernels::KernelError;
use crate::interrupt::Interrupted;
use std::path::PathBuf;

/// A model folder that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is not there or cannot be read.
    #[error("cannot read {}: {source}; {fix}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
        /// What to do about it.
        fix: String,
    },
    /// Reading was given up.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// `config.json` is not valid or describes a model that is not supported.
    #[error("{}: {fault}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        fault: String,
    },
    /// The configuration names an architecture that is not implemented.
    #[error(
        "{}: the architecture `{found}` is not supported; \
         use a model whose `architectures` is one of: {supported}{hint}", path.display()
    )]
    Architecture {
        /// The configuration file.
        path: PathBuf,
        /// What it names.
        found: String,
        /// What would do.
        supported: String,
        /// What to do with a model of the family that it names, or nothing.
        hint: String,
    },
    /// A weights file is truncated or damaged.
    #[error(
        "{}: {fault}; the file is truncated or damaged ({bytes} bytes): fetch it again", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the format's reader says.
        fault: String,
        /// The length found.
        bytes: u64,
    },
    /// A tensor that the configuration calls for is in no weights file.
    #[error(
        "{}: the tensor `{tensor}` is missing; expected it with shape {expected:?}{hint}",
        path.display()
    )]
    MissingTensor {
        /// The file that should hold it.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// A likely cause, or nothing.
        hint: &'static str,
    },
    /// A tensor has another shape than the configuration says.
    #[error(
        "{}: the tensor `{tensor}` has shape {found:?}, expected {expected:?} from config.json; \
         weights and configuration belong to different models", path.display()
    )]
    Shape {
        /// The file that holds it.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// The weights have tensors that the model described by `config.json` has no use for.
    #[error(
        "{}: {} that the model of config.json has no use for: {}{}; {fix}",
        path.display(),
        if *count == 1 { "a tensor".to_owned() } else { format!("{count} tensors") },
        tensors.join(", "),
        if *count > tensors.len() { ", …" } else { "" }
    )]
    UnreadTensors {
        /// The file that holds the first of them.
        path: PathBuf,
        /// The names of the first few.
        tensors: Vec<String>,
        /// How many there are.
        count: usize,
        /// What to do about them.
        fix: String,
    },
    /// A weight is not a number or infinite.
    #[error(
        "{}: the tensor `{tensor}` of shape {shape:?} holds {value} at entry {entry}, counted row \
         by row from 0; a model with such a weight computes nothing: fetch the file again",
        path.display()
    )]
    NotFinite {
        /// The file that holds it.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// The first entry at fault.
        entry: usize,
        /// That entry.
        value: f32,
    },
    /// A tensor has a number format that is not supported.
    #[error(
        "{}: the tensor `{tensor}` is stored as {found}; convert it to F32, F16 or BF16",
        path.display()
    )]
    Format {
        /// The file that holds it.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// The format in the file.
        found: String,
    },
    /// `tokenizer.json` is not a tokenizer.
    #[error("{}: {fault}; expected the `tokenizer.json` of a fast tokenizer", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What its reader says.
        fault: String,
    },
    /// The tensor library failed.
    #[error("{}: {source}", path.display())]
    Tensor {
        /// The file being read.
        path: PathBuf,
        /// What it says.
        source: candle_core::Error,
    },
}

/// A step that the model cannot take.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Kernels or packed weights could not be prepared.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The tensor library failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The shape is not one that this model can have.
    #[error(transparent)]
    Shape(#[from] crate::model::ShapeError),
    /// The shape is a model's, but not one that can be built here.
    #[error("model `{model}`: {fault}")]
    Unsupported {
        /// The model's name.
        model: String,
        /// What is wrong and what to do.
        fault: String,
    },
    /// The plan divides another model.
    #[error(
        "the shard plan divides `{planned}`, whose sizes differ from those of `{model}`; \
         make the plan from this model's shape"
    )]
    OtherPlan {
        /// The model of the plan.
        planned: String,
        /// The model at hand.
        model: String,
    },
    /// There is no such layer or device.
    #[error("{what} {index} does not exist; there are {count}, counted from 0")]
    Index {
        /// `"layer"`, `"device"`, `"expert"`, `"token"` or `"row"`.
        what: &'static str,
        /// What was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A part of the model is wanted of one that covers other parts.
    #[error(
        "{what} is not held here: this part of the model has layers {} to {} (exclusive), {} \
         embedding and {} LM head; ask the part that has it, or cover it too",
        parts.layers.start,
        parts.layers.end,
        if parts.embedding { "the" } else { "no" },
        if parts.head { "the" } else { "no" }
    )]
    NotHeld {
        /// `"layer 3"`, `"the embedding"` or `"the LM head"`.
        what: String,
        /// What is held.
        parts: crate::model::Parts,
    },
    /// There is not one of something per slice of the step.
    #[error("{found} {what} for a step of {expected} slices; give one per slice, in their order")]
    Slices {
        /// `"caches"` or `"choices of rows"`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The slices.
        expected: usize,
    },
    /// A token is outside the vocabulary.
    #[error(
        "token {token} at position {position} is outside the vocabulary of {vocabulary}; \
         text and model need the same tokenizer"
    )]
    Token {
        /// The token.
        token: u32,
        /// Its place among those given for its sequence.
        position: usize,
        /// Tokens known.
        vocabulary: usize,
    },
    /// A result was asked for before the step that makes it.
    #[error("nothing has been computed in this workspace yet; step a block first")]
    NothingYet,
    /// No token was given.
    #[error("there is no token to step; give at least one")]
    NoToken,
    /// A slice has another length than the tensor it stands for.
    #[error("{what} has {found} values, expected {expected} ({tokens} tokens × {width})")]
    Length {
        /// What the slice is.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length needed.
        expected: usize,
        /// Tokens in the step.
        tokens: usize,
        /// Entries per token.
        width: usize,
    },
    /// The cache would have to hold more tokens than it was made for.
    #[error("the cache holds up to {capacity} tokens, {needed} are needed; make it larger")]
    CacheFull {
        /// Its capacity.
        capacity: usize,
        /// The tokens it should hold.
        needed: usize,
    },
    /// More positions are asked for than the model was made for.
    #[error(
        "a cache of {asked} tokens exceeds the {limit} positions that `{model}` was made for \
         (max_position_embeddings); shorten the text or the generation"
    )]
    Positions {
        /// The model's name.
        model: String,
        /// The capacity asked for.
        asked: usize,
        /// What the model allows.
        limit: usize,
    },
    /// A block runs out of turn: its cache and the hidden states disagree.
    #[error(
        "layer {layer} on device {device} has seen {cached} tokens, but the hidden states start \
         at position {position}; run every block of a step once, in order"
    )]
    OutOfTurn {
        /// The layer.
        layer: usize,
        /// The device.
        device: usize,
        /// Tokens in that part of the cache.
        cached: usize,
        /// Position of the first token of the step.
        position: usize,
    },
    /// A cache or workspace was made by another sharded model.
    #[error("this {what} was made for another sharded model; ask this one for its own")]
    Foreign {
        /// `"cache"` or `"workspace"`.
        what: &'static str,
    },
    /// Logits are not finite, so that no token is the most probable and no text has a
    /// likelihood.
    #[error(
        "the logits of row {row} are not finite: that of token {token} is {value}; the model's \
         weights are damaged, or what its tensors went through was too much for 32 bits"
    )]
    Logits {
        /// The row.
        row: usize,
        /// The first token at fault.
        token: usize,
        /// Its logit.
        value: f32,
    },
    /// A text cannot be turned into tokens or back.
    #[error("{}: {fault}", path.display())]
    Tokenizer {
        /// The tokenizer's file.
        path: PathBuf,
        /// What its reader says.
        fault: String,
    },
}
