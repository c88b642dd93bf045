//! One reading of a run's event log, upwards, for everything that the page says of time: how busy
//! every lane was when, the critical path, who waited for what, and the tasks of some windows.
//!
//! Nothing is left out however long the log is, and the memory that it takes does not grow with it:
//! bins, sums per pair of nodes, and at most [`MOST_TASKS`] tasks.

mod reading;

use super::density::Density;
use super::waiting::{Follower, Gap, Waiting};
use super::windows::{self, MOST_TASKS, Window};
use crate::engine::Kind;
use crate::results::events::{Backwards, Event, Events, EventsError, Owner};
use crate::results::tables::for_each_slice;
use crate::units::{Duration, Instant};
use reading::Reading;
use std::path::Path;

/// What a lane shows, in the order in which a node's lanes are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shows {
    Compute,
    Uplink,
    Downlink,
    Transfer,
    Delays,
    Waiting,
}

impl Shows {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
            Self::Transfer => "transfer",
            Self::Delays => "delays",
            Self::Waiting => "waiting",
        }
    }

    fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Compute => Self::Compute,
            Kind::Uplink => Self::Uplink,
            Kind::Downlink => Self::Downlink,
            Kind::Transfer => Self::Transfer,
            Kind::Overhead => Self::Delays,
            Kind::Barrier => return None,
        })
    }
}

/// A lane of the timeline.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) owner: Owner,
    pub(super) shows: Shows,
    pub(super) name: String,
    /// Tasks, or stretches of waiting.
    pub(super) count: u64,
    /// Time in which at least one of its tasks ran.
    pub(super) busy: Duration,
    /// Where its bins are.
    pub(super) bins: usize,
}

/// A task that the page holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) number: u32,
    pub(super) task: Event,
    pub(super) critical: bool,
    /// A place in [`Overview::lanes`]; none of a barrier.
    pub(super) lane: Option<usize>,
}

/// A run as its page shows it.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) makespan: Instant,
    /// The names that the log uses, and what the batches of held tasks served; no tasks.
    pub(super) names: Events,
    /// By node, and what they show.
    pub(super) lanes: Vec<Lane>,
    pub(super) busy: Density,
    pub(super) critical: Density,
    pub(super) waiting: Waiting,
    pub(super) windows: Vec<Window>,
    /// In the order of the log.
    pub(super) held: Vec<Held>,
    /// Those in windows, with the place of their lanes.
    pub(super) gaps: Vec<(usize, Gap)>,
}

impl Overview {
    /// Reads the log in `folder`.
    ///
    /// # Errors
    /// If a table cannot be read, or says what no run could have done.
    pub(super) fn read(folder: &Path) -> Result<Self, EventsError> {
        Self::holding(folder, MOST_TASKS)
    }

    /// The same with at most `most` tasks held.
    fn holding(folder: &Path, most: usize) -> Result<Self, EventsError> {
        let mut log = Backwards::open(folder)?;
        let mut next = log.next_task()?;
        let makespan = next.as_ref().map_or(Instant::ZERO, |(_, task)| task.end);
        let windows = windows::choose(folder, log.rows(), makespan, most)?;
        let first = next.as_ref().map(|(number, _)| *number);
        let mut reading = Reading::new(makespan, first, windows, most);
        let mut follower = Follower::default();
        while let Some((number, task)) = next {
            let cause = log.cause(&task);
            let met = follower.meet(number, &task, cause);
            let gap = met.map_err(|fault| log.damaged(number, fault))?;
            let read = reading.meet(number, task);
            read.map_err(|fault| log.damaged(number, fault))?;
            gap.into_iter().for_each(|gap| reading.wait(gap));
            next = log.next_task()?;
        }
        follower
            .finish()
            .into_iter()
            .for_each(|gap| reading.wait(gap));
        let mut names = log.into_names();
        let shown = reading.batches();
        for_each_slice(folder, |batch, slice| {
            if shown.contains(&batch) {
                names.batches.entry(batch).or_default().push(slice);
            }
        })?;
        Ok(reading.finish(makespan, names, follower.waiting))
    }

    /// Whether every task is held.
    pub(super) fn is_whole(&self) -> bool {
        self.held.len() as u64 == self.names.rows
    }
}

#[cfg(test)]
mod tests;
