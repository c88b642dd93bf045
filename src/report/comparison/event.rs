//! The first event in which two logs part.

use super::{CompareError, Side};
use crate::results::drawn::EVENTS;
use crate::results::parting::{Difference, first_row};
use std::ops::Range;

/// The columns that say what an event is, rather than how it went.
const WHAT: [&str; 6] = ["batch", "layer", "stage", "node", "peer", "kind"];

/// Where two event logs part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstEvent {
    /// The event of this number.
    Row {
        /// Its number in both logs.
        number: u64,
        /// What it is in both, in words: the columns that say so and agree.
        what: String,
        /// The columns that differ, with A's cell and B's.
        cells: Vec<(String, String, String)>,
    },
    /// One log ends there, and the other goes on.
    End {
        /// How many events both have.
        number: u64,
        /// Whether it is B that goes on.
        in_b: bool,
    },
    /// A log was not kept: only digests tell that it is among these.
    Among(Range<u64>),
}

/// The cells of a row.
fn cells(row: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(row.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    let record = record.unwrap_or_default();
    record.iter().map(str::to_owned).collect()
}

impl FirstEvent {
    pub(super) fn of(a: &Side, b: &Side) -> Result<Option<Self>, CompareError> {
        let (there, here) = (a.folder.join(EVENTS), b.folder.join(EVENTS));
        if !(there.is_file() && here.is_file()) {
            let among = a.manifest.trace.first_difference(&b.manifest.trace);
            return Ok(among.map(Self::Among));
        }
        let found = first_row(&there, &here).map_err(|error| CompareError {
            path: there.clone(),
            fault: format!("cannot be compared to {}: {error}", here.display()),
        })?;
        Ok(found.map(|found| match found {
            Difference::Window(among) => Self::Among(among),
            Difference::Rows {
                number,
                header,
                there: Some(there),
                here: Some(here),
            } => Self::row(number, &header, &there, &here),
            Difference::Rows { number, here, .. } => Self::End {
                number,
                in_b: here.is_some(),
            },
        }))
    }

    fn row(number: u64, header: &str, there: &str, here: &str) -> Self {
        let (names, there, here) = (cells(header), cells(there), cells(here));
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let (mut what, mut differing) = (Vec::new(), Vec::new());
        for (column, name) in names.into_iter().enumerate() {
            let (a, b) = (cell(&there, column), cell(&here, column));
            if a != b {
                differing.push((name, a, b));
            } else if WHAT.contains(&name.as_str()) && !a.is_empty() {
                what.push(format!("{name} {a}"));
            }
        }
        Self::Row {
            number,
            what: what.join(", "),
            cells: differing,
        }
    }
}
