//! Reads of a log what belongs to some passes and what went on meanwhile: a pass late in a long
//! log takes no more memory than one at its beginning.
//!
//! Rows that are left out are counted and their numbers checked; nothing else of them is.

use super::super::row::{check_number, number, optional, present};
use super::{Log, Reader, damaged};
use crate::results::events::{Events, EventsError};
use crate::results::tables::Batches;
use crate::units::Instant;
use std::collections::BTreeSet;
use std::path::Path;

/// Passes, and the time in which they ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What the passes held, by their numbers.
    pub passes: Batches,
    /// When the first of them began, or what is shown before it.
    pub start: Instant,
    /// When the last of them ended.
    pub end: Instant,
}

/// Which rows of a log a window needs.
struct Filter<'w> {
    window: &'w Window,
    /// Nodes with a task after the window that was kept.
    later: BTreeSet<String>,
}

impl Filter<'_> {
    /// Whether the task in `row` belongs to the window's passes, ran within it, or is the first
    /// after it of its node, which tells that the node had something to wait for.
    fn keeps(&mut self, row: &csv::StringRecord) -> Result<bool, String> {
        let cell = |column: usize| row.get(column).unwrap_or_default();
        let batch = present(optional(cell(1), "batch")?);
        let start = Instant(number(cell(10), "start_ps")?);
        let end = Instant(number(cell(11), "end_ps")?);
        let (node, resource) = (cell(4), cell(7));
        let within = end >= self.window.start && start <= self.window.end;
        let first_later = start > self.window.end
            && end > start
            && !resource.is_empty()
            && !self.later.contains(node);
        if first_later {
            self.later.insert(node.to_owned());
        }
        let belongs = batch.is_some_and(|batch| self.window.passes.contains_key(&batch));
        Ok(belongs || within || first_later)
    }
}

impl Reader {
    /// Counts a row that is left out.
    fn pass_over(&mut self, row: &csv::StringRecord) -> Result<(), String> {
        check_number(row, self.place()?)?;
        self.rows += 1;
        Ok(())
    }
}

impl Events {
    /// Reads of the event log of the run in `folder` the tasks of the passes in `window`, those
    /// of others that ran within its time, and of every node the first task after it.
    ///
    /// What a task waited for is left out where it ended before the window began.
    ///
    /// # Errors
    /// If a table cannot be read, or says of what is kept what no run could have done.
    pub fn read_window(folder: &Path, window: &Window) -> Result<Self, EventsError> {
        let mut log = Log::open(folder)?;
        log.reader.kept = Some(Default::default());
        let mut filter = Filter {
            window,
            later: BTreeSet::new(),
        };
        while let Some((line, row)) = log.table.next_row()? {
            let kept = filter.keeps(row).and_then(|keeps| match keeps {
                true => log.reader.row(row),
                false => log.reader.pass_over(row),
            });
            kept.map_err(|fault| damaged(folder, line, fault))?;
        }
        let rows = log.reader.rows;
        Ok(log.reader.finish(rows, window.passes.clone()))
    }
}
