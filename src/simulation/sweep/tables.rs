//! What tells of all points of a sweep: tables, figures, publications.

use super::FAILED;
use super::publish::{PUBLISHED, publish};
use crate::figures::sweep::{self, WIDTH};
use crate::report::{INDEX, SweepPage};
use crate::results::folder::FolderError;
use crate::results::outcomes::Outcomes;
use crate::results::points::{self, AGGREGATES, Row, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::scenario::Sweep;
use crate::simulation::error::RunError;
use crate::simulation::plot::Shown;
use crate::whole::{Files, Unwritable};
use std::path::{Path, PathBuf};

/// The folder of the figures over all points.
pub(super) const FIGURES: &str = "figures";

/// Writes what tells of all points; with `whole`, also what only a whole sweep has.
pub(super) fn write_tables(
    folder: &Path,
    record: &SweepRecord,
    sweep: &Sweep,
    rows: &[Row],
    whole: bool,
) -> Result<(), RunError> {
    let mut tables = Files::default();
    let mut stage = |name: &str, content: csv::Result<Vec<u8>>| {
        let path = folder.join(name);
        let content = content.map_err(|error| FolderError::io(&path)(error.into()))?;
        tables.stage(&path, &content).map_err(FolderError::from)
    };
    stage(sweep_record::FILE_NAME, Ok(record.to_json().into_bytes()))?;
    stage(TABLE, points::table(rows))?;
    if whole {
        stage(AGGREGATES, points::aggregates(rows))?;
    }
    tables.commit().map_err(FolderError::from)?;
    if whole {
        draw_figures(folder, record, sweep, rows, Shown::USUAL)?;
    }
    Ok(())
}

/// The error of a sweep of which points failed.
pub(super) fn refuse_failed(folder: &Path, rows: &[Row]) -> Result<(), RunError> {
    match rows.iter().filter(|row| row.status == FAILED).count() {
        0 => Ok(()),
        failed => Err(RunError::Points {
            failed,
            points: rows.len(),
            path: folder.join(TABLE),
        }),
    }
}

/// Draws the figures of a sweep into its folder, if all points are there what it publishes, and a
/// page about all of it, and tells what was written.
pub(in crate::simulation) fn draw_figures(
    folder: &Path,
    record: &SweepRecord,
    sweep: &Sweep,
    rows: &[Row],
    shown: Shown,
) -> Result<Vec<PathBuf>, RunError> {
    let target = folder.join(FIGURES);
    let mut figures = Files::default();
    let outcomes = Outcomes::of(sweep, rows)?;
    for (name, scene) in sweep::figures(&outcomes, shown.options.width) {
        let name = shown.file_name(&name, WIDTH);
        let staged = figures.stage(&target.join(name), &shown.format.write(&scene)?);
        staged.map_err(FolderError::from)?;
    }
    let mut drawn = figures.commit().map_err(FolderError::from)?;
    if shown.is_usual() {
        remove_others(&target, &drawn);
    }
    if rows.len() == record.points {
        drawn.extend(publish(sweep, rows, &[folder.join(PUBLISHED)], shown)?);
    }
    if shown.is_usual() {
        drawn.push(write_index(folder, record, &outcomes, rows, &drawn)?);
    }
    Ok(drawn)
}

/// Writes the page of a sweep of which `drawn` was drawn.
fn write_index(
    folder: &Path,
    record: &SweepRecord,
    outcomes: &Outcomes<'_>,
    rows: &[Row],
    drawn: &[PathBuf],
) -> Result<PathBuf, RunError> {
    let within = |path: &PathBuf| {
        let parts = path.strip_prefix(folder).ok()?.iter();
        let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
        Some(parts.join("/"))
    };
    let page = SweepPage {
        folder,
        record,
        outcomes,
        rows,
        files: &drawn.iter().filter_map(within).collect::<Vec<_>>(),
    };
    let path = folder.join(INDEX);
    let mut index = Files::default();
    let staged = index.stage_with(&path, |out| page.write(out).map_err(Unwritable::at(&path)));
    staged.map_err(FolderError::from)?;
    index.commit().map_err(FolderError::from)?;
    Ok(path)
}

/// Removes the figures of axes and metrics that the sweep no longer has.
fn remove_others(folder: &Path, drawn: &[PathBuf]) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains("_over_") && name.ends_with(".svg") && !drawn.contains(&path) {
            // What cannot be removed is a figure too many.
            let _ = std::fs::remove_file(path);
        }
    }
}
