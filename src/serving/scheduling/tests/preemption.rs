//! What happens when the cache is full, and what of it is used again.

use super::{Ask, Continuous, Plan, batches, continuous, paged, plans};
use crate::serving::scheduling::{Preempted, Reason};
use crate::serving::{Cache, Order, Paged, Preemption, Reserved, Reuse, Swap};

fn rules() -> Continuous {
    Continuous {
        batch: 4,
        ..Continuous::default()
    }
}

fn preempted(plans: &[Plan]) -> Vec<Preempted> {
    let all = plans.iter().flat_map(|plan| plan.preempted.clone());
    all.collect()
}

/// Two that fill four blocks of 4 with their prompts, and need a fifth and a sixth.
fn two() -> Vec<Ask> {
    vec![Ask::new(0, 8, 4), Ask::new(0, 8, 4)]
}

#[test]
fn the_youngest_is_preempted_and_reads_everything_again() {
    let plans = plans(&continuous(rules(), Some(paged(16))), two());
    let expected = Preempted {
        request: 1,
        swap: false,
        tokens: 8,
    };
    assert_eq!(preempted(&plans), [expected]);
    let batches = batches(&plans);
    assert_eq!(batches[0], [(0, 8), (1, 8)]);
    assert_eq!(batches[1], [(0, 1)]);
    // Its prompt and the token that it chose.
    assert!(batches.contains(&vec![(1, 9)]), "{batches:?}");
}

#[test]
fn a_swapped_cache_comes_back() {
    let swap = Paged {
        preemption: Preemption::Swap(Swap { to: "edge".into() }),
        ..paged(16)
    };
    let plans = plans(&continuous(rules(), Some(swap)), two());
    let expected = Preempted {
        request: 1,
        swap: true,
        tokens: 8,
    };
    assert_eq!(preempted(&plans), [expected]);
    let resumed = plans.iter().flat_map(|plan| plan.resumed.clone());
    assert_eq!(resumed.collect::<Vec<_>>(), [(1, 8)]);
    assert!(
        batches(&plans)[1..]
            .iter()
            .flatten()
            .all(|slice| slice.1 == 1)
    );
}

#[test]
fn under_priority_the_lowest_class_gives_way() {
    let mut replica = continuous(rules(), Some(paged(16)));
    replica.order = Order::Priority;
    // Admitted before the other, and yet of the lower class.
    let mut asks = vec![Ask::new(0, 4, 12), Ask::new(1, 8, 4)];
    asks[0].priority = 1;
    let plans = plans(&replica, asks);
    let victims = preempted(&plans).into_iter().map(|who| who.request);
    assert_eq!(victims.collect::<Vec<_>>(), [0]);
    assert_eq!(batches(&plans)[1..3], [vec![(0, 1), (1, 8)], vec![(1, 1)]]);
}

#[test]
fn the_watermark_leaves_room_to_grow() {
    let watermark = |watermark| {
        let cache = Paged {
            watermark,
            ..paged(20)
        };
        batches(&plans(&continuous(rules(), Some(cache)), two()))
    };
    assert_eq!(watermark(0.0)[0], [(0, 8), (1, 8)]);
    assert_eq!(watermark(0.4)[0], [(0, 8)], "2 of 5 blocks are to be left");
    // Whoever is alone may take all.
    assert_eq!(watermark(0.9)[0], [(0, 8)]);
}

#[test]
fn who_never_fits_is_rejected_and_the_next_is_served() {
    let asks = vec![Ask::new(0, 20, 1), Ask::new(0, 4, 1)];
    let plans = plans(&continuous(rules(), Some(paged(16))), asks);
    let reason = Reason::CacheTooSmall { needs: 20, has: 16 };
    assert_eq!(plans[0].rejected, [(0, reason)]);
    assert_eq!(batches(&plans), [[(1, 4)]]);
    assert_eq!(
        reason.to_string(),
        "its 20 tokens do not fit into a cache of 16"
    );
}

#[test]
fn reserved_room_is_for_the_longest_and_nobody_is_preempted() {
    let mut replica = continuous(rules(), None);
    let reserved = |longest| {
        Cache::Reserved(Reserved {
            longest,
            tokens: Some(24),
        })
    };
    replica.cache = Some(reserved(None));
    let own = plans(&replica, two());
    assert_eq!(batches(&own)[0], [(0, 8), (1, 8)], "11 tokens each");
    replica.cache = Some(reserved(Some(13)));
    let given = plans(&replica, two());
    assert_eq!(batches(&given)[0], [(0, 8)], "13 tokens each");
    assert!(preempted(&own).is_empty() && preempted(&given).is_empty());
}

/// One that is answered, and one later whose prompt begins alike.
fn alike(prompt: usize) -> Vec<Ask> {
    let first = Ask::new(0, 10, 2);
    let mut second = Ask::new(50, prompt, 1);
    let same = prompt.min(9);
    second.prompts[0][..same].copy_from_slice(&first.prompts[0][..same]);
    vec![first, second]
}

fn reused(asks: Vec<Ask>, tokens: usize) -> Vec<Reuse> {
    let prefix = Paged {
        prefix: true,
        ..paged(tokens)
    };
    let plans = plans(&continuous(rules(), Some(prefix)), asks);
    plans.into_iter().flat_map(|plan| plan.reused).collect()
}

#[test]
fn blocks_of_who_was_answered_are_used_again() {
    let reuse = |tokens| Reuse {
        request: 1,
        from: 0,
        tokens,
    };
    assert_eq!(reused(alike(20), 64), [reuse(8)]);
    assert_eq!(reused(alike(8), 64), [reuse(4)], "the last token is read");
    assert_eq!(reused(alike(4), 64), []);
}

#[test]
fn kept_blocks_give_way_to_who_needs_their_room() {
    let mut asks = alike(20);
    // All of the six blocks.
    asks.push(Ask::new(20, 24, 1));
    assert_eq!(reused(asks.clone(), 24), []);
    // All but one: the beginning outlives what follows it.
    asks[2] = Ask::new(20, 20, 1);
    let first_block = Reuse {
        request: 1,
        from: 0,
        tokens: 4,
    };
    assert_eq!(reused(asks, 24), [first_block]);
}

#[test]
fn shared_blocks_are_counted_once() {
    let mut asks = alike(20);
    asks[0].output = 9;
    asks[1].arrival = 12;
    // 20 + 18 tokens fit into 32 because 8 of them are the same.
    let prefix = Paged {
        prefix: true,
        ..paged(32)
    };
    let together = batches(&plans(&continuous(rules(), Some(prefix)), asks));
    assert!(together.contains(&vec![(0, 1), (1, 12)]), "{together:?}");
}
