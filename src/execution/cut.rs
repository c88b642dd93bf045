//! Where a state crosses from one stage to the next, and where a chosen token returns to the
//! first: over the links between their roots, hop by hop.

use super::Execution;
use super::error::ExecutionError;
use super::media::Expected;
use super::stage::{Stage, Sublayer};
use crate::engine::{Cost, Graph, Kind, Occupancy, Task, TaskId, TaskKey};
use crate::medium::{Direction, Sending};
use crate::topology::{Ends, Hop, LinkId, NodeId};
use crate::units::{Duration, Instant};

/// Bits of a token's number.
const TOKEN_BITS: u64 = 32;

/// What a message of `stage` is called on its way from a hub to a member.
fn downlink(stage: Stage) -> Stage {
    match stage {
        Stage::Cut => Stage::CutDownlink,
        _ => Stage::TokenReturnDownlink,
    }
}

/// What it is called while it is under way on a wire.
fn delay_of(stage: Stage) -> Stage {
    match stage {
        Stage::Cut => Stage::CutDelay,
        _ => Stage::TokenReturnDelay,
    }
}

impl Execution<'_> {
    /// The state of `batch` crosses to the next stage.
    pub(super) fn cross(
        &mut self,
        batch: u32,
        last: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let from = self.stage(batch).root();
        let state = self.batch_mut(batch);
        state.stage += 1;
        let next = self.stage(batch);
        let (to, first) = (next.root(), next.layers.start);
        let state = self.batch_mut(batch);
        (state.layer, state.sublayer) = (first, Sublayer::Attention);
        if from == to {
            return self.enter(batch, last, graph);
        }
        let replica = self.batch(batch).replica;
        let replica = &mut self.replicas[replica];
        replica.network.cross(batch, replica.payload)?;
        self.emit_route(batch, Stage::Cut, [from, to], last, graph)
    }

    /// The token that the pass before `batch` chose returns to where it is embedded.
    pub(super) fn return_token(
        &mut self,
        batch: u32,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<bool, ExecutionError> {
        let stages = &self.replica(batch).stages;
        let (first, last) = (stages[0].root(), stages[stages.len() - 1].root());
        if first == last {
            return Ok(false);
        }
        self.emit_route(batch, Stage::TokenReturn, [last, first], after, graph)?;
        Ok(true)
    }

    /// A message from one node to another, over as many links as lie between them; the program
    /// is told when it has arrived.
    fn emit_route(
        &mut self,
        batch: u32,
        stage: Stage,
        [from, to]: [NodeId; 2],
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let hops = self.topology.route(from, to);
        let hops = hops.expect("a placement whose parts cannot reach each other is refused");
        let layer = match stage {
            Stage::Cut => Some(self.batch(batch).layer),
            _ => None,
        };
        let mut last = after;
        for (number, hop) in hops.iter().enumerate() {
            let key = TaskKey {
                sequence: number as u32,
                ..self.batch(batch).sent(layer, stage, hop.from, hop.to)
            };
            last = self.emit_hop(key, hop, last, graph)?;
        }
        self.batch_mut(batch).awaited = Some(last);
        Ok(())
    }

    /// One link's part of a message.
    fn emit_hop(
        &mut self,
        key: TaskKey,
        hop: &Hop,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let (kind, lane, key) = match &self.topology.links[hop.link.index()].ends {
            Ends::Wire { .. } => (Kind::Transfer, self.lanes.wire(hop.link, hop.from), key),
            Ends::Cell { hub, .. } if *hub == hop.to => {
                (Kind::Uplink, self.lanes.uplink(hop.link, hop.from), key)
            }
            // Heard on the member's lane; its peer, the hub, radiates.
            Ends::Cell { .. } => (
                Kind::Downlink,
                self.lanes.downlink(hop.link, hop.to),
                TaskKey {
                    node: hop.to.0,
                    peer: hop.from.0,
                    stage: downlink(Stage::of(key.stage)).code(),
                    ..key
                },
            ),
        };
        let turns = &self.turns[hop.link.index()];
        let shared = self.media[hop.link.index()].is_shared();
        let before = match (kind, shared) {
            // A wire's own lane keeps messages in order.
            (Kind::Transfer, _) => vec![after],
            (_, true) => turns.beside(&[after], graph)?,
            (_, false) => turns.after(&[after], graph)?,
        };
        let task = Task {
            key,
            kind,
            resource: Some(lane),
            duration: Duration::ZERO,
            cost: Cost::default(),
        };
        let id = graph.add(task, &before)?;
        graph.defer(id)?;
        graph.notify(id)?;
        let turns = &mut self.turns[hop.link.index()];
        match (kind, shared) {
            (Kind::Transfer, _) => {}
            (_, true) => turns.join(id, graph)?,
            (_, false) => turns.occupy(vec![id]),
        }
        let index = self.message(key);
        let later = self.media[hop.link.index()].later(hop.from, index)?;
        if later == Duration::ZERO {
            return Ok(id);
        }
        let delay = Task {
            key: TaskKey {
                stage: delay_of(Stage::of(key.stage)).code(),
                ..key
            },
            kind: Kind::Overhead,
            resource: None,
            duration: later,
            cost: Cost::default(),
        };
        let delay = graph.add(delay, &[id])?;
        graph.notify(delay)?;
        Ok(delay)
    }

    /// What numbers the draws of a message.
    fn message(&self, key: TaskKey) -> u64 {
        let state = self.batch(key.batch);
        let layers = self.replica(key.batch).layers as u64 + 1;
        let layer = u64::from(key.layer).min(layers - 1);
        state.identity.draw(u64::from(state.step) * layers + layer)
    }

    /// What a message takes that starts now; those beside it on the link go on slower.
    pub(super) fn message_starts(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<Occupancy, ExecutionError> {
        let now = graph.now();
        let bits = self.message_bits(key);
        let (link, from, sending) = self.message_on_link(key, now);
        let expected = self.media[link.index()].begin(id, from, sending, bits)?;
        let mut own = None;
        for message in expected {
            if message.id == id {
                own = Some(message);
            } else {
                retime(message, graph)?;
            }
        }
        let own = own.expect("what begins is under way");
        self.unknown_radio[from.index()] |= own.joules.is_none();
        Ok(Occupancy {
            duration: own.at.since(now),
            cost: own.cost(),
        })
    }

    /// A message has crossed a link: those beside it go on faster, and where it was the last link
    /// its batch goes on too.
    pub(super) fn message_ends(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let (link, from, _) = self.message_on_link(key, graph.now());
        for message in self.media[link.index()].end(id, from, graph.now())? {
            retime(message, graph)?;
        }
        self.arrives(id, key, graph)
    }

    /// Goes on with the batch of `key` if it waits for the task `id`.
    pub(super) fn arrives(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch_mut(key.batch);
        if state.awaited != Some(id) {
            return Ok(());
        }
        state.awaited = None;
        match Stage::of(key.stage) {
            Stage::Cut | Stage::CutDownlink | Stage::CutDelay => self.enter(key.batch, id, graph),
            _ => self.embed(key.batch, &[id], graph),
        }
    }

    fn message_bits(&self, key: TaskKey) -> u64 {
        match Stage::of(key.stage) {
            Stage::Cut | Stage::CutDownlink => {
                let replica = self.replica(key.batch);
                let tokens = self.batch(key.batch).tokens() as u64;
                tokens * replica.payload.bits(replica.hidden)
            }
            _ => TOKEN_BITS,
        }
    }

    /// The link of a message, who sends it, and how the link knows it.
    fn message_on_link(&self, key: TaskKey, now: Instant) -> (LinkId, NodeId, Sending) {
        let (node, peer) = (NodeId(key.node), NodeId(key.peer));
        let link = self.topology.between(node, peer);
        let link = link.expect("a hop is a link");
        let (direction, from) = match Stage::of(key.stage) {
            Stage::CutDownlink | Stage::TokenReturnDownlink => (Direction::Down, peer),
            _ => (Direction::Up, node),
        };
        let members = self.topology.members(link).iter();
        let member = members.copied().position(|member| member == node);
        let sending = Sending {
            member: member.unwrap_or(0),
            direction,
            index: self.message(key),
            began: now,
        };
        (link, from, sending)
    }
}

/// Moves the end of a message under way to where it is expected now.
fn retime(message: Expected, graph: &mut Graph) -> Result<(), ExecutionError> {
    graph.retime(message.id, message.at)?;
    Ok(graph.recost(message.id, message.cost())?)
}
