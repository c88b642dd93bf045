//! When anybody is served, and who pays for the power that nodes draw all the time: those who
//! are served at that moment, in equal parts.

use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// The requests being served.
#[derive(Debug)]
pub(super) struct InService {
    /// Of all nodes together; `None` if a profile does not say.
    idle_watts: Option<f64>,
    since: Instant,
    /// Idle joules of each so far.
    shares: BTreeMap<u32, f64>,
    /// Time in which there was at least one.
    served: Duration,
}

impl InService {
    pub(super) fn new(idle_watts: Option<f64>) -> Self {
        Self {
            idle_watts,
            since: Instant::ZERO,
            shares: BTreeMap::new(),
            served: Duration::ZERO,
        }
    }

    fn advance(&mut self, now: Instant) {
        let span = now.since(self.since);
        self.since = now;
        if self.shares.is_empty() {
            return;
        }
        self.served += span;
        let each = self.idle_watts.unwrap_or(0.0) * span.as_seconds() / self.shares.len() as f64;
        self.shares.values_mut().for_each(|share| *share += each);
    }

    pub(super) fn begin(&mut self, request: u32, now: Instant) {
        self.advance(now);
        self.shares.insert(request, 0.0);
    }

    /// Ends the service of `request`; its part of the idle energy, where that is known.
    pub(super) fn end(&mut self, request: u32, now: Instant) -> Option<f64> {
        self.advance(now);
        let share = self.shares.remove(&request);
        share.zip(self.idle_watts).map(|(share, _)| share)
    }

    /// Time in which there was at least one.
    pub(super) fn served(&self) -> Duration {
        self.served
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_power_is_shared_by_those_who_are_served_and_nothing_is_lost() {
        let second = |n: u64| Instant(n * 1_000_000_000_000);
        let mut service = InService::new(Some(6.0));
        service.begin(0, second(1));
        service.begin(1, second(3));
        assert_eq!(service.end(0, second(5)), Some(6.0 * 2.0 + 3.0 * 2.0));
        assert_eq!(service.end(1, second(6)), Some(3.0 * 2.0 + 6.0));
        assert_eq!(service.served(), second(5).since(Instant::ZERO));
        assert_eq!(InService::new(None).end(0, second(1)), None);
    }
}
