//! Tokens that leave a model early: laws of any placement, scheduler and memory, and the run
//! against a second route that makes keys and values at once.

mod heads;
mod laws;
mod second_route;

use airloom::measurement::ExitRecord;
use airloom::scenario::{self, Resolved};
use airloom::simulation::{Simulated, simulate};
use std::path::Path;

const NODES: &str = r#"
    nodes: {"phone": (count: 2), "handset": (profile: Preset("phone-a17-pro")),
            "edge": (profile: Preset("edge-server-l4"))},
    links: {"air": Radio(hub: "edge", members: "phone"),
            "wire": Wire(between: ("edge", "handset"), rate: "1 Gbit/s", delay: "1 ms")},"#;

/// Four texts that the bundled model goes on with, all at once.
const WORKLOAD: &str = r#"
    workload: [
        Generate(prompt: "Once Clara was in the barn and needed the green lamp.",
            max_tokens: 24, arrival: At("0 s")),
        Generate(prompt: "Start with 7. Then add 5, which makes",
            max_tokens: 24, arrival: At("0 s")),
        Generate(prompt: "The town of Arden lies in", max_tokens: 24, arrival: At("0 s")),
        Generate(prompt: "The train from Marwick leaves at", max_tokens: 24, arrival: At("0 s")),
    ],"#;

fn parsed(text: &str) -> Resolved {
    match scenario::parse(text, Path::new("test.ron"), &[]) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    }
}

/// A run of the bundled LLaMA with one replica of these fields.
fn simulated(replica: &str, workload: &str) -> Simulated {
    let text = format!(
        "Scenario(model: Folder(\"models/tiny-llama\"), {NODES} replicas: [({replica})], {workload})"
    );
    match simulate(&parsed(&text), &mut ()) {
        Ok(simulated) => simulated,
        Err(error) => panic!("{error}"),
    }
}

/// What every request was told.
fn texts(simulated: &Simulated) -> Vec<Option<String>> {
    let requests = simulated.measured.requests.iter();
    requests.map(|request| request.text.clone()).collect()
}

/// How deep every token of every request went, whatever came first.
fn depths(simulated: &Simulated) -> Vec<(u32, u32, u32)> {
    let exits = simulated.measured.exits.iter();
    let mut depths: Vec<_> = exits
        .map(|exit: &ExitRecord| (exit.request, exit.step, exit.layers))
        .collect();
    depths.sort_unstable();
    depths
}
