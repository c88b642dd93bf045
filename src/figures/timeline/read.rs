//! Reads what is to be drawn out of the executed tasks of a run.

use super::parts::{longest_block, longest_pass};
use super::words::{passes, what_passed};
use super::{Barrier, Group, Lane, Place, Row, Stretch, Timeline};
use crate::engine::Kind;
use crate::figures::choice::{Choice, Chosen};
use crate::results::events::{Event, Events, EventsError, Owner, Window};
use crate::results::readable::seconds;
use std::collections::BTreeMap;
use std::path::Path;

fn lane_of(events: &Events, task: &Event) -> Option<Lane> {
    if matches!(task.kind, Kind::Overhead | Kind::Barrier) {
        return None;
    }
    Some(Lane {
        kind: task.kind,
        name: events.lane_name(task)?.to_owned(),
    })
}

pub(super) fn stretch(task: &Event) -> Stretch {
    Stretch {
        start: task.start,
        end: task.end,
    }
}

fn whole(window: &Window) -> Stretch {
    Stretch {
        start: window.start,
        end: window.end,
    }
}

/// What a lane did for what is shown, and meanwhile for others.
#[derive(Debug, Clone, Default)]
struct Busy {
    own: Vec<Stretch>,
    others: Vec<Stretch>,
}

/// The lanes in use, and where in the figure each is.
struct Lanes<'e> {
    events: &'e Events,
    busy: BTreeMap<Owner, BTreeMap<Lane, Busy>>,
}

/// Whether `task` belongs to the passes of `window`.
fn is_own(window: &Window, task: &Event) -> bool {
    task.batch
        .is_some_and(|batch| window.passes.contains_key(&batch))
}

impl<'e> Lanes<'e> {
    /// Those of the passes of `window` and of others within its time.
    fn of(events: &'e Events, window: &Window) -> Self {
        let mut lanes: BTreeMap<Owner, BTreeMap<Lane, Busy>> = BTreeMap::new();
        for task in &events.tasks {
            let own = is_own(window, task);
            if task.end == task.start || !own && stretch(task).within(whole(window)).is_none() {
                continue;
            }
            let Some(lane) = lane_of(events, task) else {
                continue;
            };
            let of_node = lanes.entry(task.owner()).or_default();
            let busy = of_node.entry(lane).or_default();
            let part = if own { &mut busy.own } else { &mut busy.others };
            part.push(stretch(task));
        }
        for busy in lanes.values_mut().flat_map(BTreeMap::values_mut) {
            busy.own.sort_unstable();
            busy.others.sort_unstable();
        }
        Self {
            events,
            busy: lanes,
        }
    }

    fn place(&self, index: u32) -> Option<Place> {
        let task = self.events.task(index);
        let lane = lane_of(self.events, task)?;
        let owner = task.owner();
        let group = self.busy.keys().position(|other| *other == owner)?;
        let lanes = &self.busy[&owner];
        Some((group, lanes.keys().position(|other| *other == lane)?))
    }

    /// Node and lane of a task, in words.
    fn words(&self, index: u32) -> String {
        let task = self.events.task(index);
        let node = self.events.owner_name(task.owner());
        match self.events.lane_name(task) {
            Some(lane) => format!("{node}, {lane}"),
            None => node.to_owned(),
        }
    }

    fn groups(&self, window: Stretch) -> Vec<Group> {
        let mut groups: Vec<Group> = self
            .busy
            .iter()
            .map(|(owner, lanes)| Group {
                nodes: vec![self.events.owner_name(*owner).to_owned()],
                rows: lanes
                    .iter()
                    .map(|(lane, busy)| Row {
                        lane: lane.clone(),
                        own: busy.own.clone(),
                        others: busy.others.clone(),
                    })
                    .collect(),
                waiting: Vec::new(),
                held: 0,
            })
            .collect();
        for gap in self.events.gaps() {
            let waiting = Stretch {
                start: gap.start,
                end: gap.end,
            };
            let group = self.busy.keys().position(|owner| *owner == gap.owner);
            if let (Some(group), Some(waiting)) = (group, waiting.within(window)) {
                groups[group].waiting.push(waiting);
            }
        }
        groups
    }
}

/// The timeline of what was `chosen` of the run in `folder`, of whose log only that is read.
///
/// # Errors
/// If the log cannot be used.
pub fn read(folder: &Path, chosen: &Chosen) -> Result<Timeline, EventsError> {
    let events = Events::read_window(folder, &chosen.window)?;
    Ok(timeline(&events, chosen))
}

/// The timeline of what was `chosen` of the run whose tasks are `events`, or those of them
/// that its window holds.
pub fn timeline(events: &Events, chosen: &Chosen) -> Timeline {
    let window = &chosen.window;
    let whole = whole(window);
    let own: Vec<u32> = (0..events.tasks.len() as u32)
        .filter(|index| is_own(window, events.task(*index)))
        .collect();
    let lanes = Lanes::of(events, window);
    let mut groups = lanes.groups(whole);
    let barriers = barriers(&lanes, window);
    for barrier in &barriers {
        if let [(group, _)] = barrier.held_by[..] {
            groups[group].held += 1;
        }
    }
    let nodes = lanes.busy.keys();
    let nodes = nodes.filter(|owner| **owner != Owner::Nobody).count();
    let (subject, what, detail) = match chosen.choice {
        Choice::Request(request) => (
            "the whole request",
            format!("Request {request}, {}", passes(window)),
            longest_pass(window),
        ),
        Choice::Typical | Choice::Pass(_) => (
            "the whole pass",
            what_passed(window),
            longest_block(events, &own),
        ),
    };
    Timeline {
        title: format!(
            "{what}, on {nodes} {}: {}",
            if nodes == 1 { "node" } else { "nodes" },
            seconds(whole.length().as_seconds())
        ),
        subject,
        groups,
        barriers,
        path: path(&lanes, &own, whole),
        whole,
        detail,
        folded: None,
    }
}

fn barriers(lanes: &Lanes<'_>, window: &Window) -> Vec<Barrier> {
    let events = lanes.events;
    let openings = events.openings().into_iter();
    let openings = openings.filter(|opening| is_own(window, events.task(opening.barrier)));
    openings
        .map(|opening| {
            let barrier = events.task(opening.barrier);
            let held_by = opening.held_by.iter();
            let shown = held_by.filter(|index| lanes.place(**index).is_some());
            Barrier {
                at: barrier.end,
                stage: events.stage(barrier).replace('_', " "),
                held_by: shown
                    .clone()
                    .filter_map(|index| lanes.place(*index))
                    .collect(),
                holders: shown.map(|index| lanes.words(*index)).collect(),
                lead: opening.lead,
            }
        })
        .collect()
}

/// The tasks of some time that lead to the end of what is shown, each released by the one
/// before.
fn path(lanes: &Lanes<'_>, own: &[u32], whole: Stretch) -> Vec<(Place, Stretch)> {
    let events = lanes.events;
    let last = own
        .iter()
        .max_by_key(|index| (events.task(**index).end, **index));
    let back = last.into_iter().flat_map(|index| events.walk_back(*index));
    let back = back.take_while(|index| events.task(*index).end > whole.start);
    let mut path: Vec<_> = back
        .filter_map(|index| {
            let part = stretch(events.task(index)).within(whole)?;
            Some((lanes.place(index)?, part))
        })
        .collect();
    path.reverse();
    path
}
