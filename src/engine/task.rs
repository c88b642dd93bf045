//! What a task is: a piece of work with its duration and its costs.

use super::error::GraphError;
use super::key::{Kind, TaskKey};
use super::resource::ResourceId;
use crate::units::Duration;

/// What a task costs beside time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read and written in memory.
    pub bytes: u64,
    /// Bits sent.
    pub bits: u64,
    /// Energy in joules, finite and not negative.
    pub joules: f64,
}

impl Cost {
    /// Refuses an energy that no sum could take.
    pub(super) fn check(&self, key: TaskKey) -> Result<(), GraphError> {
        if self.joules.is_finite() && self.joules >= 0.0 {
            Ok(())
        } else {
            Err(GraphError::Energy {
                key,
                joules: self.joules,
            })
        }
    }
}

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    /// What it is; unique within the run.
    pub key: TaskKey,
    /// What it does.
    pub kind: Kind,
    /// What it occupies; a task without a resource runs as soon as its inputs are there.
    pub resource: Option<ResourceId>,
    /// How long it takes, unless [`Graph::defer`](super::Graph::defer) leaves that to its start.
    pub duration: Duration,
    /// What it costs, unless [`Graph::defer`](super::Graph::defer) leaves that to its start.
    pub cost: Cost,
}

impl Task {
    /// A barrier: no resource, no duration, no cost.
    pub fn barrier(key: TaskKey) -> Self {
        Self {
            key,
            kind: Kind::Barrier,
            resource: None,
            duration: Duration::ZERO,
            cost: Cost::default(),
        }
    }
}

/// Names a task of a run for as long as the run lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    pub(super) serial: u64,
    pub(super) slot: u32,
}
