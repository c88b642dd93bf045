//! What holds under every scheduler, order and cache.

use super::naive::{Memory, Naive};
use super::server::Limits;
use super::{Ask, Server, limits, replica};
use crate::serving::scheduling::{Continuous, DynamicBatches, Prefill, Scheduling, StaticBatches};
use crate::serving::{Admission, Cache, FeedbackQueue, Order, Paged, Preemption, Reserved, Swap};
use crate::units::Seconds;
use proptest::prelude::*;

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    // Prompts of one family begin alike.
    let prompt = (0u64..3, 0usize..24, 1usize..24);
    let one = (0u64..60, 0u32..3, prompt, 1usize..12, 1usize..4);
    prop::collection::vec(one, 1..14).prop_map(|asks| {
        let ask = |(number, (arrival, priority, (family, alike, length), output, prompts))| {
            let number: usize = number;
            let prompt = |which: usize| {
                let token = |at: usize| match at < alike {
                    true => family * 1000 + at as u64,
                    false => (number as u64 + 1) * 100_000 + (which * 1000 + at) as u64,
                };
                (0..length).map(token).collect()
            };
            // Every third reads several prompts.
            let prompts = if number % 3 == 2 { prompts } else { 1 };
            Ask {
                arrival,
                priority,
                prompts: (0..prompts).map(prompt).collect(),
                output,
            }
        };
        asks.into_iter().enumerate().map(ask).collect()
    })
}

fn continuous() -> impl Strategy<Value = Continuous> {
    let chunk = prop::option::of(1usize..12);
    (1usize..5, 4usize..40, chunk, any::<bool>()).prop_map(|(batch, tokens, chunk, apart)| {
        Continuous {
            batch,
            tokens: tokens.max(batch),
            chunk: chunk.filter(|_| !apart),
            prefill: if apart {
                Prefill::Apart
            } else {
                Prefill::Mixed
            },
        }
    })
}

fn cache() -> impl Strategy<Value = Option<Cache>> {
    let reserved = (prop::option::of(8usize..40), 40usize..120).prop_map(|(longest, tokens)| {
        Some(Cache::Reserved(Reserved {
            longest,
            tokens: Some(tokens),
        }))
    });
    let paged = (
        1usize..9,
        0u32..3,
        any::<bool>(),
        any::<bool>(),
        20usize..120,
    );
    let paged = paged.prop_map(|(block, watermark, swap, prefix, tokens)| {
        let swap = swap.then(|| Preemption::Swap(Swap { to: "edge".into() }));
        Some(Cache::Paged(Paged {
            block,
            watermark: f64::from(watermark) * 0.1,
            preemption: swap.unwrap_or_default(),
            prefix,
            tokens: Some(tokens),
        }))
    });
    prop_oneof![Just(None), reserved, paged.clone(), paged]
}

fn block(cache: Option<&Cache>) -> usize {
    match cache {
        Some(Cache::Paged(paged)) => paged.block,
        _ => 4,
    }
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::First),
        Just(Order::Priority),
        Just(Order::ShortestFirst)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn everybody_is_served_and_every_token_is_in_its_place(
        rules in continuous(), order in order(), cache in cache(), asks in asks(),
        in_flight in 1usize..4, limit in prop::option::of(1usize..6),
    ) {
        let block = block(cache.as_ref());
        let mut replica = replica(Scheduling::Continuous(rules), order, cache);
        replica.in_flight = Some(in_flight);
        replica.admission = limit.map_or(Admission::Unlimited, Admission::Queue);
        let slots = (rules.batch * in_flight).min(limit.unwrap_or(usize::MAX));
        Server::new(&replica, block, limits(&rules, slots), asks).serve();
    }

    #[test]
    fn it_decides_as_the_naive_scheduler_does(
        rules in continuous(), order in order(), cache in cache(), asks in asks(),
        in_flight in 1usize..4,
    ) {
        // Between two prompts a cache keeps the room of the first, which the naive one forgets.
        let mut asks = asks;
        asks.iter_mut().for_each(|ask| ask.prompts.truncate(1));
        let block = block(cache.as_ref());
        let memory = match &cache {
            None => Memory::Endless,
            Some(Cache::Reserved(reserved)) => Memory::Reserved {
                total: reserved.tokens.unwrap(),
                longest: reserved.longest,
            },
            Some(Cache::Paged(paged)) => {
                let total = paged.tokens.unwrap();
                Memory::Paged {
                    total,
                    block,
                    watermark: (paged.watermark * (total / block) as f64).ceil() as usize,
                    swap: paged.preemption != Preemption::Recompute,
                }
            }
        };
        let cache = cache.map(|cache| match cache {
            Cache::Paged(paged) => Cache::Paged(Paged { prefix: false, ..paged }),
            reserved => reserved,
        });
        let mut replica = replica(Scheduling::Continuous(rules), order, cache);
        replica.in_flight = Some(in_flight);
        let slots = rules.batch * in_flight;
        let mut server = Server::new(&replica, block, limits(&rules, slots), asks);
        server.naive = Some(Naive { rules, order, slots, memory, alone: None });
        server.serve();
    }

    #[test]
    fn feedback_serves_everybody(
        rules in continuous(), cache in cache(), asks in asks(), in_flight in 1usize..4,
        quantum in 1usize..20, levels in 1usize..5,
    ) {
        let rules = Continuous { prefill: Prefill::Mixed, ..rules };
        let cache = cache.or(Some(Cache::Paged(Paged { tokens: Some(200), ..Paged::default() })));
        let block = block(cache.as_ref());
        let order = Order::FeedbackQueue(FeedbackQueue { quantum, levels });
        let mut replica = replica(Scheduling::Continuous(rules), order, cache);
        replica.in_flight = Some(in_flight);
        Server::new(&replica, block, limits(&rules, usize::MAX), asks).serve();
    }

    #[test]
    fn groups_serve_everybody(
        batch in 1usize..5, window in prop::option::of(0u64..40), cache in cache(),
        order in order(), asks in asks(), in_flight in 1usize..4,
    ) {
        let window = window.map(|ticks| Seconds(ticks as f64 * 1e-12));
        let scheduler = match window {
            None => Scheduling::Static(StaticBatches { batch }),
            Some(window) => Scheduling::Dynamic(DynamicBatches { batch, window }),
        };
        let block = block(cache.as_ref());
        let mut replica = replica(scheduler, order, cache);
        replica.in_flight = Some(in_flight);
        let limits = Limits {
            batch,
            running: batch * in_flight,
            tokens: usize::MAX,
            chunk: usize::MAX,
        };
        let mut server = Server::new(&replica, block, limits, asks);
        server.serve();
        prop_assert!(server.plans.iter().all(|(_, plan)| plan.preempted.is_empty()));
    }

    #[test]
    fn one_at_a_time_is_first_come_first_served(asks in asks(), in_flight in 1usize..4) {
        let mut replica = replica(Scheduling::default(), Order::First, None);
        replica.in_flight = Some(in_flight);
        let Scheduling::Continuous(rules) = Scheduling::default() else { unreachable!() };
        let mut server = Server::new(&replica, 4, limits(&rules, in_flight), asks);
        server.serve();
        let plans = server.plans.iter();
        let admitted = plans.flat_map(|(_, plan)| plan.admitted.clone());
        let admitted = admitted.collect::<Vec<_>>();
        let mut arrived = (0..server.asks.len() as u32).collect::<Vec<_>>();
        arrived.sort_by_key(|request| (server.asks[*request as usize].arrival, *request));
        prop_assert_eq!(admitted, arrived);
    }
}
