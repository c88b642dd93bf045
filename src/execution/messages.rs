//! Messages from one node to another: over the links between them, hop by hop. Each hop asks what
//! it takes when it starts, and slows those beside it on a shared band. Where a link's messages cost
//! their ends something, the sender's part comes before and the receiver's after.

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

/// Whether whoever gets a message goes on with it, or waits for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoesOn,
    Waits,
}

impl Execution<'_> {
    /// A message from one node to another, over as many links as lie between them, whose hops
    /// have the key `of_hop` says; its last task.
    pub(super) fn emit_route(
        &mut self,
        stage: Stage,
        [from, to]: [NodeId; 2],
        of_hop: impl Fn(u32, NodeId, NodeId) -> TaskKey,
        (index, then): (u64, Then),
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
            let before = before.to_vec();
            let then = if number + 1 < hops.len() {
                Then::GoesOn
            } else {
                then
            };
            let sent = self.emit_send_cost(key, hop, &before, graph)?;
            let there = self.emit_hop(key, hop, index, &sent, graph)?;
            last = Some(self.emit_receive_cost(key, hop, then, there, graph)?);
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
            Ends::Wire { .. } | Ends::Switch { .. } => {
                (Kind::Transfer, self.resources.wire(hop.link, hop.from), key)
            }
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
            // A wire's own lane keeps messages in order, and so does the sender's port of a switch;
            // the receiver's is theirs in turn.
            (Kind::Transfer, _) => match self.ports.get(&(hop.link, hop.to)) {
                Some(port) => port.after(after, graph)?,
                None => after.to_vec(),
            },
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
            (Kind::Transfer, _) => {
                if let Ends::Switch { .. } = self.topology.links[hop.link.index()].ends {
                    let port = self.ports.entry((hop.link, hop.to)).or_default();
                    port.occupy(vec![id]);
                }
            }
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

    /// The sender hands a message over, where that takes time; what its way begins after.
    fn emit_send_cost(
        &mut self,
        key: TaskKey,
        hop: &Hop,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let seconds = self.media[hop.link.index()].costs().send.0;
        if seconds == 0.0 {
            return Ok(after.to_vec());
        }
        let stage = Stage::of(key.stage).send_cost();
        let task = self.at_end(key, stage, [hop.from, hop.to], seconds)?;
        Ok(vec![graph.add(task, after)?])
    }

    /// The receiver takes a message that is `there`, and goes on with it if it does not wait for
    /// others, where that takes time; the last of the message's tasks.
    fn emit_receive_cost(
        &mut self,
        key: TaskKey,
        hop: &Hop,
        then: Then,
        there: TaskId,
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let costs = self.media[hop.link.index()].costs();
        let seconds = match then {
            Then::GoesOn => costs.receive.0 + costs.synchronise.0,
            Then::Waits => costs.receive.0,
        };
        if seconds == 0.0 {
            return Ok(there);
        }
        let stage = Stage::of(key.stage).receive_cost();
        let task = self.at_end(key, stage, [hop.to, hop.from], seconds)?;
        let taken = graph.add(task, &[there])?;
        graph.notify(taken)?;
        Ok(taken)
    }

    /// What `node` does for messages in `seconds`, one at a time.
    pub(super) fn at_end(
        &self,
        key: TaskKey,
        stage: Stage,
        [node, peer]: [NodeId; 2],
        seconds: f64,
    ) -> Result<Task, ExecutionError> {
        Ok(Task {
            key: TaskKey {
                stage: stage.code(),
                node: node.0,
                peer: peer.0,
                ..key
            },
            kind: Kind::Overhead,
            resource: Some(self.resources.stack(node)),
            duration: Duration::from_seconds(seconds)?,
            cost: Cost::default(),
        })
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
            _ if Stage::of(key.stage).is_exchange() => Ok(()),
            _ => self.letter_arrives(id, key, graph),
        }
    }

    fn carried(&self, key: TaskKey) -> Carried {
        match Stage::of(key.stage).whole() {
            Stage::Cut | Stage::TokenReturn => self.crossing(key),
            _ if Stage::of(key.stage).is_exchange() => self.exchanged(key),
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
