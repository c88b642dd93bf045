//! How each device spent the run.

use super::{Cause, Events, Owner};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// How one device spent the run. Where its lanes work at the same time, as in a pipeline,
/// the parts add up to more than the makespan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Time of its tasks, its slots on a shared air among them.
    pub busy: BTreeMap<Cause, Duration>,
    /// Time in which none of its tasks ran though one was still to come.
    pub waiting: Duration,
    /// Time after its last task.
    pub done: Duration,
}

impl Events {
    /// The split of every device.
    pub fn splits(&self) -> BTreeMap<u32, Split> {
        let mut spans: BTreeMap<u32, Vec<(Instant, Instant)>> = BTreeMap::new();
        let mut splits: BTreeMap<u32, Split> = BTreeMap::new();
        for task in &self.tasks {
            let device = match (task.device, self.owner(task)) {
                (Some(device), _) | (None, Owner::Device(device)) => device,
                _ => continue,
            };
            if task.end > task.start {
                spans
                    .entry(device)
                    .or_default()
                    .push((task.start, task.end));
                let busy = &mut splits.entry(device).or_default().busy;
                *busy.entry(self.cause(task)).or_default() += task.duration();
            }
        }
        let makespan = self.makespan();
        for (device, split) in &mut splits {
            let mut spans = spans.remove(device).unwrap_or_default();
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
