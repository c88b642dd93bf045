//! `events.csv` read back: the executed tasks of a run, each with the task that
//! released it.
//!
//! A task starts at the very end of the one that released it, so a walk back over
//! [`Event::released_by`] covers the time from a task's start to the start of the
//! run without a gap. Everything that explains a run rests on that walk;
//! [`Events::read`] refuses a log in which it would break.

mod barriers;
mod critical_path;
mod deliveries;
mod inputs;
mod read;
mod splits;
mod waiting;

pub use barriers::{Barriers, Held, Opening};
pub use critical_path::{CriticalPath, Holder, Part};
pub use inputs::Inputs;
pub use read::EventsError;
pub use splits::Split;
pub use waiting::Gap;

use crate::engine::{Kind, Reason};
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;
use std::fmt;

/// Whose time it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A device, by its number.
    Device(u32),
    /// The server.
    Server,
    /// A resource that belongs to neither, such as an air interface whose slots
    /// devices take in turn; its place in [`Events::resources`].
    Shared(u32),
    /// Nobody: a delay or a barrier.
    Nobody,
}

/// What a stretch of time went into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Arithmetic.
    Compute,
    /// Transmission towards the server.
    Uplink,
    /// Transmission towards the devices.
    Downlink,
    /// Transmission on a shared resource, one slot at a time.
    AirSlot,
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
        Self::AirSlot,
        Self::Arrival,
        Self::Overhead,
    ];

    /// A short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
            Self::AirSlot => "air slots",
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
    /// The request it served.
    pub request: Option<u32>,
    /// The step of the request.
    pub step: Option<u32>,
    /// The layer of the model.
    pub layer: Option<u32>,
    /// Its stage: a place in [`Events::stages`].
    pub stage: u32,
    /// The device that worked.
    pub device: Option<u32>,
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

    /// What tells tasks of one stage apart.
    fn place(&self) -> (Option<u32>, u32) {
        (self.device, self.sequence)
    }

    /// What tasks share that differ in device and sequence alone.
    fn stage_key(&self) -> (Option<u32>, Option<u32>, Option<u32>, u32) {
        (self.request, self.step, self.layer, self.stage)
    }
}

/// The stage of a delay that ends with the arrival of a request.
const ARRIVAL_STAGE: &str = "arrival";

/// The executed tasks of a run, in the order in which they ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// Names of stages, in the order in which they first ended.
    pub stages: Vec<String>,
    /// Names of resources, in the order in which they were first left.
    pub resources: Vec<String>,
    /// The tasks; whoever released a task comes before it.
    pub tasks: Vec<Event>,
    owners: Vec<Owner>,
}

/// `device3.compute` belongs to device 3, `server.downlink` to the server.
fn owner_of(resource: &str, index: usize) -> Owner {
    let number = |owner: &str| owner.strip_prefix("device")?.parse().ok();
    match resource.split_once('.') {
        Some(("server", _)) => Owner::Server,
        Some((owner, _)) => number(owner).map_or(Owner::Shared(index as u32), Owner::Device),
        None => Owner::Shared(index as u32),
    }
}

impl Events {
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

    /// Whose time `task` took.
    pub fn owner(&self, task: &Event) -> Owner {
        match (task.resource, task.device) {
            (Some(resource), _) => self.owners[resource as usize],
            (None, Some(device)) => Owner::Device(device),
            (None, None) => Owner::Nobody,
        }
    }

    /// What the time of `task` went into.
    pub fn cause(&self, task: &Event) -> Cause {
        let shared = matches!(self.owner(task), Owner::Shared(_));
        match task.kind {
            Kind::Compute => Cause::Compute,
            Kind::Uplink | Kind::Downlink if shared => Cause::AirSlot,
            Kind::Uplink | Kind::Transfer => Cause::Uplink,
            Kind::Downlink => Cause::Downlink,
            Kind::Overhead if self.stage(task) == ARRIVAL_STAGE => Cause::Arrival,
            Kind::Overhead | Kind::Barrier => Cause::Overhead,
        }
    }

    /// How an owner is called.
    pub fn owner_name(&self, owner: Owner) -> String {
        match owner {
            Owner::Device(device) => format!("device {device}"),
            Owner::Server => "server".to_owned(),
            Owner::Shared(resource) => self.resources[resource as usize].clone(),
            Owner::Nobody => "nobody".to_owned(),
        }
    }

    /// The tasks from `index` back to the start of the run, each released by the next.
    pub fn walk_back(&self, index: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(index), |index| self.task(*index).released_by)
    }

    /// Where tasks lie that agree in request, step, layer and stage and so differ in
    /// device and sequence alone, and the group of each task.
    pub fn groups(&self) -> Groups {
        let mut known = BTreeMap::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        let of = self.tasks.iter().enumerate().map(|(index, task)| {
            let group = *known.entry(task.stage_key()).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[group].push(index as u32);
            group as u32
        });
        let of = of.collect();
        for members in &mut members {
            members.sort_by_key(|member| self.task(*member).place());
        }
        Groups { of, members }
    }
}

/// Tasks of one stage of one layer of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    of: Vec<u32>,
    members: Vec<Vec<u32>>,
}

impl Groups {
    /// The tasks of the group of task `index`, itself among them, by device and sequence.
    pub fn of(&self, index: u32) -> &[u32] {
        &self.members[self.of[index as usize] as usize]
    }

    /// The task of the group of `member` that has device and sequence of `task`.
    pub fn counterpart(&self, events: &Events, member: u32, task: &Event) -> Option<u32> {
        let members = self.of(member);
        let found =
            members.binary_search_by_key(&task.place(), |other| events.task(*other).place());
        found.ok().map(|place| members[place])
    }
}
