//! Every figure of a run, and what it is drawn from.
//!
//! A run writes its tables and then draws; `airloom plot` draws again, in other formats and widths
//! too. Both go through [`FIGURES`] and read nothing but the folder, the run's title and its
//! scenario, so that what is drawn again is the same, byte for byte. A new figure is one file and
//! one line here.

use super::choice::ChoiceError;
use super::format::{Format, png};
use super::scene::Scene;
use super::{Width, assignment, expert_pairs, latencies, load, memory, timeline, waiting};
use crate::results::bounded::read_text;
use crate::results::drawn::EVENTS;
use crate::results::events::{Events, EventsError};
use crate::results::tables::TableError;
use std::io;
use std::path::{Path, PathBuf};

/// Why something cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The event log cannot be used.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There is no such pass or request.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The picture would have too many pixels.
    #[error(transparent)]
    Pixels(#[from] png::TooLarge),
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
    /// The run folder.
    pub folder: &'a Path,
    /// The run's title.
    pub title: &'a str,
    /// Its resolved scenario.
    pub scenario: &'a str,
    /// The beginning of its log, if it has one.
    pub events: Option<Events>,
}

impl<'a> Sources<'a> {
    /// The run in `folder`, with its title, its resolved scenario and at most the first `tasks`
    /// tasks of its log.
    ///
    /// # Errors
    /// If there is an event log that cannot be used.
    pub fn open(
        folder: &'a Path,
        title: &'a str,
        scenario: &'a str,
        tasks: usize,
    ) -> Result<Self, DrawError> {
        let log = folder.join(EVENTS);
        let events = log
            .is_file()
            .then(|| Events::read_beginning(folder, tasks))
            .transpose()?;
        Ok(Self {
            folder,
            title,
            scenario,
            events,
        })
    }

    /// Whether anything was computed that the log tells of.
    pub fn holds_a_pass(&self) -> bool {
        let events = self.events.as_ref();
        events.is_some_and(|events| !events.batches.is_empty())
    }

    /// Whether the folder holds the file `name`.
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// The text of the file `name`.
    ///
    /// # Errors
    /// If it is missing, too long or no text.
    pub fn text(&self, name: &str) -> Result<String, DrawError> {
        let path = self.folder.join(name);
        read_text(&path).map_err(|error| DrawError::Unreadable {
            path,
            fault: error.to_string(),
        })
    }
}

/// Which part of a run a figure shows that shows one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The pass of this number.
    Pass(u32),
    /// The passes of the request of this number.
    Request(u32),
}

/// How figures are to be drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// For which width; for that of each figure if it is not given.
    pub width: Option<Width>,
    /// Which part of the run; what each figure takes by itself if it is not given.
    pub part: Option<Part>,
}

impl Options {
    /// The name of the file of the figure `name` that is usually drawn for `width`: what was asked
    /// for beyond the usual is part of it, so that the usual figure stays beside it.
    pub fn file_name(&self, name: &str, width: Width, format: Format) -> String {
        let mut name = name.to_owned();
        match self.part {
            Some(Part::Pass(number)) => name += &format!("_pass_{number}"),
            Some(Part::Request(number)) => name += &format!("_request_{number}"),
            None => {}
        }
        if let Some(width) = self.width.filter(|own| *own != width) {
            name += &format!("_{}", width.name());
        }
        format!("{name}.{}", format.extension())
    }
}

/// One figure.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Its file's name without the ending.
    pub name: &'static str,
    /// The width for which it is drawn if nobody asks for another.
    pub width: Width,
    /// Whether it can show a [`Part`].
    pub has_parts: bool,
    /// Whether the run has something to show there.
    pub wanted: fn(&Sources<'_>) -> Result<bool, DrawError>,
    /// Draws it for a width.
    pub draw: fn(&Sources<'_>, Width, Option<Part>) -> Result<Scene, DrawError>,
}

/// Every figure of a run.
pub const FIGURES: &[Figure] = &[
    timeline::FIGURE,
    waiting::FIGURE,
    memory::FIGURE,
    load::FIGURE,
    latencies::FIGURE,
    assignment::FIGURE,
    expert_pairs::FIGURE,
];

impl Figure {
    /// The name of its file.
    pub fn file_name(&self, options: Options, format: Format) -> String {
        options.file_name(self.name, self.width, format)
    }

    /// Whether `run` has something to show here, as `options` ask for it.
    ///
    /// # Errors
    /// If a table that decides this is damaged.
    pub fn is_wanted(&self, run: &Sources<'_>, options: Options) -> Result<bool, DrawError> {
        let shown = self.has_parts || options.part.is_none();
        Ok(shown && (self.wanted)(run)?)
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// If the folder's data is missing or damaged, or the picture too large for the format.
    pub fn write(
        &self,
        run: &Sources<'_>,
        options: Options,
        format: Format,
    ) -> Result<Vec<u8>, DrawError> {
        let scene = (self.draw)(run, options.width.unwrap_or(self.width), options.part)?;
        Ok(format.write(&scene)?)
    }
}
