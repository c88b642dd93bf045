//! What of a run folder is drawn from the rest of it: figures, the trace, the report.
//!
//! A run writes its tables and then draws; `airloom plot` draws again. Both go through
//! [`DRAWN`] and read nothing but the folder, the run's title and its scenario, so that
//! what is drawn again is the same, byte for byte.

use super::bounded::read_text;
use super::events::{Events, EventsError};
use super::latencies::{self, LATENCIES};
use super::load::{self, LOADS};
use super::memory::{self, MEMORY};
use super::metrics::{self, Metrics};
use super::summary::{MOST_TEXTS, Summary};
use super::tables::{
    BATCHES, LOAD, REQUESTS, TableError, WAITS, read_latencies, read_nodes, read_texts,
};
use super::timeline::{self, TIMELINE, TimelineError};
use super::waiting::{self, WAITING};
use super::{assignment, expert_pairs, perfetto};
use crate::report::{self, PageError, RunPage};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file name of a full event log.
pub const EVENTS: &str = "events.csv";

/// Tasks of the beginning of a log that figures are drawn from.
const MOST_TASKS: usize = 200_000;

/// Why something cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The event log cannot be used.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There is no pass to draw.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// Another file cannot be used.
    #[error("cannot read {path}: {fault}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The drawing backend failed.
    #[error("cannot draw {0}")]
    Backend(String),
    /// The file cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What everything is drawn from.
#[derive(Debug)]
pub struct Sources<'a> {
    folder: &'a Path,
    title: &'a str,
    scenario: &'a str,
    /// The beginning of the log.
    events: Option<Events>,
}

impl From<PageError> for DrawError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Events(error) => error.into(),
            PageError::Io(error) => error.into(),
        }
    }
}

impl<'a> Sources<'a> {
    /// The run in `folder`, with its title and its resolved scenario.
    ///
    /// # Errors
    /// If there is an event log that cannot be used.
    pub fn open(folder: &'a Path, title: &'a str, scenario: &'a str) -> Result<Self, DrawError> {
        let log = folder.join(EVENTS);
        let events = log
            .is_file()
            .then(|| Events::read_beginning(folder, MOST_TASKS))
            .transpose()?;
        Ok(Self {
            folder,
            title,
            scenario,
            events,
        })
    }

    /// Whether anything was computed that the log tells of.
    fn holds_a_pass(&self) -> bool {
        let events = self.events.as_ref();
        events.is_some_and(|events| !events.batches.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    fn text(&self, name: &str) -> Result<String, DrawError> {
        let path = self.folder.join(name);
        read_text(&path).map_err(|error| DrawError::Unreadable {
            path,
            fault: error.to_string(),
        })
    }
}

/// One file that is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    /// Its name.
    pub name: &'static str,
    write: fn(&Sources<'_>, &mut dyn Write) -> Result<(), DrawError>,
    /// Whether the run has something to show there.
    wanted: fn(&Sources<'_>) -> Result<bool, DrawError>,
}

/// Everything that is drawn; the report last, for it shows the figures before it.
pub const DRAWN: &[Drawn] = &[
    Drawn {
        name: TIMELINE,
        wanted: |run| Ok(run.holds_a_pass()),
        write: write_timeline,
    },
    Drawn {
        name: WAITING,
        wanted: |run| Ok(run.events.is_some() && run.has(WAITS)),
        write: |run, out| {
            let blocks = waiting::read(run.folder)?;
            Ok(out.write_all(waiting::draw(&blocks).as_bytes())?)
        },
    },
    Drawn {
        name: MEMORY,
        wanted: |run| {
            let full = run.events.is_some() && run.has(BATCHES);
            Ok(full && memory::read(run.folder)?.changes())
        },
        write: |run, out| {
            let memory = memory::read(run.folder)?;
            Ok(out.write_all(memory.draw().as_bytes())?)
        },
    },
    Drawn {
        name: LOADS,
        wanted: |run| {
            let known = run.has(LOAD);
            Ok(known && load::is_worth_a_picture(&load::read(run.folder)?))
        },
        write: |run, out| {
            let rows = load::read(run.folder)?;
            Ok(out.write_all(load::draw(&rows).as_bytes())?)
        },
    },
    Drawn {
        name: LATENCIES,
        wanted: |run| {
            let known = run.has(REQUESTS);
            Ok(known && read_latencies(run.folder)?.e2e.len() >= latencies::FEWEST)
        },
        write: |run, out| {
            let latencies = read_latencies(run.folder)?;
            Ok(out.write_all(latencies::draw(&latencies).as_bytes())?)
        },
    },
    Drawn {
        name: assignment::FIGURE,
        wanted: |run| {
            let table = run.has(assignment::TABLE);
            Ok(table && !assignment::read(run.folder)?.is_empty())
        },
        write: |run, out| {
            let figure = assignment::read(run.folder)?.draw();
            let figure = figure.map_err(DrawError::Backend)?;
            Ok(out.write_all(figure.as_bytes())?)
        },
    },
    Drawn {
        name: expert_pairs::FIGURE,
        wanted: |run| Ok(run.has(expert_pairs::TABLE)),
        write: |run, out| {
            let rows = expert_pairs::read(run.folder)?;
            Ok(out.write_all(expert_pairs::draw(&rows).as_bytes())?)
        },
    },
    Drawn {
        name: report::FILE_NAME,
        wanted: |run| Ok(run.holds_a_pass()),
        write: write_report,
    },
];

/// The log as Perfetto reads it: drawn when it is asked for, because it is twice as long as all the
/// rest of a folder.
pub const PERFETTO: Drawn = Drawn {
    name: perfetto::FILE_NAME,
    wanted: |run| Ok(run.events.is_some()),
    write: |run, out| Ok(perfetto::write(&Events::read(run.folder)?, out)?),
};

/// Whether the file `name` of a run folder follows from the others.
pub fn is_drawn(name: &str) -> bool {
    DRAWN
        .iter()
        .chain([&PERFETTO])
        .any(|drawn| drawn.name == name)
}

impl Drawn {
    /// Whether `run` has something to show here.
    ///
    /// # Errors
    /// If a table that decides this is damaged.
    pub fn is_wanted(&self, run: &Sources<'_>) -> Result<bool, DrawError> {
        (self.wanted)(run)
    }

    /// Draws it.
    ///
    /// # Errors
    /// If the folder's data is missing or damaged, or `out` cannot be written.
    pub fn write(&self, run: &Sources<'_>, out: &mut dyn Write) -> Result<(), DrawError> {
        (self.write)(run, out)
    }
}

fn write_timeline(run: &Sources<'_>, out: &mut dyn Write) -> Result<(), DrawError> {
    let Some(events) = &run.events else {
        return Ok(());
    };
    let timeline = timeline::read(run.folder, events)?;
    Ok(out.write_all(timeline::draw(&timeline).as_bytes())?)
}

fn write_report(run: &Sources<'_>, out: &mut dyn Write) -> Result<(), DrawError> {
    let text = run.text(metrics::FILE_NAME)?;
    let metrics = Metrics::from_json(&text).ok_or_else(|| DrawError::Unreadable {
        path: run.folder.join(metrics::FILE_NAME),
        fault: "it holds no metrics".to_owned(),
    })?;
    let (nodes, per_node) = read_nodes(run.folder)?;
    let mut figures = Vec::new();
    for drawn in DRAWN.iter().filter(|drawn| drawn.name.ends_with(".svg")) {
        // Drawn before the report.
        if drawn.is_wanted(run)? {
            figures.push((drawn.name, run.text(drawn.name)?));
        }
    }
    let summary = Summary {
        title: run.title,
        metrics: &metrics,
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
    Ok(page.write(run.folder, out)?)
}
