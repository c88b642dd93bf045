//! Nodes that warm up: what they compute takes as long as their temperature lets it when it
//! starts.
//!
//! A node's compute does one task after another, so that its temperature is known from the last
//! one's end on: it follows [`Heat::after`](crate::device::Heat::after) with the power of a task
//! while that lasts and with the idle power between. A task that starts at the limit or above runs
//! at the throttled clock to its end. What experts compute on tokens that are sent to them is
//! planned before it starts and does not feel the temperature.

use super::Execution;
use super::error::ExecutionError;
use crate::device::{DeviceProfile, Group};
use crate::engine::{Cost, Graph, Occupancy, TaskId, TaskKey};
use crate::model::Work;
use crate::topology::{NodeId, Topology};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// What a task computes: its work, among whom a block is divided, and tokens that it chooses.
pub(super) type Sum = (Work, Group, usize);

/// How warm nodes are, and what they will compute.
#[derive(Debug)]
pub(super) struct Warmth {
    /// Temperature in °C and when it was so, of nodes that warm up.
    bodies: Vec<Option<(f64, Instant)>>,
    waiting: BTreeMap<TaskId, Sum>,
}

impl Warmth {
    pub(super) fn new(topology: &Topology) -> Self {
        let bodies = topology.nodes.iter().map(|node| {
            let heat = node.profile.heat?;
            Some((heat.ambient, Instant::ZERO))
        });
        Self {
            bodies: bodies.collect(),
            waiting: BTreeMap::new(),
        }
    }
}

/// The temperature after `seconds` at `watts` from `celsius` on.
fn after(profile: &DeviceProfile, celsius: f64, watts: f64, span: Duration) -> f64 {
    let heat = profile.heat.expect("only nodes that warm up are asked");
    heat.after(celsius, watts, span.as_seconds())
}

impl Execution<'_> {
    /// Leaves the time of task `id` to its start, if `node` warms up.
    pub(super) fn if_hot(
        &mut self,
        id: TaskId,
        node: NodeId,
        sum: Sum,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        if self.warmth.bodies[node.index()].is_some() {
            self.warmth.waiting.insert(id, sum);
            graph.defer(id)?;
        }
        Ok(())
    }

    /// What the task `id` takes that starts `now` on a node that warms up; `None` of any other.
    pub(super) fn on_hot_node(
        &mut self,
        id: TaskId,
        key: TaskKey,
        now: Instant,
    ) -> Result<Option<Occupancy>, ExecutionError> {
        let Some((work, group, rows)) = self.warmth.waiting.remove(&id) else {
            return Ok(None);
        };
        let node = NodeId(key.node);
        let profile = self.topology.nodes[node.index()].profile;
        let (Some(heat), Some(body)) = (profile.heat, &mut self.warmth.bodies[node.index()]) else {
            unreachable!("only tasks of nodes that warm up wait for their start");
        };
        let idle = profile.idle().map_or(0.0, |power| power.0);
        let celsius = after(&profile, body.0, idle, now.since(body.1));
        let throttle = match celsius >= heat.limit {
            true => heat.throttle,
            false => 1.0,
        };
        let computation = match rows {
            0 => profile.compute_at(&work, group, throttle)?,
            _ => profile.choose_at(&work, rows, throttle)?,
        };
        let seconds = computation.duration.as_seconds();
        let joules = computation.joules.unwrap_or(0.0);
        let watts = match seconds > 0.0 {
            true => idle + joules / seconds,
            false => idle,
        };
        let warmer = after(&profile, celsius, watts, computation.duration);
        *body = (warmer, now + computation.duration);
        Ok(Some(Occupancy {
            duration: computation.duration,
            cost: Cost {
                flops: work.flops,
                bytes: work.bytes,
                bits: 0,
                joules: self.joules(node, computation.joules),
            },
        }))
    }
}
