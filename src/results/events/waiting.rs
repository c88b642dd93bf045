//! When a node neither computes nor uses its links although work is to come, and what it
//! waits for.

use super::{Cause, Event, Events, Owner};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// A stretch in which a node has nothing to do until its next task is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Who waits.
    pub owner: Owner,
    /// Since when.
    pub start: Instant,
    /// Until when.
    pub end: Instant,
    /// The task that ends the waiting: a place in [`Events::tasks`].
    pub next: u32,
}

impl Events {
    /// Tasks that take time, by who spends it, each list by start.
    pub fn busy(&self) -> BTreeMap<Owner, Vec<u32>> {
        let mut busy: BTreeMap<Owner, Vec<u32>> = BTreeMap::new();
        for (index, task) in self.tasks.iter().enumerate() {
            if task.resource.is_some() && task.end > task.start {
                busy.entry(task.owner()).or_default().push(index as u32);
            }
        }
        for tasks in busy.values_mut() {
            let span = |index: &u32| (self.task(*index).start, self.task(*index).end, *index);
            tasks.sort_by_key(span);
        }
        busy
    }

    /// The gaps of every node, by node and start. What follows a node's last
    /// task is no waiting: nothing more is asked of it.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (owner, tasks) in self.busy() {
            if owner == Owner::Nobody {
                continue;
            }
            let mut covered = Instant::ZERO;
            for next in tasks {
                let task = self.task(next);
                if task.start > covered {
                    gaps.push(Gap {
                        owner,
                        start: covered,
                        end: task.start,
                        next,
                    });
                }
                covered = covered.max(task.end);
            }
        }
        gaps
    }

    /// What happened during `gap` that its next task had to wait for, latest first:
    /// tasks and how much of the gap each took. The lengths add up to the gap's.
    pub fn waited_for(&self, gap: &Gap) -> impl Iterator<Item = (&Event, Duration)> + '_ {
        let (start, end) = (gap.start, gap.end);
        self.walk_back(gap.next)
            .skip(1)
            .map(|index| self.task(index))
            .take_while(move |task| task.end > start)
            .map(move |task| (task, task.end.min(end).since(task.start.max(start))))
            .filter(|(_, length)| *length > Duration::ZERO)
    }

    /// How long each node waited for what, and for whose doing.
    pub fn waiting(&self) -> BTreeMap<(Owner, Cause, Owner), Duration> {
        let mut waiting = BTreeMap::new();
        for gap in self.gaps() {
            for (task, length) in self.waited_for(&gap) {
                let entry = (gap.owner, self.cause(task), task.owner());
                *waiting.entry(entry).or_insert(Duration::ZERO) += length;
            }
        }
        waiting
    }
}
