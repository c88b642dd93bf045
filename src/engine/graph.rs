//! The tasks that are still to run, as a graph that grows while it is run.
//!
//! A program adds tasks with the tasks they wait for. A finished task stays in
//! memory only until finished tasks outnumber the others; then all of them leave at
//! once, which costs O(1) per task however many successors it had. A [`TaskId`]
//! carries a serial number that is never used again, so an id that outlives its
//! task keeps its meaning: that task has finished.
//!
//! This file holds what a program may do; `progress` holds what time does.

use std::collections::BTreeMap;

use petgraph::graph::NodeIndex;
use petgraph::stable_graph::StableDiGraph;

use super::agenda::Agenda;
use super::error::GraphError;
use super::key::{Kind, TaskKey};
use super::ledger::Ledger;
use super::resource::{Desk, ResourceId, Resources};
use super::task::{Task, TaskId};
use super::trace::Reason;
use crate::units::Instant;

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Some of its predecessors are unfinished.
    Blocked,
    /// Ready, and in the queue of its resource.
    Queued,
    /// Between its start and its end.
    Running,
    /// Done; leaves with the next clearing.
    Finished,
}

/// A task in the graph.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) task: Task,
    pub(super) serial: u64,
    pub(super) unfinished_predecessors: u32,
    pub(super) stage: Stage,
    pub(super) notify: bool,
    pub(super) deferred: bool,
    pub(super) held: bool,
    pub(super) ready: Instant,
    pub(super) start: Instant,
    pub(super) released_by: Option<TaskKey>,
    pub(super) reason: Reason,
}

/// The unfinished tasks of a run, their resources and the clock.
#[derive(Debug)]
pub struct Graph {
    pub(super) dag: StableDiGraph<Node, (), u32>,
    pub(super) agenda: Agenda,
    pub(super) desks: Vec<Desk>,
    /// Resources that wait for a task, by the task's slot.
    pub(super) holds: BTreeMap<u32, Vec<ResourceId>>,
    /// The task whose completion the program is reacting to.
    pub(super) author: Option<(TaskKey, Kind)>,
    /// What went wrong inside a process, for the run to report.
    pub(super) fault: Option<GraphError>,
    pub(super) unfinished: usize,
    pub(super) peak_unfinished: usize,
    pub(super) peak_slots: usize,
    next_serial: u64,
}

impl Graph {
    pub(super) fn new(resources: &Resources) -> Self {
        Self {
            dag: StableDiGraph::default(),
            agenda: Agenda::default(),
            desks: resources
                .list()
                .iter()
                .map(|resource| Desk::new(resource.capacity))
                .collect(),
            holds: BTreeMap::new(),
            author: None,
            fault: None,
            unfinished: 0,
            peak_unfinished: 0,
            peak_slots: 0,
            next_serial: 0,
        }
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.agenda.now()
    }

    /// How many tasks are unfinished.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Adds a task that starts when all `predecessors` have finished and its
    /// resource has a free place.
    ///
    /// A predecessor that has finished already constrains nothing. If none is left
    /// to wait for, the task is ready now, released by the task whose completion
    /// the program is reacting to: before that it did not exist.
    ///
    /// # Errors
    /// If the resource or a predecessor is unknown, a barrier carries work, the
    /// energy is not a finite number ≥ 0, or the end lies beyond simulated time.
    pub fn add(&mut self, task: Task, predecessors: &[TaskId]) -> Result<TaskId, GraphError> {
        self.check(&task)?;
        let node = Node {
            task,
            serial: self.next_serial,
            unfinished_predecessors: 0,
            stage: Stage::Blocked,
            notify: false,
            deferred: false,
            held: false,
            ready: Instant::ZERO,
            start: Instant::ZERO,
            released_by: None,
            reason: Reason::Input,
        };
        for id in predecessors {
            self.find(*id)?;
        }
        let index = self
            .dag
            .try_add_node(node)
            .map_err(|_| GraphError::Full { key: task.key })?;
        let id = TaskId {
            serial: self.next_serial,
            slot: index.index() as u32,
        };
        self.next_serial += 1;
        self.unfinished += 1;
        self.peak_unfinished = self.peak_unfinished.max(self.unfinished);
        self.peak_slots = self.peak_slots.max(self.dag.node_count());
        let now = self.now();
        if let Some(ledger) = self.ledger(task.resource) {
            ledger.expect(now);
        }
        for predecessor in predecessors {
            self.join(*predecessor, index)?;
        }
        if self.dag[index].unfinished_predecessors == 0 {
            self.make_ready(index, self.author)?;
        }
        Ok(id)
    }

    /// Adds a barrier that opens when the last of `arrivals` does finish.
    ///
    /// # Errors
    /// As for [`Graph::add`].
    pub fn barrier(&mut self, key: TaskKey, arrivals: &[TaskId]) -> Result<TaskId, GraphError> {
        self.add(Task::barrier(key), arrivals)
    }

    /// Lets `after` wait for `before` as well.
    ///
    /// # Errors
    /// If `after` waits for no other task any more, or an id is unknown.
    pub fn link(&mut self, before: TaskId, after: TaskId) -> Result<(), GraphError> {
        let request = "give a task another predecessor";
        let index = self.unfinished_task(after, request)?;
        if self.dag[index].stage != Stage::Blocked {
            return Err(GraphError::TooLate {
                request,
                serial: after.serial,
                state: "waits for no task any more",
            });
        }
        self.join(before, index)
    }

    /// Asks for [`Program::completed`](super::Program::completed) when the task finishes.
    ///
    /// # Errors
    /// If it has finished, or the id is unknown.
    pub fn notify(&mut self, id: TaskId) -> Result<(), GraphError> {
        let index = self.unfinished_task(id, "ask for notice of an end")?;
        self.dag[index].notify = true;
        Ok(())
    }

    /// Leaves duration and cost of the task to
    /// [`Program::service`](super::Program::service), which is asked when it starts.
    ///
    /// # Errors
    /// If it has started, has no resource, or the id is unknown.
    pub fn defer(&mut self, id: TaskId) -> Result<(), GraphError> {
        let request = "leave a duration to the start";
        let index = self.unfinished_task(id, request)?;
        let node = &mut self.dag[index];
        if node.task.resource.is_none() {
            return Err(GraphError::DeferredWithoutResource { key: node.task.key });
        }
        if node.stage == Stage::Running {
            return Err(GraphError::TooLate {
                request,
                serial: id.serial,
                state: "has started",
            });
        }
        node.deferred = true;
        Ok(())
    }

    /// Says that `resource` waits for the task `until`, so that its time without
    /// work counts as waiting and not as idle until then.
    ///
    /// A device whose next task is added only when an all-reduce has ended has
    /// nothing assigned to it meanwhile; this tells what it is doing.
    ///
    /// # Errors
    /// If the task has finished, or the id or the resource is unknown.
    pub fn hold(&mut self, resource: ResourceId, until: TaskId) -> Result<(), GraphError> {
        let index = self.unfinished_task(until, "hold a resource")?;
        let (now, declared, key) = (self.now(), self.desks.len(), self.dag[index].task.key);
        let Some(ledger) = self.ledger(Some(resource)) else {
            return Err(GraphError::UnknownResource {
                key,
                resource: resource.index(),
                declared,
            });
        };
        ledger.expect(now);
        self.dag[index].held = true;
        self.holds.entry(until.slot).or_default().push(resource);
        Ok(())
    }

    /// Whether the task has finished.
    ///
    /// # Errors
    /// If the id is unknown.
    pub fn is_finished(&self, id: TaskId) -> Result<bool, GraphError> {
        Ok(self.find(id)?.is_none())
    }

    pub(super) fn ledger(&mut self, resource: Option<ResourceId>) -> Option<&mut Ledger> {
        Some(&mut self.desks.get_mut(resource?.index())?.ledger)
    }

    /// Where an unfinished task lies; `None` if it has finished.
    fn find(&self, id: TaskId) -> Result<Option<NodeIndex<u32>>, GraphError> {
        if id.serial >= self.next_serial {
            return Err(GraphError::UnknownTask { serial: id.serial });
        }
        let index = NodeIndex::new(id.slot as usize);
        let unfinished = self
            .dag
            .node_weight(index)
            .is_some_and(|node| node.serial == id.serial && node.stage != Stage::Finished);
        Ok(unfinished.then_some(index))
    }

    fn unfinished_task(
        &self,
        id: TaskId,
        request: &'static str,
    ) -> Result<NodeIndex<u32>, GraphError> {
        self.find(id)?.ok_or(GraphError::TooLate {
            request,
            serial: id.serial,
            state: "has finished",
        })
    }

    /// Draws an edge from `before` to the blocked task at `after`.
    fn join(&mut self, before: TaskId, after: NodeIndex<u32>) -> Result<(), GraphError> {
        if let Some(before) = self.find(before)? {
            let key = self.dag[after].task.key;
            self.dag
                .try_add_edge(before, after, ())
                .map_err(|_| GraphError::Full { key })?;
            self.dag[after].unfinished_predecessors += 1;
        }
        Ok(())
    }

    /// Refuses a task that no run could carry out.
    fn check(&self, task: &Task) -> Result<(), GraphError> {
        let key = task.key;
        if let Some(resource) = task.resource
            && resource.index() >= self.desks.len()
        {
            return Err(GraphError::UnknownResource {
                key,
                resource: resource.index(),
                declared: self.desks.len(),
            });
        }
        if task.kind == Kind::Barrier && *task != Task::barrier(key) {
            return Err(GraphError::LadenBarrier { key });
        }
        task.cost.check(key)
    }
}
