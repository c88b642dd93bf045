//! `events.csv` read back: the executed tasks of a run, each with the tasks that it waited
//! for and the one that released it.
//!
//! A task starts at the very end of the one that released it, so a walk back over
//! [`Event::released_by`] covers the time from a task's start to the start of the
//! run without a gap. Everything that explains a run rests on that walk;
//! [`Events::read`] refuses a log in which it would break.
//!
//! Nodes go by their names, in the order of `nodes.csv`; what a batch served is in
//! `batches.csv`. Nothing here knows what a system is made of.

mod backwards;
mod barriers;
mod critical_path;
mod deliveries;
mod read;
mod row;
mod splits;
mod waiting;

pub use backwards::Backwards;
pub use barriers::{Barriers, Held, Opening};
pub use critical_path::{CriticalPath, Holder, Part};
pub use read::{EventsError, Window};
pub use splits::Split;
pub use waiting::Gap;

use crate::engine::{Kind, Reason};
use crate::results::tables::Batches;
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;
use std::fmt;

/// Whose time it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A node: a place in [`Events::nodes`].
    Node(u32),
    /// Nobody: a delay or a barrier.
    Nobody,
}

/// What a stretch of time went into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Arithmetic.
    Compute,
    /// Transmission by radio towards the hub of its cell.
    Uplink,
    /// Transmission by radio from the hub of its cell.
    Downlink,
    /// Transmission over a wire.
    Transfer,
    /// A request had not arrived yet.
    Arrival,
    /// Time that is none of these: pilots, scheduling.
    Overhead,
}

impl Cause {
    /// Every cause, in order.
    pub const ALL: [Self; 6] = [
        Self::Compute,
        Self::Uplink,
        Self::Downlink,
        Self::Transfer,
        Self::Arrival,
        Self::Overhead,
    ];

    /// That of a task of `kind` in the stage of this name.
    fn of(kind: Kind, stage: &str) -> Self {
        match kind {
            Kind::Compute => Self::Compute,
            Kind::Uplink => Self::Uplink,
            Kind::Downlink => Self::Downlink,
            Kind::Transfer => Self::Transfer,
            Kind::Overhead if stage == ARRIVAL_STAGE => Self::Arrival,
            Kind::Overhead | Kind::Barrier => Self::Overhead,
        }
    }

    /// A short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
            Self::Transfer => "transfer",
            Self::Arrival => "waiting for arrivals",
            Self::Overhead => "overhead",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One executed task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The batch that it served; see [`Events::batches`].
    pub batch: Option<u32>,
    /// The layer of the model.
    pub layer: Option<u32>,
    /// Its stage: a place in [`Events::stages`].
    pub stage: u32,
    /// The node that worked: a place in [`Events::nodes`].
    pub node: Option<u32>,
    /// The other end of a transmission: a place there too.
    pub peer: Option<u32>,
    /// Tells apart tasks that agree in all else.
    pub sequence: u32,
    /// What it occupied: a place in [`Events::resources`].
    pub resource: Option<u32>,
    /// What it did.
    pub kind: Kind,
    /// When its inputs were there.
    pub ready: Instant,
    /// When it started.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// The task whose end let it start: a place in [`Events::tasks`].
    pub released_by: Option<u32>,
    /// Why it had not started before.
    pub reason: Reason,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read and written in memory.
    pub bytes: u64,
    /// Bits sent.
    pub bits: u64,
    /// Energy in joules.
    pub joules: f64,
}

impl Event {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }

    /// Whose time it took.
    pub fn owner(&self) -> Owner {
        self.node.map_or(Owner::Nobody, Owner::Node)
    }

    /// Whether it is a transmission.
    pub fn is_transmission(&self) -> bool {
        matches!(self.kind, Kind::Uplink | Kind::Downlink | Kind::Transfer)
    }

    /// What tasks share that differ in node, peer and sequence alone.
    fn stage_key(&self) -> (Option<u32>, Option<u32>, u32) {
        (self.batch, self.layer, self.stage)
    }
}

/// The stage of a delay that ends with the arrival of a request.
const ARRIVAL_STAGE: &str = "arrival";

/// The executed tasks of a run, in the order in which they ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// Names of stages, in the order in which they first ended.
    pub stages: Vec<String>,
    /// Names of nodes, in the order of `nodes.csv`.
    pub nodes: Vec<String>,
    /// Names of resources, in the order in which they were first left.
    pub resources: Vec<String>,
    /// The tasks; whoever released a task, and what it waited for, comes before it.
    pub tasks: Vec<Event>,
    /// Tasks in the log; more than [`tasks`](Self::tasks) if only a part of it was read.
    pub rows: u64,
    /// What each batch served of which a task was read.
    pub batches: Batches,
    /// What all tasks waited for, one task's after the other's.
    inputs: Vec<u32>,
    /// Where each task's inputs end.
    input_ends: Vec<usize>,
}

impl Events {
    /// Whether the log goes on after what was read of it.
    pub fn goes_on(&self) -> bool {
        self.rows > self.tasks.len() as u64
    }

    /// The end of the last task.
    pub fn makespan(&self) -> Instant {
        let ends = self.tasks.iter().map(|task| task.end);
        ends.max().unwrap_or(Instant::ZERO)
    }

    /// The task `index`.
    pub fn task(&self, index: u32) -> &Event {
        &self.tasks[index as usize]
    }

    /// The name of the stage of `task`.
    pub fn stage(&self, task: &Event) -> &str {
        &self.stages[task.stage as usize]
    }

    /// The tasks that `index` waited for, in the order in which they ended: places in
    /// [`tasks`](Self::tasks).
    pub fn inputs(&self, index: u32) -> &[u32] {
        let place = index as usize;
        let from = place.checked_sub(1).map_or(0, |last| self.input_ends[last]);
        &self.inputs[from..self.input_ends[place]]
    }

    /// What the time of `task` went into.
    pub fn cause(&self, task: &Event) -> Cause {
        Cause::of(task.kind, self.stage(task))
    }

    /// How an owner is called.
    pub fn owner_name(&self, owner: Owner) -> &str {
        match owner {
            Owner::Node(node) => &self.nodes[node as usize],
            Owner::Nobody => "nobody",
        }
    }

    /// What the resource of `task` is called among those of its node; `None` without one.
    pub fn lane_name(&self, task: &Event) -> Option<&str> {
        Some(self.resource_name(task.owner(), task.resource?))
    }

    /// What `resource` is called among those of `owner`.
    pub fn resource_name(&self, owner: Owner, resource: u32) -> &str {
        let name = self.resources[resource as usize].as_str();
        let within = name.strip_prefix(self.owner_name(owner));
        within.and_then(|it| it.strip_prefix('.')).unwrap_or(name)
    }

    /// What `batch` served, in words: `request 0, step 3`; empty if that is not known.
    pub fn served(&self, batch: u32) -> String {
        let slices = self.batches.get(&batch).map_or(&[][..], Vec::as_slice);
        match slices {
            [] => String::new(),
            [one] => format!("request {}, step {}", one.request, one.step),
            several => {
                let requests: Vec<_> = several.iter().map(|it| it.request.to_string()).collect();
                format!("batch {batch} of requests {}", requests.join(", "))
            }
        }
    }

    /// The tasks from `index` back to the start of the run, each released by the next.
    pub fn walk_back(&self, index: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(index), |index| self.task(*index).released_by)
    }

    /// Where tasks lie that agree in batch, layer and stage, and the group of each task.
    pub fn groups(&self) -> Groups {
        let mut known = BTreeMap::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        let of = self.tasks.iter().zip(0..).map(|(task, index)| {
            let group = *known.entry(task.stage_key()).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[group].push(index);
            group as u32
        });
        let of = of.collect();
        Groups { of, members }
    }
}

/// Tasks of one stage of one layer of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    of: Vec<u32>,
    members: Vec<Vec<u32>>,
}

impl Groups {
    /// The tasks of the group of task `index`, itself among them.
    pub fn of(&self, index: u32) -> &[u32] {
        &self.members[self.of[index as usize] as usize]
    }
}
