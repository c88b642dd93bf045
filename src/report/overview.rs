//! One reading of a run's event log, upwards, for everything that the page says of time: how busy
//! every lane was when, the critical path, who waited for what, and the tasks of some windows.
//!
//! Nothing is left out however long the log is, and the memory that it takes does not grow with it:
//! bins, sums per pair of nodes, and at most [`MOST_TASKS`] tasks.

use super::density::Density;
use super::waiting::{Follower, Gap, Waiting};
use super::windows::{self, MOST_TASKS, Window};
use crate::engine::Kind;
use crate::results::events::{Backwards, Event, Events, EventsError, Owner};
use crate::results::tables::for_each_slice;
use crate::units::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a lane shows, in the order in which a node's lanes are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shows {
    Compute,
    Uplink,
    Downlink,
    Transfer,
    Delays,
    Waiting,
}

impl Shows {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
            Self::Transfer => "transfer",
            Self::Delays => "delays",
            Self::Waiting => "waiting",
        }
    }

    fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Compute => Self::Compute,
            Kind::Uplink => Self::Uplink,
            Kind::Downlink => Self::Downlink,
            Kind::Transfer => Self::Transfer,
            Kind::Overhead => Self::Delays,
            Kind::Barrier => return None,
        })
    }
}

/// A lane of the timeline.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) owner: Owner,
    pub(super) shows: Shows,
    pub(super) name: String,
    /// Tasks, or stretches of waiting.
    pub(super) count: u64,
    /// Time in which at least one of its tasks ran.
    pub(super) busy: Duration,
    /// Where its bins are.
    pub(super) bins: usize,
}

/// A task that the page holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) number: u32,
    pub(super) task: Event,
    pub(super) critical: bool,
    /// A place in [`Overview::lanes`]; none of a barrier.
    pub(super) lane: Option<usize>,
}

/// A run as its page shows it.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) makespan: Instant,
    /// The names that the log uses, and what the batches of held tasks served; no tasks.
    pub(super) names: Events,
    /// By node, and what they show.
    pub(super) lanes: Vec<Lane>,
    pub(super) busy: Density,
    pub(super) critical: Density,
    pub(super) waiting: Waiting,
    pub(super) windows: Vec<Window>,
    /// In the order of the log.
    pub(super) held: Vec<Held>,
    /// Those in windows, with the place of their lanes.
    pub(super) gaps: Vec<(usize, Gap)>,
}

/// A lane while the log is read: its node, what it shows, its resource.
type Key = (Owner, Shows, Option<u32>);

#[derive(Debug, Default)]
struct Tally {
    count: u64,
    busy: Duration,
    /// Since when it is busy, of what was met so far.
    since: Option<Instant>,
    bins: usize,
}

/// A window while the log is read.
struct Filling {
    window: Window,
    room: usize,
    /// Whether there were more tasks than room.
    is_cut: bool,
}

impl Filling {
    fn meets(&self, start: Instant, end: Instant) -> bool {
        !self.is_cut && end >= self.window.start && start <= self.window.end
    }

    fn cut(&mut self, at: Instant) {
        self.window.start = self.window.start.max(at);
        self.is_cut = true;
    }
}

struct Reading {
    lanes: BTreeMap<Key, Tally>,
    busy: Density,
    critical: Density,
    windows: Vec<Filling>,
    held: Vec<(Held, Option<Key>)>,
    gaps: Vec<Gap>,
    /// The next task of the critical path.
    path: Option<u32>,
    /// When that must end.
    due: Instant,
}

impl Overview {
    /// Reads the log in `folder`.
    ///
    /// # Errors
    /// If a table cannot be read, or says what no run could have done.
    pub(super) fn read(folder: &Path) -> Result<Self, EventsError> {
        Self::holding(folder, MOST_TASKS)
    }

    /// The same with at most `most` tasks held.
    fn holding(folder: &Path, most: usize) -> Result<Self, EventsError> {
        let mut log = Backwards::open(folder)?;
        let mut next = log.next_task()?;
        let makespan = next.as_ref().map_or(Instant::ZERO, |(_, task)| task.end);
        let windows = windows::choose(folder, log.rows(), makespan, most)?;
        let room = most / windows.len().max(1);
        let filling = |window| Filling {
            window,
            room,
            is_cut: false,
        };
        let mut reading = Reading {
            lanes: BTreeMap::new(),
            busy: Density::new(makespan),
            critical: Density::new(makespan),
            windows: windows.into_iter().map(filling).collect(),
            held: Vec::new(),
            gaps: Vec::new(),
            path: next.as_ref().map(|(number, _)| *number),
            due: makespan,
        };
        let mut follower = Follower::default();
        while let Some((number, task)) = next {
            let cause = log.cause(&task);
            let met = follower.meet(number, &task, cause);
            let gap = met.map_err(|fault| log.damaged(number, fault))?;
            let read = reading.meet(number, task);
            read.map_err(|fault| log.damaged(number, fault))?;
            gap.into_iter().for_each(|gap| reading.wait(gap));
            next = log.next_task()?;
        }
        follower
            .finish()
            .into_iter()
            .for_each(|gap| reading.wait(gap));
        let mut names = log.into_names();
        let shown: BTreeSet<u32> = reading
            .held
            .iter()
            .filter_map(|(held, _)| held.task.batch)
            .collect();
        for_each_slice(folder, |batch, slice| {
            if shown.contains(&batch) {
                names.batches.entry(batch).or_default().push(slice);
            }
        })?;
        Ok(reading.finish(makespan, names, follower.waiting))
    }

    /// Whether every task is held.
    pub(super) fn is_whole(&self) -> bool {
        self.held.len() as u64 == self.names.rows
    }
}

impl Reading {
    fn lane(&mut self, key: Key) -> &mut Tally {
        let count = self.lanes.len();
        let tally = self.lanes.entry(key).or_insert_with(|| Tally {
            bins: count,
            ..Tally::default()
        });
        self.busy.enter(tally.bins);
        self.critical.enter(tally.bins);
        tally
    }

    /// Adds a task, or a stretch of waiting, to its lane; none that was added ended before it.
    fn add(&mut self, key: Key, start: Instant, end: Instant) -> usize {
        let tally = self.lane(key);
        tally.count += 1;
        let new = tally.since.map_or(end, |since| since.min(end));
        tally.since = Some(tally.since.map_or(start, |since| since.min(start)));
        let bins = tally.bins;
        if start < new {
            tally.busy += new.since(start);
            self.busy.add(bins, start, new);
        }
        bins
    }

    fn meet(&mut self, number: u32, task: Event) -> Result<(), String> {
        let shows = Shows::of(task.kind);
        let key = shows.map(|shows| (task.owner(), shows, task.resource));
        let bins = key.map(|key| self.add(key, task.start, task.end));
        let critical = self.path == Some(number);
        if critical {
            if task.end != self.due {
                return Err(format!(
                    "the task ends at {} ps and released another at {} ps",
                    task.end.0, self.due.0
                ));
            }
            (self.path, self.due) = (task.released_by, task.start);
            if let Some(bins) = bins {
                self.critical.add(bins, task.start, task.end);
            }
        }
        let meeting = self.windows.iter_mut();
        let meeting = meeting.filter(|filling| filling.meets(task.start, task.end));
        let mut found = false;
        for filling in meeting {
            match filling.room {
                // Whatever ended later is held.
                0 => filling.cut(task.end),
                _ if found => {}
                _ => {
                    filling.room -= 1;
                    found = true;
                }
            }
        }
        if found {
            let held = Held {
                number,
                task,
                critical,
                lane: None,
            };
            self.held.push((held, key));
        }
        Ok(())
    }

    fn wait(&mut self, gap: Gap) {
        self.add(
            (Owner::Node(gap.node), Shows::Waiting, None),
            gap.start,
            gap.end,
        );
        let mut windows = self.windows.iter();
        if windows.any(|filling| filling.meets(gap.start, gap.end)) {
            self.gaps.push(gap);
        }
    }

    fn finish(self, makespan: Instant, names: Events, waiting: Waiting) -> Overview {
        let named = |(owner, shows, resource): Key, tally: &Tally| Lane {
            owner,
            shows,
            name: match resource {
                Some(resource) => names.resource_name(owner, resource).to_owned(),
                None => shows.name().to_owned(),
            },
            count: tally.count,
            busy: tally.busy,
            bins: tally.bins,
        };
        let lanes = self.lanes.iter();
        let mut lanes: Vec<_> = lanes
            .map(|(key, tally)| (*key, named(*key, tally)))
            .collect();
        lanes.sort_by(|(_, a), (_, b)| {
            let order = |lane: &Lane| (lane.owner, lane.shows);
            order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name))
        });
        let places = lanes.iter().zip(0..).map(|((key, _), place)| (*key, place));
        let places: BTreeMap<Key, usize> = places.collect();
        let mut held: Vec<Held> = self
            .held
            .into_iter()
            .map(|(held, key)| Held {
                lane: key.and_then(|key| places.get(&key).copied()),
                ..held
            })
            .collect();
        held.reverse();
        let windows = self.windows.into_iter().map(|filling| filling.window);
        let windows: Vec<Window> = windows.filter(|it| it.start < it.end).collect();
        let mut gaps: Vec<(usize, Gap)> = self
            .gaps
            .into_iter()
            .filter(|gap| {
                let meets = |window: &Window| gap.end > window.start && gap.start < window.end;
                windows.iter().any(meets)
            })
            .filter_map(|gap| {
                let key = (Owner::Node(gap.node), Shows::Waiting, None);
                Some((*places.get(&key)?, gap))
            })
            .collect();
        gaps.sort_by_key(|(lane, gap)| (*lane, gap.start));
        Overview {
            makespan,
            names,
            lanes: lanes.into_iter().map(|(_, lane)| lane).collect(),
            busy: self.busy,
            critical: self.critical,
            waiting,
            windows,
            held,
            gaps,
        }
    }
}

#[cfg(test)]
mod tests;
