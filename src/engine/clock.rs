//! The order in which waiting and meeting processes are resumed.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::dispatch::Dispatcher;
use super::error::ProcessError;
use super::meeting::Table;
use super::process::{Elapsed, Meeting, Next};
use crate::units::{Duration, Instant};

/// Events between two looks at the interrupt flag.
const EVENTS_PER_POLL: u64 = 1024;
/// Processes that a deadlock lists.
const STUCK_LISTED: usize = 8;

/// The end of a wait: time above, slot below, so that one comparison orders both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u128);

impl Due {
    fn new(time: Instant, slot: u32) -> Self {
        Self(u128::from(time.0) << 64 | u128::from(slot))
    }

    fn time(self) -> Instant {
        Instant((self.0 >> 64) as u64)
    }

    fn slot(self) -> u32 {
        self.0 as u32
    }
}

/// A set of processes under way; a slot is a process's place by rank.
pub(super) struct Clock {
    now: Instant,
    events: u64,
    waits: BinaryHeap<Reverse<Due>>,
    /// Those whose meeting opened at this instant and who have not been resumed.
    released: VecDeque<u32>,
    tables: Vec<Table>,
    ranks: Vec<u32>,
    living: usize,
    dispatcher: Dispatcher<Instant>,
    answer: Rc<Cell<Next>>,
}

impl Clock {
    /// Processes with these `ranks`, in ascending order, and meetings of so many parties.
    pub(super) fn new(
        ranks: Vec<u32>,
        parties: Vec<u32>,
        dispatcher: Dispatcher<Instant>,
        answer: Rc<Cell<Next>>,
    ) -> Self {
        Self {
            now: Instant::ZERO,
            events: 0,
            waits: (0..ranks.len() as u32)
                .map(|slot| Reverse(Due::new(Instant::ZERO, slot)))
                .collect(),
            released: VecDeque::new(),
            tables: parties
                .into_iter()
                .map(|parties| Table::new(parties, ranks.len()))
                .collect(),
            living: ranks.len(),
            ranks,
            dispatcher,
            answer,
        }
    }

    /// Resumes one process after another until all have ended.
    pub(super) fn run(mut self, interrupt: &AtomicBool) -> Result<Elapsed, ProcessError> {
        loop {
            if self.events.is_multiple_of(EVENTS_PER_POLL) && interrupt.load(Ordering::Relaxed) {
                return Err(ProcessError::Interrupted { at: self.now });
            }
            if let Some(top) = self.waits.peek()
                && (self.released.is_empty() || top.0.time() == self.now)
            {
                self.end_wait(top.0)?;
            } else if let Some(slot) = self.released.pop_front() {
                if let Some(due) = self.resume(slot)? {
                    self.waits.push(Reverse(due));
                }
            } else {
                return self.result();
            }
        }
    }

    /// Resumes the process at the top of the heap; if it waits again, its new wait
    /// takes the place of the old one, which costs one sift instead of two.
    fn end_wait(&mut self, due: Due) -> Result<(), ProcessError> {
        self.now = due.time();
        let next = self.resume(due.slot())?;
        if let Some(mut top) = self.waits.peek_mut() {
            match next {
                Some(due) => *top = Reverse(due),
                None => drop(PeekMut::pop(top)),
            }
        }
        Ok(())
    }

    /// Resumes the process in `slot`; tells when it wants to be resumed again.
    fn resume(&mut self, slot: u32) -> Result<Option<Due>, ProcessError> {
        self.events += 1;
        self.dispatcher.resume(slot as usize, self.now);
        match self.answer.get() {
            Next::Wait(duration) => self.wait(slot, duration).map(Some),
            Next::Meet(meeting) => self.meet(slot, meeting).map(|()| None),
            Next::End => {
                self.living -= 1;
                Ok(None)
            }
        }
    }

    fn wait(&self, slot: u32, duration: Duration) -> Result<Due, ProcessError> {
        let end = self
            .now
            .checked_add(duration)
            .ok_or_else(|| ProcessError::TimeOverflow {
                rank: self.ranks[slot as usize],
                start: self.now,
                duration,
            })?;
        Ok(Due::new(end, slot))
    }

    fn meet(&mut self, slot: u32, meeting: Meeting) -> Result<(), ProcessError> {
        let declared = self.tables.len();
        let table = self.tables.get_mut(meeting.0 as usize).ok_or_else(|| {
            ProcessError::UnknownMeeting {
                rank: self.ranks[slot as usize],
                meeting: meeting.0,
                declared,
            }
        })?;
        if table.arrive(slot) {
            self.released.extend(table.leave());
        }
        Ok(())
    }

    fn result(mut self) -> Result<Elapsed, ProcessError> {
        if self.living == 0 {
            return Ok(Elapsed {
                end: self.now,
                events: self.events,
            });
        }
        let mut ranks: Vec<_> = self
            .tables
            .iter_mut()
            .flat_map(Table::leave)
            .map(|slot| self.ranks[slot as usize])
            .collect();
        ranks.sort_unstable();
        ranks.truncate(STUCK_LISTED);
        Err(ProcessError::Deadlock {
            at: self.now,
            stuck: self.living,
            ranks,
        })
    }
}
