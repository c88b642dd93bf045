//! All-reduces by messages, from node to node over whatever links join them. Everything is emitted
//! when the last member has computed; each message asks its links what it takes when it starts.
//!
//! In a star every member but the one that sums sends its part there; when all are there it goes
//! on, and sends the sum to each. In a ring member m sends, in each of 2(N − 1) steps, one part of N
//! of the entries to member m + 1, which goes on when it has it: after N − 1 steps each holds
//! the sum of one part, and after as many again all of them.

use super::Execution;
use super::error::ExecutionError;
use super::messages::{Carried, Then};
use super::stage::{Stage, Sublayer};
use crate::engine::{Graph, TaskId, TaskKey};
use crate::radio::{Exchange, Pattern};
use crate::topology::NodeId;

/// Draws that a request's passes and cuts leave to messages of its all-reduces.
const EXCHANGES: u64 = 1 << 37;

/// Bits per entry of a state that is told to all members as it is.
const WHOLE: u64 = 32;

impl Execution<'_> {
    /// Sums a sublayer of `batch` whose members have met at `gather`. Returns what each member's
    /// next compute waits for, and when the hub has the sum.
    pub(super) fn emit_exchange(
        &mut self,
        batch: u32,
        exchange: Exchange,
        gather: TaskId,
        answers: bool,
        graph: &mut Graph,
    ) -> Result<(Vec<TaskId>, TaskId), ExecutionError> {
        match exchange.pattern {
            Pattern::Star => self.emit_star(batch, gather, answers, graph),
            Pattern::Ring => self.emit_ring(batch, gather, answers, graph),
        }
    }

    fn emit_star(
        &mut self,
        batch: u32,
        gather: TaskId,
        answers: bool,
        graph: &mut Graph,
    ) -> Result<(Vec<TaskId>, TaskId), ExecutionError> {
        let (members, hub) = self.members(batch);
        let state = self.batch(batch);
        let (layer, around) = (Some(state.layer), state.sublayer.stages());
        let mut arrivals = Vec::with_capacity(members.len());
        for (place, member) in members.iter().enumerate().filter(|(_, node)| **node != hub) {
            let ends = [*member, hub];
            let key = self.of_exchange(batch, layer, around.part, place);
            arrivals.push(self.emit_message(key, ends, Then::Waits, &[gather], graph)?);
        }
        let met = self.emit_met(batch, around.met, hub, &members, arrivals, graph)?;
        let key = self.batch(batch).key(layer, around.reduced, None);
        let summed = graph.barrier(key, &met)?;
        if !answers {
            return Ok((vec![summed; members.len()], summed));
        }
        let inputs = self.emit_to_members(batch, layer, around.sum, summed, graph)?;
        Ok((inputs, summed))
    }

    /// The hub goes on, once it has all of `arrivals`.
    fn emit_met(
        &mut self,
        batch: u32,
        stage: Stage,
        hub: NodeId,
        members: &[NodeId],
        arrivals: Vec<TaskId>,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let others = members.iter().filter(|member| **member != hub);
        let seconds = others.filter_map(|member| {
            let last = *self.topology.route(*member, hub)?.last()?;
            Some(self.media[last.link.index()].costs().synchronise.0)
        });
        let seconds = seconds.fold(0.0, f64::max);
        if seconds == 0.0 {
            return Ok(arrivals);
        }
        let state = self.batch(batch);
        let key = state.key(Some(state.layer), stage, Some(hub));
        let nobody = NodeId(TaskKey::NO_PEER);
        let task = self.at_end(key, stage, [hub, nobody], seconds)?;
        Ok(vec![graph.add(task, &arrivals)?])
    }

    /// What the hub has after `after` goes to every other member.
    fn emit_to_members(
        &mut self,
        batch: u32,
        layer: Option<usize>,
        stage: Stage,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let (members, hub) = self.members(batch);
        let mut inputs = Vec::with_capacity(members.len());
        for (place, member) in members.iter().enumerate() {
            if *member == hub {
                inputs.push(after);
                continue;
            }
            let key = self.of_exchange(batch, layer, stage, place);
            inputs.push(self.emit_message(key, [hub, *member], Then::GoesOn, &[after], graph)?);
        }
        Ok(inputs)
    }

    /// The state that is at the hub after `arrived` goes to every other member as it is.
    pub(super) fn emit_share(
        &mut self,
        batch: u32,
        layer: Option<usize>,
        arrived: TaskId,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let stage = match layer {
            None => Stage::EmbedShare,
            Some(_) => Stage::CutShare,
        };
        self.emit_to_members(batch, layer, stage, arrived, graph)
    }

    fn emit_ring(
        &mut self,
        batch: u32,
        gather: TaskId,
        answers: bool,
        graph: &mut Graph,
    ) -> Result<(Vec<TaskId>, TaskId), ExecutionError> {
        let (members, hub) = self.members(batch);
        let state = self.batch(batch);
        let (layer, around) = (Some(state.layer), state.sublayer.stages());
        let count = members.len();
        let mut last = vec![gather; count];
        for stage in [around.part, around.sum] {
            for step in 0..count - 1 {
                let mut next = last.clone();
                for (place, member) in members.iter().enumerate() {
                    let to = (place + 1) % count;
                    let ends = [*member, members[to]];
                    let key = self.of_exchange(batch, layer, stage, step * count + place);
                    let after = [last[place]];
                    next[to] = self.emit_message(key, ends, Then::GoesOn, &after, graph)?;
                }
                last = next;
            }
        }
        let key = self.batch(batch).key(layer, around.reduced, None);
        let own = members.iter().position(|member| *member == hub);
        let summed = match own.filter(|_| answers) {
            Some(own) => graph.barrier(key, &[last[own]])?,
            // The batch moves on with it, and no message may be left behind.
            None => graph.barrier(key, &last)?,
        };
        Ok((last, summed))
    }

    fn members(&self, batch: u32) -> (Vec<NodeId>, NodeId) {
        let group = self.tensor(batch);
        (group.members.clone(), group.hub)
    }

    /// The key of message number `sequence` of an exchange; its ends are its hops'.
    fn of_exchange(
        &self,
        batch: u32,
        layer: Option<usize>,
        stage: Stage,
        sequence: usize,
    ) -> TaskKey {
        TaskKey {
            sequence: sequence as u32,
            ..self.batch(batch).key(layer, stage, None)
        }
    }

    fn emit_message(
        &mut self,
        key: TaskKey,
        ends: [NodeId; 2],
        then: Then,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let of_hop = |_, from: NodeId, to: NodeId| TaskKey {
            node: from.0,
            peer: to.0,
            ..key
        };
        let numbered = (self.exchanged(key).index, then);
        self.emit_route(Stage::of(key.stage), ends, of_hop, numbered, after, graph)
    }

    /// What a message of an exchange carries.
    pub(super) fn exchanged(&self, key: TaskKey) -> Carried {
        let (state, replica) = (self.batch(key.batch), self.replica(key.batch));
        let group = self.tensor(key.batch);
        let exchange = group.exchange().expect("the group sums by messages");
        let stage = Stage::of(key.stage).whole();
        let (sequence, count) = (key.sequence as usize, group.members.len());
        let of_token = match (stage, exchange.pattern) {
            (Stage::EmbedShare | Stage::CutShare, _) => WHOLE * replica.hidden as u64,
            (_, Pattern::Star) => exchange.entries.size(replica.hidden),
            (_, Pattern::Ring) => {
                let (step, member) = (sequence / count, sequence % count);
                // Sums lie one member further than the parts began.
                let ahead = usize::from(matches!(stage, Stage::AttentionSum | Stage::MlpSum));
                let part = (member + ahead + count - step) % count;
                let entries = exchange.part(replica.hidden, part, count);
                exchange.entries.size(entries.len())
            }
        };
        let layers = replica.layers as u64;
        let layer = u64::from(key.layer).min(layers);
        let phase = match stage {
            Stage::AttentionPart => Sublayer::Attention.place() * 2,
            Stage::AttentionSum => Sublayer::Attention.place() * 2 + 1,
            Stage::MlpPart => Sublayer::Mlp.place() * 2,
            Stage::MlpSum => Sublayer::Mlp.place() * 2 + 1,
            // Before the first layer of its stage.
            _ => 4,
        };
        let numbers = (count * count) as u64;
        let place = (layer * 5 + phase) * numbers + u64::from(key.sequence);
        let draws = (layers + 1) * 5 * numbers;
        Carried {
            bits: state.active_tokens() as u64 * of_token,
            index: state.lead().draw(draws, EXCHANGES + place),
        }
    }
}
