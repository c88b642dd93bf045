//! Training of the bundled models on text of the bundled world.
//!
//! A run learns a byte-level vocabulary from the world's documents, then trains
//! a LLaMA or a Mixtral by AdamW with warm-up and a cosine schedule, and writes a Hugging Face
//! model folder; a smaller LLaMA may learn from a teacher beside the text. Everything is seeded: the same settings give the same weights,
//! bit for bit, whether the run was interrupted and resumed or not, on any number
//! of cores. Another kind of CPU may round matrix products otherwise, for here
//! they are candle's; a trained model is data, and committed as such.
//!
//! Training must never be on the path of a simulation's results: inference has
//! its own kernels.

mod batch;
mod checkpoint;
mod config;
mod evaluate;
mod exits;
mod experts;
mod export;
mod log;
mod network;
mod ops;
mod optimizer;
mod run;
mod shards;
mod teacher;
mod vocabulary;

pub use config::{Distilling, ExpertsConfig, NetworkConfig, TrainConfig};
pub use evaluate::{Evaluation, Marks, Tally};
pub use exits::{ExitQuality, ExitsConfig, ExitsOutcome, train_exits};
pub use log::{HeldOutRow, Log, LossRow};
pub use run::{Observer, Outcome, Progress, train};
pub use teacher::Likeness;

use super::{LoadError, StepError};
use crate::whole::Unwritable;
use std::path::PathBuf;

/// Why a training run ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A setting cannot work.
    #[error("training setting `{field}`: {fault}")]
    Config {
        /// The setting.
        field: &'static str,
        /// What is wrong and what would do.
        fault: String,
    },
    /// There is a model already.
    #[error(
        "{} holds a trained model already; choose another folder, or remove its \
         model.safetensors to train anew",
        folder.display()
    )]
    Exists {
        /// The model folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}; check the folder's permissions and the free space", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The checkpoint is of no use.
    #[error("cannot resume from {}: {fault}; remove the file to start afresh", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The tokenizer cannot be made or used.
    #[error("the tokenizer: {0}")]
    Tokenizer(String),
    /// The loss is no longer a number.
    #[error("the loss of step {step} is {loss}; train with a lower learning rate")]
    Diverged {
        /// The step.
        step: u64,
        /// Its loss.
        loss: f64,
    },
    /// Stopped on request; the checkpoint holds what was done.
    #[error("stopped after step {step}; the same command goes on from {}", checkpoint.display())]
    Interrupted {
        /// Steps done.
        step: u64,
        /// The checkpoint.
        checkpoint: PathBuf,
    },
    /// Stopped on request; nothing was written.
    #[error("stopped after step {step}; nothing was written")]
    Stopped {
        /// Steps done.
        step: u64,
    },
    /// Threads cannot be started.
    #[error("cannot start training threads: {0}")]
    Threads(String),
    /// The model that teaches or gets exits cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It cannot be stepped.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl From<Unwritable> for TrainError {
    fn from(error: Unwritable) -> Self {
        let Unwritable { path, source } = error;
        Self::Write { path, source }
    }
}

impl TrainError {
    /// Whether the settings or the folder are at fault, rather than the run.
    pub fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Config { .. } | Self::Exists { .. } | Self::Checkpoint { .. } | Self::Load(_)
        )
    }
}

#[cfg(test)]
mod tests;
