//! Reads `events.csv`, and refuses one that no run could have written.

use super::{Event, Events, owner_of};
use crate::engine::{HEADER, Kind, Reason};
use crate::results::tables::{TableError, TableFile};
use crate::text::{Visible, acts};
use crate::units::Instant;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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
    resources: Names,
    tasks: Vec<Event>,
    places: BTreeMap<Key, u32>,
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
    fn key<'t>(&mut self, mut cells: impl Iterator<Item = &'t str>) -> Result<Key, String> {
        let mut key = [0; 6];
        for (place, value) in key.iter_mut().enumerate() {
            let cell = cells.next().ok_or("a task's key has six fields")?;
            *value = match place {
                3 => self.stages.number(cell)?,
                _ => optional(cell, "a task's key")?,
            };
        }
        Ok(key)
    }

    fn row(&mut self, row: &csv::StringRecord) -> Result<(), String> {
        let key = self.key(row.iter().take(6))?;
        let cell = |column: usize| row.get(column).unwrap_or_default();
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.name() == cell(7));
        let reasons = [Reason::Input, Reason::Resource, Reason::Barrier];
        let mut reasons = reasons.into_iter();
        let reason = reasons.find(|reason| reason.name() == cell(12));
        let released_by = match cell(11) {
            "" => None,
            text => {
                let key = self.key(text.split('/'))?;
                let place = self.places.get(&key).copied();
                let fault = || format!("released_by names {text}, which has not ended before");
                Some(place.ok_or_else(fault)?)
            }
        };
        let joules: f64 = number(cell(16), "joules")?;
        let task = Event {
            request: present(key[0]),
            step: present(key[1]),
            layer: present(key[2]),
            stage: key[3],
            device: present(key[4]),
            sequence: key[5],
            resource: match cell(6) {
                "" => None,
                name => Some(self.resources.number(name)?),
            },
            kind: kind.ok_or_else(|| format!("`{}` is no kind", cell(7)))?,
            ready: Instant(number(cell(8), "ready_ps")?),
            start: Instant(number(cell(9), "start_ps")?),
            end: Instant(number(cell(10), "end_ps")?),
            released_by,
            reason: reason.ok_or_else(|| format!("`{}` is no reason", cell(12)))?,
            flops: number(cell(13), "flops")?,
            bytes: number(cell(14), "bytes")?,
            bits: number(cell(15), "bits")?,
            joules,
        };
        self.check(&task)?;
        if self.places.insert(key, self.tasks.len() as u32).is_some() {
            return Err("this task has ended before".to_owned());
        }
        self.tasks.push(task);
        Ok(())
    }

    fn check(&self, task: &Event) -> Result<(), String> {
        if task.ready > task.start || task.start > task.end {
            return Err("ready, start and end are not in this order".to_owned());
        }
        if !(task.joules.is_finite() && task.joules >= 0.0) {
            return Err(format!("{} is no energy in joules", task.joules));
        }
        let released = match task.released_by {
            Some(index) => self.tasks[index as usize].end,
            None => Instant::ZERO,
        };
        if task.start == released {
            Ok(())
        } else {
            Err(format!(
                "the task starts at {} ps and was released at {} ps",
                task.start.0, released.0
            ))
        }
    }
}

impl Events {
    /// Reads the event log at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or says what no run could have done.
    pub fn read(path: &Path) -> Result<Self, EventsError> {
        let damaged = |line, fault| EventsError::Damaged {
            path: path.to_owned(),
            line,
            fault,
        };
        let mut table = TableFile::open(path)?;
        let header = table.heading()?;
        if !header.iter().eq(HEADER.trim_end().split(',')) {
            let fault = format!("the columns are not {}", HEADER.trim_end());
            return Err(damaged(1, fault));
        }
        let mut reader = Reader::default();
        while let Some((line, row)) = table.next_row()? {
            reader.row(row).map_err(|fault| damaged(line, fault))?;
        }
        let resources = reader.resources.list;
        let owners = resources.iter().enumerate();
        let owners = owners.map(|(index, name)| owner_of(name, index)).collect();
        Ok(Self {
            stages: reader.stages.list,
            resources,
            tasks: reader.tasks,
            owners,
        })
    }
}
