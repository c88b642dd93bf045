//! Who comes first: the order of those that wait, and of those whose caches are given up when
//! memory is short.
//!
//! An order gives every request a [`Rank`]; the least is served first. At equal rank the earlier
//! arrival comes first, then the lower number, so that ranks are never equal.
//!
//! | order | the rank, before arrival and number |
//! | --- | --- |
//! | `First` | none |
//! | `Priority` | the class, 0 the best |
//! | `ShortestFirst` | the tokens still to be generated, then those still to be read |
//! | `FeedbackQueue` | the level, then when it came to that level |
//!
//! **Feedback.** The skip-join queue of FastServe (Wu et al., "Fast distributed inference serving
//! for large language models"). Levels are numbered from 0, the best; a request may read
//! `quantum` · 2^level tokens at a level, of its prompt or its own, and then goes to the end of
//! the next; from the last level nobody goes on. Whose prompt alone is more than a level allows
//! skips that level on entry. So short answers pass long ones without anybody knowing lengths
//! beforehand. Steady arrivals at good levels can hold up the last one.

use super::jobs::Job;
use crate::units::{FieldFault, Instant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who comes first of those that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Order {
    /// Who came first.
    #[default]
    First,
    /// The lowest `priority` of a request; of equal ones who came first.
    Priority,
    /// Who has the fewest tokens to generate; the workload must tell.
    ShortestFirst,
    /// Who has been served least, in levels; decided anew at every iteration.
    FeedbackQueue(FeedbackQueue),
}

/// The fields of [`Order::FeedbackQueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeedbackQueue {
    /// Tokens that a request may read at level 0; twice as many at every further one. Default 64.
    pub quantum: usize,
    /// Levels, at most 32. Default 6.
    pub levels: usize,
}

impl Default for FeedbackQueue {
    fn default() -> Self {
        Self {
            quantum: 64,
            levels: 6,
        }
    }
}

/// Most levels: a quantum of 1 then allows 2³¹ tokens at the last.
const MOST_LEVELS: usize = 32;

impl Order {
    /// Every order's name, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("First", "who came first"),
        ("Priority", "the lowest priority class, then who came first"),
        ("ShortestFirst", "who has the fewest tokens to generate"),
        (
            "FeedbackQueue",
            "who has been served least, in levels of growing quanta",
        ),
    ];

    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        let Self::FeedbackQueue(queue) = self else {
            return Ok(());
        };
        let fault = |field: &str, message: String| {
            Err(FieldFault::new(field, message).under("FeedbackQueue"))
        };
        if queue.quantum == 0 {
            return fault(
                "quantum",
                "nobody could read a token; use 1 or more".to_owned(),
            );
        }
        if queue.levels == 0 || queue.levels > MOST_LEVELS {
            let levels = queue.levels;
            return fault("levels", format!("{levels} levels; use 1 to {MOST_LEVELS}"));
        }
        Ok(())
    }
}

impl FeedbackQueue {
    /// Tokens that a request may read at `level`.
    pub(super) fn quantum(&self, level: u32) -> usize {
        let scale = 1usize.checked_shl(level).unwrap_or(usize::MAX);
        self.quantum.saturating_mul(scale)
    }

    /// The best level that allows `tokens`, else the last.
    pub(super) fn entry(&self, tokens: usize) -> u32 {
        let last = self.last();
        (0..last)
            .find(|level| self.quantum(*level) >= tokens)
            .unwrap_or(last)
    }

    /// The level from which nobody goes on.
    pub(super) fn last(&self) -> u32 {
        self.levels.saturating_sub(1) as u32
    }
}

/// A place in an order: the least is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// What the order goes by first: class, length or level.
    pub(super) class: u64,
    /// What it goes by next.
    turn: u64,
    arrival: Instant,
    /// The request.
    pub(super) request: u32,
}

impl Rank {
    /// The rank of `job` under `order`; under feedback at a `level` that it came to as number
    /// `turn` of all that came to one.
    pub(super) fn of(order: &Order, job: &Job, level: u32, turn: u64) -> Self {
        let (class, turn) = match order {
            Order::First => (0, 0),
            Order::Priority => (u64::from(job.priority), 0),
            Order::ShortestFirst => {
                let left = |output: u32| (output as usize).saturating_sub(job.generated) as u64;
                (job.output.map_or(u64::MAX, left), job.pending as u64)
            }
            Order::FeedbackQueue(_) => (u64::from(level), turn),
        };
        Self {
            class,
            turn,
            arrival: job.arrival,
            request: job.request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_prompt_enters_where_one_quantum_reads_it() {
        let queue = FeedbackQueue {
            quantum: 10,
            levels: 3,
        };
        let entries = [1, 10, 11, 20, 21, 1000].map(|tokens| queue.entry(tokens));
        assert_eq!(entries, [0, 0, 1, 1, 2, 2]);
        assert_eq!(queue.quantum(70), usize::MAX);
    }

    #[test]
    fn every_order_ranks_by_what_it_is_named_after() {
        let job = |request, priority, output| Job {
            request,
            priority,
            output: Some(output),
            ..Job::default()
        };
        let (a, b) = (job(0, 1, 5), job(1, 0, 7));
        let before = |order: Order| Rank::of(&order, &a, 0, 1) < Rank::of(&order, &b, 0, 0);
        assert!(before(Order::First));
        assert!(!before(Order::Priority));
        assert!(before(Order::ShortestFirst));
        assert!(!before(Order::FeedbackQueue(FeedbackQueue::default())));
    }

    #[test]
    fn quanta_and_levels_must_exist() {
        let fault = |quantum, levels| {
            let order = Order::FeedbackQueue(FeedbackQueue { quantum, levels });
            order.validate().unwrap_err().to_string()
        };
        assert!(fault(0, 3).starts_with("FeedbackQueue.quantum: nobody"));
        assert!(fault(1, 0).contains("0 levels; use 1 to 32"));
        assert!(fault(1, 33).contains("33 levels; use 1 to 32"));
    }
}
