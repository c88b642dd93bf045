//! A replica: its stages with the layers of each, and the tensors of the model divided over them.

use super::experts::Spread;
use super::links::Links;
use super::model_name;
use super::partition;
use super::served::Served;
use super::team::TeamParts;
use crate::execution::{Decodes, Dense, Exits, PipelineStage, Replica, Serves, Source, StageKind};
use crate::interrupt::Interrupt;
use crate::measurement::AssignmentRecord;
use crate::model::{ModelShape, Parts, ShardPlan};
use crate::numerics::{ExitHeads, Llama, StepError};
use crate::placement::{Placed, Placement};
use crate::policy::early_exit;
use crate::radio::Payload;
use crate::results::folder::FileDigest;
use crate::scenario::{Model, Resolved};
use crate::serving::passes::longest_context;
use crate::serving::workload::Request;
use crate::serving::{Cache, Decoding, Preemption};
use crate::simulation::error::RunError;
use crate::units::FieldFault;
use std::sync::Arc;

/// What replicas are made of.
pub(super) struct Maker<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) served: &'a Served,
    pub(super) links: &'a Links,
    pub(super) requests: &'a [Request],
    pub(super) interrupt: Interrupt<'a>,
}

/// A replica, to which a dense model is still to be given.
pub(super) struct MadeReplica {
    pub(super) replica: Replica,
    /// The exits of its model.
    pub(super) exits: Option<Exits>,
    /// How the model came to be divided, where that is worth telling.
    pub(super) assignment: Option<AssignmentRecord>,
}

impl Maker<'_> {
    /// The replica number `number`, which lies as `placed` says; what was read for it goes to
    /// `inputs`.
    pub(super) fn replica(
        &self,
        number: usize,
        placed: &Placed,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<MadeReplica, RunError> {
        let shape = self.served.shape();
        placed.check_layers(shape.layers)?;
        let places = placed.stages();
        let layers = partition::layers(self.resolved, placed, self.served, self.requests)?;
        let mut stages = Vec::with_capacity(places.len());
        let mut assignment = None;
        let mut source = Source::Timed;
        for (place, (part, layers)) in places.iter().zip(layers).enumerate() {
            let covered = Parts {
                embedding: place == 0,
                layers: layers.clone(),
                head: place + 1 == places.len(),
            };
            let (kind, record) = self.stage(part, covered, &mut source, inputs)?;
            assignment = assignment.or(record);
            stages.push(PipelineStage { layers, kind });
        }
        let source = match self.served {
            // Once it is known how all replicas divide it.
            Served::Dense(_) => Source::Timed,
            Served::Sparse(model, _) if matches!(source, Source::Timed) => {
                Source::Sparse(Arc::clone(model), Payload::default())
            }
            _ => source,
        };
        let in_flight = self.resolved.in_flight(number);
        let replica = Replica {
            shape: shape.clone(),
            stages,
            source,
            serves: self.serves(number)?,
            in_flight,
            payload: match placed {
                Placed::Pipeline { fields, .. } => fields.bits,
                _ => Payload::default(),
            },
            decodes: Decodes::default(),
        };
        Ok(MadeReplica {
            replica,
            exits: self.exits(number, inputs)?,
            assignment,
        })
    }

    /// The exits of the replica number `number`, if tokens may leave it early.
    fn exits(
        &self,
        number: usize,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Option<Exits>, RunError> {
        let scenario = &self.resolved.scenario;
        let Decoding::EarlyExit(fields) = &scenario.replicas[number].decoding else {
            return Ok(None);
        };
        let at = |fault: FieldFault| fault.under(&format!("replicas[{number}].decoding"));
        let layers = self.served.shape().layers;
        let heads = match (&scenario.model, self.served) {
            (Model::Folder(written), Served::Dense(loaded)) => {
                ExitHeads::load(&self.resolved.model_path(written), &loaded.model)?
            }
            _ => None,
        };
        let Some(heads) = heads else {
            fields.check_exits(layers, &[]).map_err(at)?;
            return Ok(None);
        };
        fields.check_exits(layers, &heads.after()).map_err(at)?;
        let digest = heads.digest().map(super::digest);
        if let Some(digest) = digest.filter(|digest| !inputs.contains(digest)) {
            inputs.push(digest);
        }
        let heads = match &fields.after {
            Some(named) => heads.keep(|after| named.contains(&after)),
            None => heads,
        };
        let rule = early_exit::Rule {
            threshold: fields.threshold,
        };
        Ok(Some(Exits::new(heads, rule)))
    }

    /// Whom the replica number `number` serves.
    fn serves(&self, number: usize) -> Result<Serves, FieldFault> {
        let replica = &self.resolved.scenario.replicas[number];
        let to = match &replica.cache {
            Some(Cache::Paged(paged)) => match &paged.preemption {
                Preemption::Swap(swap) => Some(&swap.to),
                Preemption::Recompute => None,
            },
            _ => None,
        };
        let swap_to = to.map(|name| {
            let node = self.resolved.topology.node(name);
            node.ok_or_else(|| {
                let path = format!("replicas[{number}].cache.preemption.to");
                FieldFault::new(path, format!("there is no node `{name}`"))
            })
        });
        Ok(Serves {
            held_at_once: None,
            scheduling: replica.scheduler.clone(),
            order: replica.order,
            cache: replica.cache.clone(),
            swap_to: swap_to.transpose()?,
            admission: replica.admission,
            role: replica.role,
        })
    }

    fn stage(
        &self,
        placed: &Placed,
        covered: Parts,
        source: &mut Source,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<(StageKind, Option<AssignmentRecord>), RunError> {
        let (resolved, shape) = (self.resolved, self.served.shape());
        match placed {
            Placed::Single { at, .. } => {
                let plan = ShardPlan::whole(shape).map_err(StepError::from)?;
                let plan = plan.covering(covered).map_err(StepError::from)?;
                let plan = Box::new(plan);
                Ok((StageKind::Whole { node: *at, plan }, None))
            }
            Placed::Tensor {
                path,
                members,
                at,
                link,
                fields,
            } => {
                let team = TeamParts {
                    path,
                    members,
                    at: *at,
                    link: *link,
                    fields,
                };
                let context = longest_context(self.requests);
                let model = (shape, covered);
                let (group, record) =
                    team.group(resolved, self.links, model, context, self.interrupt)?;
                Ok((StageKind::Tensor(Box::new(group)), record))
            }
            Placed::Experts {
                path,
                members,
                at,
                link,
                fields,
            } => {
                let spread = Spread {
                    path,
                    members,
                    at: *at,
                    link: *link,
                    fields,
                };
                let group = spread.group(resolved, self.links, shape)?;
                *source = spread.source(resolved, self.served, inputs)?;
                Ok((StageKind::Experts(Box::new(group)), None))
            }
            Placed::Pipeline { .. } => unreachable!("stages of a pipeline are none themselves"),
        }
    }
}

/// Divides `model` over the stages of `replicas`, whose exits are `exits`.
pub(super) fn divide(
    model: Llama,
    replicas: &mut [Replica],
    exits: Vec<Option<Exits>>,
) -> Result<(), StepError> {
    let plans = replicas.iter().flat_map(|replica| &replica.stages);
    let plans: Vec<&ShardPlan> = plans
        .map(|stage| match &stage.kind {
            StageKind::Whole { plan, .. } => plan.as_ref(),
            StageKind::Tensor(group) => &group.plan,
            StageKind::Experts(_) => unreachable!("a LLaMA has no experts"),
        })
        .collect();
    let mut divided = model.divide(&plans)?.into_iter();
    for (replica, exits) in replicas.iter_mut().zip(exits) {
        let own = divided.by_ref().take(replica.stages.len());
        let dense = Dense::new(own.collect());
        replica.source = Source::Dense(Box::new(match exits {
            Some(exits) => dense.with_exits(exits),
            None => dense,
        }));
    }
    Ok(())
}

/// What a reader should know at first sight of a run of `resolved`.
pub(super) fn headline(resolved: &Resolved, served: &Served) -> String {
    let model = model_name(resolved, served.shape());
    let timed = match served.is_computed() {
        true => "",
        false => "timed and not computed, ",
    };
    let placements = resolved.scenario.replicas.iter();
    let mut placements: Vec<String> = placements
        .zip(&resolved.replicas)
        .map(|(replica, placed)| describe(resolved, &replica.placement, placed, served, timed))
        .collect();
    placements.dedup();
    let count = resolved.replicas.len();
    match placements.as_slice() {
        [only] if count == 1 => format!("{model} {only}"),
        [only] => format!("{count} replicas of {model}, each {only}"),
        several => format!("{count} replicas of {model}: {}", several.join("; ")),
    }
}

fn describe(
    resolved: &Resolved,
    placement: &Placement,
    placed: &Placed,
    served: &Served,
    timed: &str,
) -> String {
    match (placement, placed) {
        (Placement::TensorParallel(fields), Placed::Tensor { members, .. }) => format!(
            "on {} devices, {timed}{} all-reduce",
            members.len(),
            fields.all_reduce.name()
        ),
        (Placement::Experts(fields), Placed::Experts { members, .. }) => format!(
            "on {} device{}, {}, {} selection, {} bandwidth",
            members.len(),
            if members.len() == 1 { "" } else { "s" },
            match served.is_computed() {
                true => "computed",
                false => "timed and not computed",
            },
            fields.selection.name(),
            fields.bandwidth.name(),
        ),
        (_, Placed::Single { at, .. }) => {
            let timed = timed.trim_end_matches(", ");
            let comma = if timed.is_empty() { "" } else { ", " };
            format!("on {}{comma}{timed}", resolved.topology.at(*at).name)
        }
        _ => {
            let stages = placed.stages();
            let names: Vec<&str> = stages
                .iter()
                .map(|stage| resolved.topology.at(stage.at()).name.as_str())
                .collect();
            format!(
                "in a pipeline of {} stages, {timed}at {}",
                stages.len(),
                names.join(", ")
            )
        }
    }
}

/// The parameters of a layer of `shape`.
pub(super) fn layer_parameters(shape: &ModelShape) -> u64 {
    shape.attention_parameters() + shape.mlp_parameters()
}
