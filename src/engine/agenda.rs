//! What happens next: the order of events.
//!
//! An event is named by (time, phase, key). Phase one of an instant ends tasks,
//! phase two starts them; within a phase the task's key decides. So a resource
//! that is freed at an instant sees every task that became ready at that instant
//! before it chooses one, whichever was announced first.
//!
//! No insertion counter takes part in the order, therefore two events with one
//! name have no order: [`Agenda::pop`] refuses them instead of picking one.
//!
//! An end that was moved leaves its old event behind, which is recognised by its
//! stamp when it comes up and passed over: it takes no time and meets nobody.

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
    /// Tells it from ends of the same task that were moved.
    stamp: Stamp,
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

/// Ends that lie in wait although they were moved, however few others do.
const MOVED_KEPT: usize = 1024;

/// Names an announced end; takes no part in the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(u32);

/// Tells which ends still hold.
pub(super) trait Book {
    /// Whether the task in `slot` runs and is to end at the end with this stamp.
    fn holds(&self, slot: u32, stamp: Stamp) -> bool;
}

/// Two events that have the same name, so that nothing orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) Event);

/// Future events; turns are always due now, hence a heap of their own.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    now: Instant,
    ends: BinaryHeap<Reverse<End>>,
    /// How many of the ends were moved, so that another stands for them.
    moved: usize,
    stamp: Stamp,
    turns: BinaryHeap<Reverse<Turn>>,
}

impl Agenda {
    /// The instant of the event handed out last.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// Ends the task in `slot` at `time`, which is not before now.
    pub(super) fn end_at(&mut self, time: Instant, order: Order, slot: u32) -> Stamp {
        debug_assert!(time >= self.now);
        self.stamp.0 = self.stamp.0.wrapping_add(1);
        self.ends.push(Reverse(End {
            time,
            order,
            slot,
            stamp: self.stamp,
        }));
        self.stamp
    }

    /// As [`end_at`](Self::end_at), for a task of which another end is announced: that one
    /// holds no more.
    pub(super) fn move_end(&mut self, time: Instant, order: Order, slot: u32) -> Stamp {
        self.moved += 1;
        self.end_at(time, order, slot)
    }

    /// Gives `resource` a turn now, in the place of the task with this order.
    pub(super) fn turn(&mut self, order: Order, resource: u32) {
        self.turns.push(Reverse(Turn { order, resource }));
    }

    /// The next event, with the clock moved on to it.
    pub(super) fn pop(&mut self, book: &impl Book) -> Result<Option<Event>, Ambiguous> {
        self.pass_over(book);
        let due = self.ends.peek().map(|Reverse(end)| end.time);
        if due == Some(self.now) || self.turns.is_empty() {
            self.pop_end(book)
        } else {
            self.pop_turn()
        }
    }

    /// Drops ends that hold no more: those at the head, and all of them once they outnumber
    /// the others.
    fn pass_over(&mut self, book: &impl Book) {
        if self.moved > MOVED_KEPT.max(self.ends.len() / 2) {
            self.ends
                .retain(|Reverse(end)| book.holds(end.slot, end.stamp));
            self.moved = 0;
        }
        while self.moved > 0
            && let Some(head) = self.ends.peek_mut()
            && !book.holds(head.0.slot, head.0.stamp)
        {
            PeekMut::pop(head);
            self.moved -= 1;
        }
    }

    fn pop_end(&mut self, book: &impl Book) -> Result<Option<Event>, Ambiguous> {
        let Some(Reverse(end)) = self.ends.pop() else {
            return Ok(None);
        };
        let event = Event::End { slot: end.slot };
        self.pass_over(book);
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
