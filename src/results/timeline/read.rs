//! Reads the pass to be drawn out of the executed tasks of a run.

use super::{Barrier, Group, Lane, Place, Slice, Timeline};
use crate::engine::Kind;
use crate::results::events::{Event, Events, Owner};
use crate::results::readable::seconds;
use crate::results::tables::{self, Phase};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why no timeline can be drawn.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// The folder's event log holds no pass.
    #[error("{path} holds no pass to draw; was the run's workload empty?")]
    Empty {
        /// The run folder.
        path: PathBuf,
    },
}

/// The pass to show: the first that decodes and was read whole, else the first.
fn choose(events: &Events) -> Option<(u32, &[tables::Slice])> {
    let decodes = |slices: &[tables::Slice]| slices.iter().any(|it| it.phase == Phase::Decode);
    // Where only the beginning was read, a pass may go on beyond it.
    let read = events.makespan();
    let whole = |slices: &[tables::Slice]| {
        let end = slices.iter().map(|slice| slice.end).max();
        !events.goes_on() || end.is_some_and(|end| end < read)
    };
    let mut batches = events.batches.iter();
    let decoding = batches.find(|(_, slices)| decodes(slices) && whole(slices));
    let (batch, slices) = decoding.or_else(|| events.batches.iter().next())?;
    Some((*batch, slices))
}

fn lane_of(events: &Events, task: &Event) -> Option<Lane> {
    if matches!(task.kind, Kind::Overhead | Kind::Barrier) {
        return None;
    }
    Some(Lane {
        kind: task.kind,
        name: events.lane_name(task)?.to_owned(),
    })
}

fn slice(task: &Event) -> Slice {
    Slice {
        start: task.start,
        end: task.end,
    }
}

/// What a lane did for the pass, and meanwhile for others.
#[derive(Debug, Clone, Default)]
struct Busy {
    own: Vec<Slice>,
    others: Vec<Slice>,
}

/// The lanes of the pass, and where in the figure each is.
struct PassLanes<'e> {
    events: &'e Events,
    slices: BTreeMap<Owner, BTreeMap<Lane, Busy>>,
}

impl<'e> PassLanes<'e> {
    /// Those of `batch` and of others within its `whole` time.
    fn of(events: &'e Events, batch: u32, whole: Slice) -> Self {
        let mut slices: BTreeMap<Owner, BTreeMap<Lane, Busy>> = BTreeMap::new();
        for task in &events.tasks {
            let owner = task.owner();
            let Some(lane) = lane_of(events, task).filter(|_| task.end > task.start) else {
                continue;
            };
            let own = task.batch == Some(batch);
            if !own && slice(task).within(whole).is_none() {
                continue;
            }
            let busy = slices.entry(owner).or_default().entry(lane).or_default();
            let part = if own { &mut busy.own } else { &mut busy.others };
            part.push(slice(task));
        }
        for busy in slices.values_mut().flat_map(BTreeMap::values_mut) {
            busy.own.sort_unstable();
            busy.others.sort_unstable();
        }
        Self { events, slices }
    }

    fn place(&self, index: u32) -> Option<Place> {
        let task = self.events.task(index);
        let lane = lane_of(self.events, task)?;
        let owner = task.owner();
        let group = self.slices.keys().position(|other| *other == owner)?;
        let lane = self.slices[&owner]
            .keys()
            .position(|other| *other == lane)?;
        Some((group, lane))
    }
}

/// Reads the timeline of the run in `folder`, whose tasks are `events`.
///
/// # Errors
/// If no pass was run.
pub fn read(folder: &Path, events: &Events) -> Result<Timeline, TimelineError> {
    let empty = || TimelineError::Empty {
        path: folder.to_owned(),
    };
    let (batch, served) = choose(events).ok_or_else(empty)?;
    let first = served.first().ok_or_else(empty)?;
    let whole = Slice {
        start: first.start,
        end: first.end,
    };
    let in_pass = |task: &Event| task.batch == Some(batch);
    let pass: Vec<u32> = (0..events.tasks.len() as u32)
        .filter(|index| in_pass(events.task(*index)))
        .collect();
    let lanes = PassLanes::of(events, batch, whole);
    let mut groups: Vec<Group> = lanes
        .slices
        .iter()
        .map(|(owner, lanes)| Group {
            name: events.owner_name(*owner).to_owned(),
            lanes: lanes
                .iter()
                .map(|(lane, busy)| (lane.clone(), busy.own.clone()))
                .collect(),
            others: lanes.values().map(|busy| busy.others.clone()).collect(),
            waiting: Vec::new(),
            held: 0,
        })
        .collect();
    for gap in events.gaps() {
        let waiting = Slice {
            start: gap.start,
            end: gap.end,
        };
        let group = lanes.slices.keys().position(|owner| *owner == gap.owner);
        if let (Some(group), Some(waiting)) = (group, waiting.within(whole)) {
            groups[group].waiting.push(waiting);
        }
    }
    let barriers = barriers(events, &lanes, in_pass);
    for barrier in &barriers {
        if let [(group, _)] = barrier.held_by[..] {
            groups[group].held += 1;
        }
    }
    let nodes = lanes.slices.keys();
    let nodes = nodes.filter(|owner| **owner != Owner::Nobody).count();
    Ok(Timeline {
        title: format!(
            "{} on {nodes} {}: {}",
            what(served),
            if nodes == 1 { "node" } else { "nodes" },
            seconds(whole.length().as_seconds())
        ),
        groups,
        barriers,
        path: path(&lanes, &pass, whole),
        whole,
        block: block(events, &pass),
    })
}

fn what(served: &[tables::Slice]) -> String {
    let tokens: u64 = served.iter().map(|slice| slice.tokens).sum();
    match served {
        [one] => match one.phase {
            Phase::Prefill => format!("Prefill of {tokens} tokens"),
            Phase::Decode => "One decode step".to_owned(),
            Phase::Score => format!("Scoring a window of {tokens} tokens"),
            Phase::Choose => format!("Reading a choice of {tokens} tokens"),
        },
        several => format!("A batch of {} requests, {tokens} tokens", several.len()),
    }
}

fn barriers(
    events: &Events,
    lanes: &PassLanes<'_>,
    in_pass: impl Fn(&Event) -> bool,
) -> Vec<Barrier> {
    let openings = events.openings().into_iter();
    let openings = openings.filter(|opening| in_pass(events.task(opening.barrier)));
    openings
        .map(|opening| {
            let barrier = events.task(opening.barrier);
            let held_by = opening.held_by.into_iter();
            Barrier {
                at: barrier.end,
                stage: events.stage(barrier).replace('_', " "),
                held_by: held_by.filter_map(|index| lanes.place(index)).collect(),
                lead: opening.lead,
            }
        })
        .collect()
}

/// The tasks of some time that lead to the end of the pass, each released by the one
/// before.
fn path(lanes: &PassLanes<'_>, pass: &[u32], whole: Slice) -> Vec<(Place, Slice)> {
    let events = lanes.events;
    let last = pass
        .iter()
        .max_by_key(|index| (events.task(**index).end, **index));
    let back = last.into_iter().flat_map(|index| events.walk_back(*index));
    let back = back.take_while(|index| events.task(*index).end > whole.start);
    let mut path: Vec<_> = back
        .filter_map(|index| {
            let part = slice(events.task(index)).within(whole)?;
            Some((lanes.place(index)?, part))
        })
        .collect();
    path.reverse();
    path
}

/// The longest of the pass's blocks; of several the first.
fn block(events: &Events, pass: &[u32]) -> Option<(String, Slice)> {
    let mut blocks: BTreeMap<u32, Slice> = BTreeMap::new();
    for index in pass {
        let task = events.task(*index);
        let Some(layer) = task.layer else { continue };
        let block = blocks.entry(layer).or_insert_with(|| slice(task));
        block.start = block.start.min(task.start);
        block.end = block.end.max(task.end);
    }
    let longest = blocks.values().map(|block| block.length()).max()?;
    let mut of_it = blocks.iter().filter(|(_, block)| block.length() == longest);
    let (layer, block) = of_it.next()?;
    let length = seconds(longest.as_seconds());
    let caption = match blocks.len() {
        1 => format!("its block: {length}"),
        count => format!("the longest of its {count} blocks, number {layer}: {length}"),
    };
    (block.end > block.start).then_some((caption, *block))
}
