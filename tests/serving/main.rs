//! Serving under load: laws that hold for every stream of requests, and closed forms.

mod cache;
mod delivery;
mod exactness;
mod laws;
mod pipelines;
mod queueing;
mod replicas;

use airloom::device::Profile;
use airloom::execution::{PipelineStage, Replica, Serves, Source, StageKind, System};
use airloom::model::{ModelShape, ShardPlan};
use airloom::rng::Streams;
use airloom::scenario::{self, Resolved};
use airloom::serving::workload::{Arrival, Request, Task};
use airloom::simulation::{RunOptions, Simulated, prepare, run, simulate, simulate_system};
use airloom::topology::{Node, NodeId, Topology};
use airloom::units::Instant;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// The scenario with these fields.
fn resolved(fields: &str) -> Resolved {
    let text = format!("Scenario({fields})");
    match scenario::parse(&text, Path::new("test.ron"), &[]) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    }
}

fn simulated(fields: &str) -> Simulated {
    match simulate(&resolved(fields), &mut ()) {
        Ok(simulated) => simulated,
        Err(error) => panic!("{error}"),
    }
}

/// The rows of the requests of a scenario with these fields whose run is written into a folder, log
/// and pictures too.
fn written(fields: &str) -> usize {
    let resolved = resolved(&format!("{fields} trace: Full,"));
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
    if let Err(error) = run(prepared, &options, &mut ()) {
        panic!("{error}");
    }
    let mut table = csv::Reader::from_path(folder.path().join("run/requests.csv")).unwrap();
    table.records().count()
}

/// A model of one small layer, of which a decode step takes as long for one token as for another.
fn small_shape() -> ModelShape {
    let mut shape = ModelShape::named("llama-3-8b").unwrap();
    (shape.layers, shape.heads, shape.kv_heads) = (1, 1, 1);
    shape
}

/// One edge server that serves `requests` as `serves` says.
fn on_one_node(shape: &ModelShape, requests: Vec<Request>, serves: Serves) -> Simulated {
    let profile = Profile::Preset("edge-server-l4".to_owned());
    let edge = Node {
        name: "edge".to_owned(),
        group: "edge".to_owned(),
        label: "edge-server-l4".to_owned(),
        profile: profile.resolve().unwrap(),
        basis: profile.basis(),
    };
    let plan = Box::new(ShardPlan::whole(shape).unwrap());
    let kind = StageKind::Whole {
        node: NodeId(0),
        plan,
    };
    let stage = PipelineStage {
        layers: 0..shape.layers,
        kind,
    };
    let replica = Replica {
        serves,
        ..Replica::new(shape.clone(), vec![stage], Source::Timed)
    };
    let system = System::new(
        Topology::new(vec![edge], Vec::new()),
        Vec::new(),
        vec![replica],
        requests,
        Streams { seed: 1, run: 0 },
    );
    simulate_system(system, &mut ()).unwrap()
}

/// A request of counted tokens that arrives at `ps` picoseconds.
fn counted(ps: u64, prompt: u32, generate: u32) -> Request {
    Request::new(Arrival::At(Instant(ps)), Task::Tokens { prompt, generate })
}

fn seconds(duration: airloom::units::Duration) -> f64 {
    duration.as_seconds()
}

/// Law 5: the joules of requests are those that nodes took to compute and to send.
fn joules_add_up(run: &Simulated) {
    let requests = run.measured.requests.iter();
    let of_requests: f64 = requests.map(|request| request.energy_j.unwrap()).sum();
    let nodes = run.measured.totals.per_node.iter();
    let of_nodes: f64 = nodes
        .map(|node| node.compute_j.unwrap() + node.radio_j.unwrap())
        .sum();
    let ratio = of_requests / of_nodes;
    assert!((ratio - 1.0).abs() < 1e-9, "{of_requests} {of_nodes}");
}
