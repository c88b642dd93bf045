//! How an architecture tells the engine what to do.

use super::graph::Graph;
use super::key::TaskKey;
use super::task::{Cost, TaskId};
use crate::units::{Duration, Instant};

/// Duration and cost of a task, known when it starts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Service {
    /// How long it takes.
    pub duration: Duration,
    /// What else it takes.
    pub cost: Cost,
}

/// Supplies tasks and reacts to their ends.
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
        key: TaskKey,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), Self::Error>;

    /// Tells how long a task takes that [`Graph::defer`] left open, as it starts.
    ///
    /// The default knows no such task and returns `None`, which ends the run with
    /// [`EngineError::Service`](super::EngineError::Service).
    ///
    /// # Errors
    /// Whatever keeps the program from telling.
    fn service(&mut self, key: TaskKey, now: Instant) -> Result<Option<Service>, Self::Error> {
        let _ = (key, now);
        Ok(None)
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
        key: TaskKey,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), Self::Error> {
        (**self).completed(id, key, now, graph)
    }

    fn service(&mut self, key: TaskKey, now: Instant) -> Result<Option<Service>, Self::Error> {
        (**self).service(key, now)
    }
}
