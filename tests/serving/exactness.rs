//! Law 9 from arrival to answer: over ideal links nothing that serving decides changes a bit of
//! what a request is told.

use super::simulated;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// −ln p of every pass by request and step, to the bit, and every text.
type Answers = (Vec<(u32, u32, u64)>, Vec<Option<String>>);

const NODES: &str = r#"
    model: Folder("models/tiny-llama"),
    nodes: {
        "user": (profile: Preset("phone-a17-pro")),
        "edge": (profile: Preset("edge-server-l4")),
        "cloud": (profile: Preset("server-4-a40")),
    },
    links: {
        "access": Wire(between: ("user", "edge"), rate: "20 Mbit/s", delay: "3 ms"),
        "backhaul": Wire(between: ("edge", "cloud"), rate: "1 Gbit/s", delay: "8 ms"),
    },"#;

fn answers(workload: &str, replicas: &str) -> Answers {
    let run = simulated(&format!("{NODES} workload: [{workload}], {replicas}"));
    // A pass that is read in pieces, or again, has said what its pieces say one after the other.
    let mut nats: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for pass in &run.measured.passes {
        let said = nats.entry((pass.request, pass.step)).or_insert(0.0);
        *said += pass.negative_log_likelihood.unwrap_or(0.0);
    }
    let nats = nats.into_iter();
    let nats = nats.map(|((request, step), nats)| (request, step, nats.to_bits()));
    let requests = run.measured.requests.iter();
    let texts = requests.map(|request| {
        assert_eq!(request.rejected, None);
        request.text.clone()
    });
    (nats.collect(), texts.collect())
}

const ALONE: &str = r#"replicas: [(placement: Single(at: "edge"))],"#;

/// A stream of a few prompts that differ in length, from a user or from nowhere.
fn workload() -> impl Strategy<Value = String> {
    let request = (0..6_usize, 1..9_u32, 0..40_u32, any::<bool>());
    proptest::collection::vec(request, 2..7).prop_map(|requests| {
        const PROMPTS: [&str; 6] = [
            "The town of Arden lies in",
            "The town of Arden lies in the north. The town of Norby lies in",
            "Once Clara was in the barn and needed the green lamp.",
            "Once Clara was in the barn",
            "Mara",
            "The town of Arden lies in the north. The town of Norby lies in the south, and",
        ];
        let requests = requests.iter().map(|(prompt, tokens, ms, user)| {
            let from = if *user { r#", from: "user""# } else { "" };
            let prompt = PROMPTS[*prompt];
            format!(
                r#"Generate(prompt: "{prompt}", max_tokens: {tokens}, arrival: At("{ms} ms"){from})"#
            )
        });
        requests.collect::<Vec<_>>().join(", ")
    })
}

/// Every way to serve, of any size.
fn serving() -> impl Strategy<Value = String> {
    let scheduler = prop_oneof![
        (1..5_usize).prop_map(|batch| format!("Static(batch: {batch})")),
        (1..5_usize, 0..30_u32)
            .prop_map(|(batch, ms)| format!(r#"Dynamic(batch: {batch}, window: "{ms} ms")"#)),
        (1..5_usize, 5..40_usize)
            .prop_map(|(batch, tokens)| format!("Continuous(batch: {batch}, tokens: {tokens})")),
        (1..5_usize).prop_map(|batch| format!("Continuous(batch: {batch}, prefill: Apart)")),
        (1..5_usize, 1..12_usize)
            .prop_map(|(batch, chunk)| format!("Continuous(batch: {batch}, chunk: {chunk})")),
    ];
    let cache = prop_oneof![
        Just(String::new()),
        Just("cache: Reserved(tokens: 120),".to_owned()),
        (1..9_usize, 50..90_usize, any::<bool>()).prop_map(|(block, tokens, prefix)| {
            let tokens = tokens.next_multiple_of(block);
            format!(
                "cache: Paged(block: {block}, tokens: {tokens}, watermark: 0, prefix: {prefix}),"
            )
        }),
        (1..9_usize, 50..90_usize).prop_map(|(block, tokens)| {
            let tokens = tokens.next_multiple_of(block);
            format!(
                r#"cache: Paged(block: {block}, tokens: {tokens}, preemption: Swap(to: "user")),"#
            )
        }),
    ];
    let placement = prop_oneof![
        Just(r#"Single(at: "edge")"#),
        Just(r#"Pipeline(bits: 32, stages: [Single(at: "edge"), Single(at: "cloud")])"#),
    ];
    let order = prop_oneof![Just("First"), Just("Priority")];
    (scheduler, cache, placement, order, 1..4_usize).prop_map(
        |(scheduler, cache, placement, order, in_flight)| {
            format!(
                "replicas: [(placement: {placement}, scheduler: {scheduler}, order: {order}, \
                 {cache} in_flight: {in_flight})],"
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn law_9_serving_changes_no_bit_of_an_answer(workload in workload(), serving in serving()) {
        prop_assert_eq!(answers(&workload, &serving), answers(&workload, ALONE));
    }
}

#[test]
fn law_12_a_prompt_read_here_and_decoded_there_is_answered_the_same() {
    let workload = r#"
        Generate(prompt: "The town of Arden lies in", max_tokens: 6, arrival: At("0 s")),
        Generate(prompt: "Once Clara was in the barn", max_tokens: 6, arrival: At("0 s"), from: "user"),
        Generate(prompt: "Mara", max_tokens: 1, arrival: At("1 ms")),
        Score(text: World(documents: 2), arrival: At("2 ms")),
        Choose(suite: Pairs, questions: 2, arrival: At("2 ms")),
        Generate(prompt: "The town of Norby lies in", max_tokens: 9, arrival: At("2 ms")),"#;
    for (first, second) in [
        (r#"Single(at: "edge")"#, r#"Single(at: "cloud")"#),
        (
            r#"Pipeline(bits: 32, stages: [Single(at: "edge"), Single(at: "cloud")])"#,
            r#"Single(at: "cloud")"#,
        ),
        (
            r#"Single(at: "edge")"#,
            r#"Pipeline(bits: 32, stages: [Single(at: "cloud"), Single(at: "edge")])"#,
        ),
    ] {
        let apart = format!(
            "replicas: [(placement: {first}, role: Prefill, scheduler: Continuous(batch: 2)), \
             (placement: {second}, role: Decode, scheduler: Continuous(batch: 3))],"
        );
        assert_eq!(
            answers(workload, &apart),
            answers(workload, ALONE),
            "{apart}"
        );
    }
}

#[test]
fn law_9_texts_that_are_scored_are_scored_the_same_in_pieces_and_beside_others() {
    let workload = r#"
        Score(text: World(documents: 2), arrival: At("0 s")),
        Score(text: World(documents: 1, first: 5), stepwise: true, arrival: At("0 s")),
        Choose(suite: Pairs, questions: 2, arrival: At("0 s")),
        Generate(prompt: "Mara", max_tokens: 5, arrival: At("0 s")),"#;
    let scored = |replicas: &str| {
        let run = simulated(&format!("{NODES} workload: [{workload}], {replicas}"));
        let requests = run.measured.requests.iter();
        let nats = requests.map(|request| request.negative_log_likelihood.map(f64::to_bits));
        let answers = run.measured.answers.iter();
        let mut answers: Vec<_> = answers
            .map(|answer| (answer.question, answer.chosen, answer.margin_nats))
            .collect();
        answers.sort_by_key(|answer| answer.0);
        let texts = run
            .measured
            .requests
            .iter()
            .map(|request| request.text.clone());
        (nats.collect::<Vec<_>>(), answers, texts.collect::<Vec<_>>())
    };
    let alone = scored(ALONE);
    for scheduler in [
        "Continuous(batch: 4, chunk: 7)",
        "Continuous(batch: 3)",
        "Static(batch: 4)",
    ] {
        let replicas = format!(
            r#"replicas: [(placement: Single(at: "edge"), scheduler: {scheduler},
                cache: Paged(block: 4, tokens: 160, watermark: 0, prefix: true))],"#
        );
        assert_eq!(scored(&replicas), alone, "{scheduler}");
    }
}
