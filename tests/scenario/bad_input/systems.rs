//! Nodes, links and placements that do not fit each other, names that lead nowhere, and fields
//! of earlier scenarios.

use super::{Desk, GOOD, refused};

/// Two groups, a cell, a cloud behind a wire, a pipeline over them.
const SYSTEM: &str = r#"Scenario(
    model: Shape("llama-2-7b"),
    nodes: {
        "phone": (count: 2),
        "edge": (profile: Preset("edge-server-l4")),
        "cloud": (profile: Preset("server-4-a40")),
        "lone": (),
    },
    links: {
        "backhaul": Wire(between: ("edge", "cloud"), rate: "10 Gbit/s", delay: "8 ms"),
        "cell": Radio(hub: "edge", members: "phone"),
    },
    replicas: [(placement: Pipeline(
        stages: [TensorParallel(over: "phone", at: "edge"), Single(at: "cloud")],
        partition: Fixed([8, 24]),
    ))],
    workload: [Tokens(prompt: 8)],
)
"#;

/// Asserts that each change of the system gives one fault at the place, with the parts.
#[track_caller]
fn system_refused(cases: &[(&str, &str, &[&str])]) {
    let desk = Desk::new();
    for (from, to, parts) in cases {
        assert!(SYSTEM.contains(from), "{from}");
        let message = desk.message(&SYSTEM.replacen(from, to, 1), &[]);
        for part in *parts {
            assert!(message.contains(part), "`{part}` is not in:\n{message}");
        }
        assert_eq!(message.matches("bad.ron:").count(), 1, "{message}");
    }
}

#[test]
fn the_system_is_good() {
    Desk::new().load(SYSTEM, &[]).unwrap();
}

#[test]
fn names_that_lead_nowhere_are_refused_with_the_nearest() {
    system_refused(&[
        (
            "(\"edge\", \"cloud\")",
            "(\"edge\", \"clod\")",
            &[
                "bad.ron:10:35: links.backhaul.between: there is no node `clod`; did you mean `cloud`?",
            ],
        ),
        (
            "(\"edge\", \"cloud\")",
            "(\"edge\", \"phone\")",
            &[
                "links.backhaul.between: `phone` is a group of 2 nodes",
                "such as `phone0`",
            ],
        ),
        (
            "(\"edge\", \"cloud\")",
            "(\"edge\", \"edge\")",
            &["links.backhaul.between: both ends are `edge`; a wire joins two nodes"],
        ),
        (
            "hub: \"edge\"",
            "hub: \"edges\"",
            &["bad.ron:11:28: links.cell.hub: there is no node `edges`; did you mean `edge`?"],
        ),
        (
            "hub: \"edge\"",
            "hub: \"phone\"",
            &["links.cell.hub: `phone` is a group of 2 nodes, and one is wanted here"],
        ),
        (
            "hub: \"edge\", members: \"phone\"",
            "hub: \"phone0\", members: \"phone\"",
            &["links.cell.members: the hub `phone0` is among its own members"],
        ),
        (
            "members: \"phone\"",
            "members: \"phon\"",
            &["links.cell.members: there is no group `phon`; did you mean `phone`?"],
        ),
        (
            "members: \"phone\"",
            "members: \"phone1\"",
            &["links.cell.members: `phone1` is one node of the group `phone`"],
        ),
        (
            "over: \"phone\", at",
            "over: \"fone\", at",
            &[
                "bad.ron:14:39: replicas[0].placement.stages[0].over: there is no group `fone`",
                "known are",
            ],
        ),
        (
            "over: \"phone\", at",
            "over: \"phone0\", at",
            &["replicas[0].placement.stages[0].over: `phone0` is one node, and a group is wanted"],
        ),
        (
            "Single(at: \"cloud\")",
            "Single(at: \"phone\")",
            &[
                "stages[1].at: `phone` is a group of nodes, and one is wanted here; name it, such as `phone0`",
            ],
        ),
        (
            "at: \"edge\")",
            "at: \"edge\", link: \"sell\")",
            &[
                "stages[0].link: there is no link `sell`; did you mean `cell`? known are backhaul, cell",
            ],
        ),
    ]);
}

#[test]
fn links_must_lead_to_where_something_is_sent() {
    system_refused(&[
        (
            "Single(at: \"cloud\")",
            "Single(at: \"lone\")",
            &[
                "bad.ron:14:61: replicas[0].placement.stages[1]: no link leads from `edge` to `lone`; add one, for example \"wire\": Wire(between: (\"edge\", \"lone\")",
            ],
        ),
        (
            "at: \"edge\")",
            "at: \"lone\", all_reduce: Ideal)",
            &["stages[0].over: no link leads from `phone0` to `lone`"],
        ),
        (
            "at: \"edge\")",
            "at: \"edge\", link: \"backhaul\")",
            &["stages[0].link: `backhaul` does not lead from `phone0` to `edge`"],
        ),
        (
            "at: \"edge\")",
            "at: \"cloud\")",
            &["stages[0].all_reduce: AirComp goes through the air, and no Radio joins"],
        ),
    ]);
}

#[test]
fn pipelines_need_stages_and_layers_for_each() {
    let stages = "stages: [TensorParallel(over: \"phone\", at: \"edge\"), Single(at: \"cloud\")],";
    system_refused(&[
        (
            stages,
            "",
            &["replicas[0].placement.stages: a pipeline has stages: list them"],
        ),
        (
            stages,
            "over: \"phone\", stages: [Single(at: \"edge\")],",
            &["replicas[0].placement.over: the stages are listed already; leave out one of both"],
        ),
        (
            "Single(at: \"cloud\")",
            "Pipeline(over: \"phone\")",
            &[
                "replicas[0].placement.stages[1]: a stage is no pipeline itself; list its stages here",
            ],
        ),
        (
            "[8, 24]",
            "[8, 16, 8]",
            &["bad.ron:15:20: replicas[0].placement.partition: 3 numbers of layers for 2 stages"],
        ),
        (
            "[8, 24]",
            "[8, 25]",
            &[
                "replicas[0].placement.partition: its parts have 33 layers together, and the model has 32",
            ],
        ),
        (
            "[8, 24]",
            "[32, 0]",
            &["replicas[0].placement.partition: a stage without layers"],
        ),
        (
            "partition: Fixed([8, 24])",
            "bits: 1",
            &["replicas[0].placement.bits: 1 bits per entry"],
        ),
        (
            "partition: Fixed([8, 24]),\n    )",
            "), in_flight: 0",
            &["replicas[0].in_flight: nothing would ever run; use 1 or more"],
        ),
    ]);
}

#[test]
fn a_wire_needs_a_rate_and_no_negative_number() {
    system_refused(&[
        (
            "10 Gbit/s",
            "0 bit/s",
            &["bad.ron:10:60: links.backhaul.rate: 0 must be a finite number above zero"],
        ),
        (
            "10 Gbit/s",
            "-1 bit/s",
            &["`-1 bit/s` is not a data rate: it must not be negative"],
        ),
        (
            "10 Gbit/s",
            "NaN bit/s",
            &["`NaN bit/s` is not a data rate"],
        ),
        (
            "10 Gbit/s",
            "10 GB/s",
            &["`10 GB/s` is not a data rate: unknown unit `GB/s`"],
        ),
        (
            "8 ms",
            "-8 ms",
            &["`-8 ms` is not a time: it must not be negative"],
        ),
    ]);
}

#[test]
fn names_that_are_none_or_clash_are_refused() {
    for name in [
        "", " ", "a,b", "a/b", "a'b", "a\\\"b", "a\\nb", "a b", "a.b", "3", "_a", "-a",
    ] {
        system_refused(&[
            (
                "\"lone\"",
                &format!("\"{name}\""),
                &["nodes: ", "is no name: it begins with a letter"],
            ),
            (
                "\"cell\"",
                &format!("\"{name}\""),
                &["links: ", "is no name: it begins with a letter"],
            ),
        ]);
    }
    system_refused(&[(
        "\"lone\": ()",
        "\"phone1\": ()",
        &[
            "bad.ron:7:19: nodes.phone1: a node of `phone1` and one of `phone` are both called `phone1`; rename one group",
        ],
    )]);
    system_refused(&[
        (
            "\"lone\": ()",
            "\"lone\": (except: {0: Preset(\"raspberry-pi-5\")})",
            &["nodes.lone.except[0]: the group is one node alone"],
        ),
        (
            "count: 2",
            "count: 2, except: {2: Preset(\"edge-server-l4\")}",
            &["nodes.phone.except[2]: there is no node 2 among 2"],
        ),
        (
            "count: 2",
            "count: 0",
            &["nodes.phone.count: 0 nodes; use 1 to 65535, or leave the group out"],
        ),
    ]);
}

#[test]
fn capital_letters_in_names_are_no_variants() {
    let desk = Desk::new();
    let text = SYSTEM
        .replace("\"cell\"", "\"Cell\"")
        .replace("\"phone\"", "\"Phone\"");
    desk.load(&text, &["links.Cell.bandwidth=5 MHz"]).unwrap();
    let message = desk.message(&text, &["links.Cell.bandwidth=0 Hz"]);
    assert!(
        message.contains(": links.Cell.bandwidth: 0 must be"),
        "{message}"
    );
    let message = desk.message(&text, &["nodes.Phone.count=0"]);
    assert!(
        message.contains(": nodes.Phone.count: 0 nodes"),
        "{message}"
    );
}

#[test]
fn a_system_that_nothing_is_implied_for_says_so() {
    let desk = Desk::new();
    let without = |from: &str, to: &str, end: &str| {
        let start = SYSTEM.find(from).unwrap();
        let until = start + SYSTEM[start..].find(end).unwrap() + end.len();
        SYSTEM.replace(&SYSTEM[start..until], to)
    };
    let two_cells = without("replicas", "", "))],\n").replace(
        "    links: {\n",
        "    links: {\n        \"other\": Radio(hub: \"cloud\", members: \"phone\"),\n",
    );
    let message = desk.message(&two_cells, &[]);
    assert!(
        message.contains("replicas: say where the model lies, for example"),
        "{message}"
    );
    let unclear = two_cells.replace(
        "workload",
        "replicas: [(placement: TensorParallel())], workload",
    );
    let message = desk.message(&unclear, &[]);
    assert!(
        message.contains(
            "replicas[0].placement.link: several radio links could be meant: cell, other; name one"
        ),
        "{message}"
    );
    let groups = SYSTEM
        .replace("\"lone\": ()", "\"lone\": (count: 1)")
        .replace(", members: \"phone\"", "");
    let message = desk.message(&groups, &[]);
    assert!(message.contains("links.cell.members: several groups have a count; say which is around the hub: lone, phone"), "{message}");
    let message = desk.message(
        &SYSTEM
            .replace("count: 2", "")
            .replace(", members: \"phone\"", ""),
        &[],
    );
    assert!(
        message.contains("links.cell.members: no group has a count"),
        "{message}"
    );
}

#[test]
fn models_and_placements_must_fit() {
    let desk = Desk::new();
    let experts = "replicas[0].placement=Experts()";
    let message = desk.message(GOOD, &["model=Shape(\"llama-2-7b\")", experts]);
    assert!(
        message.contains("model: `llama-2-7b` has no experts; use mixtral-8x7b"),
        "{message}"
    );
    let message = desk.message(GOOD, &["model=Shape(\"mixtral-8x7b\")"]);
    assert!(
        message.contains("`mixtral-8x7b` has experts; use another shape"),
        "{message}"
    );
}

#[test]
fn fields_of_earlier_scenarios_say_where_they_went() {
    refused(&[
        (
            "nodes: {\"device\": (count: 4)}",
            "nodes: {\"device\": (count: 4)}, devices: (count: 4)",
            &[
                "unknown field `devices`",
                "it went to nodes: {\"device\": (count: 4)}",
            ],
        ),
        (
            "links: {\"air\": Radio(",
            "links: {\"air\": Radio()}, radio: {\"air\": Radio(",
            &[
                "bad.ron:4:30: unknown field `radio`",
                "it went to links: {\"air\": Radio(…)}",
            ],
        ),
        (
            "    workload",
            "    server: Preset(\"edge-server-l4\"),\n    workload",
            &[
                "unknown field `server`",
                "it went to nodes: {\"server\": (profile: ",
            ],
        ),
        (
            "    workload",
            "    architecture: TensorParallel(),\n    workload",
            &[
                "unknown field `architecture`",
                "it went to replicas: [(placement: ",
            ],
        ),
        (
            "TensorParallel(\n        assignment: Fixed([0.4, 0.3, 0.2, 0.1]),\n        all_reduce: AirComp(streams: 2),",
            "Experts(placement: Spread,",
            &["unknown field `placement`", "it is called `experts` now"],
        ),
    ]);
    let desk = Desk::new();
    for (old, new) in [
        (
            "devices.count=8",
            "`devices.count` is `nodes.device.count` now",
        ),
        (
            "server=Preset(\"edge-server-l4\")",
            "`server` is `nodes.server.profile` now",
        ),
        (
            "radio.budget.snr=3 dB",
            "`radio.budget.snr` is `links.air.budget.snr` now",
        ),
        (
            "architecture.all_reduce.streams=1",
            "`architecture.all_reduce.streams` is `replicas[0].placement.all_reduce.streams` now",
        ),
        (
            "architecture.placement=Spread",
            "`architecture.placement` is `replicas[0].placement.experts` now",
        ),
        (
            "sweep=(axes: [(path: \"devices.count\", values: [1, 2])])",
            "sweep.axes[0].path: `devices.count` is `nodes.device.count` now",
        ),
    ] {
        let message = desk.message(GOOD, &[old]);
        assert!(
            message.starts_with(&format!(
                "--set {}",
                old.split(' ').next().unwrap().split_once('=').unwrap().0
            )),
            "{message}"
        );
        assert!(message.contains(new), "`{new}` is not in {message}");
    }
}
