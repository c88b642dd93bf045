//! `report.html`: a run on one page.

use super::overview::Overview;
use super::{matrix, nodes, page, timeline};
use crate::measurement::NodeRecord;
use crate::results::events::EventsError;
use crate::text::Markup;
use std::io::{self, Write};
use std::path::Path;

/// The file's name.
pub const FILE_NAME: &str = "report.html";

/// How the timeline is moved.
pub(super) const KEYS: &str = include_str!("keys.html");

/// What the page of a run shows beside its log.
#[derive(Debug)]
pub struct RunPage<'a> {
    /// The run's name.
    pub title: &'a str,
    /// The table for people.
    pub summary: String,
    /// The resolved scenario.
    pub scenario: &'a str,
    /// The names of the nodes.
    pub nodes: &'a [String],
    /// What each of them did and held.
    pub per_node: &'a [NodeRecord],
    /// Captions and SVG texts of figures.
    pub figures: &'a [(String, String)],
}

/// Why a page cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The event log cannot be used.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The page cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RunPage<'_> {
    /// Writes the page of the run in `folder`, whose event log is read anew, row by row: the page
    /// tells of all of it.
    ///
    /// # Errors
    /// If the log or the table of batches cannot be used, or `out` cannot be written.
    pub fn write(&self, folder: &Path, mut out: &mut dyn Write) -> Result<(), PageError> {
        let run = Overview::read(folder)?;
        page::begin(&mut out, self.title)?;
        // The page begins with its title.
        let summary = self.summary.strip_prefix(self.title);
        let summary = summary.unwrap_or(&self.summary).trim_start_matches('\n');
        writeln!(out, "<pre>{}</pre>", Markup(summary))?;
        writeln!(out, "<h2 id=timeline>Timeline</h2>")?;
        timeline::write(&run, self.title, &mut out)?;
        out.write_all(KEYS.as_bytes())?;
        let waiting = matrix::section(&run.waiting, &run.names, run.makespan);
        out.write_all(waiting.as_bytes())?;
        out.write_all(nodes::sections(self.nodes, self.per_node).as_bytes())?;
        if !self.figures.is_empty() {
            writeln!(out, "<h2 id=figures>Figures</h2>")?;
        }
        for (name, svg) in self.figures {
            page::figure(&mut out, svg, name)?;
        }
        writeln!(
            out,
            "<h2 id=scenario>Scenario</h2>\n<pre>{}</pre>",
            Markup(self.scenario)
        )?;
        page::end(&mut out, true)?;
        Ok(())
    }
}
