//! Divides the model: puts the long-term problem together from fleet, model shape and
//! radio, lets the scenario's assignment solve it, and rounds the shares to whole heads
//! and columns.

use super::error::RunError;
use super::prepare::Team;
use crate::device::{DeviceProfile, Group};
use crate::interrupt::Interrupt;
use crate::measurement::{AssignmentRecord, DivisionRecord, IterateRecord};
use crate::model::{ModelShape, ShardPlan, Shares, Work};
use crate::placement::TensorParallel;
use crate::policy::{
    Affine, Assigned, Assignment, AssignmentError, AssignmentProblem, Combining, Estimate,
};
use crate::radio::{
    AllReduce, Channels, Charge, PowerConvention, RadioConfig, RadioError, Symbols, VectorLoad,
};
use crate::units::FieldFault;
use std::ops::Range;

/// Channel samples on which a division is judged; an assignment sees those from 0 on.
const FRESH: Range<u64> = 1 << 40..(1 << 40) + 64;

/// A divided model.
pub(super) struct Divided {
    /// Whole heads and columns per device.
    pub(super) plan: ShardPlan,
    /// What each device computes for every vector that it sends.
    pub(super) load: VectorLoad,
    /// How it came about, unless shares are equal and decide nothing but time.
    pub(super) record: Option<AssignmentRecord>,
}

/// Divides a model of `shape` as the scenario says; `context` is the length of the longest
/// sequence that it will serve. Gives up when `interrupt` is raised.
pub(super) fn divide(
    team: &Team<'_>,
    parallel: &TensorParallel,
    shape: &ModelShape,
    channels: &Channels,
    context: usize,
    interrupt: Interrupt<'_>,
) -> Result<Divided, RunError> {
    let (resolved, radio) = (team.resolved, team.radio);
    let fleet = Fleet::new(team, shape, context)?;
    let devices = team.members.len();
    let scheme = &parallel.all_reduce;
    let power = radio.power_per_headroom(scheme.all_reduce(), shape.hidden, devices)?;
    let sample = |index| {
        interrupt.check()?;
        Ok(channels.sample(index))
    };
    let budgets = radio.budgets(devices);
    let problem = AssignmentProblem {
        budgets: &budgets,
        demands: &fleet.demands,
        halves: [&fleet.halves[0], &fleet.halves[1]],
        combining: match scheme.symbols() {
            Symbols::Combined { streams } if devices > 1 || radio.lone_device_transmits => {
                Some(Combining {
                    streams,
                    noise: radio.budget.resolve(radio.bandwidth).noise,
                    power: &power,
                    sample: &sample,
                })
            }
            _ => None,
        },
    };
    let fault = |fault: FieldFault| resolved.fault(fault.under(&team.field("assignment")));
    let assigned = match parallel.assignment.method().assign(&problem) {
        Err(AssignmentError::Field(field)) => return Err(fault(field).into()),
        other => other?,
    };
    let plan = ShardPlan::new(shape, &assigned.shares)
        .map_err(|error| resolved.fault(FieldFault::new("model", error.to_string())))?;
    let load = fleet.load(&plan);
    radio.headroom(&load.compute)?;
    let is_plain = parallel.assignment == Assignment::Equal
        && radio.convention == PowerConvention::PowerPerUse;
    let record = if is_plain {
        None
    } else {
        let judge = Judge {
            problem,
            fleet: &fleet,
            radio,
        };
        Some(judge.record(parallel.assignment.name(), &assigned, &plan, &load)?)
    };
    Ok(Divided { plan, load, record })
}

/// What a layer of the model asks of each device.
struct Fleet {
    profiles: Vec<DeviceProfile>,
    /// Joules per weight, where known.
    joules_per_weight: Option<Vec<f64>>,
    /// What of the compute counts against the budget of the radio, if anything does.
    charge: Option<Charge>,
    /// Tokens in the cache when the last one of the longest sequence comes.
    context: usize,
    /// Weights of a layer that a token uses.
    layer_weights: f64,
    /// What a device that held everything would be charged: e_n s_tot/2, its costlier
    /// sublayer, or zero.
    demands: Vec<f64>,
    halves: [Vec<Affine>; 2],
}

impl Fleet {
    fn new(team: &Team<'_>, shape: &ModelShape, longest: usize) -> Result<Self, RunError> {
        let resolved = team.resolved;
        let whole = ShardPlan::whole(shape)
            .map_err(|error| resolved.fault(FieldFault::new("model", error.to_string())))?;
        let [attention, mlp] = [whole.attention(0, 1, 0), whole.mlp(0, 1)];
        let layer_weights = (attention.weights + mlp.weights) as f64;
        let members = team.members.iter();
        let profiles: Vec<DeviceProfile> = members.map(|id| *resolved.profile(*id)).collect();
        let joules_per_weight: Option<Vec<f64>> = profiles
            .iter()
            .map(|profile| profile.joules_per_weight(shape.weight_bits))
            .collect();
        let charge = team.radio.convention.charge();
        let context = longest.saturating_sub(1);
        let demand = |joules: &f64| joules * layer_weights / 2.0;
        let demands = match (charge, &joules_per_weight) {
            (Some(Charge::Weights), Some(joules)) => joules.iter().map(demand).collect(),
            (Some(Charge::Sublayer), Some(_)) => profiles
                .iter()
                .map(|profile| costlier(profile, &whole, 0, context))
                .collect(),
            _ => vec![0.0; profiles.len()],
        };
        // A task of no size still takes what every task does.
        let nothing = Work {
            flops: 1,
            ..Work::default()
        };
        let time = |half: Work| -> Result<Vec<Affine>, RunError> {
            let group = Group {
                devices: profiles.len(),
                weights: half.weights,
            };
            let times = profiles.iter().map(|profile| {
                let seconds = |work: &Work| {
                    let computation = profile.compute(work, group);
                    Ok::<_, RunError>(
                        computation
                            .map_err(crate::execution::ExecutionError::from)?
                            .duration
                            .as_seconds(),
                    )
                };
                let constant = seconds(&nothing)?;
                let slope = seconds(&half)? - constant;
                Ok(Affine { constant, slope })
            });
            times.collect()
        };
        let halves = [time(attention)?, time(mlp)?];
        Ok(Self {
            profiles,
            joules_per_weight,
            charge,
            context,
            layer_weights,
            demands,
            halves,
        })
    }

    /// What the devices of `plan` are charged for each vector.
    fn load(&self, plan: &ShardPlan) -> VectorLoad {
        let compute = match self.charge {
            Some(Charge::Sublayer) => {
                let devices = self.profiles.iter().enumerate();
                let charged = |(n, profile)| costlier(profile, plan, n, self.context);
                devices.map(charged).collect()
            }
            Some(Charge::Weights) | None => {
                let pairs = self.demands.iter().zip(self.weights(plan));
                pairs.map(|(demand, share)| demand * share).collect()
            }
        };
        VectorLoad {
            entries: plan.shape().hidden,
            compute,
        }
    }

    /// Each device's weights of a layer over the layer's.
    fn weights(&self, plan: &ShardPlan) -> Vec<f64> {
        (0..plan.devices())
            .map(|n| (plan.attention(n, 1, 0).weights + plan.mlp(n, 1).weights) as f64)
            .map(|weights| weights / self.layer_weights)
            .collect()
    }
}

/// Joules of the costlier of a layer's two sublayers on device `n` of `plan`, for one token
/// after `context` others; 0 where the profile does not say.
///
/// Per token no pass of a sequence of `context` + 1 tokens draws more: T tokens share one
/// reading of weights and cache, and attend to fewer positions each.
fn costlier(profile: &DeviceProfile, plan: &ShardPlan, n: usize, context: usize) -> f64 {
    let shape = plan.shape();
    let halves = [
        (plan.attention(n, 1, context), shape.attention_parameters()),
        (plan.mlp(n, 1), shape.mlp_parameters()),
    ];
    let joules = halves.iter().filter_map(|(work, weights)| {
        let group = Group {
            devices: plan.devices(),
            weights: *weights,
        };
        profile.joules(work, group)
    });
    joules.fold(0.0, f64::max)
}

/// Tells what is to be expected of a division.
struct Judge<'a> {
    problem: AssignmentProblem<'a>,
    fleet: &'a Fleet,
    radio: &'a RadioConfig,
}

impl Judge<'_> {
    fn record(
        &self,
        method: &'static str,
        assigned: &Assigned,
        plan: &ShardPlan,
        load: &VectorLoad,
    ) -> Result<AssignmentRecord, RadioError> {
        let asked: &Shares = &assigned.shares;
        let m = asked.as_slice().to_vec();
        let realised = plan.realised();
        let of = |share: fn(&crate::model::Realised) -> f64| realised.iter().map(share).collect();
        Ok(AssignmentRecord {
            nodes: (0..self.fleet.profiles.len() as u32).collect(),
            method,
            iterates: assigned
                .iterates
                .iter()
                .map(|iterate| IterateRecord {
                    shares: iterate.shares.clone(),
                    error: iterate.error,
                    compute_s: iterate.latency,
                })
                .collect(),
            asked: self.division([&m, &m, &m].map(Vec::clone), &self.problem.compute(&m))?,
            rounded: self.division(
                [
                    self.fleet.weights(plan),
                    of(|part| part.heads),
                    of(|part| part.columns),
                ],
                &load.compute,
            )?,
        })
    }

    fn division(
        &self,
        [weights, heads, columns]: [Vec<f64>; 3],
        compute: &[f64],
    ) -> Result<DivisionRecord, RadioError> {
        let left = self.radio.headroom(compute).ok();
        let error = match (&self.problem.combining, &left) {
            (Some(_), Some(_)) => Some(self.problem.mean_error(compute, FRESH)?),
            _ => None,
        };
        let spent = |joules: &Vec<f64>| {
            let pairs = joules.iter().zip(&weights);
            let each = pairs.map(|(j, share)| j * share * self.fleet.layer_weights / 2.0);
            each.collect()
        };
        let compute_j = match self.fleet.charge {
            Some(Charge::Sublayer) => Some(compute.to_vec()),
            Some(Charge::Weights) | None => self.fleet.joules_per_weight.as_ref().map(spent),
        };
        Ok(DivisionRecord {
            compute_j,
            headroom_j: left.filter(|_| self.fleet.charge.is_some()),
            error: error.map(|Estimate { mean, half_width }| (mean, half_width)),
            compute_s: self.problem.latency([&heads, &columns]),
            weights,
            heads,
            columns,
        })
    }
}
