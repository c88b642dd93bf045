//! How a resource spends its time, and what tasks cost in sum.
//!
//! Every instant of a run belongs to exactly one of three states of a resource:
//!
//! - **busy**: it serves at least one task;
//! - **waiting**: it serves none, yet somebody counts on it: an unfinished task is
//!   assigned to it whose inputs are not there, or a task is unfinished of which the
//!   program said that the resource waits for it ([`Graph::hold`](super::Graph::hold));
//! - **idle**: neither.
//!
//! Therefore busy + waiting + idle = makespan, in whole picoseconds, whatever the
//! capacity. How full a resource of several places was is told by its service time,
//! which counts every task: utilisation = service / (capacity × makespan).

use super::task::Cost;
use crate::units::{Duration, Instant};

/// What a set of tasks took and cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// How many tasks finished.
    pub tasks: u64,
    /// Σ (end − start) in picoseconds; a u128, for parallel tasks add up beyond the makespan.
    pub service_ps: u128,
    /// Floating-point operations.
    pub flops: u128,
    /// Bytes read and written in memory.
    pub bytes: u128,
    /// Bits sent.
    pub bits: u128,
    /// Energy in joules, summed in the order in which the tasks ended.
    pub joules: f64,
}

impl Totals {
    pub(super) fn add(&mut self, service: Duration, cost: &Cost) {
        self.tasks += 1;
        self.service_ps += u128::from(service.0);
        self.flops += u128::from(cost.flops);
        self.bytes += u128::from(cost.bytes);
        self.bits += u128::from(cost.bits);
        self.joules += cost.joules;
    }
}

/// The books of one resource; see the [module](self) for its states.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ledger {
    pub(super) busy: Duration,
    pub(super) waiting: Duration,
    pub(super) idle: Duration,
    pub(super) totals: Totals,
    serving: u32,
    /// Unfinished tasks assigned to the resource or holding it.
    expected: u64,
    since: Instant,
}

impl Ledger {
    /// One more unfinished task keeps the resource from being idle.
    pub(super) fn expect(&mut self, now: Instant) {
        self.settle(now);
        self.expected += 1;
    }

    /// One unfinished task fewer does.
    pub(super) fn relieve(&mut self, now: Instant) {
        self.settle(now);
        self.expected -= 1;
    }

    /// A task starts.
    pub(super) fn start(&mut self, now: Instant) {
        self.settle(now);
        self.serving += 1;
    }

    /// A task that was expected and started ends.
    pub(super) fn end(&mut self, now: Instant, service: Duration, cost: &Cost) {
        self.settle(now);
        self.serving -= 1;
        self.expected -= 1;
        self.totals.add(service, cost);
    }

    /// Books the time since the last change under the state that lasted until `now`.
    pub(super) fn settle(&mut self, now: Instant) {
        let state = if self.serving > 0 {
            &mut self.busy
        } else if self.expected > 0 {
            &mut self.waiting
        } else {
            &mut self.idle
        };
        *state += now.since(self.since);
        self.since = now;
    }
}
