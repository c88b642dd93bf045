//! The pages of metrics and columns: what they say is what is written.

use crate::desk::Desk;
use airloom::results::columns::{TABLES, Table};
use airloom::results::metrics::{DEFINITIONS, TRUST};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[test]
fn the_pages_are_what_list_prints() {
    let desk = Desk::new();
    for page in ["metrics", "columns"] {
        let printed = desk.airloom(&["list", page]).good().stdout;
        let path = format!("{}/src/manual/{page}.md", env!("CARGO_MANIFEST_DIR"));
        let kept = fs::read_to_string(&path).unwrap();
        assert!(
            printed == kept,
            "write {path} again: airloom list {page} > src/manual/{page}.md"
        );
    }
}

/// Runs of both architectures and every other verb that writes tables.
fn everything() -> Desk {
    let desk = Desk::new();
    let scenario = |name: &str| format!("{}/scenarios/{name}", env!("CARGO_MANIFEST_DIR"));
    let suites = ["Pairs", "Facts", "Reasoning", "YesNo", "Stories"];
    let suites = suites.map(|suite| format!("Choose(suite: {suite}, questions: 1), "));
    let workload = format!(
        "workload=[Score(text: World(documents: 1)), Generate(prompt: \"A\", max_tokens: 2), {}]",
        suites.concat()
    );
    let fixed = "replicas[0].placement.assignment=Fixed([0.6, 0.4])";
    let run = ["run", "tiny.ron", "--set", &workload, "--set", fixed];
    for (out, trace) in [("full", "trace=Full"), ("summary", "trace=Summary")] {
        let more = ["--set", trace, "--out", out];
        desk.airloom(&[&run[..], &more].concat()).good();
    }
    let whole = "replicas[0].placement.all_reduce=Digital(bits: 8, subchannels: 7)";
    desk.airloom(&["run", "tiny.ron", "--set", whole, "--out", "digital"])
        .good();
    let early = format!(
        "Scenario(model: Folder({:?}), nodes: {{\"edge\": (profile: Preset(\"edge-server-l4\"))}}, \
         replicas: [(placement: Single(at: \"edge\"), decoding: EarlyExit(threshold: 0.5))], \
         workload: [Generate(prompt: \"Once\", max_tokens: 4)])",
        format!("{}/models/tiny-llama", env!("CARGO_MANIFEST_DIR"))
    );
    desk.write("early.ron", &early);
    let run = ["run", "early.ron", "--set", "trace=Off", "--out", "early"];
    desk.airloom(&run).good();
    for (name, decoding) in [
        (
            "speculative",
            "Speculative(draft: Model(model: \"small\", at: \"edge\"))",
        ),
        (
            "cascade",
            "Cascade(model: \"small\", at: \"edge\", threshold: 0.5)",
        ),
    ] {
        let models = format!(
            "models={{\"small\": Folder({:?})}}",
            format!("{}/models/tiny-llama-draft", env!("CARGO_MANIFEST_DIR"))
        );
        let decoding = format!("replicas[0].decoding={decoding}");
        let run = [
            "run",
            "early.ron",
            "--set",
            &models,
            "--set",
            &decoding,
            "--set",
            "trace=Off",
            "--out",
            name,
        ];
        desk.airloom(&run).good();
    }
    let joules = "links.air.convention=EnergyPerVector(energy: \"1 mJ\")";
    desk.airloom(&["run", "tiny.ron", "--set", joules, "--out", "joules"])
        .good();
    let (experts, batch) = (
        scenario("wdmoe_simulated.ron"),
        "workload=[Tokens(prompt: 9)]",
    );
    desk.airloom(&["run", &experts, "--set", batch, "--out", "experts"])
        .good();
    // Prompts and outputs, short and long.
    let lengths = [(9, 2), (1001, 2), (9, 129), (1001, 129)];
    let stream = lengths.map(|(prompt, generate)| {
        format!("Tokens(prompt: {prompt}, generate: {generate}, arrival: At(\"1 s\"))")
    });
    desk.write(
        "stream.ron",
        &format!(
            "Scenario(model: Shape(\"llama-2-7b\"), nodes: {{\"edge\": (profile: \
             Preset(\"edge-server-l4\"))}}, replicas: [(placement: Single(at: \"edge\"), cache: \
             Paged())], goals: (ttft: \"1 s\"), workload: [{}])",
            stream.join(", ")
        ),
    );
    let run = ["run", "stream.ron", "--set", "trace=Off", "--out", "stream"];
    desk.airloom(&run).good();
    let axes = "sweep=(axes: [(path: \"nodes.device.count\", values: [2, 3]), (path: \"links.air.bandwidth\", values: [\"10 MHz\"])])";
    let equal = "replicas[0].placement.assignment=Equal";
    desk.airloom(&[
        "sweep", "tiny.ron", "--set", equal, "--set", axes, "--out", "sweep",
    ])
    .good();
    let doppler = "links.air.doppler=Shift(\"50 Hz\")";
    desk.airloom(&["channel", "tiny.ron", "--set", doppler, "--out", "channel"])
        .good();
    let train = "train --out model --hidden 16 --layers 1 --heads 2 --ffn 16 --steps 3 --documents 2 --held-out 8";
    desk.airloom(&train.split(' ').collect::<Vec<_>>()).good();
    desk
}

/// What is wrong with a table whose first line is `header`.
fn fault(table: &Table, header: &str) -> Option<String> {
    let mut columns = header.split(',').peekable();
    for column in table.columns {
        match column.name {
            // A path of the scenario has a dot; no column of the table itself has.
            "<field>" => while columns.next_if(|name| name.contains('.')).is_some() {},
            "<metric>" => {
                let known = |name: &&str| DEFINITIONS.iter().any(|metric| metric.name == *name);
                while columns.next_if(known).is_some() {}
            }
            name if columns.next_if_eq(&name).is_some() => {}
            name => return Some(format!("{name} is documented and not written")),
        }
    }
    columns
        .next()
        .map(|name| format!("{name} is not documented"))
}

#[test]
fn every_column_that_is_written_is_documented_and_no_other() {
    let desk = everything();
    let documented = || TABLES.iter().copied().flatten();
    let mut written = BTreeSet::new();
    for (name, content) in desk.tree(".") {
        let file = name.rsplit('/').next().unwrap();
        if !(file.ends_with(".csv") || file.ends_with(".digest")) {
            continue;
        }
        let text = String::from_utf8(content).unwrap();
        let header = text.lines().next().unwrap();
        let table = documented().find(|table| table.file == file);
        let table = table.unwrap_or_else(|| panic!("{name} is not documented"));
        if let Some(fault) = fault(table, header) {
            panic!("{name}: {fault}: {header}");
        }
        written.insert(file.to_owned());
    }
    let documented = documented().map(|table| table.file.to_owned());
    assert_eq!(written, documented.collect());
}

#[test]
fn every_metric_that_is_documented_is_measured_by_some_run() {
    let desk = everything();
    let mut measured = BTreeSet::new();
    for (name, content) in desk.tree(".") {
        if name.ends_with("metrics.json") {
            let metrics: BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(&content).unwrap();
            measured.extend(metrics.into_keys().filter(|name| name != TRUST));
        }
    }
    // What is measured is documented: a metric that is not defined cannot be written.
    let documented = DEFINITIONS.iter().map(|metric| metric.name.to_owned());
    assert_eq!(measured, documented.collect());
}
