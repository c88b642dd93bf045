//! Whole systems: any placement on any links, against the model on one node, the event log added
//! up by other means, and closed forms.

mod exactness;
mod exchange;
mod links;
mod measured;
mod records;
mod trust;
mod weather;

use airloom::scenario::{self, Resolved};
use airloom::simulation::{RunOptions, Simulated, prepare, run, simulate};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// Four boards and a slow one, an edge server and a cloud behind a wire.
const NODES: &str = r#"
    nodes: {
        "left": (count: 2),
        "right": (count: 2, except: {1: Preset("raspberry-pi-5")}),
        "edge": (profile: Preset("edge-server-l4")),
        "cloud": (profile: Preset("server-4-a40")),
    },"#;

/// A radio for each pair of boards, and the way to the cloud.
const LINKS: &str = r#"
    links: {
        "air": Radio(hub: "edge", members: "left"),
        "other": Radio(hub: "edge", members: "right"),
        "backhaul": Wire(between: ("edge", "cloud"), rate: "1 Gbit/s", delay: "8 ms",
            per_message: "50 us"),
    },"#;

/// The scenario of the fleet with the bundled LLaMA and these other fields, which may have nodes
/// and links of their own.
fn fleet(rest: &str) -> Resolved {
    let links = if rest.contains("links:") { "" } else { LINKS };
    let nodes = if rest.contains("nodes:") { "" } else { NODES };
    let text = format!("Scenario(model: Folder(\"models/tiny-llama\"), {nodes} {links} {rest})");
    match scenario::parse(&text, Path::new("test.ron"), &[]) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    }
}

fn simulated(rest: &str) -> Simulated {
    match simulate(&fleet(rest), &mut ()) {
        Ok(simulated) => simulated,
        Err(error) => panic!("{error}"),
    }
}

type Row = BTreeMap<String, String>;

/// The tables of a run that wrote a folder.
struct Tables(TempDir);

impl Tables {
    fn of(rest: &str) -> Self {
        let resolved = fleet(rest);
        let folder = TempDir::new().unwrap();
        let options = RunOptions {
            out: folder.path().join("run"),
            interrupt: &AtomicBool::new(false),
        };
        let streams = airloom::rng::Streams { seed: 1, run: 0 };
        let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
        if let Err(error) = run(prepared, &options, &mut ()) {
            panic!("{error}");
        }
        Self(folder)
    }

    fn rows(&self, table: &str) -> Vec<Row> {
        let path = self.0.path().join("run").join(table);
        let mut reader = csv::Reader::from_path(path).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }
}

fn number(row: &Row, column: &str) -> u64 {
    row[column].parse().unwrap()
}
