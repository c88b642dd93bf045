//! Requests on their way to a replica: those still to come, in the order of time, and those that
//! wait at each replica.

use super::workload::{Arrival, Request};
use crate::units::Instant;
use std::collections::BTreeSet;

/// A request that has arrived: when, and its place in the workload, which decides between two of
/// one instant.
pub type Waiting = (Instant, u32);

/// The requests of a run that nobody serves yet.
#[derive(Debug)]
pub struct Queue {
    /// Known and still to come.
    coming: BTreeSet<Waiting>,
    /// Arrived, by replica.
    waiting: Vec<BTreeSet<Waiting>>,
}

impl Queue {
    /// The queue of `requests` before the start, for as many `replicas`.
    pub fn new(requests: &[Request], replicas: usize) -> Self {
        let known = requests.iter().enumerate().filter_map(|(number, request)| {
            let number = number as u32;
            match request.arrival {
                Arrival::At(instant) => Some((instant, number)),
                Arrival::AfterPrevious => (number == 0).then_some((Instant::ZERO, 0)),
            }
        });
        Self {
            coming: known.collect(),
            waiting: vec![BTreeSet::new(); replicas],
        }
    }

    /// Notes that the request before `request`, which arrives after it, was answered at `now`.
    pub fn follow(&mut self, request: u32, now: Instant) {
        self.coming.insert((now, request));
    }

    /// The next one to come that has arrived at `now`.
    pub fn arrived(&mut self, now: Instant) -> Option<Waiting> {
        let next = *self.coming.first()?;
        (next.0 <= now).then(|| self.coming.pop_first()).flatten()
    }

    /// When the next one comes.
    pub fn next_arrival(&self) -> Option<Waiting> {
        self.coming.first().copied()
    }

    /// Lets a request wait at `replica`.
    pub fn join(&mut self, replica: usize, waiting: Waiting) {
        self.waiting[replica].insert(waiting);
    }

    /// Who waits at `replica`, in the order of arrival.
    pub fn at(&self, replica: usize) -> &BTreeSet<Waiting> {
        &self.waiting[replica]
    }

    /// Takes `waiting` out of the queue of `replica`.
    pub fn take(&mut self, replica: usize, waiting: Waiting) {
        self.waiting[replica].remove(&waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::workload::Task;

    fn request(arrival: Arrival) -> Request {
        let task = Task::Tokens {
            prompt: 1,
            generate: 0,
        };
        Request { arrival, task }
    }

    #[test]
    fn they_arrive_by_time_and_at_one_instant_by_their_place() {
        let at = |ps| Arrival::At(Instant(ps));
        let arrivals = [at(30), at(10), Arrival::AfterPrevious, at(10)];
        let requests: Vec<_> = arrivals.into_iter().map(request).collect();
        let mut queue = Queue::new(&requests, 1);
        assert_eq!(queue.next_arrival(), Some((Instant(10), 1)));
        assert_eq!(queue.arrived(Instant(9)), None);
        assert_eq!(queue.arrived(Instant(10)), Some((Instant(10), 1)));
        queue.follow(2, Instant(10));
        assert_eq!(queue.arrived(Instant(10)), Some((Instant(10), 2)));
        assert_eq!(queue.arrived(Instant(10)), Some((Instant(10), 3)));
        assert_eq!(queue.arrived(Instant(29)), None);
    }
}
