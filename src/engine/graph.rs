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
use smallvec::SmallVec;

use super::agenda::{Agenda, Book, Stamp};
use super::error::GraphError;
use super::key::{Kind, TaskKey};
use super::ledger::Ledger;
use super::resource::{Desk, ResourceId, Resources};
use super::task::{Cost, Task, TaskId};
use super::trace::Reason;
use crate::units::Instant;

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Some of its predecessors are unfinished.
    Blocked,
    /// Ready, and in the queue of its resource.
    Queued,
    /// In its place, while the program is asked how long it takes.
    Starting,
    /// Between its start and its end.
    Running,
    /// Done; leaves with the next clearing.
    Finished,
}

/// The numbers of finished tasks; most tasks wait for one or two.
pub(super) type Numbers = SmallVec<[u64; INLINE]>;
const INLINE: usize = 2;

/// A task that finished, as the cause of what follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    /// Its number.
    pub(super) number: u64,
    /// Whether it was a barrier.
    pub(super) barrier: bool,
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
    /// When it ends, and the event that says so, while it runs.
    pub(super) end: Instant,
    pub(super) stamp: Stamp,
    pub(super) inputs: Numbers,
    pub(super) released_by: Option<u64>,
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
    /// What the program is reacting to by what it asks for now: the end of a task, with its
    /// id, or the end that let a task start.
    pub(super) author: Option<(Option<TaskId>, Cause)>,
    /// Room for many inputs, of tasks that have left.
    pub(super) spare: Vec<Numbers>,
    /// What went wrong inside a process, for the run to report.
    pub(super) fault: Option<GraphError>,
    /// How many tasks have finished, which is the number of the next to do so.
    pub(super) finished: u64,
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
            spare: Vec::new(),
            fault: None,
            finished: 0,
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
    /// to wait for, the task is ready now, released by the task to whose end the
    /// program is reacting: before that it did not exist.
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
            end: Instant::ZERO,
            stamp: Stamp::default(),
            inputs: Numbers::new(),
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
        if predecessors.len() > INLINE
            && let Some(spare) = self.spare.pop()
        {
            self.dag[index].inputs = spare;
        }
        for predecessor in predecessors {
            self.join(*predecessor, index)?;
        }
        if self.dag[index].unfinished_predecessors == 0 {
            let cause = self.author.map(|(_, cause)| cause);
            if let Some(cause) = cause {
                self.dag[index].note_input(cause.number);
            }
            self.make_ready(index, cause)?;
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
        if matches!(node.stage, Stage::Starting | Stage::Running) {
            return Err(GraphError::TooLate {
                request,
                serial: id.serial,
                state: "has started",
            });
        }
        node.deferred = true;
        Ok(())
    }

    /// Moves the end of a running task to `end`, which is now or later.
    ///
    /// # Errors
    /// If it does not run or is a barrier, `end` is in the past, or the id is unknown.
    pub fn retime(&mut self, id: TaskId, end: Instant) -> Result<(), GraphError> {
        let index = self.running_task(id, "move the end of a task")?;
        let (now, slot) = (self.now(), id.slot);
        let node = &mut self.dag[index];
        let key = node.task.key;
        if node.task.kind == Kind::Barrier {
            return Err(GraphError::LadenBarrier { key });
        }
        if end < now {
            return Err(GraphError::Past { key, end, now });
        }
        if end != node.end {
            node.end = end;
            node.stamp = self.agenda.move_end(end, key.order(), slot);
        }
        Ok(())
    }

    /// Changes what a running task costs.
    ///
    /// # Errors
    /// If it does not run or is a barrier, the energy is not a finite number ≥ 0, or the id
    /// is unknown.
    pub fn recost(&mut self, id: TaskId, cost: Cost) -> Result<(), GraphError> {
        let index = self.running_task(id, "change the cost of a task")?;
        let task = &mut self.dag[index].task;
        if task.kind == Kind::Barrier {
            return Err(GraphError::LadenBarrier { key: task.key });
        }
        cost.check(task.key)?;
        task.cost = cost;
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

    fn running_task(
        &self,
        id: TaskId,
        request: &'static str,
    ) -> Result<NodeIndex<u32>, GraphError> {
        let index = self.find(id)?;
        let state = match index.map(|index| (index, self.dag[index].stage)) {
            Some((index, Stage::Running)) => return Ok(index),
            Some((_, Stage::Blocked | Stage::Queued)) => "has not started",
            Some((_, Stage::Starting)) => "is starting; answer so in `Program::service`",
            Some((_, Stage::Finished)) | None => "has finished",
        };
        Err(GraphError::NotRunning {
            request,
            serial: id.serial,
            state,
        })
    }

    /// Draws an edge from `before` to the blocked task at `after`.
    fn join(&mut self, before: TaskId, after: NodeIndex<u32>) -> Result<(), GraphError> {
        if let Some((Some(author), cause)) = self.author
            && author == before
        {
            self.dag[after].note_input(cause.number);
        }
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

impl Node {
    /// Notes that the task waited for the one with this number, the highest so far.
    pub(super) fn note_input(&mut self, number: u64) {
        // A predecessor may have been named twice.
        if self.inputs.last() != Some(&number) {
            self.inputs.push(number);
        }
    }
}

impl Book for StableDiGraph<Node, (), u32> {
    fn holds(&self, slot: u32, stamp: Stamp) -> bool {
        self.node_weight(NodeIndex::new(slot as usize))
            .is_some_and(|node| node.stage == Stage::Running && node.stamp == stamp)
    }
}
