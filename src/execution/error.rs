//! What can stop a run once its scenario has been accepted.

use crate::device::DeviceError;
use crate::engine::{GraphError, ResourceError};
use crate::numerics::StepError;
use crate::policy::PolicyError;
use crate::radio::RadioError;

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// A node cannot hold or time what it is given.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A message never arrives.
    #[error(transparent)]
    Fluid(#[from] crate::medium::FluidError),
    /// A message is too long for a wire.
    #[error("a message on a wire: {0}; raise its rate, or send less")]
    TooLong(#[from] crate::units::DurationError),
    /// The radio cannot carry what it is given.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// A policy cannot decide.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A recorded router does not know a token.
    #[error(transparent)]
    Trace(#[from] super::TraceError),
    /// The forward pass failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The task graph refused a task.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Whoever watches could not take note.
    #[error("what the run measured cannot be written down: {0}")]
    Observer(#[source] std::io::Error),
    /// The resources clash.
    #[error(transparent)]
    Resource(#[from] ResourceError),
}

impl ExecutionError {
    /// Whether the configuration is impossible rather than the run broken: a
    /// paper's table has "N/A" there, and a sweep goes on with its next point.
    pub fn is_infeasible(&self) -> bool {
        matches!(self, Self::Device(DeviceError::OutOfMemory { .. }))
    }
}
