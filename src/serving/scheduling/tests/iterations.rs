//! Who is in an iteration of continuous batching.

use super::{Ask, Continuous, batches, continuous, plans};
use crate::serving::scheduling::{Prefill, Scheduling};
use crate::serving::{CachePool, Job, Jobs, Order};
use crate::units::Instant;

fn rules(batch: usize, tokens: usize) -> Continuous {
    Continuous {
        batch,
        tokens,
        ..Continuous::default()
    }
}

#[test]
fn who_runs_goes_on_and_who_waits_joins() {
    let asks = vec![Ask::new(0, 5, 3), Ask::new(1, 3, 2), Ask::new(1, 2, 1)];
    let plans = plans(&continuous(rules(2, 64), None), asks);
    let expected = [
        vec![(0, 5)],
        vec![(0, 1), (1, 3)],
        vec![(0, 1), (1, 1)],
        vec![(2, 2)],
    ];
    assert_eq!(batches(&plans), expected);
    assert_eq!(plans[1].admitted, [1]);
}

#[test]
fn nobody_passes_another_whose_prompt_does_not_fit_into_the_budget() {
    let asks = vec![Ask::new(0, 4, 3), Ask::new(1, 8, 1), Ask::new(1, 2, 1)];
    let plans = plans(&continuous(rules(4, 8), None), asks);
    // 1 + 8 tokens are too many until the first has left.
    let expected = [
        vec![(0, 4)],
        vec![(0, 1)],
        vec![(0, 1)],
        vec![(1, 8)],
        vec![(2, 2)],
    ];
    assert_eq!(batches(&plans), expected);
}

#[test]
fn a_prompt_longer_than_the_budget_goes_alone_in_the_next_iteration() {
    let asks = vec![Ask::new(0, 4, 4), Ask::new(1, 20, 2), Ask::new(1, 1, 1)];
    let plans = plans(&continuous(rules(4, 8), None), asks);
    let expected = [
        vec![(0, 4)],
        vec![(0, 1)],
        vec![(1, 20)],
        vec![(0, 1), (1, 1), (2, 1)],
        vec![(0, 1)],
    ];
    assert_eq!(batches(&plans), expected);
}

#[test]
fn apart_prompts_go_before_decode_steps_and_never_with_them() {
    let apart = Continuous {
        prefill: Prefill::Apart,
        ..rules(2, 64)
    };
    let asks = vec![Ask::new(0, 5, 3), Ask::new(1, 3, 2), Ask::new(1, 2, 1)];
    let plans = plans(&continuous(apart, None), asks);
    let expected = [
        vec![(0, 5)],
        vec![(1, 3)],
        vec![(0, 1), (1, 1)],
        vec![(2, 2)],
        vec![(0, 1)],
    ];
    assert_eq!(batches(&plans), expected);
}

#[test]
fn in_chunks_decode_steps_go_first_and_prompts_in_pieces() {
    let chunked = Continuous {
        chunk: Some(4),
        ..rules(4, 64)
    };
    let asks = vec![Ask::new(0, 3, 4), Ask::new(1, 6, 2), Ask::new(1, 5, 1)];
    let plans = plans(&continuous(chunked, None), asks);
    let expected = [
        vec![(0, 3)],
        vec![(0, 1), (1, 4)],
        vec![(0, 1), (1, 2), (2, 2)],
        vec![(0, 1), (1, 1), (2, 3)],
    ];
    assert_eq!(batches(&plans), expected);
}

#[test]
fn batches_in_flight_hold_different_requests() {
    let mut replica = continuous(rules(2, 64), None);
    replica.in_flight = Some(2);
    let asks = (0..5).map(|_| Ask::new(0, 2, 2)).collect();
    let batches = batches(&plans(&replica, asks));
    assert_eq!(batches[..2], [vec![(0, 2), (1, 2)], vec![(2, 2), (3, 2)]]);
    assert_eq!(batches[2], [(0, 1), (1, 1)], "the fifth waits for a slot");
}

#[test]
fn orders_decide_who_is_admitted() {
    let first = |order: Order| {
        let mut replica = continuous(rules(1, 64), None);
        replica.order = order;
        let mut asks = vec![Ask::new(0, 4, 9), Ask::new(0, 4, 2), Ask::new(0, 4, 5)];
        asks[2].priority = 1;
        asks[1].priority = 2;
        let plans = plans(&replica, asks);
        let admitted = plans.into_iter().flat_map(|plan| plan.admitted);
        admitted.collect::<Vec<_>>()
    };
    assert_eq!(first(Order::First), [0, 1, 2]);
    assert_eq!(first(Order::Priority), [0, 2, 1]);
    assert_eq!(first(Order::ShortestFirst), [1, 2, 0]);
}

#[test]
fn who_comes_with_a_cache_decodes_at_once() {
    let replica = continuous(rules(2, 64), Some(super::paged(40)));
    let mut scheduler = Scheduling::Continuous(rules(2, 64)).scheduler(&Order::First, 1, 9);
    let mut jobs = Jobs::new(Order::First);
    let mut pool = replica
        .cache
        .map_or_else(CachePool::unlimited, |cache| cache.pool(0));
    jobs.join(Job {
        request: 7,
        context: 9,
        pending: 1,
        decoding: true,
        longest: 12,
        ..Job::default()
    });
    let plan = scheduler.next(&mut jobs, &mut pool, Instant::ZERO, false);
    assert_eq!((plan.admitted, plan.slices.len()), (vec![7], 1));
    assert_eq!(pool.usage().held_tokens, 10);
    let again = scheduler.next(&mut jobs, &mut pool, Instant::ZERO, false);
    assert!(again.slices.is_empty(), "who is busy is not planned");
    jobs.advance(7, 1);
    assert_eq!(jobs.get(7).map(|job| job.context), Some(10));
    assert_eq!(scheduler.finish(7, &mut jobs, &mut pool), [7]);
    assert_eq!(pool.usage().allocated_tokens, 0);
}
