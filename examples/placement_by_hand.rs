//! Where should a model be cut? A system put together by hand, once for each place of the cut.
//!
//! ```text
//!   phone: embedding, layers 0… ──state, 16 bits──▶ edge: layers …31, LM head
//!                               ◀──token, 32 bits──
//! ```
//!
//! `cargo run --release --example placement_by_hand`

use airloom::device::Profile;
use airloom::execution::{Medium, PipelineStage, Replica, Source, StageKind, System, WireLink};
use airloom::medium::{WireTerms, wire::Wire};
use airloom::model::{ModelShape, Parts, ShardPlan};
use airloom::rng::Streams;
use airloom::serving::workload::{Arrival, Request, Task};
use airloom::simulation::simulate_system;
use airloom::topology::{Ends, Link, Node, NodeId, Topology};
use std::error::Error;

const TERMS: WireTerms = WireTerms {
    rate: 50e6,
    delay: 2e-3,
    jitter: 0.0,
    per_message: 1e-4,
    energy_per_bit: 1e-9,
};

fn node(name: &str, preset: &str) -> Result<Node, Box<dyn Error>> {
    let profile = Profile::Preset(preset.to_owned());
    Ok(Node {
        name: name.to_owned(),
        group: name.to_owned(),
        label: preset.to_owned(),
        profile: profile.resolve()?,
        basis: profile.basis(),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let streams = Streams { seed: 1, run: 0 };
    let phone = node("phone", "phone-a17-pro")?;
    let edge = node("edge", "edge-server-l4")?;
    let (from, to) = (NodeId(0), NodeId(1));
    let (name, ends) = ("wire".to_owned(), Ends::Wire { from, to });
    let topology = Topology::new(vec![phone, edge], vec![Link { name, ends }]);
    let mut shape = ModelShape::named("llama-3-8b").ok_or("no such shape")?;
    shape.weight_bits = 4.5;
    for cut in [1, 8, 16, 24, 31] {
        let (mut first, mut last) = (Parts::layers(0..cut), Parts::layers(cut..shape.layers));
        (first.embedding, last.head) = (true, true);
        let mut stages = Vec::new();
        for (node, parts) in [(from, first), (to, last)] {
            let layers = parts.layers.clone();
            let plan = ShardPlan::whole(&shape)?.covering(parts)?;
            let plan = Box::new(plan);
            let kind = StageKind::Whole { node, plan };
            stages.push(PipelineStage { layers, kind });
        }
        // Nothing is computed but time.
        let replicas = vec![Replica::new(shape.clone(), stages, Source::Timed)];
        let (prompt, generate) = (64, 8);
        let task = Task::Tokens { prompt, generate };
        let arrival = Arrival::after_previous(0);
        let wire = Wire::new(TERMS, streams.of_link("wire"))?;
        let media = vec![Medium::Wire(Box::new(WireLink::new(wire, false)))];
        let requests = vec![Request::new(arrival, task)];
        let system = System::new(topology.clone(), media, replicas, requests, streams);
        let metrics = simulate_system(system, &mut ())?.metrics;
        let ms = |name| metrics.get(name).unwrap_or(f64::NAN) * 1e3;
        let (ttft, tpot) = (ms("ttft_s"), ms("tpot_s"));
        println!("{cut:2} layers on the phone: first token {ttft:7.1} ms, then {tpot:6.1} ms each");
    }
    Ok(())
}
