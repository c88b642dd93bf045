//! The levels of a hierarchical all-reduce before its hub: clusters that send to their heads, in turn
//! or at once. A level begins when the one below is over.

use super::Execution;
use super::all_reduce::on_air;
use super::error::ExecutionError;
use crate::engine::{Graph, Kind, TaskId, TaskKey};
use crate::radio::LevelAir;
use crate::topology::LinkId;

/// Clusters that send at once: their heads with those who send to them, as places among the members.
type Together = Vec<(usize, Vec<usize>)>;

/// What follows each other in `levels`.
fn turns(levels: &[LevelAir]) -> Vec<Together> {
    let mut turns = Vec::new();
    for level in levels {
        let clusters = level.clusters().iter();
        let sending = clusters.filter(|cluster| !cluster.senders().is_empty());
        let mut sending = sending.map(|cluster| (cluster.head(), cluster.senders().to_vec()));
        match level.in_turn() {
            true => turns.extend(sending.map(|cluster| vec![cluster])),
            false => turns.extend(sending.next().map(|first| {
                let mut together = vec![first];
                together.extend(sending);
                together
            })),
        }
    }
    turns
}

impl Execution<'_> {
    /// Sums a sublayer of `batch` at the heads of all levels, after `before`. Returns what the heads
    /// wait for that send to the hub.
    pub(super) fn emit_levels(
        &mut self,
        batch: u32,
        link: LinkId,
        mut before: Vec<TaskId>,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let group = self.tensor(batch);
        let turns = turns(group.air.levels());
        let members = group.members.clone();
        let state = self.batch(batch);
        let (layer, around) = (Some(state.layer), state.sublayer.stages());
        for (turn, together) in turns.iter().enumerate() {
            let mut arrivals = Vec::new();
            for (head, senders) in together {
                for sender in senders {
                    let (from, to) = (members[*sender], members[*head]);
                    let key = self.batch(batch).sent(layer, around.uplink, from, to);
                    let lane = self.resources.uplink(link, from);
                    let id = graph.add(on_air(key, Kind::Uplink, lane), &before)?;
                    graph.defer(id)?;
                    arrivals.push(id);
                }
            }
            let key = TaskKey {
                sequence: turn as u32,
                ..self.batch(batch).key(layer, around.cluster, None)
            };
            before = vec![graph.barrier(key, &arrivals)?];
        }
        Ok(before)
    }
}
