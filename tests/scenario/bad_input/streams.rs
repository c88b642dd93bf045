//! Streams of requests that are wrong.

use super::Desk;

const GOOD: &str = r#"Scenario(
    model: Shape("llama-2-7b"),
    nodes: {"phone": (count: 2), "edge": (), "far": ()},
    links: {"cell": Radio(hub: "edge", members: "phone")},
    replicas: [(placement: Single(at: "edge"))],
    workload: [
        Arrivals(
            process: Poisson(rate: "2 /s"),
            count: 50,
            prompt: Tokens(Fixed(128)),
            output: Uniform(from: 1, to: 64),
            from: "phone",
        ),
        Trace(file: "text.txt", speed: 2.0),
    ],
    goals: (ttft: "500 ms"),
)
"#;

#[test]
fn the_good_stream_is_good() {
    let desk = Desk::new();
    let resolved = desk.load(GOOD, &[]).unwrap();
    let again = desk.load(&resolved.to_ron(), &[]).unwrap();
    assert_eq!(again.scenario, resolved.scenario);
    for change in [
        "workload[0].from=\"phone1\"",
        "workload[0].process=Gamma(rate: \"30 /min\", cv: 2.5)",
        "workload[0].process=Deterministic(gap: \"500 ms\")",
        "workload[0].process=OnOff(rate: \"10 /s\", on: \"5 s\", off: \"20 s\")",
        "workload[0].process=ClosedLoop(users: 8, think: \"2 s\")",
        "workload[0].prompt=Tokens(LogNormal(median: 400, sigma: 0.9, most: 2048))",
        "workload[0].process.rate=4 /s",
        "workload[0].shared_prefix=32",
        "goals.itl=50 ms",
        "goals=None",
    ] {
        desk.load(GOOD, &[change])
            .unwrap_or_else(|error| panic!("{change}: {error}"));
    }
}

#[test]
fn each_fault_is_told_at_its_place() {
    let desk = Desk::new();
    for (from, to, parts) in [
        (
            "\"2 /s\"",
            "\"0 /s\"",
            &["bad.ron:8:36: workload[0].process.rate: at 0 /s nobody ever comes"][..],
        ),
        (
            "\"2 /s\"",
            "\"-2 /s\"",
            &["bad.ron:8:36: ", "must not be negative"],
        ),
        (
            "\"2 /s\"",
            "\"NaN /s\"",
            &["`NaN /s` is not a rate", "write for example \"2 /s\""],
        ),
        (
            "\"2 /s\"",
            "2",
            &["bad.ron:8:36: expected a rate with its unit, such as \"2 /s\""],
        ),
        (
            "\"2 /s\"",
            "\"2 s\"",
            &["`2 s` is not a rate: unknown unit `s`"],
        ),
        (
            "Poisson(rate: \"2 /s\")",
            "Gamma(rate: \"2 /s\", cv: 0)",
            &["workload[0].process.cv: 0; use 0.01 to 100, or for equal gaps Deterministic"],
        ),
        (
            "Poisson(rate: \"2 /s\")",
            "OnOff(rate: \"2 /s\", on: \"1 us\", off: \"1 s\")",
            &["workload[0].process.on: at 2 /s a burst of 1 µs has 0.000002 requests"],
        ),
        (
            "Poisson(rate: \"2 /s\")",
            "ClosedLoop(users: 0)",
            &["workload[0].process.users: without users nobody ever asks"],
        ),
        (
            "count: 50",
            "count: 0",
            &["workload[0].count: 0 requests; use 1 to 10000000"],
        ),
        (
            "count: 50",
            "count: 4294967295",
            &["workload[0].count: 4294967295 requests"],
        ),
        (
            "Fixed(128)",
            "Fixed(0)",
            &["workload[0].prompt: 0 tokens; use 1 to"],
        ),
        (
            "Fixed(128)",
            "Fixed(2000000)",
            &["workload[0].prompt: 2000000 tokens"],
        ),
        (
            "from: 1, to: 64",
            "from: 9, to: 8",
            &["workload[0].output.to: 8 is less than `from`, 9"],
        ),
        (
            "Uniform(from: 1, to: 64)",
            "LogNormal(median: 0, sigma: 1, most: 9)",
            &["workload[0].output.median: 0 tokens; use 1 to `most`, 9"],
        ),
        (
            "Uniform(from: 1, to: 64)",
            "Empirical(\"none.csv\")",
            &["workload[0].output: there is no file none.csv; paths are relative"],
        ),
        (
            "Tokens(Fixed(128))",
            "Text(\"Once\")",
            &["workload[0].prompt: a Shape has no weights to read text with; use Tokens(Fixed"],
        ),
        (
            "Tokens(Fixed(128))",
            "Texts([])",
            &["workload[0].prompt: there is no text"],
        ),
        (
            "Tokens(Fixed(128))",
            "Texts([\"a\", \" \"])",
            &["workload[0].prompt[1]: there is no text"],
        ),
        (
            "\"phone\",\n        )",
            "\"phone7\",\n        )",
            &[
                "bad.ron:12:19: workload[0].from: there is no node or group `phone7`; did you mean \
                 `phone",
            ],
        ),
        (
            "\"phone\",\n        )",
            "\"far\",\n        )",
            &["workload[0].from: no link leads from far to edge, where a replica begins; add"],
        ),
        (
            "text.txt",
            "none.csv",
            &["workload[1].file: there is no file none.csv"],
        ),
        (
            "speed: 2.0",
            "speed: 0",
            &["workload[1].speed: 0 must be a finite number above zero"],
        ),
        ("speed: 2.0", "count: 0", &["workload[1].count: 0 requests"]),
        (
            "speed: 2.0",
            "start: \"300000 h\"",
            &["workload[1].start: ", "213 days"],
        ),
        (
            "speed: 2.0",
            "format: Csv",
            &["`Csv` is not known here", "Jsonl, Azure, BurstGpt"],
        ),
        (
            "\"500 ms\"",
            "\"0 s\"",
            &["bad.ron:16:19: goals.ttft: no request takes 0 s"],
        ),
        ("\"500 ms\"", "500", &["expected a time with its unit"]),
        (
            "ttft: \"500 ms\"",
            "",
            &["goals", "there is no goal; give one"],
        ),
        (
            "ttft",
            "tfft",
            &["unknown field `tfft`", "did you mean `ttft`?"],
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let message = desk.message(&GOOD.replacen(from, to, 1), &[]);
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in:\n{message}");
        }
        assert_eq!(message.matches("bad.ron:").count(), 1, "{message}");
    }
}

#[test]
fn all_streams_together_have_a_limit() {
    let desk = Desk::new();
    let text = GOOD
        .replace("count: 50", "count: 9000000")
        .replace("speed: 2.0", "count: 9000000");
    let message = desk.message(&text, &[]);
    assert!(message.contains("workload: 18000000 requests"), "{message}");
}

#[test]
fn what_is_shared_is_a_number_of_tokens() {
    let desk = Desk::new();
    let text = GOOD
        .replace("Shape(\"llama-2-7b\")", "Folder(\"model\")")
        .replace("Tokens(Fixed(128))", "Text(\"Once\"), shared_prefix: 3");
    let message = desk.message(&text, &[]);
    assert!(
        message.contains("workload[0].shared_prefix: texts share what they have in common"),
        "{message}"
    );
}
