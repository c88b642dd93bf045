//! How each node spent the run.

use super::{Cause, Events};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// How one node spent the run. Where its lanes work at the same time, as in a pipeline,
/// the parts add up to more than the makespan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Time of its tasks.
    pub busy: BTreeMap<Cause, Duration>,
    /// Time in which none of its tasks ran though one was still to come.
    pub waiting: Duration,
    /// Time after its last task.
    pub done: Duration,
}

impl Events {
    /// The split of every node that did something.
    pub fn splits(&self) -> BTreeMap<u32, Split> {
        let mut spans: BTreeMap<u32, Vec<(Instant, Instant)>> = BTreeMap::new();
        let mut splits: BTreeMap<u32, Split> = BTreeMap::new();
        for task in self.tasks.iter().filter(|task| task.end > task.start) {
            let Some(node) = task.node else { continue };
            spans.entry(node).or_default().push((task.start, task.end));
            let busy = &mut splits.entry(node).or_default().busy;
            *busy.entry(self.cause(task)).or_default() += task.duration();
        }
        let makespan = self.makespan();
        for (node, split) in &mut splits {
            let mut spans = spans.remove(node).unwrap_or_default();
            spans.sort_unstable();
            let mut covered = Instant::ZERO;
            for (start, end) in spans {
                if start > covered {
                    split.waiting += start.since(covered);
                }
                covered = covered.max(end);
            }
            split.done = makespan.since(covered);
        }
        splits
    }
}
