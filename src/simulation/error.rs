//! Why a run or a sweep did not produce a result.

use crate::engine::EngineError;
use crate::execution::ExecutionError;
use crate::figures::catalogue::DrawError;
use crate::figures::format::png;
use crate::interrupt::Interrupted;
use crate::numerics::{LoadError, StepError};
use crate::policy::AssignmentError;
use crate::radio::RadioError;
use crate::results::folder::FolderError;
use crate::scenario::{Resolved, ScenarioError};
use crate::units::FieldFault;
use crate::whole::Unwritable;
use std::path::PathBuf;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A field turned out to be wrong once files were read.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The model cannot be loaded.
    #[error(transparent)]
    Model(LoadError),
    /// The forward pass cannot be set up.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The radio cannot be set up.
    #[error(transparent)]
    Radio(RadioError),
    /// The model cannot be divided.
    #[error(transparent)]
    Assignment(AssignmentError),
    /// The configuration cannot be built.
    #[error(transparent)]
    Architecture(#[from] ExecutionError),
    /// The simulation broke off.
    #[error(transparent)]
    Engine(#[from] EngineError<ExecutionError>),
    /// The run folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A figure, the trace or the report of a run cannot be drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// A run's scenario names files that are not where they were.
    #[error(
        "{fault}\nthe scenario's paths are relative to {}; if its files lie elsewhere now, name that folder with --base",
        base.display()
    )]
    Elsewhere {
        /// The folder in which they were looked for.
        base: PathBuf,
        /// What is missing.
        fault: Box<RunError>,
    },
    /// A figure of a sweep would have too many pixels.
    #[error(transparent)]
    Pixels(#[from] png::TooLarge),
    /// A point is asked for that the sweep does not have.
    #[error(
        "the sweep has no point {beyond}: its {points} points are numbered from 0; `airloom sweep --dry-run` lists them"
    )]
    NoPoint {
        /// The largest number that was asked for.
        beyond: usize,
        /// How many there are.
        points: usize,
    },
    /// A folder of a sweep or a run is not what it should be.
    #[error("{path}: {fault}")]
    Place {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and the fix.
        fault: String,
    },
    /// Some points of a sweep failed; their reasons are in `points.csv`.
    #[error("{failed} of {points} points failed; {path} says why")]
    Points {
        /// Points that failed.
        failed: usize,
        /// Points in all.
        points: usize,
        /// The table.
        path: PathBuf,
    },
    /// Ctrl-C.
    #[error("interrupted; {kept}")]
    Interrupted {
        /// What is left of the work.
        kept: &'static str,
    },
}

/// Nothing is written before a run is prepared.
impl From<Interrupted> for RunError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted {
            kept: "nothing was written",
        }
    }
}

impl From<LoadError> for RunError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Interrupted(interrupted) => interrupted.into(),
            error => Self::Model(error),
        }
    }
}

impl From<RadioError> for RunError {
    fn from(error: RadioError) -> Self {
        match error {
            RadioError::Interrupted(interrupted) => interrupted.into(),
            error => Self::Radio(error),
        }
    }
}

impl From<AssignmentError> for RunError {
    fn from(error: AssignmentError) -> Self {
        match error {
            AssignmentError::Radio(RadioError::Interrupted(interrupted)) => interrupted.into(),
            error => Self::Assignment(error),
        }
    }
}

impl From<Unwritable> for RunError {
    fn from(error: Unwritable) -> Self {
        FolderError::from(error).into()
    }
}

impl RunError {
    /// Whether the input is at fault rather than the run.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Scenario(_) | Self::Field(_) | Self::Model(_) => true,
            Self::Step(StepError::Tokenizer { .. }) => true,
            Self::Engine(EngineError::Program(ExecutionError::Step(StepError::Tokenizer {
                ..
            }))) => true,
            Self::Folder(FolderError::Occupied { .. } | FolderError::Impossible { .. }) => true,
            Self::Place { .. } | Self::NoPoint { .. } | Self::Elsewhere { .. } => true,
            Self::Draw(DrawError::Backend(_) | DrawError::Io(_)) => false,
            Self::Draw(_) => true,
            Self::Architecture(_) | Self::Radio(_) | Self::Assignment(_) => self.is_infeasible(),
            _ => false,
        }
    }

    /// The same fault with its place in the scenario, if it is a field's or of the files
    /// that a field names.
    pub(super) fn placed(self, resolved: &Resolved) -> Self {
        match self {
            Self::Field(fault) => resolved.fault(fault).into(),
            Self::Model(error) => resolved
                .fault(FieldFault::new("model", error.to_string()))
                .into(),
            Self::Step(error @ StepError::Tokenizer { .. }) => resolved
                .fault(FieldFault::new("model", error.to_string()))
                .into(),
            other => other,
        }
    }

    /// Whether the configuration is impossible: `N/A` in a table, not a failure.
    pub fn is_infeasible(&self) -> bool {
        match self {
            Self::Architecture(error) => error.is_infeasible(),
            Self::Radio(error) => matches!(error, RadioError::NoEnergy { .. }),
            Self::Assignment(error) => matches!(error, AssignmentError::Infeasible { .. }),
            _ => false,
        }
    }
}
