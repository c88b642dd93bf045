//! Law 12: whoever drafts, however much and over whatever link, the text is the model's own.

use super::{beginning, joules_add_up, simulated, surprise, texts};
use airloom::simulation::Simulated;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A phone, an edge server, a cloud, and a draft model of so many layers in `folder`.
fn nodes(folder: &std::path::Path) -> String {
    format!(
        r#"
    model: Folder("models/tiny-llama"),
    models: {{"draft": Folder("{}")}},
    nodes: {{
        "phone": (count: 2, profile: Preset("phone-a17-pro")),
        "edge": (profile: Preset("edge-server-l4")),
        "cloud": (profile: Preset("server-4-a40")),
    }},
    links: {{
        "cell": Radio(hub: "edge", members: "phone", bandwidth: "20 MHz"),
        "backhaul": Wire(between: ("edge", "cloud"), rate: "1 Gbit/s", delay: "8 ms"),
    }},"#,
        folder.display()
    )
}

const WORKLOAD: &str = r#"
    Generate(prompt: "Once Clara was in the barn and needed the green lamp.", max_tokens: 24, arrival: At("0 s"), from: "phone0"),
    Generate(prompt: "The town of Arden lies in", max_tokens: 17, arrival: At("0 s"), from: "phone1"),
    Generate(prompt: "Mara", max_tokens: 1, arrival: At("1 ms"), from: "phone1"),
    Generate(prompt: "Start with 7. Then add 5, which makes", max_tokens: 30, arrival: At("3 ms")),"#;

fn run(nodes: &str, workload: &str, replica: &str) -> Simulated {
    simulated(&format!(
        "seed: 5, {nodes} workload: [{workload}], replicas: [({replica})]"
    ))
}

fn drafting() -> impl Strategy<Value = String> {
    let draft = prop_oneof![
        Just("Lookup()".to_owned()),
        (1..4_usize).prop_map(|longest| format!("Lookup(longest: {longest})")),
        prop_oneof![Just("phone"), Just("phone0"), Just("edge"), Just("cloud")]
            .prop_map(|at| format!(r#"Model(model: "draft", at: "{at}")"#)),
    ];
    let length = prop_oneof![
        (1..8_usize).prop_map(|length| format!("Fixed({length})")),
        Just("Adapted()".to_owned()),
        Just("Adapted(first: 2, least: 2, most: 5)".to_owned()),
    ];
    (draft, length).prop_map(|(draft, length)| {
        format!("decoding: Speculative(draft: {draft}, length: {length})")
    })
}

fn serving() -> impl Strategy<Value = String> {
    let placement = prop_oneof![
        Just(r#"Single(at: "edge")"#),
        Just(r#"Single(at: "cloud")"#),
        Just(r#"Pipeline(bits: 32, stages: [Single(at: "edge"), Single(at: "cloud")])"#),
        Just(r#"TensorParallel(over: "phone", all_reduce: Ideal)"#),
    ];
    let scheduler = prop_oneof![
        (1..5_usize).prop_map(|batch| format!("Static(batch: {batch})")),
        (1..5_usize).prop_map(|batch| format!("Continuous(batch: {batch})")),
        (1..5_usize, 2..9_usize)
            .prop_map(|(batch, chunk)| format!("Continuous(batch: {batch}, chunk: {chunk})")),
    ];
    let cache = prop_oneof![
        Just(""),
        Just("cache: Paged(block: 4, tokens: 56, watermark: 0),"),
        Just("cache: Paged(block: 3, tokens: 60, watermark: 0, prefix: true),"),
        Just("cache: Reserved(tokens: 100),"),
    ];
    (placement, scheduler, cache, 1..3_usize).prop_map(|(placement, scheduler, cache, flight)| {
        format!("placement: {placement}, scheduler: {scheduler}, {cache} in_flight: {flight},")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn law_12_a_greedy_text_is_that_of_plain_decoding(
        serving in serving(), drafting in drafting(), layers in 1..7_usize,
    ) {
        let folder = beginning(layers);
        let nodes = nodes(folder.path());
        let plain = run(&nodes, WORKLOAD, r#"placement: Single(at: "edge")"#);
        let drafted = run(&nodes, WORKLOAD, &format!("{serving} {drafting}"));
        prop_assert_eq!(texts(&drafted), texts(&plain));
        joules_add_up(&drafted);
        for round in &drafted.measured.rounds {
            prop_assert!(round.accepted <= round.drafted);
            prop_assert!(round.tokens <= round.accepted + 1 && round.tokens >= 1);
        }
    }
}

#[test]
fn a_draft_model_that_is_the_model_is_always_right() {
    let folder = beginning(6);
    let nodes = nodes(folder.path());
    let replica = r#"placement: Single(at: "edge"),
        decoding: Speculative(draft: Model(model: "draft", at: "phone"), length: Fixed(3))"#;
    let run = run(&nodes, WORKLOAD, replica);
    assert_eq!(run.metrics.get("draft_acceptance"), Some(1.0));
    assert_eq!(run.metrics.get("wasted_flops"), Some(0.0));
    let rounds = &run.measured.rounds;
    // 1 token with the prompt, then 4 by 4, of the last as many as are left.
    let of = |request| rounds.iter().filter(move |round| round.request == request);
    let tokens: Vec<u32> = of(0).map(|round| round.tokens).collect();
    assert_eq!(tokens.iter().sum::<u32>(), 23);
    assert!(tokens[..5].iter().all(|tokens| *tokens == 4));
}

/// What crosses a link is what was said to: numbers of 32 bits, and of the distributions as much as
/// is sent.
#[test]
fn bits_of_drafts_are_counted() {
    let folder = beginning(4);
    let nodes = nodes(folder.path());
    let workload =
        r#"Generate(prompt: "The town of Arden lies in", max_tokens: 12, from: "phone0")"#;
    let bits = |decoding: &str| {
        let replica = format!(
            r#"placement: Single(at: "edge"), decoding: Speculative(draft: Model(model: "draft", at: "phone"), length: Fixed(2), {decoding})"#
        );
        let run = run(&nodes, workload, &replica);
        let sent = run.measured.totals.per_node[1].uplink_bits
            + run.measured.totals.per_node[2].uplink_bits
            + run.measured.totals.per_node[0].uplink_bits;
        let drafted = run.metrics.get("drafted_tokens").unwrap() as u64;
        let prompt = 32 * run.measured.requests[0].input_tokens;
        (sent - prompt) as f64 / drafted as f64
    };
    assert_eq!(bits(""), 32.0);
    assert_eq!(bits("sampling: Some(())"), 32.0 + 1024.0 * 32.0);
    assert_eq!(bits("sampling: Some(()), sends: Top(5)"), 32.0 + 5.0 * 64.0);
    assert_eq!(
        bits("sampling: Some(()), sends: Quantised(4)"),
        32.0 + 1024.0 * 4.0
    );
}

/// Law 12, sampled: two tokens after one prompt, over all pairs that are likely.
#[test]
fn law_12_a_sampled_text_is_distributed_as_that_of_plain_decoding() {
    let folder = beginning(4);
    let nodes = nodes(folder.path());
    let count = 700;
    let one = r#"Generate(prompt: "The town of Arden lies in the north. Mara", max_tokens: 3, from: "phone0"),"#;
    let workload = one.repeat(count);
    let pairs = |seed: u64, decoding: &str| {
        let replica = format!(
            r#"placement: Single(at: "edge"), scheduler: Continuous(batch: 64), decoding: {decoding}"#
        );
        let run = simulated(&format!(
            "seed: {seed}, {nodes} workload: [{workload}], replicas: [({replica})]"
        ));
        let mut seen: BTreeMap<String, f64> = BTreeMap::new();
        for text in texts(&run) {
            *seen.entry(text).or_insert(0.0) += 1.0;
        }
        seen
    };
    let sampling = "temperature: 1.5, top_k: Some(4)";
    let plain = pairs(1, &format!("Sample({sampling})"));
    // Two samples of the same size: (a − b)²/(a + b), as cells of twice the variance.
    let differ = |other: &BTreeMap<String, f64>| {
        let keys: std::collections::BTreeSet<&String> = plain.keys().chain(other.keys()).collect();
        let get = |of: &BTreeMap<String, f64>, key| of.get(key).copied().unwrap_or(0.0);
        let cells = keys.into_iter().map(|key| {
            let (a, b) = (get(&plain, key), get(other, key));
            let mean = (a + b) / 2.0;
            // So that (seen − expected)²/expected is (a − b)²/(a + b).
            (mean + (a - b) / 2.0_f64.sqrt(), mean)
        });
        surprise(&cells.collect::<Vec<_>>())
    };
    for draft in [
        r#"draft: Model(model: "draft", at: "phone")"#,
        r#"draft: Model(model: "draft", at: "phone"), sends: Top(2)"#,
        r#"draft: Model(model: "draft", at: "phone"), sends: Quantised(3)"#,
        "draft: Lookup(longest: 2)",
    ] {
        let drafted = pairs(
            2,
            &format!("Speculative({draft}, sampling: Some(({sampling})))"),
        );
        let surprise = differ(&drafted);
        assert!(surprise.abs() < 4.5, "{draft}: {surprise}");
    }
    let shifted = r#"draft: Model(model: "draft", at: "phone"), sends: Top(1), draws: AsComputed"#;
    let shifted = pairs(
        2,
        &format!("Speculative({shifted}, sampling: Some(({sampling})))"),
    );
    assert!(
        differ(&shifted) > 4.5,
        "what is drawn from more than is sent shifts the text"
    );
}
