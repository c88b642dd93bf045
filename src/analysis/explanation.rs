//! A run explained in words and numbers: what `airloom explain` prints.

use super::critical_path::{Barriers, CriticalPath, Holder, Part};
use super::replay::{Arrivals, ExecutedGraph, ReplayError};
use crate::results::events::{Cause, Events, EventsError, Owner};
use crate::results::readable::{lines, seconds};
use crate::units::{Duration, Instant};
use serde::Deserialize;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// Causes that are told in words.
const TOLD: usize = 3;

/// The first column of tables, at its widest and at its narrowest, and what stands beside it.
const LABEL: usize = 34;
const SHORT_LABEL: usize = 16;
const BESIDE: usize = 34;

/// Why a run cannot be explained. The input is at fault, always.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The folder is not one that can be explained.
    #[error("{path}: {fault}")]
    Place {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and the fix.
        fault: &'static str,
    },
    /// The event log cannot be used.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The event log's tasks have no order.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// A change to the run, and when it would end then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhatIf {
    /// What takes half the time.
    pub cause: Cause,
    /// At whom; `None` is everywhere.
    pub owner: Option<Owner>,
    /// When the run would end.
    pub makespan: Instant,
}

/// Where the time of a run went.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The run folder.
    pub folder: PathBuf,
    /// Its executed tasks.
    pub events: Events,
    /// Its critical path.
    pub path: CriticalPath,
    /// Who held its barriers.
    pub barriers: Barriers,
    /// What the largest cause is worth: halved everywhere, then at whoever held it most.
    pub what_if: Vec<WhatIf>,
    columns: Option<usize>,
}

#[derive(Deserialize)]
struct RequestRow {
    request: u32,
    arrival_ps: u64,
    start_ps: u64,
}

/// When requests arrived that found an earlier one being served. Those that arrived
/// when the earlier one ended may have been asked for by its end.
fn arrivals(folder: &Path) -> Result<Arrivals, EventsError> {
    let path = folder.join("requests.csv");
    let unreadable = |source| EventsError::Unreadable {
        path: path.clone(),
        source,
    };
    let mut arrivals = Arrivals::new();
    let table = csv::Reader::from_path(&path).map_err(unreadable)?;
    for row in table.into_deserialize::<RequestRow>() {
        let row = row.map_err(unreadable)?;
        if row.arrival_ps < row.start_ps {
            arrivals.insert(row.request, Instant(row.arrival_ps));
        }
    }
    Ok(arrivals)
}

/// Explains the run in `folder`.
///
/// # Errors
/// If it is no run folder, kept no event log, or its tables are damaged.
pub fn explain(folder: &Path) -> Result<Explanation, ExplainError> {
    let refuse = |fault| ExplainError::Place {
        path: folder.to_owned(),
        fault,
    };
    if !folder.join("manifest.json").is_file() {
        let sweep = folder.join("points.csv").is_file();
        return Err(refuse(match sweep {
            true => "this is a sweep; give one of its run folders, such as points/0",
            false => {
                "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote"
            }
        }));
    }
    let log = folder.join("events.csv");
    if !log.is_file() {
        let fault = "this run kept no event log to explain; run its scenario with --set trace=Full";
        return Err(refuse(fault));
    }
    let events = Events::read(&log)?;
    if events.tasks.is_empty() {
        return Err(refuse(
            "its event log holds no task; was the run's workload empty?",
        ));
    }
    let arrivals = arrivals(folder)?;
    Ok(Explanation::of(folder, events, &arrivals)?)
}

impl Explanation {
    /// Explains `events`, of which requests arrived at `arrivals`.
    ///
    /// # Errors
    /// If tasks wait for each other in a circle.
    pub fn of(folder: &Path, events: Events, arrivals: &Arrivals) -> Result<Self, ReplayError> {
        let groups = events.groups();
        let path = CriticalPath::of(&events, &groups);
        let barriers = Barriers::of(&events, &groups);
        let mut what_if = Vec::new();
        if let Some((cause, _)) = path.causes().first().copied() {
            let graph = ExecutedGraph::of(&events, &groups, arrivals)?;
            let mut halve = |owner: Option<Owner>| {
                let makespan = graph.makespan_if_halved(|task| {
                    events.cause(task) == cause
                        && owner.is_none_or(|owner| events.owner(task) == owner)
                });
                what_if.push(WhatIf {
                    cause,
                    owner,
                    makespan,
                });
            };
            halve(None);
            if let Some((Holder::One(owner @ Owner::Device(_)), _)) = most(&path, cause) {
                halve(Some(owner));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            events,
            path,
            barriers,
            what_if,
            columns: None,
        })
    }

    fn share(&self, time: Duration) -> f64 {
        100.0 * time.0 as f64 / self.path.length().0.max(1) as f64
    }

    fn holder_name(&self, holder: Holder) -> String {
        match holder {
            Holder::One(owner) => self.events.owner_name(owner),
            Holder::Together => "devices together".to_owned(),
        }
    }
}

/// Who holds most of a cause.
fn most(path: &CriticalPath, cause: Cause) -> Option<(Holder, Part)> {
    let of = path.parts.iter().filter(|((of, _), _)| *of == cause);
    of.max_by_key(|((_, holder), part)| (part.time, std::cmp::Reverse(*holder)))
        .map(|((_, holder), part)| (*holder, *part))
}

/// What tasks of a cause are called.
fn tasks_of(cause: Cause, count: u64) -> String {
    let (one, many) = match cause {
        Cause::Compute => ("computation", "computations"),
        Cause::Uplink | Cause::Downlink => ("transmission", "transmissions"),
        Cause::AirSlot => ("slot", "slots"),
        Cause::Arrival => ("pause", "pauses"),
        Cause::Overhead => ("delay", "delays"),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text)?;
        for line in text.lines() {
            match self.columns {
                // Tables are narrow already.
                Some(columns) if !line.starts_with("  ") && line.chars().count() > columns => {
                    for line in lines(line, columns) {
                        writeln!(f, "{line}")?;
                    }
                }
                _ => writeln!(f, "{line}")?,
            }
        }
        Ok(())
    }
}

impl Explanation {
    /// The same for a terminal of so many columns, if there is one.
    #[must_use]
    pub fn within(mut self, columns: Option<usize>) -> Self {
        self.columns = columns;
        self
    }

    fn write(&self, f: &mut String) -> fmt::Result {
        let makespan = self.path.length();
        writeln!(
            f,
            "{}: {} of simulated time\n",
            self.folder.display(),
            seconds(makespan.as_seconds())
        )?;
        writeln!(
            f,
            "{} of {} tasks form the critical path: each started when the one before it ended.\n",
            self.path.tasks.len(),
            self.events.tasks.len()
        )?;
        self.table(f)?;
        self.causes(f)?;
        self.barriers(f)?;
        self.what_if(f)
    }

    /// How wide the first column of tables is.
    fn label(&self) -> usize {
        let room = self
            .columns
            .map_or(LABEL, |columns| columns.saturating_sub(BESIDE));
        room.clamp(SHORT_LABEL, LABEL)
    }

    fn table(&self, f: &mut String) -> fmt::Result {
        let width = self.label();
        writeln!(
            f,
            "  {:<width$}{:>12}{:>10}{:>9}",
            "critical path", "time", "share", "tasks"
        )?;
        let row = |f: &mut String, label: String, part: &Part| {
            writeln!(
                f,
                "  {label:<width$}{:>12}{:>8.2} %{:>9}",
                seconds(part.time.as_seconds()),
                self.share(part.time),
                part.tasks
            )
        };
        for (cause, total) in self.path.causes() {
            row(f, cause.name().to_owned(), &total)?;
            for ((of, holder), part) in &self.path.parts {
                if *of == cause && *holder != Holder::One(Owner::Nobody) {
                    row(f, format!("  {}", self.holder_name(*holder)), part)?;
                }
            }
        }
        let tasks = self.path.parts.values().map(|part| part.tasks).sum();
        let whole = Part {
            time: self.path.length(),
            tasks,
            queued: Duration::ZERO,
        };
        row(f, "makespan".to_owned(), &whole)?;
        writeln!(f)
    }

    fn causes(&self, f: &mut String) -> fmt::Result {
        for (number, (cause, part)) in self.path.causes().into_iter().take(TOLD).enumerate() {
            write!(
                f,
                "{}. {} took {}, {:.1} % of the run: {}, {} each on average",
                number + 1,
                capitalised(cause.name()),
                seconds(part.time.as_seconds()),
                self.share(part.time),
                tasks_of(cause, part.tasks),
                seconds(part.time.as_seconds() / part.tasks as f64)
            )?;
            if let Some((holder, most)) = most(&self.path, cause)
                && holder != Holder::One(Owner::Nobody)
            {
                let share = 100.0 * most.time.0 as f64 / part.time.0 as f64;
                let place = match holder {
                    Holder::Together => "on several devices at once".to_owned(),
                    Holder::One(_) => format!("on {}", self.holder_name(holder)),
                };
                match most.time == part.time {
                    true => write!(f, ", all {place}")?,
                    false => write!(f, ", {share:.1} % of it {place}")?,
                }
            }
            if part.queued > Duration::ZERO {
                let queued = seconds(part.queued.as_seconds());
                write!(
                    f,
                    "; they had been ready for {queued} before their turn came"
                )?;
            }
            writeln!(f, ".")?;
        }
        Ok(())
    }

    fn barriers(&self, f: &mut String) -> fmt::Result {
        let barriers = &self.barriers;
        if barriers.count == 0 {
            return Ok(());
        }
        let width = self.label();
        writeln!(
            f,
            "\n  {:<width$}{:>12}{:>20}",
            "barriers held by", "barriers", "behind the others"
        )?;
        let mut held: Vec<_> = barriers.held.iter().collect();
        held.sort_by_key(|(who, held)| (std::cmp::Reverse(held.lead), **who));
        for ((owner, cause), held) in held {
            writeln!(
                f,
                "  {:<width$}{:>12}{:>20}",
                format!("{}, {cause}", self.events.owner_name(*owner)),
                held.barriers,
                format!(
                    "{} each",
                    seconds(held.lead.as_seconds() / held.barriers as f64)
                )
            )?;
        }
        if barriers.tied > 0 {
            let label = "several at once";
            writeln!(f, "  {label:<width$}{:>12}{:>20}", barriers.tied, "–")?;
        }
        writeln!(f, "  {:<width$}{:>12}", "in all", barriers.count)
    }

    fn what_if(&self, f: &mut String) -> fmt::Result {
        let makespan = self.path.length();
        for what_if in &self.what_if {
            let saved = makespan - Duration(what_if.makespan.0);
            let place = match what_if.owner {
                Some(owner) => format!(" on {} alone", self.events.owner_name(owner)),
                None => String::new(),
            };
            let what = match what_if.cause {
                Cause::Arrival => "all requests came after half the time".to_owned(),
                cause => format!("{cause} took half the time{place}"),
            };
            writeln!(
                f,
                "\nIf {what}, the run would end after {}: {} or {:.1} % sooner.",
                seconds(Duration(what_if.makespan.0).as_seconds()),
                seconds(saved.as_seconds()),
                self.share(saved)
            )?;
        }
        writeln!(
            f,
            "(Computed by running the same tasks again in the same order, with these durations.)"
        )
    }
}
