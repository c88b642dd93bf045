//! One row of `events.csv`, whichever way the log is read.

use super::{Event, Events};
use crate::engine::{HEADER, Kind, Reason};
use crate::results::tables::{Batches, NODES, TableError, read_rows};
use crate::text::{Visible, acts};
use crate::units::Instant;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

/// Numbers for names, in the order in which the names are first seen.
#[derive(Debug, Default)]
struct Names {
    numbers: BTreeMap<String, u32>,
    list: Vec<String>,
}

impl Names {
    /// The number of `name`, which goes into pages and messages as it is.
    fn number(&mut self, name: &str) -> Result<u32, String> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        if name.contains(acts) {
            return Err(format!("`{}` is no name", Visible(name)));
        }
        let number = self.list.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.list.push(name.to_owned());
        Ok(number)
    }
}

/// The names that the rows of a log use.
#[derive(Debug, Default)]
pub(super) struct Naming {
    stages: Names,
    nodes: Names,
    resources: Names,
}

#[derive(Deserialize)]
struct NodeRow {
    node: String,
}

/// The number that `text` is, as a cell of `column`.
pub(super) fn number<N: FromStr>(text: &str, column: &str) -> Result<N, String> {
    let fault = |_| format!("`{text}` is no value for {column}");
    text.parse().map_err(fault)
}

/// The number that `text` is, and [`u32::MAX`] if it is empty.
pub(super) fn optional(text: &str, column: &str) -> Result<u32, String> {
    if text.is_empty() {
        Ok(u32::MAX)
    } else {
        number(text, column)
    }
}

/// A number that [`optional`] found.
pub(super) fn present(value: u32) -> Option<u32> {
    (value != u32::MAX).then_some(value)
}

/// The number of an earlier task, which `cell` of task `place` gives in `column`.
pub(super) fn earlier(cell: &str, column: &str, place: u32) -> Result<u32, String> {
    let earlier: u32 = number(cell, column)?;
    if earlier < place {
        Ok(earlier)
    } else {
        Err(format!(
            "{column} names task {earlier}, which has not ended before"
        ))
    }
}

impl Naming {
    /// The names of the nodes in `folder`, and none yet of stages and resources.
    pub(super) fn of(folder: &Path) -> Result<Self, TableError> {
        let mut names = Self::default();
        for row in read_rows::<NodeRow>(folder, NODES)? {
            let name = row?.node;
            names.nodes.number(&name).map_err(|fault| TableError {
                path: folder.join(NODES),
                line: None,
                fault,
            })?;
        }
        Ok(names)
    }

    /// An event log without tasks that uses these names; `rows` are in the file.
    pub(super) fn into_events(self, rows: u64) -> Events {
        Events {
            stages: self.stages.list,
            nodes: self.nodes.list,
            resources: self.resources.list,
            tasks: Vec::new(),
            rows,
            batches: Batches::new(),
            inputs: Vec::new(),
            input_ends: Vec::new(),
        }
    }

    /// The number of the node that `cell` names.
    fn node(&self, cell: &str) -> Result<Option<u32>, String> {
        if cell.is_empty() {
            return Ok(None);
        }
        let number = self.nodes.numbers.get(cell).copied();
        let unknown = || format!("`{}` is no node of {NODES}", Visible(cell));
        number.map(Some).ok_or_else(unknown)
    }

    /// The name of a stage by its number.
    pub(super) fn stage(&self, number: u32) -> &str {
        &self.stages.list[number as usize]
    }

    /// The task `place` of the log from its row.
    pub(super) fn task(&mut self, row: &csv::StringRecord, place: u32) -> Result<Event, String> {
        let cell = |column: usize| row.get(column).unwrap_or_default();
        check_number(row, place)?;
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.name() == cell(8));
        let reasons = [Reason::Input, Reason::Resource, Reason::Barrier];
        let mut reasons = reasons.into_iter();
        let reason = reasons.find(|reason| reason.name() == cell(14));
        let released_by = match cell(13) {
            "" => None,
            text => Some(earlier(text, "released_by", place)?),
        };
        let task = Event {
            batch: present(optional(cell(1), "batch")?),
            layer: present(optional(cell(2), "layer")?),
            stage: self.stages.number(cell(3))?,
            node: self.node(cell(4))?,
            peer: self.node(cell(5))?,
            sequence: number(cell(6), "sequence")?,
            resource: match cell(7) {
                "" => None,
                name => Some(self.resources.number(name)?),
            },
            kind: kind.ok_or_else(|| format!("`{}` is no kind", cell(8)))?,
            ready: Instant(number(cell(9), "ready_ps")?),
            start: Instant(number(cell(10), "start_ps")?),
            end: Instant(number(cell(11), "end_ps")?),
            released_by,
            reason: reason.ok_or_else(|| format!("`{}` is no reason", cell(14)))?,
            flops: number(cell(15), "flops")?,
            bytes: number(cell(16), "bytes")?,
            bits: number(cell(17), "bits")?,
            joules: number(cell(18), "joules")?,
        };
        if task.ready > task.start || task.start > task.end {
            return Err("ready, start and end are not in this order".to_owned());
        }
        if !(task.joules.is_finite() && task.joules >= 0.0) {
            return Err(format!("{} is no energy in joules", task.joules));
        }
        Ok(task)
    }
}

/// Says that `row` is not that of task `place`.
pub(super) fn check_number(row: &csv::StringRecord, place: u32) -> Result<(), String> {
    let said: u64 = number(row.get(0).unwrap_or_default(), "number")?;
    match said == u64::from(place) {
        true => Ok(()),
        false => Err(format!("this is task {place}, and not {said}")),
    }
}

/// Says that `task` does not start when its releaser ended.
pub(super) fn check_release(task: &Event, released: Instant) -> Result<(), String> {
    if task.start == released {
        Ok(())
    } else {
        Err(format!(
            "the task starts at {} ps and was released at {} ps",
            task.start.0, released.0
        ))
    }
}

/// Says whether the table has the columns of an event log.
pub(super) fn check_heading(header: &csv::StringRecord) -> Result<(), String> {
    match header.iter().eq(HEADER.trim_end().split(',')) {
        true => Ok(()),
        false => Err(format!("the columns are not {}", HEADER.trim_end())),
    }
}
