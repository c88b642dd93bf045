//! Which replica serves a request, and prompts that are read in one and decoded in another.

use super::{joules_add_up, simulated};
use airloom::simulation::Simulated;

const NODES: &str = r#"model: Shape("llama-3-8b"), nodes: {
        "phone": (profile: Preset("phone-a17-pro")),
        "edge": (profile: Preset("edge-server-l4")),
        "cloud": (profile: Preset("server-4-a40")),
    }, links: {
        "access": Wire(between: ("phone", "edge"), rate: "10 Mbit/s", delay: "2 ms"),
        "backhaul": Wire(between: ("edge", "cloud"), rate: "10 Gbit/s", delay: "8 ms"),
    },"#;

const BOTH: &str = r#"replicas: [
        (placement: Single(at: "cloud"), cache: Paged(tokens: 4096)),
        (placement: Single(at: "edge"), cache: Paged(tokens: 2048)),
    ],"#;

fn served_by(router: &str, from: &str) -> Vec<u32> {
    let run = simulated(&format!(
        r#"{NODES} {BOTH} router: {router},
        workload: [Arrivals(process: Deterministic(gap: "100 ms"), count: 6, {from}
            prompt: Tokens(Fixed(64)), output: Fixed(100))],"#
    ));
    let requests = run.measured.requests.iter();
    requests.map(|request| request.replica.unwrap()).collect()
}

#[test]
fn a_request_goes_where_its_router_says() {
    assert_eq!(served_by("RoundRobin", ""), [0, 1, 0, 1, 0, 1]);
    assert_eq!(served_by("LeastLoaded", ""), [0, 1, 0, 1, 0, 1]);
    // The edge is on the way to the cloud.
    assert_eq!(served_by("BestLink", r#"from: "phone","#), [1; 6]);
    // The one cache stays the larger.
    assert_eq!(served_by("MostFreeCache", ""), [0; 6]);
}

fn apart(rate: &str) -> Simulated {
    simulated(&format!(
        r#"model: Shape("llama-3-8b"), nodes: {{
            "edge": (profile: Preset("edge-server-l4")),
            "cloud": (profile: Preset("server-4-a40")),
        }}, links: {{
            "backhaul": Wire(between: ("edge", "cloud"), rate: "{rate}", delay: "0 s"),
        }},
        replicas: [
            (placement: Single(at: "cloud"), role: Prefill),
            (placement: Single(at: "edge"), role: Decode),
        ],
        workload: [Tokens(prompt: 500, generate: 8, arrival: At("0 s"))],"#
    ))
}

#[test]
fn a_cache_streams_layer_by_layer_to_where_it_is_decoded() {
    let (fast, slow) = (apart("1000 Gbit/s"), apart("1 Gbit/s"));
    let token_bits = 32 * 8 * 128 * 2 * 16_u64;
    for run in [&fast, &slow] {
        let sent: u64 = run
            .measured
            .totals
            .per_node
            .iter()
            .map(|node| node.uplink_bits)
            .sum();
        assert_eq!(
            sent,
            500 * token_bits,
            "the keys and values of the prompt, once"
        );
        let replicas: Vec<u32> = run
            .measured
            .passes
            .iter()
            .map(|pass| pass.replica)
            .collect();
        assert_eq!(replicas, [0, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(run.measured.requests[0].replica, Some(1));
    }
    // The first token does not wait for the cache; the second one does.
    assert_eq!(fast.metrics.get("ttft_s"), slow.metrics.get("ttft_s"));
    let gap = |run: &Simulated| run.measured.tokens[1].at.since(run.measured.tokens[0].at);
    let whole = 500.0 * token_bits as f64 / 1e9;
    let later = gap(&slow).as_seconds() - gap(&fast).as_seconds();
    assert!(
        later < whole,
        "some layers went while others were computed: {later} {whole}"
    );
    assert!(later > 0.5 * whole, "{later} {whole}");
}

/// Prompts of 200 tokens, of which 160 are the same, read in one replica and decoded in another.
fn handed_on(prefill: &str, decode: &str, count: usize) -> Simulated {
    simulated(&format!(
        r#"model: Shape("llama-3-8b"), nodes: {{
            "edge": (profile: Preset("edge-server-l4")),
            "cloud": (profile: Preset("server-4-a40")),
        }}, links: {{
            "backhaul": Wire(between: ("edge", "cloud"), rate: "10 Gbit/s", delay: "1 ms"),
        }},
        replicas: [
            (placement: Single(at: "cloud"), role: Prefill,
                scheduler: Continuous(batch: 8, tokens: 512, chunk: 64), {prefill}),
            (placement: Single(at: "edge"), role: Decode, scheduler: Continuous(batch: 8), {decode}),
        ],
        workload: [Arrivals(process: Deterministic(gap: "100 ms"), count: {count},
            prompt: Tokens(Fixed(200)), output: Fixed(40), shared_prefix: 160)],"#
    ))
}

#[test]
fn what_is_reused_or_read_again_crosses_once_too() {
    let token_bits = 32 * 8 * 128 * 2 * 16_u64;
    for prefill in [
        "cache: Paged(tokens: 2000, prefix: true)",
        "cache: Paged(tokens: 320, watermark: 0)",
    ] {
        let run = handed_on(prefill, "cache: Paged(tokens: 4000)", 6);
        let requests = &run.measured.requests;
        assert!(
            requests.iter().all(|request| request.output_tokens == 40),
            "{prefill}"
        );
        let sent: u64 = run
            .measured
            .totals
            .per_node
            .iter()
            .map(|node| node.uplink_bits)
            .sum();
        assert_eq!(sent, 6 * 200 * token_bits, "{prefill}");
    }
}

#[test]
fn the_reader_keeps_a_cache_until_the_decoder_has_room() {
    let run = handed_on("cache: Paged(tokens: 2000)", "cache: Paged(tokens: 256)", 4);
    // Every request in the second replica's queue has its prompt in the first one's cache.
    let mut kept = 0;
    let mut waiting = 0;
    for load in &run.measured.loads {
        match load.replica {
            0 => kept = load.cache_held,
            _ => waiting = load.waiting,
        }
        assert!(
            kept >= 200 * u64::from(waiting).saturating_sub(1),
            "{kept} {waiting}"
        );
    }
    let requests = &run.measured.requests;
    assert!(requests.iter().all(|request| request.output_tokens == 40));
}

#[test]
fn whom_nobody_can_decode_is_turned_away_on_arrival() {
    let run = handed_on("cache: Paged(tokens: 2000)", "cache: Paged(tokens: 208)", 3);
    for request in &run.measured.requests {
        assert!(request.rejected.as_deref().unwrap().contains("239"));
        assert_eq!(request.end, request.arrival);
    }
}

/// A text that ends with its first token needs no cache elsewhere, and one is on its way.
#[test]
fn an_end_at_the_first_token_loses_neither_requests_nor_joules() {
    let ends = "Today Lena is the shortest and Anna is the tallest. Also Lena is shorter than \
                Anna. Question: Is Lena shorter than Anna? Answer: No.";
    for decode in ["Static(batch: 2)", "Continuous(batch: 2)"] {
        let run = simulated(&format!(
            r#"model: Folder("models/tiny-llama"), nodes: {{
                "a": (profile: Preset("raspberry-pi-5")),
                "b": (profile: Preset("edge-server-l4")),
            }}, links: {{
                "wire": Wire(between: ("a", "b"), rate: "10 Mbit/s", delay: "1 ms",
                    energy_per_bit: "2 nJ/bit"),
            }},
            replicas: [
                (placement: Single(at: "a"), role: Prefill),
                (placement: Single(at: "b"), role: Decode, scheduler: {decode}),
            ],
            workload: [
                Generate(prompt: "{ends}", max_tokens: 8, arrival: At("0 ms")),
                Generate(prompt: "The town of Arden lies in", max_tokens: 8, arrival: At("1 ms")),
                Choose(suite: Facts, questions: 2, arrival: At("1 ms")),
            ],"#
        ));
        let requests = &run.measured.requests;
        assert_eq!(requests.len(), 3, "{decode}");
        assert_eq!(requests[0].output_tokens, 1, "the text ends at once");
        joules_add_up(&run);
    }
}
