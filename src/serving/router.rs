//! Which replica a request goes to, chosen when it arrives.
//!
//! | router | goes to |
//! | --- | --- |
//! | `RoundRobin` | each in turn |
//! | `LeastLoaded` | where the fewest requests are; of those where the fewest tokens are unread |
//! | `MostFreeCache` | where the most cache is free |
//! | `BestLink` | where the prompt is soonest, reckoned when it leaves |
//!
//! At a tie the lowest number is chosen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::fmt;

/// Which replica a request goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Router {
    /// Each in turn, in the order in which requests arrive.
    #[default]
    RoundRobin,
    /// Where the fewest requests wait and run.
    LeastLoaded,
    /// Where the most cache is free.
    MostFreeCache,
    /// Where the prompt is soonest, over the links on its way.
    BestLink,
}

impl Router {
    /// Every router's name, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("RoundRobin", "each replica in turn"),
        ("LeastLoaded", "where the fewest requests wait and run"),
        ("MostFreeCache", "where the most cache is free"),
        ("BestLink", "where the prompt is soonest"),
    ];

    /// The router at work.
    pub fn routing(self) -> Box<dyn Routing> {
        match self {
            Self::RoundRobin => Box::new(RoundRobin::default()),
            Self::LeastLoaded => Box::new(LeastLoaded),
            Self::MostFreeCache => Box::new(MostFreeCache),
            Self::BestLink => Box::new(BestLink),
        }
    }
}

/// A replica as a router sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReplicaView {
    /// Its number.
    pub replica: usize,
    /// Requests that wait there, or are on their way there.
    pub waiting: usize,
    /// Requests that run there.
    pub running: usize,
    /// Tokens of them that are known and not read yet.
    pub pending_tokens: usize,
    /// Tokens that its cache has room for; `None` if for any number.
    pub free_cache: Option<usize>,
    /// Seconds that the prompt takes to get there; `None` if it is there already.
    pub uplink_s: Option<f64>,
}

/// Sends requests to replicas, one by one as they arrive.
pub trait Routing: fmt::Debug {
    /// Where the next request goes: an index into `replicas`, which are in the order of their
    /// numbers and at least one.
    fn next(&mut self, replicas: &[ReplicaView]) -> usize;
}

/// Each in turn.
#[derive(Debug, Default)]
pub struct RoundRobin {
    /// The lowest number whose turn is still to come.
    next: usize,
}

impl Routing for RoundRobin {
    fn next(&mut self, replicas: &[ReplicaView]) -> usize {
        let turn = |view: &ReplicaView| view.replica >= self.next;
        let index = replicas.iter().position(turn).unwrap_or(0);
        self.next = replicas[index].replica + 1;
        index
    }
}

/// The index of the least by `key`, at a tie the first.
fn least<K: Ord>(replicas: &[ReplicaView], key: impl Fn(&ReplicaView) -> K) -> usize {
    let indices = 0..replicas.len();
    let least = indices.min_by_key(|index| key(&replicas[*index]));
    least.expect("there is at least one replica")
}

/// Where the fewest requests are.
#[derive(Debug)]
pub struct LeastLoaded;

impl Routing for LeastLoaded {
    fn next(&mut self, replicas: &[ReplicaView]) -> usize {
        least(replicas, |view| {
            (view.waiting + view.running, view.pending_tokens)
        })
    }
}

/// Where the most cache is free.
#[derive(Debug)]
pub struct MostFreeCache;

impl Routing for MostFreeCache {
    fn next(&mut self, replicas: &[ReplicaView]) -> usize {
        let free = |view: &ReplicaView| view.free_cache.unwrap_or(usize::MAX);
        least(replicas, |view| Reverse(free(view)))
    }
}

/// Where the prompt is soonest.
#[derive(Debug)]
pub struct BestLink;

impl Routing for BestLink {
    fn next(&mut self, replicas: &[ReplicaView]) -> usize {
        let seconds = |view: &ReplicaView| view.uplink_s.unwrap_or(0.0);
        // Seconds are not negative, and their bits are in their order.
        least(replicas, |view| seconds(view).to_bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views<const N: usize>(of: impl Fn(usize) -> ReplicaView) -> [ReplicaView; N] {
        std::array::from_fn(|replica| ReplicaView {
            replica,
            ..of(replica)
        })
    }

    #[test]
    fn every_replica_has_its_turn() {
        let mut router = Router::RoundRobin.routing();
        let views = views::<3>(|_| ReplicaView::default());
        let turns: Vec<usize> = (0..5).map(|_| router.next(&views)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1]);
        // Without the third the turn goes on after the second.
        let turns: Vec<usize> = (0..3).map(|_| router.next(&views[..2])).collect();
        assert_eq!(turns, [0, 1, 0]);
    }

    #[test]
    fn the_least_loaded_is_where_the_fewest_are_and_then_where_the_least_is_to_be_read() {
        let loads = [(1, 2, 0), (2, 0, 9), (0, 2, 8), (1, 1, 8)];
        let views = views::<4>(|replica| ReplicaView {
            waiting: loads[replica].0,
            running: loads[replica].1,
            pending_tokens: loads[replica].2,
            ..ReplicaView::default()
        });
        assert_eq!(Router::LeastLoaded.routing().next(&views), 2);
    }

    #[test]
    fn a_cache_without_end_is_the_freest() {
        let free = [Some(5), Some(7), Some(7), None];
        let views = views::<4>(|replica| ReplicaView {
            free_cache: free[replica],
            ..ReplicaView::default()
        });
        assert_eq!(Router::MostFreeCache.routing().next(&views), 3);
        assert_eq!(Router::MostFreeCache.routing().next(&views[..3]), 1);
    }

    #[test]
    fn the_best_link_is_the_soonest_there() {
        let uplinks = [Some(0.3), Some(0.02), Some(0.02), None];
        let views = views::<4>(|replica| ReplicaView {
            uplink_s: uplinks[replica],
            ..ReplicaView::default()
        });
        assert_eq!(Router::BestLink.routing().next(&views), 3);
        assert_eq!(Router::BestLink.routing().next(&views[..3]), 1);
    }
}
