//! Requests that are still to come, in the order of time.

use super::workload::{Arrival, Request};
use crate::units::{Duration, Instant};
use std::collections::BTreeSet;

/// A request that has arrived: when, and its place in the workload, which decides between two of
/// one instant.
pub type Waiting = (Instant, u32);

/// The requests of a run that have not arrived.
#[derive(Debug)]
pub struct Queue {
    /// Known and still to come.
    coming: BTreeSet<Waiting>,
    /// Who comes after whom, and how long after, in the order of whom they come after.
    followers: Vec<(u32, u32, Duration)>,
}

impl Queue {
    /// The queue of `requests` before the start.
    pub fn new(requests: &[Request]) -> Self {
        let mut coming = BTreeSet::new();
        let mut followers = Vec::new();
        for (number, request) in requests.iter().enumerate() {
            let number = number as u32;
            match request.arrival {
                Arrival::At(instant) => {
                    coming.insert((instant, number));
                }
                Arrival::After { request, pause } => followers.push((request, number, pause)),
            }
        }
        followers.sort_unstable();
        Self { coming, followers }
    }

    /// Notes that `request` is done with at `now`: those that arrive after it are to come.
    pub fn done(&mut self, request: u32, now: Instant) {
        let from = self
            .followers
            .partition_point(|follower| follower.0 < request);
        let followers = self.followers[from..]
            .iter()
            .take_while(|follower| follower.0 == request);
        self.coming
            .extend(followers.map(|(_, follower, pause)| (now + *pause, *follower)));
    }

    /// Whether anybody is still to come whose arrival is known.
    pub fn is_expecting(&self) -> bool {
        !self.coming.is_empty()
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
        Request::new(arrival, task)
    }

    #[test]
    fn they_arrive_by_time_and_at_one_instant_by_their_place() {
        let at = |ps| Arrival::At(Instant(ps));
        let arrivals = [at(30), at(10), Arrival::after_previous(2), at(10)];
        let requests: Vec<_> = arrivals.into_iter().map(request).collect();
        let mut queue = Queue::new(&requests);
        assert_eq!(queue.next_arrival(), Some((Instant(10), 1)));
        assert_eq!(queue.arrived(Instant(9)), None);
        assert_eq!(queue.arrived(Instant(10)), Some((Instant(10), 1)));
        queue.done(1, Instant(10));
        assert_eq!(queue.arrived(Instant(10)), Some((Instant(10), 2)));
        assert_eq!(queue.arrived(Instant(10)), Some((Instant(10), 3)));
        assert_eq!(queue.arrived(Instant(29)), None);
    }

    #[test]
    fn several_may_follow_one_each_after_its_own_pause() {
        let after = |request, ps| Arrival::After {
            request,
            pause: Duration(ps),
        };
        let arrivals = [
            Arrival::after_previous(0),
            after(0, 7),
            after(0, 3),
            after(1, 0),
        ];
        let requests: Vec<_> = arrivals.into_iter().map(request).collect();
        let mut queue = Queue::new(&requests);
        assert_eq!(queue.arrived(Instant::ZERO), Some((Instant::ZERO, 0)));
        assert!(!queue.is_expecting(), "nobody knows when they come");
        queue.done(0, Instant(10));
        assert_eq!(queue.arrived(Instant(20)), Some((Instant(13), 2)));
        assert_eq!(queue.arrived(Instant(20)), Some((Instant(17), 1)));
        queue.done(2, Instant(20));
        assert!(!queue.is_expecting(), "nobody follows this one");
        queue.done(1, Instant(21));
        assert_eq!(queue.next_arrival(), Some((Instant(21), 3)));
    }
}
