//! How a run can fail.

use std::fmt;
use std::io;

use super::key::TaskKey;
use crate::units::{Duration, Instant};

/// What a program asked of the graph that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// The resource was not declared for this run.
    #[error("{key}: resource number {resource} is not among the {declared} of this run")]
    UnknownResource {
        /// The task.
        key: TaskKey,
        /// Its resource.
        resource: usize,
        /// How many there are.
        declared: usize,
    },
    /// The id comes from elsewhere.
    #[error("task number {serial} was never added to this graph; is it of another run?")]
    UnknownTask {
        /// The serial number in the id.
        serial: u64,
    },
    /// A barrier only waits.
    #[error("{key}: a barrier takes no resource, no time and no energy; make it another kind")]
    LadenBarrier {
        /// The barrier.
        key: TaskKey,
    },
    /// The energy is no number that could be summed.
    #[error("{key}: its energy is {joules} J; it must be finite and not negative")]
    Energy {
        /// The task.
        key: TaskKey,
        /// The energy given.
        joules: f64,
    },
    /// Simulated time ends before the task does.
    #[error("{key}: starts at {start:?} ps and lasts {duration:?} ps, beyond the 213 days that simulated time holds",
        start = .start.0, duration = .duration.0)]
    TimeOverflow {
        /// The task.
        key: TaskKey,
        /// When it starts.
        start: Instant,
        /// How long it lasts.
        duration: Duration,
    },
    /// The request comes too late to have an effect.
    #[error("too late to {request}: task number {serial} {state}; do so right after adding it")]
    TooLate {
        /// What was asked for.
        request: &'static str,
        /// The serial number of the task, in the order of adding.
        serial: u64,
        /// What had happened to it already.
        state: &'static str,
    },
    /// Nothing that runs can be changed.
    #[error("cannot {request}: task number {serial} {state}; only a running task has an end")]
    NotRunning {
        /// What was asked for.
        request: &'static str,
        /// The serial number of the task, in the order of adding.
        serial: u64,
        /// Where it is instead.
        state: &'static str,
    },
    /// An end cannot be moved to where nobody looks any more.
    #[error("{key}: its end cannot be moved to {} ps, for it is {} ps already", .end.0, .now.0)]
    Past {
        /// The task.
        key: TaskKey,
        /// The end asked for.
        end: Instant,
        /// The present.
        now: Instant,
    },
    /// Two tasks with one key end or start at one instant, so that no order is given.
    #[error("two tasks are both named ({key}); give every task of a run a key of its own")]
    DuplicateKey {
        /// The key.
        key: TaskKey,
    },
    /// Nothing would ask for the duration.
    #[error("{key}: only a task on a resource can leave its duration to its start")]
    DeferredWithoutResource {
        /// The task.
        key: TaskKey,
    },
    /// More tasks at once than a u32 counts.
    #[error("{key}: the graph holds 2³² unfinished tasks; add blocks as the run goes on")]
    Full {
        /// The task that found no place.
        key: TaskKey,
    },
}

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
    /// A deferred task has no service time.
    #[error(
        "({key}): its duration was left to its start, but the program does not tell it; answer in `Program::service`"
    )]
    Occupancy {
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

/// Why a set of processes could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// Nothing would order two processes.
    #[error("two processes have rank {0}; give each a rank of its own")]
    DuplicateRank(u32),
    /// A wait ends beyond simulated time.
    #[error("process {rank} waits {} ps from {} ps on, beyond the 213 days that simulated time holds",
        .duration.0, .start.0)]
    TimeOverflow {
        /// The rank of the process.
        rank: u32,
        /// When it began to wait.
        start: Instant,
        /// For how long.
        duration: Duration,
    },
    /// The meeting was declared elsewhere.
    #[error(
        "process {rank} goes to meeting {meeting}, but only {declared} are declared in its set"
    )]
    UnknownMeeting {
        /// The rank of the process.
        rank: u32,
        /// The number of the meeting.
        meeting: u32,
        /// How many there are.
        declared: usize,
    },
    /// Processes are at a meeting to which nobody comes any more.
    #[error("deadlock at {} s: {stuck} processes are at meetings that never fill up, the first of them with ranks {ranks:?}",
        .at.as_seconds())]
    Deadlock {
        /// When the last event was.
        at: Instant,
        /// How many processes are stuck.
        stuck: usize,
        /// The lowest of their ranks.
        ranks: Vec<u32>,
    },
    /// The interrupt flag was set.
    #[error("interrupted at {} s of simulated time", .at.as_seconds())]
    Interrupted {
        /// The simulated time reached.
        at: Instant,
    },
}

fn list(stuck: &[Stuck]) -> String {
    let lines: Vec<_> = stuck.iter().map(Stuck::to_string).collect();
    lines.join("; ")
}
