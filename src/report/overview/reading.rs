//! What an overview becomes while the log is read.

use super::{Held, Lane, Overview, Shows};
use crate::report::density::Density;
use crate::report::waiting::{Gap, Waiting};
use crate::report::windows::Window;
use crate::results::events::{Event, Events, Owner};
use crate::units::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

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

/// A log, as far as it was read.
pub(super) struct Reading {
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

impl Reading {
    /// Nothing read yet of a run that takes `makespan`, whose critical path ends with the task
    /// `first`; the `windows` share room for `most` tasks.
    pub(super) fn new(
        makespan: Instant,
        first: Option<u32>,
        windows: Vec<Window>,
        most: usize,
    ) -> Self {
        let room = most / windows.len().max(1);
        let filling = |window| Filling {
            window,
            room,
            is_cut: false,
        };
        Self {
            lanes: BTreeMap::new(),
            busy: Density::new(makespan),
            critical: Density::new(makespan),
            windows: windows.into_iter().map(filling).collect(),
            held: Vec::new(),
            gaps: Vec::new(),
            path: first,
            due: makespan,
        }
    }

    /// The batches of which a task is held.
    pub(super) fn batches(&self) -> BTreeSet<u32> {
        let held = self.held.iter();
        held.filter_map(|(held, _)| held.task.batch).collect()
    }

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

    /// Adds the next task upwards.
    ///
    /// # Errors
    /// If it released the critical path's next task and did not end when that started.
    pub(super) fn meet(&mut self, number: u32, task: Event) -> Result<(), String> {
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

    /// Adds a stretch of waiting.
    pub(super) fn wait(&mut self, gap: Gap) {
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

    /// The run, once all was added; `names` are those that the log uses.
    pub(super) fn finish(self, makespan: Instant, names: Events, waiting: Waiting) -> Overview {
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
