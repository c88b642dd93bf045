//! What the run would have taken had some of its tasks been faster.
//!
//! The executed tasks form a graph. Its edges: what released a task, what else the task
//! waited for, and the order of tasks on a resource that serves one at a time. With the
//! durations d_k
//!
//! ```text
//! start_k = max over predecessors j of end_j,   end_k = start_k + d_k
//! ```
//!
//! which with the recorded durations gives the recorded starts. With scaled durations
//! it is an estimate: the order on each resource, the choices that policies made and
//! the channel's fading stay as they were. A request never starts before it arrives.
//!
//! Every edge leads to a task that ended later, so the log's own order is that of the graph.

use crate::results::events::{Cause, Event, Events};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// When requests arrived that had to wait for their turn, by request.
pub type Arrivals = BTreeMap<u32, Instant>;

/// The executed tasks and everything that one of them waited for.
#[derive(Debug)]
pub struct ExecutedGraph<'e> {
    events: &'e Events,
    /// When the last request of a batch arrived, of those that had to wait.
    arrivals: BTreeMap<u32, Instant>,
    /// Who had the task's resource before it.
    in_queue: Vec<Option<u32>>,
}

impl<'e> ExecutedGraph<'e> {
    /// Restores the graph.
    pub fn of(events: &'e Events, arrivals: &Arrivals) -> Self {
        let mut queues: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (task, index) in events.tasks.iter().zip(0..) {
            if let Some(resource) = task.resource {
                queues.entry(resource).or_default().push(index);
            }
        }
        let mut in_queue = vec![None; events.tasks.len()];
        for queue in queues.values() {
            let in_turn = |pair: &[u32]| events.task(pair[0]).end <= events.task(pair[1]).start;
            if queue.windows(2).all(in_turn) {
                for pair in queue.windows(2) {
                    in_queue[pair[1] as usize] = Some(pair[0]);
                }
            }
        }
        let mut of_batches = BTreeMap::new();
        for (batch, slices) in &events.batches {
            let came = slices
                .iter()
                .filter_map(|slice| arrivals.get(&slice.request));
            if let Some(last) = came.max() {
                of_batches.insert(*batch, *last);
            }
        }
        Self {
            events,
            arrivals: of_batches,
            in_queue,
        }
    }

    /// When each task would start if task k took `duration(k)`, and when the last
    /// would end. A delay until an arrival ends at `arrival` of the recorded instant.
    fn starts(
        &self,
        duration: impl Fn(&Event) -> Duration,
        arrival: impl Fn(Instant) -> Instant,
    ) -> (Vec<Instant>, Instant) {
        let mut starts = Vec::with_capacity(self.events.tasks.len());
        let mut ends: Vec<Instant> = Vec::with_capacity(self.events.tasks.len());
        let mut makespan = Instant::ZERO;
        for ((task, index), in_queue) in self.events.tasks.iter().zip(0..).zip(&self.in_queue) {
            let inputs = self.events.inputs(index).iter();
            let before = inputs.chain(&task.released_by).chain(in_queue);
            let start = before.map(|before| ends[*before as usize]).max();
            let served = task.batch.and_then(|batch| self.arrivals.get(&batch));
            let start = start.max(served.map(|at| arrival(*at)));
            let start = start.unwrap_or(Instant::ZERO);
            let end = match self.events.cause(task) {
                Cause::Arrival => start.max(arrival(task.end)),
                _ => start + duration(task),
            };
            starts.push(start);
            ends.push(end);
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
