//! Draws again, from its data, what of a run folder or a sweep is drawn.

use super::error::RunError;
use super::sweep::draw_figures;
use crate::results::bounded::read_text;
use crate::results::drawn::{DRAWN, DrawError, Drawn, EVENTS, PERFETTO, Sources};
use crate::results::manifest::{self, Manifest};
use crate::results::points::{self, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::scenario::sweep_of;
use crate::whole::{Files, Unwritable};
use std::path::{Path, PathBuf};

/// What is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// The figures and the report.
    Figures,
    /// The trace for Perfetto alone.
    Perfetto,
}

/// Draws of the run folder or sweep `folder` what is asked for and tells which files.
///
/// # Errors
/// If `folder` is neither, is a run folder with nothing to draw from, its data is
/// damaged, or a file cannot be written; then the old one stays.
pub fn plot(folder: &Path, drawing: Drawing) -> Result<Vec<PathBuf>, RunError> {
    let place = |fault: String| RunError::Place {
        path: folder.to_owned(),
        fault,
    };
    if folder.join(TABLE).is_file() {
        if drawing == Drawing::Perfetto {
            let fault = "a sweep has no trace; give the folder of one of its runs";
            return Err(place(fault.to_owned()));
        }
        return plot_sweep(folder);
    }
    let Ok(text) = read_text(&folder.join(manifest::FILE_NAME)) else {
        let fault = "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote";
        return Err(place(fault.to_owned()));
    };
    let manifest = Manifest::parse(&text)
        .map_err(|fault| place(format!("its manifest.json cannot be used: {fault}")))?;
    manifest.check_lengths(folder).map_err(place)?;
    let paths = plot_run(folder, &manifest, drawing)?;
    if paths.is_empty() && !folder.join(EVENTS).is_file() {
        let fault =
            "this run kept no event log to draw from; run its scenario with --set trace=Full";
        return Err(place(fault.to_owned()));
    }
    Ok(paths)
}

fn plot_sweep(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let place = |path: PathBuf, fault: String| RunError::Place {
        path,
        fault: format!("{fault}; run the sweep again to write it anew"),
    };
    let table = folder.join(TABLE);
    let rows = points::read(&table).map_err(|fault| place(table.clone(), fault))?;
    let record = SweepRecord::read(folder).map_err(|fault| place(folder.to_owned(), fault))?;
    let sweep = sweep_of(&record.scenario, sweep_record::FILE_NAME)?;
    if let Some(row) = rows.iter().find(|row| row.point >= record.points) {
        let fault = format!("there is no point {} among {}", row.point, record.points);
        return Err(place(table, fault));
    }
    draw_figures(folder, &record, &sweep, &rows)
}

fn plot_run(
    folder: &Path,
    manifest: &Manifest,
    drawing: Drawing,
) -> Result<Vec<PathBuf>, RunError> {
    let title = manifest.title();
    let sources = Sources::open(folder, &title, &manifest.scenario)?;
    let mut paths = Vec::new();
    let wanted = match drawing {
        Drawing::Figures => DRAWN,
        Drawing::Perfetto => &[PERFETTO],
    };
    for drawn in wanted {
        if drawn.is_wanted(&sources)? {
            replace(&folder.join(drawn.name), drawn, &sources)?;
            paths.push(folder.join(drawn.name));
        }
    }
    Ok(paths)
}

/// Puts what is drawn in the place of the old file once it is whole.
fn replace(path: &Path, drawn: &Drawn, sources: &Sources<'_>) -> Result<(), RunError> {
    let mut files = Files::default();
    files.stage_with(path, |out| {
        drawn.write(sources, out).map_err(|error| match error {
            DrawError::Io(error) => Unwritable::at(path)(error).into(),
            error => RunError::from(error),
        })
    })?;
    files.commit()?;
    Ok(())
}
