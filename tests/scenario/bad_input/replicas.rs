//! Replicas that ask for what workload, links or other replicas do not have.

use super::Desk;

const GOOD: &str = r#"Scenario(
    model: Shape("llama-2-7b"),
    nodes: {"edge": (), "cloud": (), "far": ()},
    links: {"backhaul": Wire(between: ("edge", "cloud"), rate: "1 Gbit/s", delay: "1 ms")},
    replicas: [
        (placement: Single(at: "edge"), cache: Paged(preemption: Swap(to: "cloud")), role: Prefill),
        (placement: Single(at: "cloud"), order: ShortestFirst, role: Decode),
    ],
    workload: [Tokens(prompt: 8, generate: 4)],
)
"#;

#[test]
fn the_good_replicas_are_good() {
    Desk::new()
        .load(GOOD, &[])
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_they_ask_for_has_to_be_there() {
    let desk = Desk::new();
    for (from, to, part) in [
        (
            "Swap(to: \"cloud\")",
            "Swap(to: \"clout\")",
            "bad.ron:6:75: replicas[0].cache.preemption.to: there is no node `clout`; did you mean `cloud`?",
        ),
        (
            "Swap(to: \"cloud\")",
            "Swap(to: \"edge\")",
            "replicas[0].cache.preemption.to: `edge` holds the replica's cache itself",
        ),
        (
            "Swap(to: \"cloud\")",
            "Swap(to: \"far\")",
            "replicas[0].cache.preemption.to: no link leads from edge, which holds a part",
        ),
        (
            "role: Decode",
            "role: Both",
            "bad.ron:6:92: replicas[0].role: no replica generates after its prompts; give another \
             one the role Decode",
        ),
        (
            "role: Prefill",
            "role: Both",
            "bad.ron:7:70: replicas[1].role: no replica reads prompts for it",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let message = desk.message(&GOOD.replacen(from, to, 1), &[]);
        assert!(message.contains(part), "`{part}` is not in:\n{message}");
        assert_eq!(message.matches("bad.ron:").count(), 1, "{message}");
    }
    let apart = GOOD.replace("Single(at: \"cloud\")", "Single(at: \"far\")");
    let message = desk.message(&apart, &[]);
    assert!(
        message.contains("no link leads from edge to far"),
        "{message}"
    );
}

#[test]
fn the_shortest_first_needs_known_outputs() {
    let desk = Desk::new();
    let text = "Scenario(model: Folder(\"model\"), nodes: {\"edge\": ()}, \
                replicas: [(placement: Single(at: \"edge\"), order: ShortestFirst)], \
                workload: [Score(text: World), Generate(prompt: \"Anna\")])";
    let message = desk.message(text, &[]);
    let part = "replicas[0].order: ShortestFirst has to know how many tokens a request will get, and \
                workload[1], a Generate";
    assert!(message.contains(part), "{message}");
}
