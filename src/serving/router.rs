//! Which replica a request goes to.

use std::fmt;

/// Sends requests to replicas, one by one as they arrive.
pub trait Routing: fmt::Debug {
    /// The replica of the next request, below `replicas`.
    fn next(&mut self, replicas: usize) -> usize;
}

/// Each in turn.
#[derive(Debug, Default)]
pub struct RoundRobin(usize);

impl Routing for RoundRobin {
    fn next(&mut self, replicas: usize) -> usize {
        let replica = self.0 % replicas;
        self.0 = replica + 1;
        replica
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_has_its_turn() {
        let mut router = RoundRobin::default();
        let turns: Vec<usize> = (0..5).map(|_| router.next(2)).collect();
        assert_eq!(turns, [0, 1, 0, 1, 0]);
    }
}
