//! Reads `events.csv`, and refuses one that no run could have written.

use super::row::{Naming, check_heading, check_release, earlier};
use super::{Event, Events};
use crate::results::drawn::EVENTS;
use crate::results::tables::{Batches, TableError, TableFile, for_each_slice, read_batches};
use crate::units::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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

#[derive(Default)]
struct Reader {
    names: Naming,
    tasks: Vec<Event>,
    inputs: Vec<u32>,
    input_ends: Vec<usize>,
    keys: BTreeSet<Key>,
    /// Rows seen.
    rows: u64,
    /// Where the tasks of the log are among those kept, once one was left out.
    kept: Option<BTreeMap<u32, u32>>,
}

impl Reader {
    /// Where among the tasks kept the log's task `number` is; `None` if it was left out.
    fn kept(&self, number: u32) -> Option<u32> {
        match &self.kept {
            Some(kept) => kept.get(&number).copied(),
            None => Some(number),
        }
    }

    /// The number of the row that comes now.
    fn place(&self) -> Result<u32, String> {
        u32::try_from(self.rows).map_err(|_| "the log is too long".to_owned())
    }

    fn row(&mut self, row: &csv::StringRecord) -> Result<(), String> {
        let place = self.place()?;
        let mut task = self.names.task(row, place)?;
        // Of a releaser that was left out nothing is known.
        let released = match task.released_by {
            None => Some(Instant::ZERO),
            Some(number) => {
                task.released_by = self.kept(number);
                task.released_by.map(|index| self.tasks[index as usize].end)
            }
        };
        if let Some(released) = released {
            check_release(&task, released)?;
        }
        let inputs = row.get(12).unwrap_or_default();
        for text in inputs.split(' ').filter(|text| !text.is_empty()) {
            let Some(input) = self.kept(earlier(text, "inputs", place)?) else {
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
        check_heading(&table.heading()?).map_err(|fault| damaged(folder, 1, fault))?;
        let reader = Reader {
            names: Naming::of(folder)?,
            ..Reader::default()
        };
        Ok(Self { table, reader })
    }
}

impl Reader {
    /// What was read of a log of so many rows.
    fn finish(self, rows: u64, batches: Batches) -> Events {
        Events {
            tasks: self.tasks,
            batches,
            inputs: self.inputs,
            input_ends: self.input_ends,
            ..self.names.into_events(rows)
        }
    }
}
