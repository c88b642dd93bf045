//! Draws again, from its data, what of a run folder or a sweep is drawn.

use super::drawings::{self, DRAWN, Drawn, PERFETTO};
use super::error::RunError;
use super::sweep::draw_figures;
use crate::figures::Width;
use crate::figures::catalogue::{DrawError, FIGURES, Options, Sources};
use crate::figures::format::Format;
use crate::results::bounded::read_text;
use crate::results::drawn::EVENTS;
use crate::results::manifest::{self, Manifest};
use crate::results::points::{self, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::scenario::sweep_of;
use crate::whole::{Files, Unwritable};
use std::path::{Path, PathBuf};

/// How figures are to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// As which kind of file.
    pub format: Format,
    /// For which width, and of which part.
    pub options: Options,
}

impl Shown {
    /// As runs and sweeps draw them.
    pub const USUAL: Self = Self {
        format: Format::Svg,
        options: Options {
            width: None,
            part: None,
        },
    };

    /// The name of the file of the figure `name`, which is usually drawn for `width`.
    pub(super) fn file_name(&self, name: &str, width: Width) -> String {
        self.options.file_name(name, width, self.format)
    }

    pub(super) fn is_usual(&self) -> bool {
        let Options { width, part } = self.options;
        self.format == Format::Svg && width.is_none() && part.is_none()
    }
}

/// What is to be drawn.
#[derive(Debug, Clone, Copy)]
pub enum Drawing {
    /// The figures; as they are usually drawn also the report.
    Figures(Shown),
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
        let fault = match drawing {
            Drawing::Figures(shown) if shown.options.part.is_none() => {
                return plot_sweep(folder, shown);
            }
            Drawing::Figures(_) => "a sweep has no passes; give the folder of one of its runs",
            Drawing::Perfetto => "a sweep has no trace; give the folder of one of its runs",
        };
        return Err(place(fault.to_owned()));
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

fn plot_sweep(folder: &Path, shown: Shown) -> Result<Vec<PathBuf>, RunError> {
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
    draw_figures(folder, &record, &sweep, &rows, shown)
}

fn plot_run(
    folder: &Path,
    manifest: &Manifest,
    drawing: Drawing,
) -> Result<Vec<PathBuf>, RunError> {
    let title = manifest.title();
    let sources = drawings::sources(folder, &title, &manifest.scenario)?;
    let mut paths = Vec::new();
    let beside: &[Drawn] = match drawing {
        Drawing::Figures(shown) => {
            for figure in FIGURES {
                if figure.is_wanted(&sources, shown.options)? {
                    let path = folder.join(figure.file_name(shown.options, shown.format));
                    let bytes = figure.write(&sources, shown.options, shown.format)?;
                    let mut files = Files::default();
                    files.stage(&path, &bytes)?;
                    files.commit()?;
                    paths.push(path);
                }
            }
            if shown.is_usual() { DRAWN } else { &[] }
        }
        Drawing::Perfetto => &[PERFETTO],
    };
    for drawn in beside {
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
