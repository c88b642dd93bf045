//! When anybody is served.

use crate::units::{Duration, Instant};

/// How many requests are being served.
#[derive(Debug, Default)]
pub(super) struct InService {
    since: Instant,
    requests: usize,
    /// Time in which there was at least one.
    served: Duration,
}

impl InService {
    fn advance(&mut self, now: Instant) {
        if self.requests > 0 {
            self.served += now.since(self.since);
        }
        self.since = now;
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.advance(now);
        self.requests += 1;
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.advance(now);
        self.requests -= 1;
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
    fn time_in_which_several_are_served_counts_once() {
        let second = |n: u64| Instant(n * 1_000_000_000_000);
        let mut service = InService::default();
        service.begin(second(1));
        service.begin(second(3));
        service.end(second(5));
        service.end(second(6));
        service.begin(second(8));
        service.end(second(9));
        assert_eq!(service.served(), second(6).since(Instant::ZERO));
    }
}
