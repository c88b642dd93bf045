//! Who held each barrier at which several nodes met: which node, and with what.

use super::{Cause, Events, Owner};
use crate::engine::Kind;
use crate::measurement::is_together;
use crate::units::Duration;
use std::collections::BTreeMap;

/// The opening of one barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The barrier: a place in [`Events::tasks`].
    pub barrier: u32,
    /// The tasks that it waited for: the last, which released it, and what other nodes
    /// ended together with it.
    pub held_by: Vec<u32>,
    /// By how much those came after the others; zero if there are none.
    pub lead: Duration,
}

impl Events {
    /// Every barrier at which tasks of several nodes met, in order.
    pub fn openings(&self) -> Vec<Opening> {
        (0..self.tasks.len() as u32)
            .filter(|index| self.task(*index).kind == Kind::Barrier)
            .filter_map(|barrier| self.opening(barrier))
            .collect()
    }

    fn opening(&self, barrier: u32) -> Option<Opening> {
        let last = self.task(barrier).released_by?;
        let node = self.task(last).node;
        // What each other node ended last.
        let mut others: BTreeMap<Option<u32>, u32> = BTreeMap::new();
        let met = self.inputs(barrier).iter();
        for index in met.filter(|index| self.task(**index).node != node) {
            let latest = others.entry(self.task(*index).node).or_insert(*index);
            if self.task(*index).end > self.task(*latest).end {
                *latest = *index;
            }
        }
        if others.is_empty() {
            return None;
        }
        let opened = self.task(barrier).end;
        let chain = self.walk_back(last).map(|index| self.task(index));
        let worked = chain.take_while(|task| task.node == node && task.kind != Kind::Barrier);
        let span = worked
            .last()
            .map_or(Duration::ZERO, |task| opened.since(task.start));
        let lead = |index: u32| opened.since(self.task(index).end);
        let (tied, behind): (Vec<u32>, Vec<u32>) = others
            .into_values()
            .partition(|index| is_together(lead(*index), span));
        let mut held_by = vec![last];
        held_by.extend(tied);
        held_by.sort_unstable();
        Some(Opening {
            barrier,
            held_by,
            lead: behind.into_iter().map(lead).min().unwrap_or_default(),
        })
    }
}

/// How often, and by how much, one node was the last to arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Barriers that waited for it alone.
    pub barriers: u64,
    /// By how much it came after the last of the others, over all those barriers.
    pub lead: Duration,
}

/// Who held the barriers of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Barriers {
    /// Barriers in all.
    pub count: u64,
    /// Barriers whose last arrivals were several, together.
    pub tied: u64,
    /// Who was last alone, and with what.
    pub held: BTreeMap<(Owner, Cause), Held>,
}

impl Barriers {
    /// Sums up the barriers of `events`.
    pub fn of(events: &Events) -> Self {
        let mut barriers = Self::default();
        for opening in events.openings() {
            barriers.count += 1;
            if let [last] = opening.held_by[..] {
                let last = events.task(last);
                let entry = (last.owner(), events.cause(last));
                let held = barriers.held.entry(entry).or_default();
                held.barriers += 1;
                held.lead += opening.lead;
            } else {
                barriers.tied += 1;
            }
        }
        barriers
    }
}
