//! `events.csv` read from its end: how a log of any length is explained in little memory.
//!
//! Whoever released a task, and whatever it waited for, stands above it. So somebody who reads
//! upwards meets every chain of releases in its own direction and holds no task to follow it.
//! Rows are decoded block by block; of the file itself one block is in memory.

use super::row::{Naming, check_heading};
use super::{Cause, Event, Events, EventsError};
use crate::files;
use crate::results::drawn::EVENTS;
use crate::results::tables::{TableError, TableFile};
use crate::units::Instant;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const BLOCK: u64 = 1 << 20;

/// No row of a log is longer.
const LONGEST_ROW: u64 = 16 << 20;

/// The rows of an event log, last first.
#[derive(Debug)]
pub struct Backwards {
    path: PathBuf,
    file: File,
    /// Where the first row begins.
    body: u64,
    /// Where what is not yet read ends.
    unread: u64,
    /// Tasks in the log.
    rows: u64,
    /// Rows that are not yet told.
    left: u64,
    /// The end of the task that was told last.
    last: Option<Instant>,
    block: Vec<csv::StringRecord>,
    names: Naming,
}

impl Backwards {
    /// Opens the log of the run in `folder`.
    ///
    /// # Errors
    /// If it cannot be read, or has other columns than an event log.
    pub fn open(folder: &Path) -> Result<Self, EventsError> {
        let path = folder.join(EVENTS);
        let fault = |error: io::Error| TableError {
            path: path.clone(),
            line: None,
            fault: error.to_string(),
        };
        let heading = TableFile::open(&path)?.heading()?;
        check_heading(&heading).map_err(|fault| EventsError::Damaged {
            path: path.clone(),
            line: 1,
            fault,
        })?;
        let (mut file, length) = files::open(&path).map_err(fault)?;
        let (body, rows) = count(&mut file).map_err(fault)?;
        Ok(Self {
            file,
            body: body.min(length),
            unread: length,
            rows,
            left: rows,
            last: None,
            block: Vec::new(),
            names: Naming::of(folder)?,
            path,
        })
    }

    /// Tasks in the log.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What the time of `task` goes into.
    pub fn cause(&self, task: &Event) -> Cause {
        Cause::of(task.kind, self.names.stage(task.stage))
    }

    /// An event log without tasks, which knows the names that those told so far use.
    pub fn into_names(self) -> Events {
        self.names.into_events(self.rows)
    }

    /// The error about the task `place`.
    pub fn damaged(&self, place: u32, fault: String) -> EventsError {
        self.at(u64::from(place), fault)
    }

    /// The error about the row of task `place`: the heading is line 1.
    fn at(&self, place: u64, fault: String) -> EventsError {
        EventsError::Damaged {
            path: self.path.clone(),
            line: place + 2,
            fault,
        }
    }

    /// The next task upwards with its number; `None` above the first.
    ///
    /// # Errors
    /// If its row says what no run could have done.
    pub fn next_task(&mut self) -> Result<Option<(u32, Event)>, EventsError> {
        if self.left == 0 {
            return Ok(None);
        }
        let place = self.left - 1;
        if self.block.is_empty() {
            self.fill().map_err(|fault| self.at(place, fault))?;
        }
        let task = match (self.block.pop(), u32::try_from(place)) {
            (Some(row), Ok(number)) => {
                let (cells, columns) = (row.len(), crate::engine::HEADER.split(',').count());
                match cells == columns {
                    true => self.names.task(&row, number).map(|task| (number, task)),
                    false => Err(format!(
                        "the row has {cells} cells, and the heading {columns}"
                    )),
                }
            }
            (None, _) => Err("the row cannot be read".to_owned()),
            (_, Err(_)) => Err("the log is too long".to_owned()),
        };
        let (number, task) = task.map_err(|fault| self.at(place, fault))?;
        if self.last.is_some_and(|last| task.end > last) {
            let fault = "the task ended after the one below it".to_owned();
            return Err(self.at(place, fault));
        }
        self.last = Some(task.end);
        self.left = place;
        Ok(Some((number, task)))
    }

    /// Decodes the rows that end where the unread part does.
    fn fill(&mut self) -> Result<(), String> {
        let mut size = BLOCK;
        let (from, bytes) = loop {
            let from = self.unread.saturating_sub(size).max(self.body);
            let mut bytes = vec![0; (self.unread - from) as usize];
            let read = self.file.seek(SeekFrom::Start(from));
            read.and_then(|_| self.file.read_exact(&mut bytes))
                .map_err(|error| error.to_string())?;
            if from == self.body {
                break (from, bytes);
            }
            // What stands before the first line break belongs to a row that began earlier.
            let cut = bytes[..bytes.len().saturating_sub(1)]
                .iter()
                .position(|byte| *byte == b'\n');
            match cut {
                Some(cut) => break (from + cut as u64 + 1, bytes.split_off(cut + 1)),
                None if size < LONGEST_ROW => size *= 2,
                None => return Err(format!("the row is longer than {LONGEST_ROW} bytes")),
            }
        };
        self.unread = from;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(&bytes[..]);
        let rows: Result<_, csv::Error> = reader.into_records().collect();
        self.block = rows.map_err(|error| match error.kind() {
            csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
            _ => error.to_string(),
        })?;
        Ok(())
    }
}

/// Where the first line of `file` ends, and how many lines follow.
fn count(file: &mut File) -> io::Result<(u64, u64)> {
    let mut buffer = vec![0; 1 << 16];
    let (mut place, mut first, mut lines) = (0_u64, None, 0_u64);
    let mut ends = true;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(last) = buffer[..read].last() else {
            break;
        };
        ends = *last == b'\n';
        for (byte, offset) in buffer[..read].iter().zip(1..) {
            match (byte, first) {
                (b'\n', None) => first = Some(place + offset),
                (b'\n', Some(_)) => lines += 1,
                _ => {}
            }
        }
        place += read as u64;
    }
    // A file that was cut off ends within a line.
    let cut = u64::from(!ends && first.is_some());
    Ok((first.unwrap_or(place), lines + cut))
}
