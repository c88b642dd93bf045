//! Draws the figures of a run folder or a sweep again from its data.

use super::error::RunError;
use super::sweep::draw_figures;
use crate::results::expert_pairs;
use crate::results::manifest;
use crate::results::points::{self, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::results::tables::WAITS;
use crate::results::timeline;
use crate::results::waiting::{self, WAITING};
use crate::scenario::sweep_of;
use std::path::{Path, PathBuf};

/// The timeline's file name.
pub(super) const TIMELINE: &str = "timeline.svg";

/// The file name of a full event log.
pub(super) const EVENTS: &str = "events.csv";

/// Draws the figures of the run folder or sweep `folder` and tells which.
///
/// # Errors
/// If `folder` is neither, is a run folder without an event log, or a figure cannot be
/// written; then the old figure stays.
pub fn plot(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let place = |fault: String| RunError::Place {
        path: folder.to_owned(),
        fault,
    };
    if folder.join(TABLE).is_file() {
        let again = "run the sweep again to write it anew";
        let table = folder.join(TABLE);
        let rows = points::read(&table).map_err(|fault| RunError::Place {
            path: table.clone(),
            fault: format!("{fault}; {again}"),
        })?;
        let record =
            SweepRecord::read(folder).map_err(|fault| place(format!("{fault}; {again}")))?;
        let sweep = sweep_of(&record.scenario, sweep_record::FILE_NAME)?;
        return draw_figures(folder, &sweep, &rows, record.points);
    }
    if !folder.join(manifest::FILE_NAME).is_file() {
        let fault = "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote";
        return Err(place(fault.to_owned()));
    }
    if !folder.join(EVENTS).is_file() {
        let fault =
            "this run kept no event log to draw from; run its scenario with --set trace=Full";
        return Err(place(fault.to_owned()));
    }
    let mut figures = vec![(TIMELINE, timeline::draw(&timeline::read(folder)?)?)];
    if folder.join(WAITS).is_file() {
        figures.push((WAITING, waiting::draw(&waiting::read(folder)?)));
    }
    if folder.join(expert_pairs::TABLE).is_file() {
        let rows = expert_pairs::read(folder);
        let rows = rows.map_err(|fault| place(format!("{}: {fault}", expert_pairs::TABLE)))?;
        figures.push((expert_pairs::FIGURE, expert_pairs::draw(&rows)));
    }
    let mut drawn = Vec::with_capacity(figures.len());
    for (name, svg) in figures {
        let target = folder.join(name);
        let write = || -> std::io::Result<()> {
            let staged = tempfile::NamedTempFile::new_in(folder)?;
            std::fs::write(staged.path(), &svg)?;
            staged.persist(&target)?;
            Ok(())
        };
        write().map_err(|error| place(format!("cannot write {name}: {error}")))?;
        drawn.push(target);
    }
    Ok(drawn)
}
