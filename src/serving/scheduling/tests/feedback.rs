//! Iterations that go by how much each has been served.

use super::{Ask, Continuous, batches, paged, plans, replica};
use crate::serving::scheduling::Scheduling;
use crate::serving::{Cache, FeedbackQueue, Order, Replica};

fn feedback(tokens: usize) -> Replica {
    let scheduler = Scheduling::Continuous(Continuous {
        batch: 1,
        ..Continuous::default()
    });
    let order = Order::FeedbackQueue(FeedbackQueue {
        quantum: 4,
        levels: 3,
    });
    replica(scheduler, order, Some(Cache::Paged(paged(tokens))))
}

#[test]
fn a_short_answer_passes_a_long_one() {
    let asks = vec![Ask::new(0, 2, 9), Ask::new(1, 2, 2)];
    let plans = plans(&feedback(64), asks);
    let order = batches(&plans).concat();
    let served = order.iter().map(|slice| slice.0).collect::<Vec<_>>();
    // Each has 4 tokens at level 0; the short one is done before the long one goes on.
    assert_eq!(served[..6], [0, 0, 0, 1, 1, 0]);
    let stays = plans.iter().all(|plan| plan.preempted.is_empty());
    assert!(stays, "who is put off keeps the cache");
}

#[test]
fn who_was_served_long_waits_for_who_comes_new() {
    let asks = vec![Ask::new(0, 2, 9), Ask::new(12, 2, 2)];
    let order = batches(&plans(&feedback(64), asks)).concat();
    let served = order.iter().map(|slice| slice.0).collect::<Vec<_>>();
    assert_eq!(served, [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0]);
}

#[test]
fn a_long_prompt_begins_further_down() {
    let asks = vec![Ask::new(0, 1, 1), Ask::new(1, 40, 1), Ask::new(1, 2, 3)];
    let plans = plans(&feedback(64), asks);
    let served = batches(&plans).concat();
    assert_eq!(served, [(0, 1), (2, 2), (2, 1), (2, 1), (1, 40)]);
}

#[test]
fn the_cache_of_a_worse_rank_gives_way() {
    let asks = vec![Ask::new(0, 20, 4), Ask::new(1, 4, 1)];
    let plans = plans(&feedback(24), asks);
    let served = batches(&plans).concat();
    assert_eq!(served, [(0, 20), (1, 4), (0, 1), (0, 1), (0, 1)]);
    let tight = plans_of(20);
    let preempted = tight.iter().flat_map(|plan| plan.preempted.clone());
    assert_eq!(preempted.map(|who| who.request).collect::<Vec<_>>(), [0]);
}

/// A long prompt that fills all but what a short one needs, in a cache of `tokens`.
fn plans_of(tokens: usize) -> Vec<super::Plan> {
    let asks = vec![Ask::new(0, 17, 4), Ask::new(1, 4, 1)];
    plans(&feedback(tokens), asks)
}
