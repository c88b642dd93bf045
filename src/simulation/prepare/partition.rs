//! Which layers each stage of a pipeline holds.

use super::replica::layer_parameters;
use super::served::Served;
use crate::device::Group;
use crate::execution::ExecutionError;
use crate::medium::{Link, Wire};
use crate::model::{ModelShape, ShardPlan};
use crate::numerics::StepError;
use crate::placement::Placed;
use crate::policy::partition::PartitionProblem;
use crate::scenario::Resolved;
use crate::serving::passes::longest_context;
use crate::serving::workload::Request;
use crate::simulation::error::RunError;
use crate::topology::NodeId;
use crate::units::FieldFault;
use std::ops::Range;

/// The layers of every stage of `placed`: of a pipeline as its partition says, for the decoding
/// of one token after the longest sequence of `requests`, with what each node's memory holds
/// beside embedding and LM head.
pub(super) fn layers(
    resolved: &Resolved,
    placed: &Placed,
    served: &Served,
    requests: &[Request],
) -> Result<Vec<Range<usize>>, RunError> {
    let shape = served.shape();
    let Placed::Pipeline {
        path,
        stages,
        fields,
    } = placed
    else {
        return Ok(std::iter::once(0..shape.layers).collect());
    };
    let planner = Planner {
        resolved,
        shape,
        context: longest_context(requests),
    };
    let seconds: Vec<Vec<f64>> = stages
        .iter()
        .map(|stage| Ok(vec![planner.seconds(stage)?; shape.layers]))
        .collect::<Result<_, RunError>>()?;
    let plan = ShardPlan::whole(shape).map_err(StepError::from)?;
    let cache = plan.kv_cache_bytes(0, planner.context) / shape.layers as u64;
    let bits = shape.weight_bits / 8.0;
    let weights = (layer_parameters(shape) as f64 * bits).ceil() as u64;
    let ends = shape.embedding_bytes();
    let capacity: Vec<u64> = stages
        .iter()
        .enumerate()
        .map(|(place, stage)| {
            let held = u64::from(place == 0) + u64::from(place + 1 == stages.len());
            planner.capacity(stage).saturating_sub(held * ends)
        })
        .collect();
    let cuts: Vec<f64> = stages
        .windows(2)
        .map(|pair| planner.crossing(pair[0].at(), pair[1].at(), fields.bits.bits(shape.hidden)))
        .collect();
    let problem = PartitionProblem {
        seconds: &seconds,
        bytes: &vec![weights + cache; shape.layers],
        capacity: &capacity,
        cuts: &cuts,
        may_be_empty: false,
    };
    let divided = fields.partition.planner().divide(&problem);
    divided.map_err(|error| FieldFault::new(format!("{path}.partition"), error.to_string()).into())
}

struct Planner<'a> {
    resolved: &'a Resolved,
    shape: &'a ModelShape,
    context: usize,
}

impl Planner<'_> {
    /// Who computes a layer of `stage`, each an equal part.
    fn workers<'s>(&self, stage: &'s Placed) -> &'s [NodeId] {
        match stage {
            Placed::Tensor { members, .. } => members,
            Placed::Single { at, .. } | Placed::Experts { at, .. } => std::slice::from_ref(at),
            Placed::Pipeline { .. } => &[],
        }
    }

    /// What one token takes in a layer of `stage`, whose slowest worker decides.
    fn seconds(&self, stage: &Placed) -> Result<f64, RunError> {
        let workers = self.workers(stage);
        let shares = crate::model::Shares::equal(workers.len().max(1))
            .map_err(|error| FieldFault::new("nodes", error.to_string()))?;
        let plan = ShardPlan::new(self.shape, &shares).map_err(StepError::from)?;
        let mut slowest = 0.0_f64;
        for (place, node) in workers.iter().enumerate() {
            let mut own = 0.0;
            for (work, weights) in [
                (
                    plan.attention(place, 1, self.context.saturating_sub(1)),
                    self.shape.attention_parameters(),
                ),
                (plan.mlp(place, 1), self.shape.mlp_parameters()),
            ] {
                let together = Group {
                    devices: workers.len(),
                    weights,
                };
                let profile = self.resolved.profile(*node);
                let computation = profile.compute(&work, together);
                let computation = computation.map_err(ExecutionError::from)?;
                own += computation.duration.as_seconds();
            }
            slowest = slowest.max(own);
        }
        Ok(slowest)
    }

    /// Bytes that a stage has for its layers.
    fn capacity(&self, stage: &Placed) -> u64 {
        let workers = self.workers(stage).iter();
        let bytes = workers.map(|node| self.resolved.profile(*node).memory.0 as u64);
        bytes.fold(0, u64::saturating_add)
    }

    /// What a state of `bits` takes from one stage's root to the next one's. A radio is reckoned
    /// at one bit per second and hertz, for its channels are drawn later.
    fn crossing(&self, from: NodeId, to: NodeId, bits: u64) -> f64 {
        let hops = self.resolved.topology.route(from, to).unwrap_or_default();
        let over = |wire: &Wire| {
            let ends = wire.per_message.0 + wire.messages.unwrap_or_default().total();
            ends + bits as f64 / wire.rate.0 + wire.delay.0
        };
        let seconds = hops.iter().map(|hop| match self.resolved.link(hop.link) {
            Link::Wire(wire) => over(wire),
            Link::Switch(switch) => over(&switch.port()),
            Link::Radio(radio) => bits as f64 / radio.bandwidth.0 + radio.messages.total(),
        });
        seconds.sum()
    }
}
