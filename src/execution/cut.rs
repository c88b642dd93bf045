//! Where a state crosses from one stage to the next, and where a chosen token returns to the
//! first: over the links between their roots, hop by hop.

use super::error::ExecutionError;
use super::stage::{Stage, Sublayer};
use super::{Execution, system::Medium};
use crate::engine::{Cost, Graph, Kind, Occupancy, Task, TaskId, TaskKey};
use crate::medium::Direction;
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
        Ok(graph.notify(last)?)
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
        let before = match kind {
            // A wire's own lane keeps messages in order.
            Kind::Transfer => vec![after],
            _ => self.bands[hop.link.index()].after(&[after], graph)?,
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
        if kind != Kind::Transfer {
            self.bands[hop.link.index()].occupy(vec![id]);
            return Ok(id);
        }
        let delay = self.wire_delay(hop.link, key)?;
        if delay == Duration::ZERO {
            return Ok(id);
        }
        let delay = Task {
            key: TaskKey {
                stage: delay_of(Stage::of(key.stage)).code(),
                ..key
            },
            kind: Kind::Overhead,
            resource: None,
            duration: delay,
            cost: Cost::default(),
        };
        Ok(graph.add(delay, &[id])?)
    }

    /// How long a message is under way on a wire after it was sent.
    fn wire_delay(&self, link: LinkId, key: TaskKey) -> Result<Duration, ExecutionError> {
        match &self.media[link.index()] {
            Medium::Wire(wire) => Ok(wire.latency(self.message(key))?),
            Medium::Radio(_) => Ok(Duration::ZERO),
        }
    }

    /// What numbers the draws of a message.
    fn message(&self, key: TaskKey) -> u64 {
        let state = self.batch(key.batch);
        let layers = self.replica(key.batch).layers as u64 + 1;
        let layer = u64::from(key.layer).min(layers - 1);
        state
            .identity
            .draw(u64::from(state.step) * layers + layer)
    }

    /// What a message that starts `now` takes.
    pub(super) fn message_on_link(
        &mut self,
        key: TaskKey,
        now: Instant,
    ) -> Result<Occupancy, ExecutionError> {
        let stage = Stage::of(key.stage);
        let bits = match stage {
            Stage::Cut | Stage::CutDownlink => {
                let replica = self.replica(key.batch);
                let tokens = self.batch(key.batch).tokens() as u64;
                tokens * replica.payload.bits(replica.hidden)
            }
            _ => TOKEN_BITS,
        };
        let index = self.message(key);
        let (node, peer) = (NodeId(key.node), NodeId(key.peer));
        let link = self.topology.between(node, peer);
        let link = link.expect("a hop is a link");
        let ends = &self.topology.links[link.index()].ends;
        match (&self.media[link.index()], ends) {
            (Medium::Wire(wire), _) => {
                let sent = wire.send(bits)?;
                Ok(Occupancy {
                    duration: sent.duration,
                    cost: Cost {
                        bits,
                        joules: sent.joules,
                        ..Cost::default()
                    },
                })
            }
            (Medium::Radio(cell), Ends::Cell { members, .. }) => {
                let place = members.iter().position(|member| *member == node);
                let place = place.expect("a hop joins a member and its hub");
                let (direction, payer) = match stage {
                    Stage::CutDownlink | Stage::TokenReturnDownlink => (Direction::Down, peer),
                    _ => (Direction::Up, node),
                };
                let sent = cell.send(place, direction, bits, index, now)?;
                self.unknown_radio[payer.index()] |= sent.joules.is_none();
                Ok(super::all_reduce::occupancy(&sent))
            }
            (Medium::Radio(_), Ends::Wire { .. }) => unreachable!("a cell has a hub and members"),
        }
    }
}
