//! Who is served next: a scheduler decides, and neither schedules events nor records anything.

use super::queue::Waiting;
use std::collections::BTreeSet;
use std::fmt;

/// Chooses from a replica's queue.
pub trait Scheduler: fmt::Debug {
    /// Which of those `waiting`, in the order of arrival, a replica takes next that serves
    /// `running` requests already; `None` if it takes nobody now.
    fn next(&self, waiting: &BTreeSet<Waiting>, running: usize) -> Option<Waiting>;
}

/// First come, first served, up to a number of requests at once: each is a batch of its own, of
/// one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstComeFirstServed {
    /// Requests at once, at least 1. Where a placement is a pipeline, one in every stage.
    pub in_flight: usize,
}

impl Scheduler for FirstComeFirstServed {
    fn next(&self, waiting: &BTreeSet<Waiting>, running: usize) -> Option<Waiting> {
        let first = waiting.first().copied();
        first.filter(|_| running < self.in_flight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Instant;

    #[test]
    fn the_first_to_arrive_is_next_while_there_is_room() {
        let waiting = BTreeSet::from([(Instant(5), 0), (Instant(3), 7), (Instant(3), 2)]);
        let scheduler = FirstComeFirstServed { in_flight: 2 };
        assert_eq!(scheduler.next(&waiting, 1), Some((Instant(3), 2)));
        assert_eq!(scheduler.next(&waiting, 2), None);
        assert_eq!(scheduler.next(&BTreeSet::new(), 0), None);
    }
}
