//! `trace.json`: the run in Chrome's trace format, for Perfetto (<https://ui.perfetto.dev>)
//! and `chrome://tracing`.
//!
//! A process per node; in it a track per resource — one for each link that it sends or
//! receives on — and one of its waiting. Slices of one track never overlap: a resource
//! that serves several tasks at once gets several tracks. Barriers are instants, arrows
//! lead across links from who sends to who goes on, and a counter sums up each node's
//! energy.
//!
//! Times are microseconds with all six decimals of a picosecond clock, so that nothing is
//! rounded. The file is written as it is made and never held in memory.

use super::events::{Event, Events, Owner};
use crate::engine::Kind;
use crate::units::Instant;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// The file's name.
pub const FILE_NAME: &str = "trace.json";

/// Where the slices of one resource go: who owns it and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    owner: Owner,
    rank: u8,
    name: String,
}

/// The lane of a node's waiting.
const WAIT: &str = "wait";
/// The lane of barriers and of delays, which nobody owns.
const BARRIERS: &str = "barriers";
const DELAYS: &str = "delays";

impl Lane {
    /// A lane that follows those of resources.
    fn last(owner: Owner, name: &str) -> Self {
        Self {
            owner,
            rank: Kind::ALL.len() as u8,
            name: name.to_owned(),
        }
    }

    fn of(events: &Events, task: &Event) -> Self {
        match events.lane_name(task) {
            Some(name) => Self {
                owner: task.owner(),
                rank: task.kind as u8,
                name: name.to_owned(),
            },
            None => Self::last(task.owner(), DELAYS),
        }
    }
}

/// Process and thread of a track.
type Track = (usize, usize);

/// Writes rows of the event list.
struct Rows<W> {
    out: W,
    line: String,
    first: bool,
}

impl<W: Write> Rows<W> {
    fn row(&mut self, fill: impl FnOnce(&mut String)) -> io::Result<()> {
        self.line.clear();
        self.line.push_str(if self.first { "\n" } else { ",\n" });
        self.first = false;
        fill(&mut self.line);
        self.out.write_all(self.line.as_bytes())
    }

    /// Names a process (`kind` is `process`) or a track (`thread`) and gives it its place.
    fn name(&mut self, kind: &str, (process, thread): Track, name: &str) -> io::Result<()> {
        let place = if kind == "process" { process } else { thread };
        for (what, value) in [
            ("name", format!("{{\"name\":{}}}", quoted(name))),
            ("sort_index", format!("{{\"sort_index\":{place}}}")),
        ] {
            self.row(|line| {
                let _ = write!(
                    line,
                    "{{\"ph\":\"M\",\"name\":\"{kind}_{what}\",\"pid\":{process},\"tid\":{thread},\"args\":{value}}}"
                );
            })?;
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Microseconds with every picosecond: `12.000345`.
fn push_time(line: &mut String, picoseconds: u64) {
    let (whole, rest) = (picoseconds / 1_000_000, picoseconds % 1_000_000);
    let _ = write!(line, "{whole}.{rest:06}");
}

/// The head of a row that lies on `track` at `at`.
fn push_head(line: &mut String, phase: char, (process, thread): Track, at: Instant) {
    let _ = write!(
        line,
        "{{\"ph\":\"{phase}\",\"pid\":{process},\"tid\":{thread},\"ts\":"
    );
    push_time(line, at.0);
}

/// What a task is and cost, and what it waited for.
fn push_arguments(line: &mut String, events: &Events, task: &Event) {
    line.push_str(",\"args\":{");
    let _ = write!(line, "\"reason\":\"{}\"", task.reason.name());
    if let Some(served) = task.batch.map(|batch| events.served(batch)) {
        let _ = write!(line, ",\"serves\":{}", quoted(&served));
    }
    for (name, value) in [
        ("batch", task.batch.map(u64::from)),
        ("layer", task.layer.map(u64::from)),
        (
            "sequence",
            Some(u64::from(task.sequence)).filter(|number| *number > 0),
        ),
        ("flops", Some(task.flops).filter(|number| *number > 0)),
        ("bytes", Some(task.bytes).filter(|number| *number > 0)),
        ("bits", Some(task.bits).filter(|number| *number > 0)),
    ] {
        if let Some(value) = value {
            let _ = write!(line, ",\"{name}\":{value}");
        }
    }
    if task.joules > 0.0 {
        let joules = ryu::Buffer::new().format_finite(task.joules).to_owned();
        let _ = write!(line, ",\"joules\":{joules}");
    }
    if let Some(releaser) = task.released_by {
        let releaser = events.task(releaser);
        let who = match releaser.owner() {
            Owner::Nobody => events.stage(releaser).to_owned(),
            owner => format!("{}, {}", events.stage(releaser), events.owner_name(owner)),
        };
        let _ = write!(line, ",\"waited for\":{}", quoted(&who));
    }
    line.push('}');
}

/// The tracks of a run and what lies on them.
struct Tracks<'e> {
    events: &'e Events,
    /// Every lane with its tasks by start.
    lanes: BTreeMap<Lane, Vec<u32>>,
    /// Each owner's process.
    processes: BTreeMap<Owner, usize>,
    /// Each task's track, as far as it has one.
    of: Vec<Option<Track>>,
}

impl<'e> Tracks<'e> {
    fn of(events: &'e Events) -> Self {
        let mut lanes: BTreeMap<Lane, Vec<u32>> = BTreeMap::new();
        let mut resources: BTreeMap<(Owner, Option<u32>, Kind), Lane> = BTreeMap::new();
        for (task, index) in events.tasks.iter().zip(0..) {
            if task.kind != Kind::Barrier {
                let lane = resources.entry((task.owner(), task.resource, task.kind));
                let lane = lane.or_insert_with(|| Lane::of(events, task));
                match lanes.get_mut(lane) {
                    Some(tasks) => tasks.push(index),
                    None => drop(lanes.insert(lane.clone(), vec![index])),
                }
            }
        }
        for tasks in lanes.values_mut() {
            tasks.sort_by_key(|index| {
                let task = events.task(*index);
                (task.start, task.end, *index)
            });
        }
        for owner in lanes.keys().map(|lane| lane.owner).collect::<Vec<_>>() {
            if owner != Owner::Nobody {
                lanes.entry(Lane::last(owner, WAIT)).or_default();
            }
        }
        lanes
            .entry(Lane::last(Owner::Nobody, BARRIERS))
            .or_default();
        let mut processes = BTreeMap::new();
        for lane in lanes.keys() {
            let next = processes.len() + 1;
            processes.entry(lane.owner).or_insert(next);
        }
        Self {
            events,
            lanes,
            processes,
            of: vec![None; events.tasks.len()],
        }
    }

    /// Gives every task a track, and names the tracks.
    fn place<W: Write>(&mut self, rows: &mut Rows<W>) -> io::Result<BTreeMap<Lane, Track>> {
        for (owner, process) in &self.processes {
            let name = match owner {
                Owner::Nobody => "requests and barriers".to_owned(),
                owner => self.events.owner_name(*owner).to_owned(),
            };
            rows.name("process", (*process, 0), &name)?;
        }
        let mut threads: BTreeMap<usize, usize> = BTreeMap::new();
        let mut first = BTreeMap::new();
        for (lane, tasks) in &self.lanes {
            let process = self.processes[&lane.owner];
            let next = threads.entry(process).or_insert(1);
            first.insert(lane.clone(), (process, *next));
            // When each of the lane's tracks is free again.
            let mut free = vec![Instant::ZERO];
            for index in tasks {
                let task = self.events.task(*index);
                let place = free.iter().position(|free| *free <= task.start);
                let place = place.unwrap_or(free.len());
                free.resize(free.len().max(place + 1), Instant::ZERO);
                free[place] = task.end;
                self.of[*index as usize] = Some((process, *next + place));
            }
            for track in 0..free.len() {
                rows.name("thread", (process, *next + track), &lane.name)?;
            }
            *next += free.len();
        }
        Ok(first)
    }

    /// The tasks of each lane, by start.
    fn slices<W: Write>(&self, rows: &mut Rows<W>) -> io::Result<()> {
        for index in self.lanes.values().flatten() {
            let task = self.events.task(*index);
            let Some(track) = self.of[*index as usize] else {
                continue;
            };
            rows.row(|line| {
                push_head(line, 'X', track, task.start);
                line.push_str(",\"dur\":");
                push_time(line, task.duration().0);
                let name = quoted(self.events.stage(task));
                let _ = write!(line, ",\"name\":{name},\"cat\":\"{}\"", task.kind.name());
                push_arguments(line, self.events, task);
                line.push('}');
            })?;
        }
        Ok(())
    }

    /// Each node's waiting, named by what took most of it.
    fn waits<W: Write>(
        &self,
        rows: &mut Rows<W>,
        tracks: &BTreeMap<Lane, Track>,
    ) -> io::Result<()> {
        for gap in self.events.gaps() {
            let Some(track) = tracks.get(&Lane::last(gap.owner, WAIT)) else {
                continue;
            };
            let mut most = None;
            for (task, length) in self.events.waited_for(&gap) {
                if most.is_none_or(|(_, longest)| length > longest) {
                    most = Some((task, length));
                }
            }
            let whom = most.map_or_else(String::new, |(task, _)| {
                let owner = match task.owner() {
                    Owner::Nobody => String::new(),
                    owner => format!(", {}", self.events.owner_name(owner)),
                };
                format!("for {}{owner}", self.events.stage(task))
            });
            rows.row(|line| {
                push_head(line, 'X', *track, gap.start);
                line.push_str(",\"dur\":");
                push_time(line, gap.end.since(gap.start).0);
                let name = quoted(&format!("waiting {whom}"));
                let _ = write!(line, ",\"name\":{name},\"cat\":\"wait\"}}");
            })?;
        }
        Ok(())
    }

    fn barriers<W: Write>(
        &self,
        rows: &mut Rows<W>,
        tracks: &BTreeMap<Lane, Track>,
    ) -> io::Result<()> {
        let track = tracks[&Lane::last(Owner::Nobody, BARRIERS)];
        let all = self.events.tasks.iter();
        for barrier in all.filter(|task| task.kind == Kind::Barrier) {
            rows.row(|line| {
                push_head(line, 'i', track, barrier.start);
                let name = quoted(self.events.stage(barrier));
                let _ = write!(line, ",\"s\":\"t\",\"name\":{name},\"cat\":\"barrier\"");
                push_arguments(line, self.events, barrier);
                line.push('}');
            })?;
        }
        Ok(())
    }

    /// Arrows from the tasks that send to those that go on with what came.
    fn arrows<W: Write>(&self, rows: &mut Rows<W>) -> io::Result<()> {
        let mut number = 0_u64;
        for (from, to) in self.events.deliveries() {
            let link = quoted(self.events.task(from).kind.name());
            let ends = [('s', from), ('f', to)];
            for (phase, index) in ends {
                let Some(track) = self.of[index as usize] else {
                    continue;
                };
                rows.row(|line| {
                    push_head(line, phase, track, self.events.task(index).start);
                    let _ = write!(
                        line,
                        ",\"id\":{number},\"name\":{link},\"cat\":\"link\"{}}}",
                        if phase == 'f' { ",\"bp\":\"e\"" } else { "" }
                    );
                })?;
            }
            number += 1;
        }
        Ok(())
    }

    /// What each owner has spent so far, after every task that cost energy.
    fn energy<W: Write>(&self, rows: &mut Rows<W>) -> io::Result<()> {
        let mut spent: BTreeMap<Owner, f64> = BTreeMap::new();
        for task in &self.events.tasks {
            if task.joules > 0.0 {
                let owner = task.owner();
                let spent = spent.entry(owner).or_default();
                *spent += task.joules;
                let Some(process) = self.processes.get(&owner) else {
                    continue;
                };
                rows.row(|line| {
                    push_head(line, 'C', (*process, 0), task.end);
                    let joules = ryu::Buffer::new().format_finite(*spent).to_owned();
                    let _ = write!(line, ",\"name\":\"energy\",\"args\":{{\"J\":{joules}}}}}");
                })?;
            }
        }
        Ok(())
    }
}

/// Writes `events` in Chrome's trace format.
///
/// # Errors
/// If `out` cannot be written.
pub fn write(events: &Events, out: impl Write) -> io::Result<()> {
    let mut rows = Rows {
        out,
        line: String::new(),
        first: true,
    };
    rows.out
        .write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let mut tracks = Tracks::of(events);
    let first = tracks.place(&mut rows)?;
    tracks.slices(&mut rows)?;
    tracks.waits(&mut rows, &first)?;
    tracks.barriers(&mut rows, &first)?;
    tracks.arrows(&mut rows)?;
    tracks.energy(&mut rows)?;
    rows.out.write_all(b"\n]}\n")
}
