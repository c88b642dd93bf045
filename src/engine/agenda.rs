//! What happens next: the order of events.
//!
//! An event is named by (time, phase, key). Phase one of an instant ends tasks,
//! phase two starts them; within a phase the task's key decides. So a resource
//! that is freed at an instant sees every task that became ready at that instant
//! before it chooses one, whichever was announced first.
//!
//! No insertion counter takes part in the order, therefore two events with one
//! name have no order: [`Agenda::pop`] refuses them instead of picking one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::key::Order;
use crate::units::Instant;

/// The end of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    time: Instant,
    order: Order,
    slot: u32,
}

/// A resource's turn to start the task at the head of its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    order: Order,
    resource: u32,
}

/// One event, as the agenda hands it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The task in this slot ends.
    End {
        /// Where the task lies in the graph.
        slot: u32,
    },
    /// This resource may start the task that has this order.
    Turn {
        /// Which resource.
        resource: u32,
        /// The task that was at the head of its queue.
        order: Order,
    },
}

/// Two events that have the same name, so that nothing orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) Event);

/// Future events; turns are always due now, hence a heap of their own.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    now: Instant,
    ends: BinaryHeap<Reverse<End>>,
    turns: BinaryHeap<Reverse<Turn>>,
}

impl Agenda {
    /// The instant of the event handed out last.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// Ends the task in `slot` at `time`, which is not before now.
    pub(super) fn end_at(&mut self, time: Instant, order: Order, slot: u32) {
        debug_assert!(time >= self.now);
        self.ends.push(Reverse(End { time, order, slot }));
    }

    /// Gives `resource` a turn now, in the place of the task with this order.
    pub(super) fn turn(&mut self, order: Order, resource: u32) {
        self.turns.push(Reverse(Turn { order, resource }));
    }

    /// The next event, with the clock moved on to it.
    pub(super) fn pop(&mut self) -> Result<Option<Event>, Ambiguous> {
        let due = self.ends.peek().map(|Reverse(end)| end.time);
        if due == Some(self.now) || self.turns.is_empty() {
            self.pop_end()
        } else {
            self.pop_turn()
        }
    }

    fn pop_end(&mut self) -> Result<Option<Event>, Ambiguous> {
        let Some(Reverse(end)) = self.ends.pop() else {
            return Ok(None);
        };
        let event = Event::End { slot: end.slot };
        if let Some(Reverse(next)) = self.ends.peek()
            && (next.time, next.order) == (end.time, end.order)
        {
            return Err(Ambiguous(event));
        }
        self.now = end.time;
        Ok(Some(event))
    }

    fn pop_turn(&mut self) -> Result<Option<Event>, Ambiguous> {
        let Some(Reverse(turn)) = self.turns.pop() else {
            return Ok(None);
        };
        let event = Event::Turn {
            resource: turn.resource,
            order: turn.order,
        };
        // A resource may have announced one head twice; only the first counts.
        while let Some(next) = self.turns.peek_mut() {
            if next.0.order != turn.order {
                break;
            }
            if next.0.resource != turn.resource {
                return Err(Ambiguous(event));
            }
            PeekMut::pop(next);
        }
        Ok(Some(event))
    }
}
