//! How a program tells the engine what to do.

use super::graph::Graph;
use super::key::TaskKey;
use super::task::{Cost, TaskId};
use super::trace::Record;
use crate::units::Duration;

/// Duration and cost of a task, known when it starts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Occupancy {
    /// How long it takes, unless [`Graph::retime`] changes that while it runs.
    pub duration: Duration,
    /// What else it takes.
    pub cost: Cost,
}

/// Supplies tasks and reacts to their starts and ends.
///
/// The engine calls a program between events, never within one, so that every
/// task a program adds at an instant takes part in the order of that instant.
pub trait Program {
    /// What can go wrong in it; ends the run.
    type Error: std::error::Error + 'static;

    /// Adds the first tasks, at time zero.
    ///
    /// # Errors
    /// Whatever keeps the program from starting.
    fn start(&mut self, graph: &mut Graph) -> Result<(), Self::Error>;

    /// Reacts to the end of a task for which [`Graph::notify`] asked, usually by
    /// adding the next block.
    ///
    /// # Errors
    /// Whatever keeps the program from going on.
    fn completed(
        &mut self,
        id: TaskId,
        record: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), Self::Error>;

    /// Tells how long a task takes that [`Graph::defer`] left open, as it starts.
    ///
    /// The task has its place already. Others may be added, and others that run
    /// [retimed](Graph::retime): who shares a medium with the task goes on slower.
    ///
    /// The default knows no such task and returns `None`, which ends the run with
    /// [`EngineError::Occupancy`](super::EngineError::Occupancy).
    ///
    /// # Errors
    /// Whatever keeps the program from telling.
    fn service(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<Option<Occupancy>, Self::Error> {
        let _ = (id, key, graph);
        Ok(None)
    }

    /// Takes note of a task that ended, whichever it is, before
    /// [`completed`](Self::completed) lets the program react.
    ///
    /// # Errors
    /// Whatever keeps the program from taking note.
    fn measured(&mut self, record: &Record<'_>) -> Result<(), Self::Error> {
        let _ = record;
        Ok(())
    }
}

impl<P: Program + ?Sized> Program for Box<P> {
    type Error = P::Error;

    fn start(&mut self, graph: &mut Graph) -> Result<(), Self::Error> {
        (**self).start(graph)
    }

    fn completed(
        &mut self,
        id: TaskId,
        record: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), Self::Error> {
        (**self).completed(id, record, graph)
    }

    fn service(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<Option<Occupancy>, Self::Error> {
        (**self).service(id, key, graph)
    }

    fn measured(&mut self, record: &Record<'_>) -> Result<(), Self::Error> {
        (**self).measured(record)
    }
}
