//! How a run can fail.

use std::fmt;
use std::io;

use super::graph::GraphError;
use super::key::TaskKey;
use crate::units::Instant;

/// A task that can never start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The task.
    pub key: TaskKey,
    /// Unfinished tasks that it waits for, the first by key.
    pub waits_for: Vec<TaskKey>,
    /// How many more it waits for.
    pub unlisted: usize,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) waits for ", self.key)?;
        for (place, key) in self.waits_for.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(f, "{separator}({key})")?;
        }
        match self.unlisted {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Why a run ended before its program did; `E` is the program's own error.
#[derive(Debug, thiserror::Error)]
pub enum EngineError<E: std::error::Error + 'static> {
    /// The program failed.
    #[error(transparent)]
    Program(E),
    /// A task cannot be carried out.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Tasks wait for each other.
    #[error("deadlock at {} s: {} tasks are unfinished and none can start; {}",
        .at.as_seconds(), .unfinished, list(.stuck))]
    Deadlock {
        /// When the last event was.
        at: Instant,
        /// How many tasks are unfinished.
        unfinished: usize,
        /// The first of them by key.
        stuck: Vec<Stuck>,
    },
    /// Two tasks with one key end or start at one instant, so that no order is given.
    #[error("two tasks are both named ({key}); give every task of a run a key of its own")]
    DuplicateKey {
        /// The key.
        key: TaskKey,
    },
    /// A deferred task has no service time.
    #[error(
        "({key}): its duration was left to its start, but the program does not tell it; answer in `Program::service`"
    )]
    Service {
        /// The task.
        key: TaskKey,
    },
    /// The trace could not be written.
    #[error("the event log cannot be written: {0}")]
    Trace(#[source] io::Error),
    /// The interrupt flag was set.
    #[error("interrupted at {} s of simulated time, after {finished} tasks", .at.as_seconds())]
    Interrupted {
        /// The simulated time reached.
        at: Instant,
        /// How many tasks had finished.
        finished: u64,
    },
}

fn list(stuck: &[Stuck]) -> String {
    let lines: Vec<_> = stuck.iter().map(Stuck::to_string).collect();
    lines.join("; ")
}
