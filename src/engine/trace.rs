//! What a run leaves behind of each task, and who takes it.

use std::io;

use super::key::{Kind, TaskKey};
use super::task::Cost;
use crate::units::Instant;

/// Why a task started when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Its last input came, or it was added then.
    Input,
    /// Its resource had no free place before.
    Resource,
    /// The barrier before it opened.
    Barrier,
}

impl Reason {
    /// The name in `events.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Resource => "resource",
            Self::Barrier => "barrier",
        }
    }
}

/// One finished task.
///
/// `released_by` is the task whose end let this one start: with reason `Resource`
/// the one that left its place, otherwise the last predecessor to finish — at one
/// instant the last in the engine's order —, or, where all had finished before the
/// task was added, the task to whose end the program reacted by adding it. Its end
/// is this task's start, so following `released_by` from the last task is the
/// critical path. Only tasks added at the start of the run have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record<'a> {
    /// Its place among the tasks of the run in the order in which they ended, from 0:
    /// its row in the log.
    pub number: u64,
    /// The numbers of the tasks that it waited for, in ascending order: of its
    /// predecessors those that were unfinished when it was added and, where that is
    /// one of them or no other is left, the task to whose end the program reacted by
    /// adding it.
    pub inputs: &'a [u64],
    /// What it was.
    pub key: TaskKey,
    /// The name of its resource.
    pub resource: Option<&'a str>,
    /// What it did.
    pub kind: Kind,
    /// When its inputs were there.
    pub ready: Instant,
    /// When it started.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// The number of the task whose end let it start.
    pub released_by: Option<u64>,
    /// Why it had not started before.
    pub reason: Reason,
    /// What it cost.
    pub cost: Cost,
}

/// Takes the records of a run, in the order in which the tasks ended.
pub trait Trace {
    /// Takes one.
    ///
    /// # Errors
    /// If it cannot be written; ends the run.
    fn record(&mut self, record: &Record<'_>) -> io::Result<()>;
}

/// Takes nothing: no rows, no digest.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullTrace;

impl Trace for NullTrace {
    fn record(&mut self, _: &Record<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Two traces of one run.
impl<A: Trace, B: Trace> Trace for (A, B) {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.0.record(record)?;
        self.1.record(record)
    }
}

impl<T: Trace + ?Sized> Trace for &mut T {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        (**self).record(record)
    }
}
