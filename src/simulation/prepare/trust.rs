//! What a run rests on: which profiles, links and channels take part, and whether it lies inside of
//! what was measured.

use crate::device::basis::Ground;
use crate::device::{Basis, DeviceProfile, Group};
use crate::measurement::NodeRecord;
use crate::medium::Link;
use crate::model::{ModelShape, ShardPlan};
use crate::numerics::StepError;
use crate::placement::Placed;
use crate::radio::{AllReduce, Symbols};
use crate::scenario::Resolved;
use crate::serving::passes::longest_context;
use crate::serving::workload::Request;
use crate::topology::{LinkId, NodeId};
use crate::trust::{Asked, Card, Source, Trust, judge};
use crate::units::{BytesPerSecond, FlopsPerSecond};

/// What has less of all that nodes do, or of all that they draw, has no say.
const NEGLIGIBLE: f64 = 0.01;

/// What the sources of a run rest on, before it is known what played a part.
#[derive(Debug, Clone, Default)]
pub(in crate::simulation) struct Grounds {
    nodes: Vec<Grounded>,
    /// Links and channels.
    others: Card,
}

/// A node, what its profile rests on, and what is asked of it where it computes.
#[derive(Debug, Clone)]
struct Grounded {
    label: String,
    basis: Basis,
    asked: Asked,
    says: Says,
}

/// What of a profile has a say in how long passes take.
#[derive(Debug, Clone, Copy)]
struct Says {
    /// The part of the peak that long prompts reach.
    prefill: bool,
    /// The rate at which the cache is read.
    context: bool,
}

impl Says {
    /// Of `profile` in passes of up to `tokens` tokens up to `context`, of a model divided by `plan`:
    /// what changes their times when it doubles.
    fn of(profile: &DeviceProfile, plan: &ShardPlan, (tokens, context): (usize, usize)) -> Self {
        let shape = plan.shape();
        let seconds = |profile: &DeviceProfile, tokens: usize| {
            let before = context.saturating_sub(tokens);
            let halves = [
                (
                    plan.attention(0, tokens, before),
                    shape.attention_parameters(),
                ),
                (plan.mlp(0, tokens), shape.mlp_parameters()),
            ];
            let times = halves.map(|(work, weights)| {
                let alone = Group {
                    devices: 1,
                    weights,
                };
                let computation = profile.compute(&work, alone);
                computation.map_or(f64::INFINITY, |done| done.duration.as_seconds())
            });
            times.iter().sum::<f64>()
        };
        let changes = |other: &DeviceProfile, tokens: usize| {
            let (one, two) = (seconds(profile, tokens), seconds(other, tokens));
            (one - two).abs() > NEGLIGIBLE * one
        };
        let faster = DeviceProfile {
            peak: FlopsPerSecond(2.0 * profile.peak.0),
            ..*profile
        };
        let reading = |rate: BytesPerSecond| DeviceProfile {
            cache_rate: Some(BytesPerSecond(2.0 * rate.0)),
            ..*profile
        };
        Self {
            prefill: changes(&faster, tokens),
            // Without a rate of its own the cache is read with everything else.
            context: profile
                .cache_rate
                .is_none_or(|rate| changes(&reading(rate), 1)),
        }
    }
}

/// How far the sources of a run of `resolved` are known: of a model of `shape` that serves `requests`.
///
/// # Errors
/// If the shape cannot be.
pub(super) fn grounds(
    resolved: &Resolved,
    shape: &ModelShape,
    requests: &[Request],
) -> Result<Grounds, StepError> {
    let context = longest_context(requests);
    let prompts = requests.iter().map(|request| request.task.prompt_tokens());
    let tokens = prompts.max().unwrap_or(1).clamp(1, context.max(1) as u64) as usize;
    let plan = ShardPlan::whole(shape)?;
    let asked = Asked {
        weights: shape.parameters() as f64,
        weight_bits: shape.weight_bits,
        devices: 1,
        context: u32::try_from(context).unwrap_or(u32::MAX),
    };
    let nodes = resolved.topology.nodes.iter().map(|node| Grounded {
        label: node.label.clone(),
        basis: node.basis.clone(),
        asked,
        says: Says::of(&node.profile, &plan, (tokens, context)),
    });
    let mut grounds = Grounds {
        nodes: nodes.collect(),
        others: Card::default(),
    };
    for stage in resolved.replicas.iter().flat_map(Placed::stages) {
        let mut asked = asked;
        if let Placed::Tensor { members, .. } = stage {
            asked.devices = u32::try_from(members.len()).unwrap_or(u32::MAX);
            for member in members {
                let asked_of = &mut grounds.nodes[member.index()].asked;
                asked_of.devices = asked_of.devices.max(asked.devices);
            }
        }
        links(resolved, stage, &asked, &mut grounds.others);
        channel(stage, &mut grounds.others);
    }
    Ok(grounds)
}

impl Grounds {
    /// The card of a run in which nodes did what `records` say.
    pub(in crate::simulation) fn card(&self, records: &[NodeRecord]) -> Card {
        let mut card = self.others.clone();
        let sum = |of: &dyn Fn(&NodeRecord) -> f64| records.iter().map(of).sum::<f64>();
        let computing = |record: &NodeRecord| record.compute.as_seconds();
        let moving = |record: &NodeRecord| (record.uplink + record.downlink).as_seconds();
        let joules =
            |record: &NodeRecord| record.compute_j.unwrap_or(0.0) + record.idle_j.unwrap_or(0.0);
        let (computed, moved, drawn) = (sum(&computing), sum(&moving), sum(&joules));
        if moved <= NEGLIGIBLE * (computed + moved) {
            card.leave_out(Source::Links);
        }
        // Boards of a kind are known alike.
        let mut known: Vec<(Source, &str, u32)> = Vec::new();
        let mut add = |source, node: &'_ Grounded, ground: &Ground| {
            let trust = judge(ground, &node.label, &node.asked);
            card.add(source, trust);
        };
        for record in records {
            let Some(node) = self.nodes.get(record.node as usize) else {
                continue;
            };
            let Basis {
                compute,
                prefill,
                context,
                power,
                ..
            } = &node.basis;
            let computes = computing(record) > NEGLIGIBLE * (computed + moved);
            let draws = joules(record) > NEGLIGIBLE * drawn;
            for (source, ground, has_say) in [
                (Source::Compute, compute, computes),
                (Source::Prefill, prefill, computes && node.says.prefill),
                (Source::Context, context, computes && node.says.context),
                (Source::Power, power, draws),
            ] {
                let kind = (source, node.label.as_str(), node.asked.devices);
                if has_say && !known.contains(&kind) {
                    known.push(kind);
                    add(source, node, ground);
                }
            }
        }
        card
    }
}

/// Links are as the scenario says, but for what messages cost where profiles know it and the rest of
/// their time is the bits'.
fn links(resolved: &Resolved, stage: &Placed, asked: &Asked, card: &mut Card) {
    let stated = || Trust::assumed("links are as the scenario states them");
    let number = resolved.topology.links.len();
    let mut ids = (0..number).map(|number| LinkId(number as u16));
    let wired = ids.all(|link| match resolved.link(link) {
        Link::Wire(wire) => wire.messages.is_none(),
        Link::Switch(switch) => switch.messages.is_none(),
        Link::Radio(_) => false,
    });
    let members = || {
        stage
            .members()
            .iter()
            .chain([&stage.at()])
            .copied()
            .collect::<Vec<NodeId>>()
    };
    let grounds = members().into_iter().map(|node| {
        let node = resolved.topology.at(node);
        node.basis
            .links
            .as_ref()
            .map(|ground| judge(ground, &node.label, asked))
    });
    let known: Option<Vec<Trust>> = grounds.collect();
    match known.filter(|_| wired) {
        Some(known) => known
            .into_iter()
            .for_each(|trust| card.add(Source::Links, trust)),
        None => card.add(Source::Links, stated()),
    }
}

/// Analog symbols feel a channel, which is drawn.
fn channel(stage: &Placed, card: &mut Card) {
    let Placed::Tensor {
        fields, members, ..
    } = stage
    else {
        return;
    };
    let analog = fields
        .all_reduce
        .levels()
        .into_iter()
        .any(|scheme| matches!(scheme.symbols(), Symbols::Combined { .. } | Symbols::Apart));
    if analog && members.len() > 1 {
        let reason = "channels are drawn from the model that the scenario names";
        card.add(Source::Channel, Trust::assumed(reason));
    }
}
