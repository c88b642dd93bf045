//! Reads `events.csv`, and refuses one that no run could have written.

use super::row::{Naming, check_heading, check_release, earlier};
use super::{Event, Events};
use crate::results::drawn::EVENTS;
use crate::results::tables::{Batches, TableError, TableFile, for_each_slice, read_batches};
use crate::units::Instant;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
}

impl Reader {
    fn row(&mut self, row: &csv::StringRecord) -> Result<(), String> {
        let place = u32::try_from(self.tasks.len()).map_err(|_| "the log is too long")?;
        let task = self.names.task(row, place)?;
        let released = match task.released_by {
            Some(index) => self.tasks[index as usize].end,
            None => Instant::ZERO,
        };
        check_release(&task, released)?;
        let inputs = row.get(12).unwrap_or_default();
        for text in inputs.split(' ').filter(|text| !text.is_empty()) {
            let input = earlier(text, "inputs", place)?;
            if self.tasks[input as usize].end > task.ready {
                return Err(format!("the task was ready before its input {input} ended"));
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
        self.tasks.push(task);
        self.input_ends.push(self.inputs.len());
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
        let path = folder.join(EVENTS);
        let damaged = |line, fault| EventsError::Damaged {
            path: path.clone(),
            line,
            fault,
        };
        let mut table = TableFile::open(&path)?;
        check_heading(&table.heading()?).map_err(|fault| damaged(1, fault))?;
        let mut reader = Reader {
            names: Naming::of(folder)?,
            ..Reader::default()
        };
        let mut rows = 0;
        while let Some((line, row)) = table.next_row()? {
            let last = reader.tasks.last().map_or(Instant::ZERO, |task| task.end);
            if rows == reader.tasks.len() as u64 && wanted(reader.tasks.len(), last) {
                reader.row(row).map_err(|fault| damaged(line, fault))?;
            }
            rows += 1;
        }
        Ok(Self {
            tasks: reader.tasks,
            batches,
            inputs: reader.inputs,
            input_ends: reader.input_ends,
            ..reader.names.into_events(rows)
        })
    }
}
