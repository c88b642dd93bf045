//! What a run is put together from: nodes and links, the replicas with what lies where, and the
//! requests.

use super::Serving;
use super::cascade::Cascading;
use super::drafts::Speculation;
use super::error::ExecutionError;
use super::experts::ExpertGroup;
use super::media::{Medium, Radio};
use super::memory::Caches;
use super::network::Source;
use crate::medium::Cell;
use crate::model::{ModelShape, ShardPlan};
use crate::numerics::Tokenizer;
use crate::radio::{Air, Exchange, Payload};
use crate::rng::Streams;
use crate::serving::workload::Request;
use crate::serving::{
    Admission, Cache, Jobs, Order, Role, RoundRobin, Routing, Sampling, Scheduling,
};
use crate::topology::{Ends, Link, LinkId, Node, NodeId, Topology};
use std::collections::BTreeSet;
use std::ops::Range;

/// A model with what turns text into tokens.
#[derive(Debug)]
pub struct Loaded<M> {
    /// The model.
    pub model: M,
    /// Its words.
    pub words: Words,
}

/// What turns tokens into text, where there is text.
#[derive(Debug, Clone)]
pub struct Words {
    /// The model's tokenizer.
    pub tokenizer: Tokenizer,
    /// The tokens that end a generation.
    pub end_tokens: Vec<u32>,
}

/// Everything that a run is put together from, read and checked.
#[derive(Debug)]
pub struct System {
    /// Nodes and links.
    pub topology: Topology,
    /// What each link is, in the topology's order.
    pub links: Vec<Medium>,
    /// Every replica of the model.
    pub replicas: Vec<Replica>,
    /// Which of them a request goes to.
    pub routing: Box<dyn Routing>,
    /// What is to be served, in order.
    pub requests: Vec<Request>,
    /// What turns tokens into text, where tensors are computed.
    pub words: Option<Words>,
    /// What the run draws from.
    pub streams: Streams,
}

impl System {
    /// A system of `replicas` that draws from `streams`, with requests given to replicas in turn;
    /// `links` are in the topology's order. Nothing turns tokens into text.
    pub fn new(
        topology: Topology,
        links: Vec<Medium>,
        replicas: Vec<Replica>,
        requests: Vec<Request>,
        streams: Streams,
    ) -> Self {
        Self {
            topology,
            links,
            replicas,
            routing: Box::new(RoundRobin::default()),
            requests,
            words: None,
            streams,
        }
    }

    /// The system of one tensor group: `members` around a `hub`, whose number comes after theirs,
    /// with the model divided by `plan` and summed through `air`.
    pub fn of_group(
        members: Vec<Node>,
        hub: Node,
        (plan, air): (ShardPlan, Air),
        source: Source,
        requests: Vec<Request>,
        streams: Streams,
    ) -> Self {
        let ids: Vec<NodeId> = (0..members.len()).map(|node| NodeId(node as u16)).collect();
        let at = NodeId(members.len() as u16);
        let (config, channels) = air.terms();
        let cell = Cell::new(config.clone(), channels.clone());
        let radio = Medium::Radio(Box::new(Radio::new(cell, config.sharing)));
        let ends = Ends::Cell {
            hub: at,
            members: ids.clone(),
        };
        let link = Link {
            name: crate::rng::PLAIN_LINK.to_owned(),
            ends,
        };
        let nodes = members.into_iter().chain([hub]).collect();
        let shape = plan.shape().clone();
        let group = TensorGroup::new(at, ids, Some(LinkId(0)), plan, air);
        let stage = PipelineStage {
            layers: 0..shape.layers,
            kind: StageKind::Tensor(Box::new(group)),
        };
        let replica = Replica::new(shape, vec![stage], source);
        Self::new(
            Topology::new(nodes, vec![link]),
            vec![radio],
            vec![replica],
            requests,
            streams,
        )
    }

    /// The same system with `words`, which end generations and become text.
    #[must_use]
    pub fn with_words(mut self, words: Words) -> Self {
        self.words = Some(words);
        self
    }

    /// The names of its nodes, in order.
    pub fn node_names(&self) -> Vec<String> {
        let nodes = self.topology.nodes.iter();
        nodes.map(|node| node.name.clone()).collect()
    }
}

/// One copy of the model, where its parts lie, and how it serves.
#[derive(Debug)]
pub struct Replica {
    /// The model's shape.
    pub shape: ModelShape,
    /// Contiguous ranges of layers, in order, from the first layer to the last.
    pub stages: Vec<PipelineStage>,
    /// Where tensors come from.
    pub source: Source,
    /// Whom it serves, and together with whom.
    pub serves: Serves,
    /// Batches that are on their way at once, at least 1. Where a placement is a pipeline, one in
    /// every stage.
    pub in_flight: usize,
    /// Bits per entry of a state that crosses from one stage to the next.
    pub payload: Payload,
    /// How it turns logits into tokens.
    pub decodes: Decodes,
}

/// How a replica turns logits into tokens.
#[derive(Debug, Clone, Default)]
pub struct Decodes {
    /// How tokens are drawn; `None` where the most probable ones are taken.
    pub sampling: Option<Sampling>,
    /// Who drafts for it.
    pub speculation: Option<Speculation>,
    /// Who answers before it.
    pub cascade: Option<Cascading>,
    /// What it is there for.
    pub duty: Duty,
}

/// What a replica is there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duty {
    /// Requests come to it.
    #[default]
    Serves,
    /// It drafts for another one.
    Drafts,
    /// It answers before another one does.
    AnswersFirst,
}

/// Whom a replica serves, and together with whom.
#[derive(Debug, Clone, Default)]
pub struct Serves {
    /// Who is in the next batch.
    pub scheduling: Scheduling,
    /// Who comes first of those that wait.
    pub order: Order,
    /// The memory for keys and values; `None` if all fit that can run at once.
    pub cache: Option<Cache>,
    /// Most requests whose caches it holds, if fewer than it may run.
    pub held_at_once: Option<usize>,
    /// Where the caches of those go who are preempted, if not nowhere.
    pub swap_to: Option<NodeId>,
    /// Whom it takes in.
    pub admission: Admission,
    /// Which part of a request it does.
    pub role: Role,
}

/// A contiguous range of layers and who computes it.
#[derive(Debug)]
pub struct PipelineStage {
    /// The layers; none where a stage only embeds or samples.
    pub layers: Range<usize>,
    /// Who computes them.
    pub kind: StageKind,
}

/// Who computes the layers of a stage.
#[derive(Debug)]
pub enum StageKind {
    /// One node.
    Whole {
        /// The node.
        node: NodeId,
        /// The whole model, undivided.
        plan: Box<ShardPlan>,
    },
    /// A group, each its part of every sublayer.
    Tensor(Box<TensorGroup>),
    /// A hub, with experts on the nodes of a cell.
    Experts(Box<ExpertGroup>),
}

/// Nodes that share every sublayer of a stage.
#[derive(Debug)]
pub struct TensorGroup {
    /// Where the state is embedded or arrives, sums are made, and tokens are sampled.
    pub hub: NodeId,
    /// As many as the model is divided over, in order.
    pub members: Vec<NodeId>,
    /// The cell through which they sum; `None` if they sum exactly, for nothing.
    pub link: Option<LinkId>,
    /// Who holds what.
    pub plan: ShardPlan,
    /// The air between them.
    pub air: Air,
    /// P_n in joules per vector, where budgets are that.
    pub budgets: Option<Vec<f64>>,
}

impl TensorGroup {
    /// The group of `members` around `hub`, summing through `air` on `link`.
    pub fn new(
        hub: NodeId,
        members: Vec<NodeId>,
        link: Option<LinkId>,
        plan: ShardPlan,
        air: Air,
    ) -> Self {
        Self {
            hub,
            members,
            link,
            plan,
            budgets: air.energy_budgets(),
            air,
        }
    }

    /// The messages by which it sums, if it does not sum over the air.
    pub(super) fn exchange(&self) -> Option<Exchange> {
        self.air.exchange()
    }

    /// Whether summing takes tasks of its own.
    pub(super) fn sums_apart(&self) -> bool {
        self.exchange().is_some() || (self.link.is_some() && self.air.is_used())
    }

    /// The place of `node` among the members.
    ///
    /// # Panics
    /// If it is none.
    pub(super) fn place(&self, node: NodeId) -> usize {
        // Members are mostly a group of nodes that follow each other.
        let first = self.members.first().map_or(0, |first| first.index());
        let likely = node.index().checked_sub(first);
        let place = likely
            .filter(|place| self.members.get(*place) == Some(&node))
            .or_else(|| self.members.iter().position(|member| *member == node));
        place.expect("only members send into their all-reduce")
    }
}

impl PipelineStage {
    /// Where the state enters and leaves.
    pub(super) fn root(&self) -> NodeId {
        match &self.kind {
            StageKind::Whole { node, .. } => *node,
            StageKind::Tensor(group) => group.hub,
            StageKind::Experts(group) => group.hub,
        }
    }

    /// Who holds a part of its layers.
    pub(super) fn workers(&self) -> &[NodeId] {
        match &self.kind {
            StageKind::Whole { node, .. } => std::slice::from_ref(node),
            StageKind::Tensor(group) => &group.members,
            StageKind::Experts(group) => &group.members,
        }
    }
}

impl Replica {
    /// A model of `shape` whose layers lie in `stages`, which serves one request at a time, first
    /// come, first served; states cross from stage to stage at half precision.
    pub fn new(shape: ModelShape, stages: Vec<PipelineStage>, source: Source) -> Self {
        Self {
            shape,
            stages,
            source,
            serves: Serves::default(),
            in_flight: 1,
            payload: Payload::default(),
            decodes: Decodes::default(),
        }
    }

    /// Most requests whose caches are held at once.
    pub(super) fn at_once(&self) -> usize {
        let serves = &self.serves;
        let running = serves.scheduling.batch().saturating_mul(self.in_flight);
        let held = serves.held_at_once.unwrap_or(usize::MAX);
        running.min(serves.admission.most_in_service()).min(held)
    }

    /// The replica at work with `caches`, for requests of up to `capacity` tokens.
    pub(super) fn start(
        self,
        caches: Caches,
        capacity: usize,
        streams: Streams,
    ) -> Result<Serving, ExecutionError> {
        let mut workers: Vec<NodeId> = Vec::new();
        for node in self.stages.iter().flat_map(PipelineStage::workers) {
            if !workers.contains(node) {
                workers.push(*node);
            }
        }
        workers.sort_unstable();
        let whole = ShardPlan::whole(&self.shape).map_err(crate::numerics::StepError::from)?;
        let bytes_per_layer = whole.kv_cache_bytes(0, 1) / self.shape.layers.max(1) as u64;
        let most = self.serves.admission.most_in_service();
        let Serves {
            scheduling,
            order,
            admission,
            role,
            swap_to,
            ..
        } = self.serves;
        let exits = match &self.source {
            Source::Dense(dense) => dense.exits(),
            _ => Vec::new(),
        };
        Ok(Serving {
            exits,
            network: self.source.network(&self.shape, capacity, streams)?,
            stages: self.stages,
            scheduler: scheduling.scheduler(&order, self.in_flight, most),
            jobs: Jobs::new(order),
            pool: caches.pool,
            holders: caches.holders,
            bytes_per_layer,
            swap_to,
            admission,
            role,
            sampling: self.decodes.sampling,
            speculation: self.decodes.speculation,
            cascade: self.decodes.cascade,
            duty: self.decodes.duty,
            coming: 0,
            moves: Vec::new(),
            wakes: BTreeSet::new(),
            in_flight: 0,
            most_in_flight: self.in_flight,
            batch_slices: 0,
            batch_tokens: 0,
            load: None,
            payload: self.payload,
            layers: self.shape.layers,
            hidden: self.shape.hidden,
            vocabulary: self.shape.vocabulary,
            workers,
        })
    }
}
