//! A run explained: what `airloom explain` tells, and from what.

use super::replay::{Arrivals, ExecutedGraph};
use crate::results::bounded::read_text;
use crate::results::drawn::EVENTS;
use crate::results::events::{
    Barriers, Cause, CriticalPath, Events, EventsError, Holder, Owner, Part, Split,
};
use crate::results::manifest::{self, Manifest};
use crate::results::tables::{REQUESTS, read_rows};
use crate::units::Instant;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why a run cannot be explained. The input is at fault, always.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The folder is not one that can be explained.
    #[error("{path}: {fault}")]
    Place {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and the fix.
        fault: String,
    },
    /// The event log cannot be used.
    #[error(transparent)]
    Events(#[from] EventsError),
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
    /// How its nodes spent their time.
    pub splits: BTreeMap<u32, Split>,
    /// Who held its barriers.
    pub barriers: Barriers,
    /// What the largest cause is worth: halved everywhere, then at whoever held it most.
    pub what_if: Vec<WhatIf>,
    pub(super) columns: Option<usize>,
}

#[derive(Deserialize)]
struct RequestRow {
    request: u32,
    arrival_ps: u64,
    /// None of who was turned away.
    start_ps: Option<u64>,
}

/// When requests arrived that found an earlier one being served. Those that arrived
/// when the earlier one ended may have been asked for by its end.
fn arrivals(folder: &Path) -> Result<Arrivals, EventsError> {
    let mut arrivals = Arrivals::new();
    for row in read_rows::<RequestRow>(folder, REQUESTS)? {
        let row = row?;
        if row.start_ps.is_some_and(|start| row.arrival_ps < start) {
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
    let refuse = |fault: &str| ExplainError::Place {
        path: folder.to_owned(),
        fault: fault.to_owned(),
    };
    if !folder.join("manifest.json").is_file() {
        let sweep = folder.join("points.csv").is_file();
        return Err(refuse(match sweep {
            true => "this is a sweep; give one of the run folders in its points/",
            false => {
                "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote"
            }
        }));
    }
    if !folder.join(EVENTS).is_file() {
        let fault = "this run kept no event log to explain; run its scenario with --set trace=Full";
        return Err(refuse(fault));
    }
    // One of another layout tells nothing of lengths; the tables explain themselves.
    let text = read_text(&folder.join(manifest::FILE_NAME)).unwrap_or_default();
    if let Ok(manifest) = Manifest::parse(&text) {
        let lengths = manifest.check_lengths(folder);
        lengths.map_err(|fault| refuse(&fault))?;
    }
    let events = Events::read(folder)?;
    if events.tasks.is_empty() {
        return Err(refuse(
            "its event log holds no task; was the run's workload empty?",
        ));
    }
    let arrivals = arrivals(folder)?;
    Ok(Explanation::of(folder, events, &arrivals))
}

impl Explanation {
    /// Explains `events`, of which requests arrived at `arrivals`.
    pub fn of(folder: &Path, events: Events, arrivals: &Arrivals) -> Self {
        let path = CriticalPath::of(&events, &events.groups());
        let barriers = Barriers::of(&events);
        let mut what_if = Vec::new();
        if let Some((cause, _)) = path.causes().first().copied() {
            let graph = ExecutedGraph::of(&events, arrivals);
            let mut halve = |owner: Option<Owner>| {
                let makespan = graph.makespan_if_halved(|task| {
                    events.cause(task) == cause && owner.is_none_or(|owner| task.owner() == owner)
                });
                what_if.push(WhatIf {
                    cause,
                    owner,
                    makespan,
                });
            };
            halve(None);
            let elsewhere = |owner: Owner| {
                let mut of_cause = events
                    .tasks
                    .iter()
                    .filter(|task| events.cause(task) == cause);
                of_cause.any(|task| task.owner() != owner)
            };
            if let Some((Holder::One(owner @ Owner::Node(_)), _)) = most(&path, cause)
                && elsewhere(owner)
            {
                halve(Some(owner));
            }
        }
        Self {
            folder: folder.to_owned(),
            splits: events.splits(),
            events,
            path,
            barriers,
            what_if,
            columns: None,
        }
    }
}

/// Who holds most of a cause.
pub(super) fn most(path: &CriticalPath, cause: Cause) -> Option<(Holder, Part)> {
    let of = path.parts.iter().filter(|((of, _), _)| *of == cause);
    of.max_by_key(|((_, holder), part)| (part.time, std::cmp::Reverse(*holder)))
        .map(|((_, holder), part)| (*holder, *part))
}
