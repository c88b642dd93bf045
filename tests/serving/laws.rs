//! Conservation and Little's law, whatever is served.

use super::simulated;
use airloom::measurement::{LoadRecord, Measurements};
use airloom::units::Instant;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// ∫ of what `count` counts over time, in picoseconds.
fn integral(loads: &[LoadRecord], end: Instant, count: impl Fn(&LoadRecord) -> u64) -> u128 {
    let mut by_replica: BTreeMap<u32, Vec<&LoadRecord>> = BTreeMap::new();
    for load in loads {
        by_replica.entry(load.replica).or_default().push(load);
    }
    let mut total = 0;
    for loads in by_replica.values() {
        let ends = loads[1..].iter().map(|load| load.at).chain([end]);
        for (load, until) in loads.iter().zip(ends) {
            total += u128::from(until.since(load.at).0) * u128::from(count(load));
        }
    }
    total
}

/// Σ of the times that requests were in the system, in picoseconds.
fn sojourns(run: &Measurements) -> u128 {
    let requests = run.requests.iter();
    requests
        .map(|request| u128::from(request.end.since(request.arrival).0))
        .sum()
}

fn load(requests: &[(u32, u32, u32)], replicas: &str) -> airloom::simulation::Simulated {
    let requests: Vec<String> = requests
        .iter()
        .map(|(prompt, generate, ms)| {
            format!(r#"Tokens(prompt: {prompt}, generate: {generate}, arrival: At("{ms} ms"))"#)
        })
        .collect();
    simulated(&format!(
        r#"model: Shape("llama-3-8b"), nodes: {{
            "edge": (profile: Preset("edge-server-l4")),
            "cloud": (profile: Preset("server-4-a40")),
        }}, workload: [{}], {replicas}"#,
        requests.join(", ")
    ))
}

fn replicas() -> impl Strategy<Value = String> {
    let scheduler = prop_oneof![
        Just("Static(batch: 3)"),
        Just(r#"Dynamic(batch: 3, window: "40 ms")"#),
        Just("Continuous(batch: 4)"),
        Just("Continuous(batch: 4, chunk: 50)"),
        Just("Continuous(batch: 4, prefill: Apart)"),
    ];
    let cache = prop_oneof![
        Just(""),
        Just("cache: Paged(tokens: 480, block: 16),"),
        Just("cache: Reserved(tokens: 480),"),
    ];
    let others = prop_oneof![Just(false), Just(true)];
    (scheduler, cache, others).prop_map(|(scheduler, cache, others)| {
        let one = |at: &str| {
            format!(r#"(placement: Single(at: "{at}"), scheduler: {scheduler}, {cache})"#)
        };
        match others {
            true => format!(
                "replicas: [{}, {}], router: LeastLoaded,",
                one("edge"),
                one("cloud")
            ),
            false => format!("replicas: [{}],", one("edge")),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// L = λW, to the picosecond where the system begins and ends empty: ∫N(t)dt = ΣW.
    #[test]
    fn law_13_little(
        requests in proptest::collection::vec((1..300_u32, 1..40_u32, 0..900_u32), 1..14),
        replicas in replicas(),
    ) {
        let run = load(&requests, &replicas);
        let present = |load: &LoadRecord| u64::from(load.waiting + load.running);
        let measured = &run.measured;
        // A member of a static batch that has its answer keeps its place: it is served no more.
        if !replicas.contains("Static") && !replicas.contains("Dynamic") {
            let integral = integral(&measured.loads, run.makespan, present);
            prop_assert_eq!(integral, sojourns(measured));
        }
        let last = measured.loads.last().unwrap();
        prop_assert_eq!((last.waiting, last.running, last.batch_slices), (0, 0, 0));
        prop_assert_eq!(last.cache_allocated, 0);
    }

    /// Every request is answered or rejected, once, and every token of it is generated, once.
    #[test]
    fn law_5_requests_and_tokens_are_conserved(
        requests in proptest::collection::vec((1..600_u32, 1..40_u32, 0..500_u32), 1..14),
        replicas in replicas(),
    ) {
        let run = load(&requests, &replicas);
        prop_assert_eq!(run.measured.requests.len(), requests.len());
        let mut tokens: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for token in &run.measured.tokens {
            tokens.entry(token.request).or_default().push(token.index);
        }
        for (request, (prompt, generate, _)) in run.measured.requests.iter().zip(&requests) {
            let asked = prompt + generate - 1;
            let fits = !replicas.contains("480") || asked <= 480;
            prop_assert_eq!(request.is_answered(), fits, "{:?}", request.rejected);
            let own = tokens.remove(&request.request).unwrap_or_default();
            let expected: Vec<u32> = if fits { (0..*generate).collect() } else { Vec::new() };
            prop_assert_eq!(own, expected);
        }
        let read: u64 = run.measured.passes.iter().map(|pass| pass.tokens).sum();
        let needed: u64 = run.measured.requests.iter().map(|request| {
            let decoded = request.output_tokens.saturating_sub(1);
            request.input_tokens + decoded + request.recomputed_tokens - request.reused_tokens
        }).sum();
        prop_assert_eq!(read, needed);
    }

    /// A continuous scheduler never rests while somebody waits or runs.
    #[test]
    fn who_can_work_works(
        requests in proptest::collection::vec((1..300_u32, 1..40_u32, 0..900_u32), 1..14),
    ) {
        let replicas =
            r#"replicas: [(placement: Single(at: "edge"), scheduler: Continuous(batch: 2))],"#;
        for load in load(&requests, replicas).measured.loads {
            let present = load.waiting + load.running;
            prop_assert_eq!(present > 0, load.batch_slices > 0, "{:?}", load);
        }
    }

    /// First come is first served.
    #[test]
    fn nobody_is_admitted_before_who_came_earlier(
        requests in proptest::collection::vec((1..300_u32, 1..40_u32, 0..900_u32), 2..14),
    ) {
        let replicas =
            r#"replicas: [(placement: Single(at: "edge"), scheduler: Continuous(batch: 2))],"#;
        let run = load(&requests, replicas);
        let mut requests = run.measured.requests;
        requests.sort_by_key(|request| (request.arrival, request.request));
        for pair in requests.windows(2) {
            prop_assert!(pair[0].admitted <= pair[1].admitted);
        }
    }
}

#[test]
fn more_load_is_no_less_waiting() {
    let waiting = |rate: &str| {
        let run = simulated(&format!(
            r#"model: Shape("llama-3-8b"), nodes: {{"edge": (profile: Preset("edge-server-l4"))}},
            replicas: [(placement: Single(at: "edge"), scheduler: Continuous(batch: 4))],
            workload: [Arrivals(process: Poisson(rate: "{rate} /s"), count: 60,
                prompt: Tokens(Fixed(100)), output: Fixed(20))],"#
        ));
        let requests = run.measured.requests.iter();
        requests
            .map(|request| request.queueing().unwrap().0)
            .sum::<u64>()
    };
    let waits: Vec<u64> = ["0.5", "1", "2", "4", "8"].map(waiting).into();
    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits[0] < waits[4], "{waits:?}");
}

/// Users who ask again come before strangers who are awaited already: each arrives once.
#[test]
fn who_follows_may_come_before_who_is_awaited() {
    let run = simulated(
        "model: Shape(\"llama-2-7b\"), nodes: {\"edge\": (profile: Preset(\"edge-server-l4\"))}, \
         workload: [\
             Arrivals(process: Deterministic(gap: \"5 s\"), count: 4, prompt: Tokens(Fixed(8)), \
                 output: Fixed(2)), \
             Arrivals(process: ClosedLoop(users: 2, think: \"100 ms\"), count: 40, \
                 prompt: Tokens(Fixed(8)), output: Fixed(2))]",
    );
    let requests = &run.measured.requests;
    assert_eq!(requests.len(), 44);
    let arrived = |number: usize| requests[number].arrival;
    for (number, seconds) in [0, 5, 10, 15].into_iter().enumerate() {
        assert_eq!(arrived(number), Instant(seconds * 1_000_000_000_000));
    }
    for follower in 6..44 {
        assert!(arrived(follower) >= requests[follower - 2].end);
    }
    assert!(arrived(10) < arrived(1), "some ask between strangers");
}
