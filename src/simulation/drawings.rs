//! What of a run folder is drawn from the rest of it: figures, the report, the trace.

use crate::figures::catalogue::{DrawError, FIGURES, Options, Sources};
use crate::figures::format::svg;
use crate::report::{self, PageError, RunPage};
use crate::results::events::Events;
use crate::results::metrics::{self, Metrics};
use crate::results::perfetto;
use crate::results::summary::{MOST_TEXTS, Summary};
use crate::results::tables::{read_nodes, read_texts};
use std::io::Write;
use std::path::Path;

/// Tasks of the beginning of a log that figures are drawn from.
const MOST_TASKS: usize = 200_000;

/// One file that is drawn and is no figure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    /// Its name.
    pub name: &'static str,
    write: fn(&Sources<'_>, &mut dyn Write) -> Result<(), DrawError>,
    /// Whether the run has something to show there.
    wanted: fn(&Sources<'_>) -> Result<bool, DrawError>,
}

/// Everything that is drawn beside figures; the report last, for it shows all others.
pub(super) const DRAWN: &[Drawn] = &[Drawn {
    name: report::FILE_NAME,
    wanted: |run| Ok(run.holds_a_pass()),
    write: write_report,
}];

/// The log as Perfetto reads it: drawn when it is asked for, because it is twice as long as all the
/// rest of a folder.
pub(super) const PERFETTO: Drawn = Drawn {
    name: perfetto::FILE_NAME,
    wanted: |run| Ok(run.events.is_some()),
    write: |run, out| Ok(perfetto::write(&Events::read(run.folder)?, out)?),
};

/// What the run in `folder` is drawn from.
///
/// # Errors
/// If there is an event log that cannot be used.
pub(super) fn sources<'a>(
    folder: &'a Path,
    title: &'a str,
    scenario: &'a str,
) -> Result<Sources<'a>, DrawError> {
    Sources::open(folder, title, scenario, MOST_TASKS)
}

impl Drawn {
    /// Whether `run` has something to show here.
    ///
    /// # Errors
    /// If a table that decides this is damaged.
    pub(super) fn is_wanted(&self, run: &Sources<'_>) -> Result<bool, DrawError> {
        (self.wanted)(run)
    }

    /// Draws it.
    ///
    /// # Errors
    /// If the folder's data is missing or damaged, or `out` cannot be written.
    pub(super) fn write(&self, run: &Sources<'_>, out: &mut dyn Write) -> Result<(), DrawError> {
        (self.write)(run, out)
    }
}

fn write_report(run: &Sources<'_>, out: &mut dyn Write) -> Result<(), DrawError> {
    let text = run.text(metrics::FILE_NAME)?;
    let metrics = Metrics::from_json(&text).ok_or_else(|| DrawError::Unreadable {
        path: run.folder.join(metrics::FILE_NAME),
        fault: "it holds no metrics".to_owned(),
    })?;
    let (nodes, per_node) = read_nodes(run.folder)?;
    let mut figures = Vec::new();
    for figure in FIGURES {
        if figure.is_wanted(run, Options::default())? {
            let scene = (figure.draw)(run, figure.width, None)?;
            let picture = svg::write(&scene);
            figures.push((scene.title, picture));
        }
    }
    let card = metrics::card(&text);
    let summary = Summary {
        title: run.title,
        metrics: &metrics,
        card: card.as_ref(),
        nodes: &nodes,
        per_node: &per_node,
        texts: read_texts(run.folder, MOST_TEXTS)?,
        columns: None,
    };
    let page = RunPage {
        title: run.title,
        summary: summary.to_string(),
        scenario: run.scenario,
        nodes: &nodes,
        per_node: &per_node,
        figures: &figures,
    };
    page.write(run.folder, out).map_err(|error| match error {
        PageError::Events(error) => error.into(),
        PageError::Io(error) => error.into(),
    })
}
