//! Requests from a node: prompts go up its link, tokens come down it, and both count.

use super::{joules_add_up, simulated};

/// A phone that asks an edge server over a wire of 1 kbit/s.
fn from_a_phone(from: &str) -> airloom::simulation::Simulated {
    simulated(&format!(
        r#"model: Shape("llama-3-8b"), nodes: {{
            "phone": (profile: Preset("phone-a17-pro")),
            "edge": (profile: Preset("edge-server-l4")),
        }}, links: {{
            "access": Wire(between: ("phone", "edge"), rate: "1 kbit/s", delay: "5 ms",
                energy_per_bit: "1 uJ/bit"),
        }},
        replicas: [(placement: Single(at: "edge"))],
        workload: [Tokens(prompt: 100, generate: 3, {from} arrival: At("0 s"))],"#
    ))
}

#[test]
fn the_way_up_and_down_is_in_the_time_to_the_first_token_and_in_the_energy() {
    let near = from_a_phone("");
    let far = from_a_phone(r#"from: "phone","#);
    let ttft = |run: &airloom::simulation::Simulated| run.metrics.get("ttft_s").unwrap();
    // 32 bits per token at 1000 bit/s, and 5 ms each way.
    let way = 3.2 + 0.005 + 0.032 + 0.005;
    assert!((ttft(&far) - ttft(&near) - way).abs() < 1e-9);
    let joules = |run: &airloom::simulation::Simulated| run.measured.requests[0].energy_j.unwrap();
    let bits = f64::from(100 * 32 + 3 * 32);
    assert!((joules(&far) - joules(&near) - bits * 1e-6).abs() < 1e-9);
    // Tokens follow each other as they are decoded; each is 32 ms on its way at least.
    let times: Vec<u64> = far.measured.tokens.iter().map(|token| token.at.0).collect();
    assert!(
        times
            .windows(2)
            .all(|pair| pair[1] - pair[0] >= 32_000_000_000)
    );
    assert_eq!(far.measured.requests[0].end.0, *times.last().unwrap());
    let node = far.measured.requests[0].from.unwrap();
    assert_eq!(far.measured.totals.nodes[node as usize], "phone");
}

#[test]
fn text_takes_as_many_bits_as_its_letters() {
    let bits = |carries: &str| {
        let run = simulated(&format!(
            r#"model: Folder("models/tiny-llama"), nodes: {{
                "phone": (profile: Preset("phone-a17-pro")),
                "edge": (profile: Preset("edge-server-l4")),
            }}, links: {{
                "access": Wire(between: ("phone", "edge"), rate: "1 Mbit/s", delay: "5 ms"),
            }},
            replicas: [(placement: Single(at: "edge"))],
            workload: [Generate(prompt: "The town of Arden lies in", max_tokens: 5,
                from: "phone", carries: {carries})],"#
        ));
        let sent = run
            .measured
            .totals
            .per_node
            .iter()
            .map(|node| node.uplink_bits);
        let request = &run.measured.requests[0];
        (
            sent.sum::<u64>(),
            request.text.clone().unwrap(),
            request.input_tokens,
        )
    };
    let (tokens, text, prompt) = bits("Tokens");
    assert_eq!(tokens, 32 * (prompt + 5));
    let prompt = "The town of Arden lies in";
    let letters = 8 * (prompt.len() + text.len()) as u64;
    // A tokenizer may write a space at the beginning.
    let (written, ..) = bits("Text");
    assert!(
        written.abs_diff(letters) <= 2 * 8 * 6,
        "{written} {letters}"
    );
}

#[test]
fn the_joules_of_requests_and_of_nodes_are_the_same_joules() {
    let run = from_a_phone(r#"from: "phone","#);
    joules_add_up(&run);
}
