//! What a run amounts to.

use super::key::Kind;
use super::ledger::Totals;
use crate::units::Duration;

/// The time and the work of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceReport {
    /// Its name.
    pub name: String,
    /// How many tasks it serves at once.
    pub capacity: u32,
    /// Time in which it served at least one task.
    pub busy: Duration,
    /// Time in which it served none, although an unfinished task was assigned to it
    /// or it was held for one.
    pub waiting: Duration,
    /// The rest of the makespan.
    pub idle: Duration,
    /// The tasks it served.
    pub totals: Totals,
}

/// What a run amounts to: its length and where time, work and energy went.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// From time zero to the last event.
    pub makespan: Duration,
    /// All tasks together.
    pub totals: Totals,
    /// Tasks by kind, in the order of [`Kind::ALL`].
    pub kinds: [Totals; Kind::ALL.len()],
    /// Every resource, in the order of its id.
    pub resources: Vec<ResourceReport>,
    /// The most tasks that were unfinished at once.
    pub peak_unfinished: usize,
    /// The most tasks that lay in memory at once, finished ones included.
    pub peak_slots: usize,
}

impl Report {
    /// The tasks of one kind.
    pub fn kind(&self, kind: Kind) -> &Totals {
        &self.kinds[kind as usize]
    }
}
