//! What tasks occupy while they run: a device's compute unit, its uplink, a shared medium.
//!
//! A resource serves up to `capacity` tasks at once, the one that became ready
//! first before the others, ties by task key. It never interrupts a task.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use super::key::Order;
use super::ledger::Ledger;
use crate::units::Instant;

/// Names a resource of a run: its place in the list of [`Resources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub(super) u32);

impl ResourceId {
    /// Its place in the order in which resources were added, and in a report.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A resource as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name in traces and reports.
    pub name: String,
    /// How many tasks it serves at once.
    pub capacity: u32,
}

/// A resource that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// Two resources would be one in the trace.
    #[error("resource `{0}` is declared twice; give each resource a name of its own")]
    Duplicate(String),
    /// Nothing would ever run on it.
    #[error("resource `{0}` serves no task at all; its capacity must be 1 or more")]
    NoCapacity(String),
    /// The name would break the rows of the event log.
    #[error(
        "`{0}` is no name for a resource; use one or more characters, none of them a comma, a quote or a control character"
    )]
    Name(String),
}

/// The resources of a run. Their order decides nothing but [`ResourceId`]s.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    list: Vec<Resource>,
    names: BTreeSet<String>,
}

impl Resources {
    /// No resources yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a resource that serves `capacity` tasks at once.
    ///
    /// # Errors
    /// If the name is taken or unfit for a CSV cell, or the capacity is zero.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        capacity: u32,
    ) -> Result<ResourceId, ResourceError> {
        let name = name.into();
        if name.is_empty() || name.contains([',', '"']) || name.contains(char::is_control) {
            return Err(ResourceError::Name(name));
        }
        if capacity == 0 {
            return Err(ResourceError::NoCapacity(name));
        }
        if !self.names.insert(name.clone()) {
            return Err(ResourceError::Duplicate(name));
        }
        let id = ResourceId(u32::try_from(self.list.len()).expect("fewer than 2³² resources"));
        self.list.push(Resource { name, capacity });
        Ok(id)
    }

    /// The resources in the order of their ids.
    pub fn list(&self) -> &[Resource] {
        &self.list
    }
}

/// A task that waits for a free place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    ready: Instant,
    order: Order,
    slot: u32,
}

/// A resource at work.
#[derive(Debug)]
pub(super) struct Desk {
    free: u32,
    queue: BinaryHeap<Reverse<Waiting>>,
    /// The head of the queue for which a turn was announced and has not come.
    announced: Option<Order>,
    /// The numbers of those who freed places at `freed_at`, while others queued for them.
    freed: VecDeque<u64>,
    freed_at: Instant,
    pub(super) ledger: Ledger,
}

impl Desk {
    pub(super) fn new(capacity: u32) -> Self {
        Self {
            free: capacity,
            queue: BinaryHeap::new(),
            announced: None,
            freed: VecDeque::new(),
            freed_at: Instant::ZERO,
            ledger: Ledger::default(),
        }
    }

    /// Queues a task that is ready.
    pub(super) fn enqueue(&mut self, ready: Instant, order: Order, slot: u32) {
        self.queue.push(Reverse(Waiting { ready, order, slot }));
    }

    /// The head of the queue, if it can start and its turn is not announced yet.
    pub(super) fn announce(&mut self) -> Option<Order> {
        if self.free == 0 {
            return None;
        }
        let head = self.queue.peek()?.0.order;
        if self.announced == Some(head) {
            return None;
        }
        self.announced = Some(head);
        Some(head)
    }

    /// The task that would start in the turn announced for `order`; `None` if
    /// another task took the head since.
    pub(super) fn candidate(&self, order: Order) -> Option<u32> {
        if self.announced == Some(order) {
            self.queue.peek().map(|Reverse(head)| head.slot)
        } else {
            None
        }
    }

    /// Gives a place to the head of the queue; `false` if the next in the queue has
    /// the same claim to it, so that nothing says which of the two goes first.
    pub(super) fn seat(&mut self) -> bool {
        let head = self.queue.pop();
        self.announced = None;
        self.free -= 1;
        let claim = |waiting: &Reverse<Waiting>| (waiting.0.ready, waiting.0.order);
        head.is_none() || head.as_ref().map(claim) != self.queue.peek().map(claim)
    }

    /// Takes a place back from the task with this number.
    pub(super) fn release(&mut self, number: u64, now: Instant) {
        self.free += 1;
        if !self.queue.is_empty() {
            if self.freed_at != now {
                self.freed.clear();
                self.freed_at = now;
            }
            self.freed.push_back(number);
        }
    }

    /// Who left the place that a task takes which had to wait for it.
    pub(super) fn predecessor(&mut self) -> Option<u64> {
        self.freed.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_no_trace_could_hold() {
        let mut resources = Resources::new();
        resources.add("device0.compute", 1).unwrap();
        let duplicate = resources.add("device0.compute", 2).unwrap_err();
        assert_eq!(
            duplicate.to_string(),
            "resource `device0.compute` is declared twice; give each resource a name of its own"
        );
        assert!(matches!(
            resources.add("air", 0),
            Err(ResourceError::NoCapacity(_))
        ));
        for name in ["", "a,b", "a\nb", "a\"b"] {
            assert!(
                matches!(resources.add(name, 1), Err(ResourceError::Name(_))),
                "{name:?}"
            );
        }
        assert_eq!(resources.list().len(), 1);
    }
}
