//! The critical path: the chain of tasks, each released by the one before, that ends
//! with the last task of the run.
//!
//! A task starts at the instant at which its releaser ends, and the first of the chain
//! starts with the run. So the durations along the chain add up to the makespan, to the
//! picosecond: Σ d_k = T. Splitting them by cause and holder says where the time went.

use super::{Cause, Events, Groups, Owner};
use crate::engine::Kind;
use crate::units::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// Who held the run up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One node, or nobody.
    One(Owner),
    /// Several nodes that ended a stage at the same instant, or met a barrier
    /// [together](crate::measurement::is_together); no one of them alone
    /// could have ended it sooner.
    Together,
}

/// What one cause at one holder contributes to the makespan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Time on the critical path.
    pub time: Duration,
    /// Tasks on the critical path.
    pub tasks: u64,
    /// Time of those tasks that had been ready but found their resource taken.
    pub queued: Duration,
}

impl Part {
    fn add(&mut self, other: Self) {
        self.time += other.time;
        self.tasks += other.tasks;
        self.queued += other.queued;
    }
}

/// The critical path of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriticalPath {
    /// Its tasks, first to last: places in [`Events::tasks`].
    pub tasks: Vec<u32>,
    /// What its time went into. The times add up to the makespan.
    pub parts: BTreeMap<(Cause, Holder), Part>,
}

/// Whether other nodes ended the stage of task `index` at the same instant.
fn is_tied(events: &Events, groups: &Groups, index: u32) -> bool {
    let task = events.task(index);
    let tied = |other: &u32| {
        let other = events.task(*other);
        other.end == task.end && other.node != task.node
    };
    groups.of(index).iter().any(tied)
}

/// The holder of each task of a critical path: its owner, unless several nodes were at
/// it together.
fn holders(events: &Events, groups: &Groups, path: &[u32]) -> Vec<Holder> {
    let openings = events.openings().into_iter();
    let together = openings.filter(|opening| opening.held_by.len() > 1);
    let together: BTreeSet<u32> = together.map(|opening| opening.barrier).collect();
    // The node whose tasks lead to a barrier that it met together with others.
    let mut leading = None;
    let mut holders = Vec::with_capacity(path.len());
    for index in path.iter().rev() {
        let task = events.task(*index);
        if task.kind == Kind::Barrier {
            let releaser = task.released_by.filter(|_| together.contains(index));
            leading = releaser.and_then(|releaser| events.task(releaser).node);
        } else if task.node != leading {
            leading = None;
        }
        let shared = leading.is_some() || is_tied(events, groups, *index);
        holders.push(match task.owner() {
            Owner::Node(_) if shared => Holder::Together,
            owner => Holder::One(owner),
        });
    }
    holders.reverse();
    holders
}

impl CriticalPath {
    /// Walks back from the task that ended last; of several, the last in the log.
    pub fn of(events: &Events, groups: &Groups) -> Self {
        let ends = events.tasks.iter().zip(0..);
        let last = ends.max_by_key(|(task, index)| (task.end, *index));
        let mut tasks: Vec<u32> = last
            .into_iter()
            .flat_map(|(_, index)| events.walk_back(index))
            .collect();
        tasks.reverse();
        let mut parts: BTreeMap<_, Part> = BTreeMap::new();
        for (index, holder) in tasks.iter().zip(holders(events, groups, &tasks)) {
            let task = events.task(*index);
            if task.end > task.start {
                let entry = (events.cause(task), holder);
                parts.entry(entry).or_default().add(Part {
                    time: task.duration(),
                    tasks: 1,
                    queued: task.start.since(task.ready),
                });
            }
        }
        Self { tasks, parts }
    }

    /// The makespan: the sum of all parts.
    pub fn length(&self) -> Duration {
        self.parts.values().map(|part| part.time).sum()
    }

    /// What `cause` contributes at all holders together.
    pub fn total(&self, cause: Cause) -> Part {
        let mut total = Part::default();
        for ((of, _), part) in &self.parts {
            if *of == cause {
                total.add(*part);
            }
        }
        total
    }

    /// Causes by their share of the makespan, largest first, without those of no time.
    pub fn causes(&self) -> Vec<(Cause, Part)> {
        let mut causes: Vec<_> = Cause::ALL
            .into_iter()
            .map(|cause| (cause, self.total(cause)))
            .filter(|(_, part)| part.time > Duration::ZERO)
            .collect();
        causes.sort_by_key(|(cause, part)| (std::cmp::Reverse(part.time), *cause));
        causes
    }
}
