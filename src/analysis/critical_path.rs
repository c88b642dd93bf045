//! The critical path: the chain of tasks, each released by the one before, that ends
//! with the last task of the run.
//!
//! A task starts at the instant at which its releaser ends, and the first of the chain
//! starts with the run. So the durations along the chain add up to the makespan, to the
//! picosecond: Σ d_k = T. Splitting them by cause and holder says where the time went.

use super::inputs::inputs;
use crate::engine::Kind;
use crate::results::events::{Cause, Events, Groups, Owner};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// Who held the run up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One device, the server, a shared resource or nobody.
    One(Owner),
    /// Several devices whose tasks of one stage ended at the same instant; no one of
    /// them alone could have ended it sooner.
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

/// Who the holder of task `index` is: its owner, unless other devices ended the same
/// stage at the same instant.
fn holder(events: &Events, groups: &Groups, index: u32) -> Holder {
    let task = events.task(index);
    let owner = events.owner(task);
    let tied = |other: &u32| {
        let other = events.task(*other);
        other.end == task.end && events.owner(other) != owner
    };
    if matches!(owner, Owner::Device(_)) && groups.of(index).iter().any(tied) {
        Holder::Together
    } else {
        Holder::One(owner)
    }
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
        for index in &tasks {
            let task = events.task(*index);
            if task.end > task.start {
                let entry = (events.cause(task), holder(events, groups, *index));
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

/// How often, and by how much, one device or link was the last to arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Barriers that waited for it alone.
    pub barriers: u64,
    /// By how much it came after the last of the others, over all those barriers.
    pub lead: Duration,
}

/// Who held each barrier at which several tasks met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Barriers {
    /// Barriers in all.
    pub count: u64,
    /// Barriers whose last arrivals were several, at one instant.
    pub tied: u64,
    /// Who was last alone, and with what.
    pub held: BTreeMap<(Owner, Cause), Held>,
}

impl Barriers {
    /// Looks at every barrier of `events`.
    pub fn of(events: &Events, groups: &Groups) -> Self {
        let mut barriers = Self::default();
        for (index, met) in inputs(events, groups) {
            let barrier = events.task(index);
            let ends = met.iter().map(|input| events.task(*input).end);
            if let (Kind::Barrier, Some(last), Some(before)) =
                (barrier.kind, barrier.released_by, ends.max())
            {
                barriers.count += 1;
                barriers.note(events, last, barrier.end, before);
            }
        }
        barriers
    }

    fn note(&mut self, events: &Events, last: u32, opened: Instant, before: Instant) {
        if before == opened {
            self.tied += 1;
            return;
        }
        let last = events.task(last);
        let entry = (events.owner(last), events.cause(last));
        let held = self.held.entry(entry).or_default();
        held.barriers += 1;
        held.lead += opened.since(before);
    }
}
