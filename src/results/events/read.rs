//! Reads `events.csv`, and refuses one that no run could have written.

use super::{Event, Events};
use crate::engine::{HEADER, Kind, Reason};
use crate::results::drawn::EVENTS;
use crate::results::tables::{
    Batches, NODES, TableError, TableFile, for_each_slice, read_batches, read_rows,
};
use crate::text::{Visible, acts};
use crate::units::Instant;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

mod window;

pub use window::Window;

/// Why an event log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The file cannot be read as a table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A row says what cannot be.
    #[error("{path}, line {line}: {fault}; run the scenario again with --set trace=Full")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The row's line.
        line: u64,
        /// What is wrong.
        fault: String,
    },
}

/// A key's six fields; what is absent is `u32::MAX`.
type Key = [u32; 6];

/// Numbers for names, in the order in which the names are first seen.
#[derive(Default)]
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

#[derive(Default)]
struct Reader {
    stages: Names,
    nodes: Names,
    resources: Names,
    tasks: Vec<Event>,
    inputs: Vec<u32>,
    input_ends: Vec<usize>,
    keys: BTreeSet<Key>,
    /// Rows seen.
    rows: u64,
    /// Where the tasks of the log are among those kept, once one was left out.
    kept: Option<BTreeMap<u32, u32>>,
}

#[derive(Deserialize)]
struct NodeRow {
    node: String,
}

fn number<N: FromStr>(text: &str, column: &str) -> Result<N, String> {
    let fault = |_| format!("`{text}` is no value for {column}");
    text.parse().map_err(fault)
}

fn optional(text: &str, column: &str) -> Result<u32, String> {
    if text.is_empty() {
        Ok(u32::MAX)
    } else {
        number(text, column)
    }
}

fn present(value: u32) -> Option<u32> {
    (value != u32::MAX).then_some(value)
}

impl Reader {
    /// The number of the node that `cell` names.
    fn node(&self, cell: &str) -> Result<Option<u32>, String> {
        if cell.is_empty() {
            return Ok(None);
        }
        let number = self.nodes.numbers.get(cell).copied();
        let unknown = || format!("`{}` is no node of {NODES}", Visible(cell));
        number.map(Some).ok_or_else(unknown)
    }

    /// The place among those kept of the task that `cell` names in `column`; `None` if it was
    /// left out.
    fn earlier(&self, cell: &str, column: &str) -> Result<Option<u32>, String> {
        let place: u32 = number(cell, column)?;
        if u64::from(place) < self.rows {
            Ok(match &self.kept {
                Some(kept) => kept.get(&place).copied(),
                None => Some(place),
            })
        } else {
            Err(format!(
                "{column} names task {place}, which has not ended before"
            ))
        }
    }

    /// Checks the number of the row that comes now.
    fn counted(&self, cell: &str) -> Result<(), String> {
        let place: u64 = number(cell, "number")?;
        if place == self.rows {
            Ok(())
        } else {
            Err(format!("this is task {}, and not {place}", self.rows))
        }
    }

    fn row(&mut self, row: &csv::StringRecord) -> Result<(), String> {
        let cell = |column: usize| row.get(column).unwrap_or_default();
        self.counted(cell(0))?;
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.name() == cell(8));
        let reasons = [Reason::Input, Reason::Resource, Reason::Barrier];
        let mut reasons = reasons.into_iter();
        let reason = reasons.find(|reason| reason.name() == cell(14));
        // Of a releaser that was left out nothing is known.
        let (released_by, released) = match cell(13) {
            "" => (None, Some(Instant::ZERO)),
            text => {
                let by = self.earlier(text, "released_by")?;
                (by, by.map(|index| self.tasks[index as usize].end))
            }
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
        check(&task, released)?;
        for text in cell(12).split(' ').filter(|text| !text.is_empty()) {
            let Some(input) = self.earlier(text, "inputs")? else {
                continue;
            };
            if self.tasks[input as usize].end > task.ready {
                return Err(format!("the task was ready before its input {text} ended"));
            }
            self.inputs.push(input);
        }
        let absent = |value: Option<u32>| value.unwrap_or(u32::MAX);
        let key = [
            absent(task.batch),
            absent(task.layer),
            task.stage,
            absent(task.node),
            absent(task.peer),
            task.sequence,
        ];
        if !self.keys.insert(key) {
            return Err("this task has ended before".to_owned());
        }
        if let Some(kept) = &mut self.kept {
            kept.insert(self.rows as u32, self.tasks.len() as u32);
        }
        self.tasks.push(task);
        self.input_ends.push(self.inputs.len());
        self.rows += 1;
        Ok(())
    }
}

/// Checks a task that was `released` when that one ended, where this is known.
fn check(task: &Event, released: Option<Instant>) -> Result<(), String> {
    if task.ready > task.start || task.start > task.end {
        return Err("ready, start and end are not in this order".to_owned());
    }
    if !(task.joules.is_finite() && task.joules >= 0.0) {
        return Err(format!("{} is no energy in joules", task.joules));
    }
    match released {
        Some(released) if task.start != released => Err(format!(
            "the task starts at {} ps and was released at {} ps",
            task.start.0, released.0
        )),
        _ => Ok(()),
    }
}

impl Events {
    /// Reads the event log of the run in `folder`, with the names of its nodes and what its
    /// batches held.
    ///
    /// # Errors
    /// If a table cannot be read, or says what no run could have done.
    pub fn read(folder: &Path) -> Result<Self, EventsError> {
        Self::read_while(folder, read_batches(folder)?, |_, _| true)
    }

    /// Reads the first `most` tasks, and whatever else it takes to have the whole first pass:
    /// however long the log is, that fits into memory. The rest is counted and not checked.
    ///
    /// # Errors
    /// If a table cannot be read, or says what no run could have done.
    pub fn read_beginning(folder: &Path, most: usize) -> Result<Self, EventsError> {
        let mut first: Option<(u32, Instant)> = None;
        for_each_slice(folder, |batch, slice| {
            if first.is_none_or(|(lowest, _)| batch < lowest) {
                first = Some((batch, slice.end));
            }
        })?;
        let end = first.map_or(Instant::ZERO, |(_, end)| end);
        let within = |place: usize, last: Instant| place < most || last <= end;
        let mut events = Self::read_while(folder, Batches::new(), within)?;
        let shown: BTreeSet<u32> = events.tasks.iter().filter_map(|task| task.batch).collect();
        for_each_slice(folder, |batch, slice| {
            if shown.contains(&batch) {
                events.batches.entry(batch).or_default().push(slice);
            }
        })?;
        Ok(events)
    }

    /// Reads tasks while `wanted` of the number of those read and the end of the last of them.
    fn read_while(
        folder: &Path,
        batches: Batches,
        wanted: impl Fn(usize, Instant) -> bool,
    ) -> Result<Self, EventsError> {
        let mut log = Log::open(folder)?;
        let mut rows = 0;
        while let Some((line, row)) = log.table.next_row()? {
            let tasks = &log.reader.tasks;
            let last = tasks.last().map_or(Instant::ZERO, |task| task.end);
            if rows == tasks.len() as u64 && wanted(tasks.len(), last) {
                let fault = |fault| damaged(folder, line, fault);
                log.reader.row(row).map_err(fault)?;
            }
            rows += 1;
        }
        Ok(log.reader.finish(rows, batches))
    }
}

fn damaged(folder: &Path, line: u64, fault: String) -> EventsError {
    EventsError::Damaged {
        path: folder.join(EVENTS),
        line,
        fault,
    }
}

/// An event log whose rows are read one after the other.
struct Log {
    table: TableFile,
    reader: Reader,
}

impl Log {
    /// Opens that of the run in `folder` and reads the names of its nodes.
    fn open(folder: &Path) -> Result<Self, EventsError> {
        let mut table = TableFile::open(&folder.join(EVENTS))?;
        let header = table.heading()?;
        if !header.iter().eq(HEADER.trim_end().split(',')) {
            let fault = format!("the columns are not {}", HEADER.trim_end());
            return Err(damaged(folder, 1, fault));
        }
        let mut reader = Reader::default();
        for row in read_rows::<NodeRow>(folder, NODES)? {
            let name = row?.node;
            reader.nodes.number(&name).map_err(|fault| TableError {
                path: folder.join(NODES),
                line: None,
                fault,
            })?;
        }
        Ok(Self { table, reader })
    }
}

impl Reader {
    /// What was read of a log of so many rows.
    fn finish(self, rows: u64, batches: Batches) -> Events {
        Events {
            stages: self.stages.list,
            nodes: self.nodes.list,
            resources: self.resources.list,
            tasks: self.tasks,
            rows,
            batches,
            inputs: self.inputs,
            input_ends: self.input_ends,
        }
    }
}
