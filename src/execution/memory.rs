//! What every node must hold, over all parts that lie on it and all requests in flight.

use super::error::ExecutionError;
use super::network::Source;
use super::system::{PipelineStage, Replica, StageKind, System};
use crate::device::Footprint;
use crate::serving::workload::Request;
use crate::serving::{Cache, CachePool, Preemption};
use crate::topology::NodeId;

/// What a node holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) footprint: Footprint,
    /// What one token adds to the caches of one request.
    pub(super) cache_per_token: u64,
    /// The share of a tensor group's model that was asked for.
    pub(super) share: Option<f64>,
    pub(super) heads: u64,
    pub(super) columns: u64,
    /// Whether it holds a part of a layer, and does not only embed, sum and sample.
    pub(super) works: bool,
    /// Whether its memory is checked: a hub holds what is left, and the papers check no hub.
    checked: bool,
}

impl Held {
    /// Enters what another replica holds.
    fn merge(&mut self, other: Self) {
        self.add(other.footprint, other.cache_per_token);
        self.share = other.share.or(self.share);
        self.heads = self.heads.max(other.heads);
        self.columns = self.columns.max(other.columns);
        self.works |= other.works;
        self.checked |= other.checked;
    }

    fn add(&mut self, part: Footprint, cache_per_token: u64) {
        self.footprint.weights += part.weights;
        self.footprint.kv_cache += part.kv_cache;
        self.footprint.activations = self.footprint.activations.max(part.activations);
        self.cache_per_token += cache_per_token;
    }
}

/// What the largest requests of a workload ask of a replica.
struct Demand {
    /// Tokens of the longest sequence.
    context: usize,
    /// Most tokens of a batch.
    batch: usize,
    /// Sequences that have caches at once; none where a pool of its own is set aside.
    caches: u64,
}

impl Demand {
    fn of(requests: &[Request], replica: &Replica) -> Self {
        let serves = &replica.serves;
        let context = crate::serving::passes::longest_context(requests);
        let passes = requests.iter().map(|request| request.task.longest_pass());
        let pass = match &serves.cache {
            // Whoever is preempted reads all that it has read in one pass.
            Some(Cache::Paged(paged)) if paged.preemption == Preemption::Recompute => context,
            _ => passes.max().unwrap_or(0) as usize,
        };
        Self {
            context,
            batch: serves.scheduling.most_tokens(pass),
            caches: match serves.cache {
                Some(_) => 0,
                None => replica.at_once() as u64,
            },
        }
    }
}

/// What every node holds, and what every replica has for caches.
#[derive(Debug)]
pub(super) struct Memory {
    /// By node.
    pub(super) held: Vec<Held>,
    /// By replica.
    pub(super) caches: Vec<Caches>,
}

/// A replica's memory for keys and values.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) pool: CachePool,
    /// Nodes that hold them, with the bytes that a token takes there.
    pub(super) holders: Vec<(NodeId, u64)>,
}

/// What every node of `system` holds, in order.
///
/// # Errors
/// If it is more than a node's memory: which, what it needs and what it has.
pub(super) fn hold(system: &System) -> Result<Memory, ExecutionError> {
    let nodes = &system.topology.nodes;
    let mut held = vec![Held::default(); nodes.len()];
    let mut holders = Vec::with_capacity(system.replicas.len());
    for replica in &system.replicas {
        let demand = Demand::of(&system.requests, replica);
        let mut own = vec![Held::default(); nodes.len()];
        for stage in &replica.stages {
            hold_stage(replica, stage, &demand, &mut own);
        }
        let per_token = own.iter().map(|own| own.cache_per_token);
        holders.push(
            numbered(per_token)
                .filter(|(_, bytes)| *bytes > 0)
                .collect(),
        );
        held.iter_mut()
            .zip(own)
            .for_each(|(all, own)| all.merge(own));
    }
    let rooms = rooms(system, &held, &holders);
    let mut caches = Vec::with_capacity(system.replicas.len());
    for ((replica, room), holders) in system.replicas.iter().zip(rooms).zip(holders) {
        let pool = match &replica.serves.cache {
            None => CachePool::unlimited(),
            Some(cache) => cache.pool(room),
        };
        let tokens = pool.usage().total_tokens.unwrap_or(0) as u64;
        for (node, per_token) in &holders {
            held[node.index()].footprint.kv_cache += tokens.saturating_mul(*per_token);
        }
        caches.push(Caches { pool, holders });
    }
    for (node, held) in nodes.iter().zip(&held) {
        if held.checked {
            let name = format!("{} ({})", node.name, node.label);
            node.profile.check_memory(&name, held.footprint)?;
        }
    }
    Ok(Memory { held, caches })
}

fn numbered<T>(of_nodes: impl Iterator<Item = T>) -> impl Iterator<Item = (NodeId, T)> {
    let places = of_nodes.enumerate();
    places.map(|(place, own)| (NodeId(place as u16), own))
}

/// Tokens that every replica has room for where nodes `held` so much already: a node's room is
/// divided evenly among the replicas with a pool on it, and the node with least room decides.
fn rooms(system: &System, held: &[Held], holders: &[Vec<(NodeId, u64)>]) -> Vec<usize> {
    let mut pools = vec![0_u64; held.len()];
    for (replica, holders) in system.replicas.iter().zip(holders) {
        let pooled = replica.serves.cache.is_some();
        let nodes = holders.iter().filter(|_| pooled);
        nodes.for_each(|(node, _)| pools[node.index()] += 1);
    }
    let room = |(node, per_token): &(NodeId, u64)| {
        let has = system.topology.nodes[node.index()].profile.memory.0 as u64;
        let free = has.saturating_sub(held[node.index()].footprint.total());
        free / pools[node.index()].max(1) / per_token
    };
    let least = |holders: &Vec<(NodeId, u64)>| holders.iter().map(room).min().unwrap_or(0);
    holders.iter().map(|own| least(own) as usize).collect()
}

/// Bytes of the exits that the root of `stage` asks, and of the LM head where it has none.
fn exit_bytes(replica: &Replica, stage: &PipelineStage) -> u64 {
    let Source::Dense(dense) = &replica.source else {
        return 0;
    };
    let layers = &stage.layers;
    let (shape, exits) = (&replica.shape, dense.exits());
    let own = exits
        .iter()
        .filter(|(after, _)| *after > layers.start && *after <= layers.end);
    let bytes: u64 = own.clone().map(|(_, rank)| shape.exit_bytes(*rank)).sum();
    let parts = match &stage.kind {
        StageKind::Whole { plan, .. } => plan.parts(),
        StageKind::Tensor(group) => group.plan.parts(),
        StageKind::Experts(_) => return 0,
    };
    let whole = matches!(stage.kind, StageKind::Whole { .. });
    let has_head = whole && parts.head || shape.tied_embeddings && parts.embedding;
    match own.count() {
        0 => 0,
        _ if has_head => bytes,
        _ => bytes + (shape.embedding_parameters() as f64 * shape.weight_bits / 8.0).ceil() as u64,
    }
}

fn hold_stage(replica: &Replica, stage: &PipelineStage, demand: &Demand, held: &mut [Held]) {
    let flights = demand.caches;
    held[stage.root().index()].footprint.weights += exit_bytes(replica, stage);
    match &stage.kind {
        StageKind::Whole { node, plan } => {
            let shape = &replica.shape;
            let parts = plan.parts();
            // A tied table is both.
            let embedding = match shape.tied_embeddings && parts.head {
                true => 0,
                false => plan.embedding_bytes(),
            };
            let own = &mut held[node.index()];
            own.add(
                Footprint {
                    weights: plan.weight_bytes(0) + embedding,
                    kv_cache: plan.kv_cache_bytes(0, demand.context) * flights,
                    activations: plan.activation_bytes(0, demand.batch),
                },
                plan.kv_cache_bytes(0, 1),
            );
            own.heads = shape.heads as u64;
            own.columns = shape.ffn as u64;
            own.works |= !stage.layers.is_empty();
            own.checked = true;
        }
        StageKind::Tensor(group) => {
            let plan = &group.plan;
            let realised = plan.realised();
            let shards = plan.shards().iter().zip(&realised);
            for ((place, member), (shard, realised)) in group.members.iter().enumerate().zip(shards)
            {
                let own = &mut held[member.index()];
                own.add(
                    Footprint {
                        weights: plan.weight_bytes(place),
                        kv_cache: plan.kv_cache_bytes(place, demand.context) * flights,
                        activations: plan.activation_bytes(place, demand.batch),
                    },
                    plan.kv_cache_bytes(place, 1),
                );
                own.share = Some(realised.asked);
                own.heads = shard.heads.len() as u64;
                own.columns = shard.columns.len() as u64;
                own.works = true;
                own.checked = true;
            }
            held[group.hub.index()].footprint.weights += plan.embedding_bytes();
        }
        StageKind::Experts(group) => group.hold(stage, demand.context, demand.batch, flights, held),
    }
}

/// Adds an expert stage's parts: `experts` by member, the rest at the hub.
pub(super) fn add(held: &mut [Held], node: NodeId, part: Footprint, per_token: u64, checked: bool) {
    let own = &mut held[node.index()];
    own.add(part, per_token);
    own.checked |= checked;
    own.works |= checked;
}
