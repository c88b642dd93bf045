//! What each task waited for, restored from the log.
//!
//! The log names the task that released another, which is the last of its inputs or,
//! where the task had to queue, whoever left the resource. The other inputs follow by a
//! rule that holds for every program whose devices work in parallel and meet:
//!
//! - a task of no device (a barrier, the server's) waits for all tasks of the stage
//!   that released it;
//! - a barrier waits as well for what ended before it in its layer and released nobody,
//!   for somebody must have waited for that;
//! - a task that queued has the input that its device and sequence have in the stage
//!   from which the first of its own stage came.

use super::{Event, Events, Groups};
use crate::engine::{Kind, Reason};
use std::collections::BTreeMap;

/// A task and the inputs that did not release it.
pub type Inputs = BTreeMap<u32, Vec<u32>>;

impl Events {
    /// The inputs of every task beside its releaser.
    pub fn inputs(&self, groups: &Groups) -> Inputs {
        let mut released = vec![false; self.tasks.len()];
        for releaser in self.tasks.iter().filter_map(|task| task.released_by) {
            released[releaser as usize] = true;
        }
        let mut inputs = Inputs::new();
        let mut unclaimed: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (task, index) in self.tasks.iter().zip(0..) {
            let layer = (task.request, task.step, task.layer);
            if !released[index as usize] {
                unclaimed.entry(layer).or_default().push(index);
            }
            let mut met = match task.released_by {
                Some(releaser) if task.reason == Reason::Resource => {
                    queued(self, groups, task, index, releaser)
                }
                Some(releaser) if task.device.is_none() => {
                    let members = groups.of(releaser).iter().copied();
                    let before = members.filter(|other| self.task(*other).end <= task.ready);
                    before.collect()
                }
                _ => Vec::new(),
            };
            if task.kind == Kind::Barrier {
                met.extend(unclaimed.remove(&layer).unwrap_or_default());
            }
            met.sort_unstable();
            met.dedup();
            met.retain(|other| Some(*other) != task.released_by && *other != index);
            if !met.is_empty() {
                inputs.insert(index, met);
            }
        }
        inputs
    }
}

/// The input of a task that found its resource taken.
fn queued(events: &Events, groups: &Groups, task: &Event, index: u32, left: u32) -> Vec<u32> {
    let first = groups.of(index).iter().map(|other| events.task(*other));
    let mut first = first.filter(|other| other.reason != Reason::Resource);
    let Some(input) = first.next().and_then(|other| other.released_by) else {
        return Vec::new();
    };
    let own = if events.task(input).device.is_none() {
        Some(input)
    } else {
        groups.counterpart(events, input, task)
    };
    let own = own.filter(|own| *own != left && events.task(*own).end <= task.ready);
    own.into_iter().collect()
}
