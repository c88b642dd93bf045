//! What the run would have taken had some of its tasks been faster.
//!
//! The executed tasks form a graph. Its edges: what released a task, what else the task
//! waited for (see [`Events::inputs`]), and the order of tasks on one resource. With the
//! durations d_k
//!
//! ```text
//! start_k = max over predecessors j of end_j,   end_k = start_k + d_k
//! ```
//!
//! which with the recorded durations gives the recorded starts. With scaled durations
//! it is an estimate: the order on each resource, the choices that policies made and
//! the channel's fading stay as they were. A request never starts before it arrives.

use crate::results::events::{Cause, Event, Events, Groups};
use crate::units::{Duration, Instant};
use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeMap;

/// When requests arrived that had to wait for their turn, by request.
pub type Arrivals = BTreeMap<u32, Instant>;

/// An event log whose tasks wait for each other in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tasks of the event log wait for each other in a circle; run the scenario again with --set trace=Full"
)]
pub struct ReplayError;

/// The executed tasks and everything that one of them waited for.
#[derive(Debug)]
pub struct ExecutedGraph<'e> {
    events: &'e Events,
    arrivals: &'e Arrivals,
    graph: DiGraph<(), (), u32>,
    order: Vec<NodeIndex<u32>>,
}

impl<'e> ExecutedGraph<'e> {
    /// Restores the graph.
    ///
    /// # Errors
    /// If it has a circle.
    pub fn of(
        events: &'e Events,
        groups: &Groups,
        arrivals: &'e Arrivals,
    ) -> Result<Self, ReplayError> {
        let mut graph = DiGraph::with_capacity(events.tasks.len(), 2 * events.tasks.len());
        for _ in &events.tasks {
            graph.add_node(());
        }
        let mut edge = |from: u32, to: u32| {
            graph.add_edge(
                NodeIndex::new(from as usize),
                NodeIndex::new(to as usize),
                (),
            );
        };
        for (task, index) in events.tasks.iter().zip(0..) {
            if let Some(releaser) = task.released_by {
                edge(releaser, index);
            }
        }
        for (index, met) in events.inputs(groups) {
            met.into_iter().for_each(|input| edge(input, index));
        }
        let mut queues: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (task, index) in events.tasks.iter().zip(0..) {
            if let Some(resource) = task.resource {
                queues.entry(resource).or_default().push(index);
            }
        }
        for queue in queues.values() {
            for pair in queue.windows(2) {
                if events.task(pair[0]).end <= events.task(pair[1]).start {
                    edge(pair[0], pair[1]);
                }
            }
        }
        let order = toposort(&graph, None).map_err(|_| ReplayError)?;
        Ok(Self {
            events,
            arrivals,
            graph,
            order,
        })
    }

    /// When each task would start if task k took `duration(k)`, and when the last
    /// would end. A delay until an arrival ends at `arrival` of the recorded instant.
    fn starts(
        &self,
        duration: impl Fn(&Event) -> Duration,
        arrival: impl Fn(Instant) -> Instant,
    ) -> (Vec<Instant>, Instant) {
        let mut starts = vec![Instant::ZERO; self.events.tasks.len()];
        let mut ends = starts.clone();
        let mut makespan = Instant::ZERO;
        for node in &self.order {
            let task = self.events.task(node.index() as u32);
            let before = self.graph.neighbors_directed(*node, Direction::Incoming);
            let mut start = before.map(|node| ends[node.index()]).max();
            let served = self.arrivals.get(&task.request.unwrap_or(u32::MAX));
            start = start.max(served.map(|at| arrival(*at)));
            let start = start.unwrap_or(Instant::ZERO);
            let end = match self.events.cause(task) {
                Cause::Arrival => start.max(arrival(task.end)),
                _ => start + duration(task),
            };
            starts[node.index()] = start;
            ends[node.index()] = end;
            makespan = makespan.max(end);
        }
        (starts, makespan)
    }

    /// When each task would start with the durations as recorded.
    pub fn recorded_starts(&self) -> Vec<Instant> {
        self.starts(Event::duration, |at| at).0
    }

    /// When the run would have ended had every task of which `faster` holds taken half
    /// its time, rounded up to a picosecond; for [`Cause::Arrival`] tasks, had all
    /// requests arrived after half the time.
    pub fn makespan_if_halved(&self, faster: impl Fn(&Event) -> bool) -> Instant {
        let arrivals = self
            .events
            .tasks
            .iter()
            .any(|task| self.events.cause(task) == Cause::Arrival && faster(task));
        let duration = |task: &Event| match faster(task) {
            true => Duration(task.duration().0.div_ceil(2)),
            false => task.duration(),
        };
        let arrival = |at: Instant| match arrivals {
            true => Instant(at.0.div_ceil(2)),
            false => at,
        };
        self.starts(duration, arrival).1
    }
}
