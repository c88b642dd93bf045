//! Which replica serves a request, and prompts that are read in one and decoded in another.

use super::simulated;
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
