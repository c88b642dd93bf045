//! What every node must hold, over all parts that lie on it and all requests in flight.

use super::error::ExecutionError;
use super::system::{PipelineStage, Replica, StageKind, System};
use crate::device::Footprint;
use crate::serving::workload::Request;
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
    fn add(&mut self, part: Footprint, cache_per_token: u64) {
        self.footprint.weights += part.weights;
        self.footprint.kv_cache += part.kv_cache;
        self.footprint.activations = self.footprint.activations.max(part.activations);
        self.cache_per_token += cache_per_token;
    }
}

/// The largest requests of a workload.
struct Demand {
    context: usize,
    pass: usize,
}

impl Demand {
    fn of(requests: &[Request]) -> Self {
        let pass = requests.iter().map(|request| request.task.longest_pass());
        Self {
            context: crate::serving::passes::longest_context(requests),
            pass: pass.max().unwrap_or(0) as usize,
        }
    }
}

/// What every node of `system` holds, in order.
///
/// # Errors
/// If it is more than a node's memory: which, what it needs and what it has.
pub(super) fn hold(system: &System) -> Result<Vec<Held>, ExecutionError> {
    let demand = Demand::of(&system.requests);
    let mut held = vec![Held::default(); system.topology.nodes.len()];
    for replica in &system.replicas {
        for stage in &replica.stages {
            hold_stage(replica, stage, &demand, &mut held);
        }
    }
    for (node, held) in system.topology.nodes.iter().zip(&held) {
        if held.checked {
            let name = format!("{} ({})", node.name, node.label);
            node.profile.check_memory(&name, held.footprint)?;
        }
    }
    Ok(held)
}

fn hold_stage(replica: &Replica, stage: &PipelineStage, demand: &Demand, held: &mut [Held]) {
    let flights = replica.in_flight as u64;
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
                    activations: plan.activation_bytes(0, demand.pass),
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
                        activations: plan.activation_bytes(place, demand.pass),
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
        StageKind::Experts(group) => group.hold(stage, demand.context, demand.pass, flights, held),
    }
}

/// Adds an expert stage's parts: `experts` by member, the rest at the hub.
pub(super) fn add(held: &mut [Held], node: NodeId, part: Footprint, per_token: u64, checked: bool) {
    let own = &mut held[node.index()];
    own.add(part, per_token);
    own.checked |= checked;
    own.works |= checked;
}
