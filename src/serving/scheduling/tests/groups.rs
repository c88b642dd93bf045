//! Batches that begin and leave together.

use super::{Ask, NONE, Server, batches, plans, replica};
use crate::serving::scheduling::{DynamicBatches, Scheduling, StaticBatches};
use crate::serving::{Admission, Cache, Order, Reserved};
use crate::units::Seconds;

fn fixed(batch: usize) -> Scheduling {
    Scheduling::Static(StaticBatches { batch })
}

#[test]
fn a_batch_waits_to_be_full_and_leaves_together() {
    let asks = vec![Ask::new(0, 4, 3), Ask::new(5, 2, 1), Ask::new(6, 3, 1)];
    let mut server = Server::new(&replica(fixed(2), Order::First, None), 4, NONE, asks);
    server.serve();
    let plans = server.plans.iter().map(|(_, plan)| plan.clone());
    let expected = [
        vec![(0, 4), (1, 2)],
        vec![(0, 1)],
        vec![(0, 1)],
        // Nobody else is to come, so it is as full as it gets.
        vec![(2, 3)],
    ];
    assert_eq!(batches(&plans.collect::<Vec<_>>()), expected);
    assert_eq!(server.plans[0].0, 5, "it began when the second came");
    assert_eq!(server.answered[&0], server.answered[&1]);
}

#[test]
fn a_window_ends_the_wait() {
    let begun = |window: f64| {
        let scheduler = Scheduling::Dynamic(DynamicBatches {
            batch: 2,
            window: Seconds(window * 1e-12),
        });
        let asks = vec![Ask::new(3, 4, 1), Ask::new(30, 2, 1)];
        let mut server = Server::new(&replica(scheduler, Order::First, None), 4, NONE, asks);
        server.serve();
        let times = server
            .plans
            .iter()
            .filter(|(_, plan)| !plan.slices.is_empty());
        times.map(|(time, _)| *time).collect::<Vec<_>>()
    };
    assert_eq!(begun(10.0), [13, 30]);
    assert_eq!(begun(100.0), [30]);
    assert_eq!(begun(1e30), [30], "longer than any clock");
}

#[test]
fn slots_and_cache_limit_a_batch() {
    let mut replica = replica(fixed(4), Order::First, None);
    replica.admission = Admission::Queue(2);
    let asks = || (0..4).map(|_| Ask::new(0, 4, 1)).collect::<Vec<_>>();
    let pair = |first| vec![(first, 4), (first + 1, 4)];
    assert_eq!(batches(&plans(&replica, asks())), [pair(0), pair(2)]);
    replica.admission = Admission::Unlimited;
    replica.cache = Some(Cache::Reserved(Reserved {
        longest: None,
        tokens: Some(9),
    }));
    assert_eq!(batches(&plans(&replica, asks())), [pair(0), pair(2)]);
}

#[test]
fn two_batches_in_flight_take_turns() {
    let mut replica = replica(fixed(1), Order::First, None);
    replica.in_flight = Some(2);
    let asks = (0..3).map(|_| Ask::new(0, 4, 2)).collect();
    let expected = [[(0, 4)], [(1, 4)], [(0, 1)], [(1, 1)], [(2, 4)], [(2, 1)]];
    assert_eq!(batches(&plans(&replica, asks)), expected);
}
