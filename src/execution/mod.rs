//! The one program that the engine runs: batches move through the stages of their replica's
//! placement, many of them in flight.
//!
//! ```text
//!  arrival ─▶ queue ─▶ replica ─▶ batch ─▶ stage ─▶ cut ─▶ stage ─▶ … ─▶ LM head ─▶ sample
//!                                          │
//!            whole:   layer ─▶ layer ─▶ …  on one node
//!            tensor:  part on every member ─▶ gather ─▶ all-reduce ─▶ …
//!            experts: attention, gate at the hub ─▶ tokens out ─▶ experts ─▶ tokens back ─▶ …
//! ```
//!
//! Every layer has two sublayers, attention and feed-forward network. In a **tensor** stage each
//! member computes its part of a sublayer ((1)–(4) in Zhang et al., "Distributed On-Device LLM
//! Inference With Over-the-Air Computation"); when the last one is done the all-reduce begins,
//! because all must first agree on a common scale (digital schemes too: it is their quantiser's
//! range); the sum returns to all members, which add it to their residual stream. Norms are
//! replicated; the LM head is sharded by vocabulary rows, and its logits reach the hub without
//! radio time, as in the paper's tables. In an **experts** stage a policy chooses which experts
//! each token visits and another divides the band (Xue et al., "WDMoE"); the next layer waits for
//! the slowest device, (11). A **whole** stage is a contiguous range of layers on one node.
//!
//! What this room emits decides; it records nothing. What was is read off the engine's records
//! ([`Program::measured`](crate::engine::Program::measured)), and the time and energy of a transmission are asked when it starts:
//! then its tensors are as they are, and the channel is as it is.

mod advance;
mod all_reduce;
mod answers;
mod arrivals;
mod batch;
mod batches;
mod blocks;
mod caches;
mod cascade;
mod choice;
mod cut;
mod drafting;
mod drafts;
mod error;
mod exchange;
mod exits;
mod experts;
mod letters;
mod levels;
mod load;
mod media;
mod memory;
mod messages;
mod meter;
mod network;
mod node_resources;
mod outcome;
mod program;
mod readings;
mod records;
mod rounds;
mod sequence;
mod served;
mod stage;
mod system;
mod tensor;
mod turns;
mod verdict;
mod warmth;
mod whole;

pub use cascade::Cascading;
pub use drafts::Speculation;
pub use error::ExecutionError;
pub use experts::{ExpertGroup, ExpertParts, GateTrace, TraceError};
pub use network::{Dense, Exits, Source};
pub use stage::STAGE_NAMES;
pub use system::{
    Decodes, Duty, Loaded, PipelineStage, Replica, Serves, StageKind, System, TensorGroup, Words,
};

use crate::engine::{Resources, TaskId};
use crate::measurement::{LoadRecord, Totals};
use crate::observer::Observer;
use crate::rng::Streams;
use crate::serving::{
    Admission, CachePool, Identity, Jobs, Queue, Role, Routing, Sampling, Scheduler,
};
use crate::topology::{LinkId, NodeId, Topology};
use crate::units::Instant;
use batch::Batch;
use drafting::Drafting;
use letters::{Address, Letter};
pub use media::{Medium, Radio, WireLink};
use meter::Meter;
use network::Network;
use node_resources::NodeResources;
use sequence::Sequence;
use served::InService;
use stage::Sublayer;
use std::collections::{BTreeMap, BTreeSet};
use turns::Turns;
use warmth::Warmth;

/// A replica at work.
#[derive(Debug)]
struct Serving {
    stages: Vec<PipelineStage>,
    network: Box<dyn Network>,
    scheduler: Box<dyn Scheduler>,
    jobs: Jobs,
    pool: CachePool,
    admission: Admission,
    role: Role,
    /// How tokens are drawn; `None` where the most probable ones are taken.
    sampling: Option<Sampling>,
    speculation: Option<Speculation>,
    cascade: Option<Cascading>,
    duty: Duty,
    /// Requests whose prompts or caches are on their way to it.
    coming: usize,
    /// Caches on their way that the next batch waits for.
    moves: Vec<TaskId>,
    /// When its scheduler asked to be asked again.
    wakes: BTreeSet<Instant>,
    /// Nodes that hold caches, with the bytes that a token takes there.
    holders: Vec<(NodeId, u64)>,
    /// What a token takes in one layer.
    bytes_per_layer: u64,
    /// Where the caches of those who are preempted go.
    swap_to: Option<NodeId>,
    payload: crate::radio::Payload,
    layers: usize,
    hidden: usize,
    vocabulary: usize,
    /// After how many layers tokens may leave, in order, with the ranks of the exits.
    exits: Vec<(usize, usize)>,
    /// Over whom times are averaged: whoever holds a part of a layer.
    workers: Vec<NodeId>,
    /// Batches in flight, the most of them, and what they hold.
    in_flight: usize,
    most_in_flight: usize,
    batch_slices: usize,
    batch_tokens: usize,
    /// What was told last of its load.
    load: Option<LoadRecord>,
}

impl Serving {
    /// The node that computes `layer`, which is in one place.
    fn node_of_layer(&self, layer: usize) -> NodeId {
        let mut stages = self.stages.iter();
        let stage = stages.find(|stage| stage.layers.contains(&layer));
        stage.expect("every layer is in a stage").root()
    }
}

/// A run of a system.
pub struct Execution<'a> {
    topology: Topology,
    media: Vec<Medium>,
    resources: NodeResources,
    turns: Vec<Turns>,
    /// By switch and receiver, whose turn it is on the way out of its port.
    ports: BTreeMap<(LinkId, NodeId), Turns>,
    replicas: Vec<Serving>,
    held: Vec<memory::Held>,
    routing: Box<dyn Routing>,
    queue: Queue,
    /// The arrivals that are waited for: whoever follows another may come before one of them.
    awaited: BTreeSet<crate::serving::Waiting>,
    requests: Vec<crate::serving::workload::Request>,
    identities: Vec<Identity>,
    words: Option<Words>,
    sequences: BTreeMap<u32, Sequence>,
    /// Requests that are drafted for.
    drafts: BTreeMap<u32, Drafting>,
    streams: Streams,
    letters: BTreeMap<Address, Letter>,
    /// Prompts on their way.
    in_transit: usize,
    /// Times at which schedulers asked to be asked again.
    windows: u32,
    /// Whether a replica has more room than when its scheduler was asked.
    gave_room: bool,
    batches: BTreeMap<u32, Batch>,
    next_batch: u32,
    meter: Meter,
    warmth: Warmth,
    in_service: InService,
    /// By node, the last task of the whole stage that was emitted last there.
    visits: Vec<Option<TaskId>>,
    /// Nodes of which some compute has unknown energy, and those of which some radio has.
    unknown_compute: Vec<bool>,
    unknown_radio: Vec<bool>,
    /// The names of the nodes.
    names: Vec<String>,
    logits: blake3::Hasher,
    observer: &'a mut dyn Observer,
}

impl<'a> Execution<'a> {
    /// Puts a run together and declares its resources.
    ///
    /// # Errors
    /// If a node's memory cannot hold its parts of the models together with the caches and
    /// activations of the largest requests that are in flight at once.
    pub fn new(
        system: System,
        observer: &'a mut dyn Observer,
        resources: &mut Resources,
    ) -> Result<Self, ExecutionError> {
        let (memory, names) = (memory::hold(&system)?, system.node_names());
        let memory::Memory { held, caches } = memory;
        let System {
            topology,
            links,
            replicas,
            routing,
            requests,
            words,
            streams,
        } = system;
        let nodes = topology.nodes.len();
        let capacity = crate::serving::passes::longest_context(&requests);
        let replicas = replicas
            .into_iter()
            .zip(caches)
            .map(|(replica, caches)| replica.start(caches, capacity, streams))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            resources: NodeResources::declare(&topology, &links, resources)?,
            turns: topology.links.iter().map(|_| Turns::default()).collect(),
            ports: BTreeMap::new(),
            media: links,
            replicas,
            held,
            routing,
            queue: Queue::new(&requests),
            awaited: BTreeSet::new(),
            identities: Identity::of_all(&requests),
            requests,
            words,
            sequences: BTreeMap::new(),
            drafts: BTreeMap::new(),
            streams,
            letters: BTreeMap::new(),
            in_transit: 0,
            windows: 0,
            gave_room: false,
            batches: BTreeMap::new(),
            next_batch: 0,
            meter: Meter::new(nodes),
            warmth: Warmth::new(&topology),
            in_service: InService::default(),
            visits: vec![None; nodes],
            unknown_compute: vec![false; nodes],
            unknown_radio: vec![false; nodes],
            names,
            logits: blake3::Hasher::new(),
            observer,
            topology,
        })
    }

    /// What is known of a run that ended at `makespan`, and the BLAKE3 of all logits in the order
    /// in which they were computed. Everything else went to the observer.
    pub fn finish(self, makespan: Instant) -> (Totals, String) {
        let totals = Totals {
            per_node: self.node_records(makespan),
            pairs: self.pair_records(),
            nodes: self.names,
            assignment: None,
        };
        (totals, self.logits.finalize().to_hex().to_string())
    }

    fn sequence(&mut self, request: u32) -> &mut Sequence {
        let known = self.sequences.get_mut(&request);
        known.expect("a request that has arrived is not written down yet")
    }

    fn batch(&self, batch: u32) -> &Batch {
        let known = self.batches.get(&batch);
        known.expect("a task belongs to a batch in flight")
    }

    fn batch_mut(&mut self, batch: u32) -> &mut Batch {
        let known = self.batches.get_mut(&batch);
        known.expect("a task belongs to a batch in flight")
    }

    /// The replica of `batch`.
    fn replica(&self, batch: u32) -> &Serving {
        &self.replicas[self.batch(batch).replica]
    }

    /// The stage that `batch` is in.
    fn stage(&self, batch: u32) -> &PipelineStage {
        &self.replica(batch).stages[self.batch(batch).stage]
    }

    /// The group that computes the stage of `batch`.
    fn tensor(&self, batch: u32) -> &TensorGroup {
        match &self.stage(batch).kind {
            StageKind::Tensor(group) => group,
            _ => unreachable!("sublayers are summed in tensor stages alone"),
        }
    }

    /// A batch, the group that computes its stage, and the tensors.
    fn parts(&mut self, batch: u32) -> (&mut Batch, &mut TensorGroup, &mut dyn Network) {
        let (state, group, network, _) = self.parts_observed(batch);
        (state, group, network)
    }

    fn parts_observed(
        &mut self,
        batch: u32,
    ) -> (
        &mut Batch,
        &mut TensorGroup,
        &mut dyn Network,
        &mut dyn Observer,
    ) {
        let state = self.batches.get_mut(&batch);
        let state = state.expect("a task belongs to a batch in flight");
        let replica = &mut self.replicas[state.replica];
        match &mut replica.stages[state.stage].kind {
            StageKind::Tensor(group) => (state, group, replica.network.as_mut(), self.observer),
            _ => unreachable!("sublayers are summed in tensor stages alone"),
        }
    }

    /// Real entries of the state that `batch` carries.
    fn entries(&self, batch: u32) -> usize {
        self.batch(batch).active_tokens() * self.replica(batch).hidden
    }

    /// What numbers the draws of a sublayer of `batch`: its request, and its place in that.
    fn draw(&self, batch: u32, (layer, sublayer): (usize, Sublayer)) -> u64 {
        let state = self.batch(batch);
        let layers = self.replica(batch).layers as u64;
        let place = layer as u64 * 2 + sublayer.place();
        state.lead().draw(2 * layers, place)
    }

    /// Notes whether the energy of a computation on `node` is known; its joules, or none.
    fn joules(&mut self, node: NodeId, joules: Option<f64>) -> f64 {
        self.unknown_compute[node.index()] |= joules.is_none();
        joules.unwrap_or(0.0)
    }
}
