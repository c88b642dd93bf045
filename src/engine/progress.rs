//! What time does to the graph: tasks become ready, start, finish and leave.
//!
//! These steps are taken by the processes of the resources, one event each; see
//! [`run`](super::run()). None of them chooses an order: the agenda did.

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use super::agenda::Event;
use super::error::{GraphError, Stuck};
use super::graph::{Cause, Graph, Stage};
use super::key::{Kind, Order, TaskKey};
use super::task::TaskId;
use super::trace::Reason;

/// Finished tasks that may lie in memory however few are unfinished.
const FINISHED_KEPT: usize = 1024;
/// Tasks that a deadlock lists, and tasks that each of them waits for.
const STUCK_LISTED: usize = 8;

impl Graph {
    /// Marks a task whose inputs are there, the last being `cause`.
    pub(super) fn make_ready(
        &mut self,
        index: NodeIndex<u32>,
        cause: Option<Cause>,
    ) -> Result<(), GraphError> {
        let now = self.now();
        let slot = index.index() as u32;
        let node = &mut self.dag[index];
        node.ready = now;
        node.released_by = cause.map(|cause| cause.number);
        node.reason = match cause {
            Some(Cause { barrier: true, .. }) => Reason::Barrier,
            _ => Reason::Input,
        };
        let order = node.task.key.order();
        if let Some(resource) = node.task.resource {
            node.stage = Stage::Queued;
            self.desks[resource.index()].enqueue(now, order, slot);
            self.announce(resource.0);
        } else {
            node.start = now;
            self.run_to_end(index)?;
        }
        Ok(())
    }

    /// Announces a turn of `resource` if the head of its queue can start.
    fn announce(&mut self, resource: u32) {
        if let Some(order) = self.desks[resource as usize].announce() {
            self.agenda.turn(order, resource);
        }
    }

    /// The task that starts in this turn; `None` if its turn has passed.
    pub(super) fn candidate(&self, resource: u32, order: Order) -> Option<NodeIndex<u32>> {
        let slot = self.desks[resource as usize].candidate(order)?;
        Some(NodeIndex::new(slot as usize))
    }

    /// Lets a task that starts now run for its duration.
    pub(super) fn run_to_end(&mut self, index: NodeIndex<u32>) -> Result<(), GraphError> {
        let node = &mut self.dag[index];
        let (key, start, duration) = (node.task.key, node.start, node.task.duration);
        node.end = start
            .checked_add(duration)
            .ok_or(GraphError::TimeOverflow {
                key,
                start,
                duration,
            })?;
        node.stage = Stage::Running;
        node.stamp = self
            .agenda
            .end_at(node.end, key.order(), index.index() as u32);
        Ok(())
    }

    /// Starts a task, which is at the head of the queue of its resource. How long it takes
    /// has yet to be asked if it was deferred.
    pub(super) fn start(&mut self, slot: u32) {
        let now = self.now();
        let index = NodeIndex::new(slot as usize);
        let node = &mut self.dag[index];
        let Some(resource) = node.task.resource else {
            return;
        };
        let desk = &mut self.desks[resource.index()];
        if !desk.seat() {
            let key = node.task.key;
            self.fault = Some(GraphError::DuplicateKey { key });
        }
        desk.ledger.start(now);
        node.stage = Stage::Starting;
        node.start = now;
        if node.ready < now {
            node.released_by = desk.predecessor();
            node.reason = Reason::Resource;
        }
        if !node.deferred
            && let Err(fault) = self.run_to_end(index)
        {
            self.fault = Some(fault);
        }
        self.announce(resource.0);
    }

    /// Finishes a task: frees its place, and readies those that waited for it alone.
    pub(super) fn finish(&mut self, slot: u32) {
        let now = self.now();
        let index = NodeIndex::new(slot as usize);
        let node = &mut self.dag[index];
        node.stage = Stage::Finished;
        self.unfinished -= 1;
        let cause = Cause {
            number: self.finished,
            barrier: node.task.kind == Kind::Barrier,
        };
        self.finished += 1;
        let (task, start, held) = (node.task, node.start, node.held);
        if let Some(resource) = task.resource {
            let desk = &mut self.desks[resource.index()];
            desk.release(cause.number, now);
            desk.ledger.end(now, now.since(start), &task.cost);
            self.announce(resource.0);
        }
        if held {
            for resource in self.holds.remove(&slot).unwrap_or_default() {
                self.desks[resource.index()].ledger.relieve(now);
            }
        }
        let mut successors = self.dag.neighbors(index).detach();
        while let Some(successor) = successors.next_node(&self.dag) {
            let node = &mut self.dag[successor];
            node.note_input(cause.number);
            node.unfinished_predecessors -= 1;
            if node.unfinished_predecessors == 0
                && let Err(fault) = self.make_ready(successor, Some(cause))
            {
                self.fault = Some(fault);
            }
        }
    }

    /// The process that handles `event`: one per resource, after the one that
    /// handles tasks without.
    pub(super) fn handler(&self, event: Event) -> usize {
        match event {
            Event::Turn { resource, .. } => resource as usize + 1,
            Event::End { slot } => {
                let node = &self.dag[NodeIndex::new(slot as usize)];
                node.task
                    .resource
                    .map_or(0, |resource| resource.index() + 1)
            }
        }
    }

    /// The key of the task that an event ends or may start.
    pub(super) fn key_of(&self, event: Event) -> TaskKey {
        match event {
            Event::End { slot } => self.dag[NodeIndex::new(slot as usize)].task.key,
            Event::Turn { order, .. } => order.key(),
        }
    }

    /// Lets finished tasks leave once they outnumber the others.
    pub(super) fn clear_finished(&mut self) {
        let finished = self.dag.node_count() - self.unfinished;
        if finished > self.unfinished.max(FINISHED_KEPT) {
            self.dag = std::mem::take(&mut self.dag).filter_map_owned(
                |_, node| (node.stage != Stage::Finished).then_some(node),
                |_, ()| Some(()),
            );
        }
    }

    /// The unfinished tasks of a run that has no event left: the first by key.
    pub(super) fn stuck(&self) -> Vec<Stuck> {
        let mut stuck: Vec<_> = self
            .dag
            .node_indices()
            .filter(|index| self.dag[*index].stage != Stage::Finished)
            .map(|index| (self.dag[index].task.key, index))
            .collect();
        stuck.sort_unstable();
        stuck.truncate(STUCK_LISTED);
        stuck
            .into_iter()
            .map(|(key, index)| {
                let mut waits_for: Vec<_> = self
                    .dag
                    .neighbors_directed(index, Direction::Incoming)
                    .filter(|before| self.dag[*before].stage != Stage::Finished)
                    .map(|before| self.dag[before].task.key)
                    .collect();
                waits_for.sort_unstable();
                let unlisted = waits_for.len().saturating_sub(STUCK_LISTED);
                waits_for.truncate(STUCK_LISTED);
                Stuck {
                    key,
                    waits_for,
                    unlisted,
                }
            })
            .collect()
    }

    /// The id of the task in `slot`.
    pub(super) fn id(&self, index: NodeIndex<u32>) -> TaskId {
        TaskId {
            serial: self.dag[index].serial,
            slot: index.index() as u32,
        }
    }
}
