//! The memory for keys and values: who fits, who has to leave, and what that costs.

use super::{counted, joules_add_up, on_one_node, simulated, small_shape};
use airloom::execution::Serves;
use airloom::serving::{Cache, Continuous, Paged, Reserved, Scheduling};
use airloom::simulation::Simulated;

fn serves(batch: usize, cache: Cache) -> Serves {
    Serves {
        scheduling: Scheduling::Continuous(Continuous {
            batch,
            ..Continuous::default()
        }),
        cache: Some(cache),
        ..Serves::default()
    }
}

fn paged(tokens: usize) -> Cache {
    Cache::Paged(Paged {
        tokens: Some(tokens),
        watermark: 0.0,
        ..Paged::default()
    })
}

#[test]
fn who_can_never_fit_is_turned_away_at_once_with_the_reason() {
    let requests = vec![counted(0, 90, 11), counted(0, 90, 60), counted(1, 10, 5)];
    let cache = Cache::Reserved(Reserved {
        tokens: Some(100),
        longest: None,
    });
    let run = on_one_node(&small_shape(), requests, serves(4, cache));
    let requests = &run.measured.requests;
    assert!(requests[0].is_answered() && requests[2].is_answered());
    let reason = requests[1].rejected.as_deref().unwrap();
    assert!(reason.contains("149") && reason.contains("100"), "{reason}");
    assert_eq!(requests[1].end, requests[1].arrival);
    assert_eq!(requests[1].output_tokens, 0);
}

#[test]
fn a_reservation_keeps_others_waiting_where_pages_let_them_in() {
    let requests = || vec![counted(0, 16, 80), counted(0, 16, 8)];
    let reserved = Cache::Reserved(Reserved {
        tokens: Some(96),
        longest: None,
    });
    let queueing = |run: &Simulated| run.measured.requests[1].queueing().unwrap();
    let waits = on_one_node(&small_shape(), requests(), serves(2, reserved));
    let shares = on_one_node(&small_shape(), requests(), serves(2, paged(128)));
    assert_eq!(queueing(&shares).0, 0);
    assert_eq!(
        waits.measured.requests[1].admitted.unwrap(),
        waits.measured.requests[0].end
    );
}

#[test]
fn the_youngest_leaves_a_full_cache_reads_again_and_is_answered() {
    let requests = (0..4).map(|number| counted(number, 40, 60)).collect();
    let run = on_one_node(&small_shape(), requests, serves(4, paged(208)));
    let requests = &run.measured.requests;
    assert!(requests.iter().all(|request| request.output_tokens == 60));
    assert_eq!(requests[0].preemptions, 0, "the oldest never leaves");
    let preempted = requests.iter().filter(|request| request.preemptions > 0);
    assert!(preempted.clone().count() > 0);
    for request in preempted {
        assert!(request.recomputed_tokens >= 40);
    }
    let most = run.measured.loads.iter().map(|load| load.cache_allocated);
    assert!(most.max().unwrap() <= 208);
}

#[test]
fn a_cache_that_is_swapped_crosses_the_link_twice() {
    let run = |preemption: &str| {
        simulated(&format!(
            r#"model: Shape("llama-3-8b"), nodes: {{
                "edge": (profile: Preset("edge-server-l4")),
                "store": (profile: Preset("server-4-a40")),
            }}, links: {{
                "bus": Wire(between: ("edge", "store"), rate: "10 Gbit/s", delay: "0 s"),
            }},
            replicas: [(placement: Single(at: "edge"), scheduler: Continuous(batch: 2),
                cache: Paged(tokens: 128, watermark: 0, preemption: {preemption}))],
            workload: [
                Tokens(prompt: 40, generate: 60, arrival: At("0 s")),
                Tokens(prompt: 40, generate: 60, arrival: At("0 s")),
            ],"#
        ))
    };
    let again = run("Recompute");
    let moved = run(r#"Swap(to: "store")"#);
    let [again, moved] = [&again, &moved].map(|run| &run.measured);
    let preemptions = |run: &airloom::measurement::Measurements| run.requests[1].preemptions;
    assert!(preemptions(again) > 0 && preemptions(moved) > 0);
    assert!(again.requests[1].recomputed_tokens > 0);
    assert_eq!(moved.requests[1].recomputed_tokens, 0);
    // Llama 3 8B: 32 layers of 8 heads of 128, keys and values, 16 bits each.
    let token_bits = 32 * 8 * 128 * 2 * 16;
    let sent: u64 = moved
        .totals
        .per_node
        .iter()
        .map(|node| node.uplink_bits)
        .sum();
    assert_eq!(sent % token_bits, 0);
    assert!(sent >= 2 * 40 * token_bits, "{sent}");
}

#[test]
fn law_12_a_prompt_that_begins_like_another_is_read_from_where_they_part() {
    let run = |prefix: bool| {
        simulated(&format!(
            r#"model: Folder("models/tiny-llama"),
            nodes: {{"edge": (profile: Preset("raspberry-pi-5"))}},
            replicas: [(placement: Single(at: "edge"),
                cache: Paged(block: 4, tokens: 400, prefix: {prefix}))],
            workload: [
                Generate(prompt: "Once Clara was in the barn and needed the green lamp. Then",
                    max_tokens: 4),
                Generate(prompt: "Once Clara was in the barn and needed the green lamp. Mara",
                    max_tokens: 4),
            ],"#
        ))
    };
    let (apart, shared) = (run(false), run(true));
    let reused: Vec<u64> = shared
        .measured
        .requests
        .iter()
        .map(|r| r.reused_tokens)
        .collect();
    assert_eq!(reused[0], 0);
    assert!(reused[1] >= 8 && reused[1].is_multiple_of(4), "{reused:?}");
    let texts = |run: &Simulated| -> Vec<Option<String>> {
        run.measured
            .requests
            .iter()
            .map(|r| r.text.clone())
            .collect()
    };
    assert_eq!(texts(&apart), texts(&shared));
    let ttft = |run: &Simulated| run.measured.requests[1].ttft().unwrap();
    assert!(ttft(&shared) < ttft(&apart));
}

#[test]
fn a_run_in_which_all_are_turned_away_is_written() {
    let fields = r#"model: Shape("llama-2-7b"), nodes: {"a": (profile: Preset("edge-server-l4"))},
        replicas: [(placement: Single(at: "a"), cache: Paged(block: 4, tokens: 12))],
        workload: [Arrivals(process: Poisson(rate: "4 /s"), count: 5,
            prompt: Tokens(Fixed(10)), output: Fixed(4))],"#;
    assert_eq!(super::written(fields), 5);
}

#[test]
fn windows_that_open_again_and_again_are_written() {
    let fields = r#"model: Shape("llama-2-7b"), nodes: {"a": (profile: Preset("edge-server-l4"))},
        replicas: [(placement: Single(at: "a"), scheduler: Dynamic(batch: 2, window: "3 s"))],
        workload: [Arrivals(process: Deterministic(gap: "10 s"), count: 3,
            prompt: Tokens(Fixed(10)), output: Fixed(1))],"#;
    assert_eq!(super::written(fields), 3);
}

/// A small cache that is swapped over a slow link, with several batches in flight.
#[test]
fn a_cache_comes_back_after_it_has_left() {
    let run = simulated(
        r#"model: Shape("llama-2-7b"), nodes: {
            "a": (profile: Preset("edge-server-l4")),
            "store": (profile: Preset("server-4-a40")),
        }, links: {
            "bus": Wire(between: ("a", "store"), rate: "1 Gbit/s", delay: "1 ms"),
        },
        replicas: [(placement: Single(at: "a"), in_flight: 2,
            scheduler: Continuous(batch: 8, tokens: 512, chunk: 16),
            cache: Paged(block: 8, tokens: 160, preemption: Swap(to: "store")))],
        workload: [Arrivals(process: Poisson(rate: "6 /s"), count: 10,
            prompt: Tokens(Uniform(from: 20, to: 60)), output: Fixed(20))],"#,
    );
    let requests = &run.measured.requests;
    assert!(requests.iter().all(|request| request.output_tokens == 20));
    assert!(requests.iter().any(|request| request.preemptions > 0));
    joules_add_up(&run);
}
