//! What nodes waited for, added up while a log is read from its end.
//!
//! A node waits from the end of a task of its own to the start of its next one. What it waited for
//! are the tasks of the chain of releases that leads back from that next task; they fill the gap
//! without a hole. Read upwards, the chain comes before the gap's other end is known: what certainly
//! lies in the gap is summed up, and the one task that may reach beyond it is kept.

use crate::results::events::{Cause, Event, Owner};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// How long each node waited for what, and for whose doing.
pub(super) type Waiting = BTreeMap<(Owner, Cause, Owner), Duration>;

/// A stretch in which a node waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) node: u32,
    pub(super) start: Instant,
    pub(super) end: Instant,
    /// The task that ended it.
    pub(super) next: u32,
}

/// What a node did below the rows that are still to come.
#[derive(Debug)]
struct Below {
    /// Since when it is busy without a gap.
    since: Instant,
    /// The task that began then.
    next: u32,
    /// The task that the chain from there goes on with.
    wanted: Option<u32>,
    /// The part of the chain that lies before `since` and after `open`.
    parts: BTreeMap<(Cause, Owner), Duration>,
    /// The last task of the chain that was met: it may have begun before the gap.
    open: Option<Stretch>,
}

#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: Instant,
    end: Instant,
    what: (Cause, Owner),
}

impl Below {
    fn close(&mut self, from: Instant) {
        if let Some(open) = self.open.take() {
            let length = open.end.since(open.start.max(from).min(open.end));
            *self.parts.entry(open.what).or_default() += length;
        }
    }
}

/// Follows what every node waits for.
#[derive(Debug, Default)]
pub(super) struct Follower {
    nodes: BTreeMap<u32, Below>,
    /// Whose chains go on with a task.
    wanted: BTreeMap<u32, Vec<u32>>,
    /// What was waited for so far.
    pub(super) waiting: Waiting,
}

impl Follower {
    /// Meets the task `place`; tells of the gap that is now known to have begun with its end.
    ///
    /// # Errors
    /// If a task that it released did not start at its end.
    pub(super) fn meet(
        &mut self,
        place: u32,
        task: &Event,
        cause: Cause,
    ) -> Result<Option<Gap>, String> {
        for node in self.wanted.remove(&place).unwrap_or_default() {
            let Some(below) = self.nodes.get_mut(&node) else {
                continue;
            };
            // Its chain may have begun anew meanwhile.
            if below.wanted != Some(place) {
                continue;
            }
            let due = below.open.map_or(below.since, |open| open.start);
            if task.end != due {
                return Err(format!(
                    "the task ends at {} ps and released another at {} ps",
                    task.end.0, due.0
                ));
            }
            below.close(Instant::ZERO);
            below.open = Some(Stretch {
                start: task.start,
                end: task.end,
                what: (cause, task.owner()),
            });
            below.wanted = task.released_by;
            if let Some(next) = task.released_by {
                self.wanted.entry(next).or_default().push(node);
            }
        }
        let works = task.resource.is_some() && task.end > task.start;
        let Some(node) = task.node.filter(|_| works) else {
            return Ok(None);
        };
        let since = self.nodes.get(&node).map(|below| below.since);
        let gap = match since {
            Some(since) if task.end < since => self.resolve(node, task.end),
            _ => None,
        };
        if since.is_none_or(|since| task.start <= since) {
            self.nodes.insert(
                node,
                Below {
                    since: task.start,
                    next: place,
                    wanted: task.released_by,
                    parts: BTreeMap::new(),
                    open: None,
                },
            );
            if let Some(next) = task.released_by {
                self.wanted.entry(next).or_default().push(node);
            }
        }
        Ok(gap)
    }

    /// The gap of `node` that began at `start`.
    fn resolve(&mut self, node: u32, start: Instant) -> Option<Gap> {
        let below = self.nodes.get_mut(&node)?;
        below.close(start);
        for ((cause, owner), length) in std::mem::take(&mut below.parts) {
            if length > Duration::ZERO {
                let entry = (Owner::Node(node), cause, owner);
                *self.waiting.entry(entry).or_default() += length;
            }
        }
        Some(Gap {
            node,
            start,
            end: below.since,
            next: below.next,
        })
    }

    /// Tells of the gaps with which the run began, once every task was met.
    pub(super) fn finish(&mut self) -> Vec<Gap> {
        let late: Vec<u32> = self
            .nodes
            .iter()
            .filter(|(_, below)| below.since > Instant::ZERO)
            .map(|(node, _)| *node)
            .collect();
        late.into_iter()
            .filter_map(|node| self.resolve(node, Instant::ZERO))
            .collect()
    }
}
