//! Messages from one node to another: over the links between them, hop by hop. Each hop asks what
//! it takes when it starts, and slows those beside it on a shared band.

use super::Execution;
use super::error::ExecutionError;
use super::media::Expected;
use super::stage::Stage;
use crate::engine::{Cost, Graph, Kind, Occupancy, Task, TaskId, TaskKey};
use crate::medium::{Direction, Sending};
use crate::topology::{Ends, Hop, LinkId, NodeId};
use crate::units::{Duration, Instant};

/// A message: what it carries, and what numbers its draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carried {
    pub(super) bits: u64,
    pub(super) index: u64,
}

impl Execution<'_> {
    /// A message from one node to another, over as many links as lie between them, whose hops
    /// have the key `of_hop` says; its last task.
    pub(super) fn emit_route(
        &mut self,
        stage: Stage,
        [from, to]: [NodeId; 2],
        of_hop: impl Fn(u32, NodeId, NodeId) -> TaskKey,
        index: u64,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let hops = self.topology.route(from, to);
        let hops = hops.expect("a placement whose parts cannot reach each other is refused");
        let mut last: Option<TaskId> = None;
        for (number, hop) in hops.iter().enumerate() {
            let key = TaskKey {
                stage: stage.code(),
                ..of_hop(number as u32, hop.from, hop.to)
            };
            let before = last.as_slice();
            let before = if before.is_empty() { after } else { before };
            last = Some(self.emit_hop(key, hop, index, before, graph)?);
        }
        Ok(last.expect("two nodes are joined by at least one link"))
    }

    /// One link's part of a message.
    fn emit_hop(
        &mut self,
        key: TaskKey,
        hop: &Hop,
        index: u64,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let (kind, lane, key) = match &self.topology.links[hop.link.index()].ends {
            Ends::Wire { .. } => (Kind::Transfer, self.resources.wire(hop.link, hop.from), key),
            Ends::Cell { hub, .. } if *hub == hop.to => {
                (Kind::Uplink, self.resources.uplink(hop.link, hop.from), key)
            }
            // Heard on the member's lane; its peer, the hub, radiates.
            Ends::Cell { .. } => (
                Kind::Downlink,
                self.resources.downlink(hop.link, hop.to),
                TaskKey {
                    node: hop.to.0,
                    peer: hop.from.0,
                    stage: Stage::of(key.stage).downlink().code(),
                    ..key
                },
            ),
        };
        let turns = &self.turns[hop.link.index()];
        let shared = self.media[hop.link.index()].is_shared();
        let before = match (kind, shared) {
            // A wire's own lane keeps messages in order.
            (Kind::Transfer, _) => after.to_vec(),
            (_, true) => turns.beside(after, graph)?,
            (_, false) => turns.after(after, graph)?,
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
        let later = self.media[hop.link.index()].later(hop.from, index)?;
        if later == Duration::ZERO {
            return Ok(id);
        }
        let delay = Task {
            key: TaskKey {
                stage: Stage::of(key.stage).delay().code(),
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

    /// What a message takes that starts now; those beside it on the link go on slower.
    pub(super) fn message_starts(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<Occupancy, ExecutionError> {
        let now = graph.now();
        let carried = self.carried(key);
        let (link, from, direction) = self.hop_of(key);
        let members = self.topology.members(link).iter();
        let member = members.copied().position(|member| member.0 == key.node);
        let sending = Sending {
            member: member.unwrap_or(0),
            direction,
            index: carried.index,
            began: now,
        };
        let expected = self.media[link.index()].begin(id, from, sending, carried.bits)?;
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
    /// whoever waits for it goes on too.
    pub(super) fn message_ends(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let (link, from, _) = self.hop_of(key);
        for message in self.media[link.index()].end(id, from, graph.now())? {
            retime(message, graph)?;
        }
        self.arrives(id, key, graph)
    }

    /// Seconds that a message of `bits` would take if nothing else were under way: for a router to
    /// compare. 0 over a radio whose channel is not known now.
    pub(super) fn expected_seconds(&self, [from, to]: [NodeId; 2], bits: u64, now: Instant) -> f64 {
        let hops = self.topology.route(from, to).unwrap_or_default();
        let seconds = hops.iter().map(|hop| {
            let members = self.topology.members(hop.link);
            let place = |node: NodeId| members.iter().position(|member| *member == node);
            let (member, direction) = match place(hop.from) {
                Some(member) => (member, Direction::Up),
                None => (place(hop.to).unwrap_or(0), Direction::Down),
            };
            let sending = Sending {
                member,
                direction,
                index: 0,
                began: now,
            };
            self.media[hop.link.index()].seconds(&sending, bits)
        });
        seconds.sum()
    }

    /// Goes on with whoever waits for the task `id` of a message.
    pub(super) fn arrives(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        match Stage::of(key.stage).whole() {
            Stage::Cut | Stage::TokenReturn => self.crossed(id, key, graph),
            _ => self.letter_arrives(id, key, graph),
        }
    }

    fn carried(&self, key: TaskKey) -> Carried {
        match Stage::of(key.stage).whole() {
            Stage::Cut | Stage::TokenReturn => self.crossing(key),
            _ => self.letter_carries(key),
        }
    }

    /// The link of a message, who sends it, and which way.
    fn hop_of(&self, key: TaskKey) -> (LinkId, NodeId, Direction) {
        let (node, peer) = (NodeId(key.node), NodeId(key.peer));
        let link = self.topology.between(node, peer);
        let link = link.expect("a hop is a link");
        match Stage::of(key.stage).is_downlink() {
            true => (link, peer, Direction::Down),
            false => (link, node, Direction::Up),
        }
    }
}

/// Moves the end of a message under way to where it is expected now.
fn retime(message: Expected, graph: &mut Graph) -> Result<(), ExecutionError> {
    graph.retime(message.id, message.at)?;
    Ok(graph.recost(message.id, message.cost())?)
}
