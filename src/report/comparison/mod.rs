//! Two runs side by side: what of their scenarios differs, what they measured, the first event in
//! which they part, and both timelines.
//!
//! `B − A` is the difference of a metric, and `(B − A) / |A|` its change.

mod event;
mod html;
mod text;

pub use event::FirstEvent;

use crate::results::bounded::read_text;
use crate::results::manifest::{self, Manifest};
use crate::results::metrics::{self, DEFINITIONS, Definition, Metrics};
use crate::results::parting::{LinePair, differing_lines};
use std::path::{Path, PathBuf};

/// Why two runs cannot be compared. The input is at fault, always.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct CompareError {
    /// The folder or file at fault.
    pub path: PathBuf,
    /// What is wrong, and the fix.
    pub fault: String,
}

/// One of the two runs.
#[derive(Debug)]
pub struct Side {
    /// Its folder, as it was given.
    pub folder: PathBuf,
    /// What was run.
    pub manifest: Manifest,
    /// What it measured.
    pub metrics: Metrics,
}

/// A metric that at least one of the runs measured.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// The metric.
    pub definition: &'static Definition,
    /// What A measured.
    pub a: Option<f64>,
    /// What B measured.
    pub b: Option<f64>,
}

impl Pair {
    /// Whether both measured the same, bit for bit.
    pub fn is_equal(&self) -> bool {
        self.a.map(f64::to_bits) == self.b.map(f64::to_bits)
    }

    /// `B − A`, if both are numbers.
    pub fn difference(&self) -> Option<f64> {
        let (a, b) = self.a.zip(self.b)?;
        Some(b - a).filter(|difference| difference.is_finite())
    }

    /// `(B − A) / |A|`, if that is a number.
    pub fn change(&self) -> Option<f64> {
        let change = self.difference()? / self.a?.abs();
        Some(change).filter(|change| change.is_finite())
    }
}

/// Two runs side by side.
#[derive(Debug)]
pub struct RunComparison {
    /// The first.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// The lines in which their resolved scenarios differ; `None` if those are too different.
    pub settings: Option<Vec<(Option<String>, Option<String>)>>,
    /// Every metric of either, in the order of `metrics.json`.
    pub metrics: Vec<Pair>,
    /// Where their logs part; `None` if they are equal.
    pub event: Option<FirstEvent>,
    columns: Option<usize>,
}

impl Side {
    fn open(folder: &Path) -> Result<Self, CompareError> {
        let fault = |path: &Path, fault: String| CompareError {
            path: path.to_owned(),
            fault,
        };
        let file = folder.join(manifest::FILE_NAME);
        if !file.is_file() {
            let sweep = folder.join("points.csv").is_file();
            let what = match sweep {
                true => "this is a sweep; give one of the run folders in its points/",
                false => {
                    "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote"
                }
            };
            return Err(fault(folder, what.to_owned()));
        }
        let text =
            read_text(&file).map_err(|error| fault(&file, format!("cannot be read: {error}")))?;
        let manifest = Manifest::parse(&text).map_err(|what| {
            let what = format!("cannot be used: {what}; run the scenario again");
            fault(&file, what)
        })?;
        manifest
            .check_lengths(folder)
            .map_err(|what| fault(folder, what))?;
        let file = folder.join(metrics::FILE_NAME);
        let text = read_text(&file).map_err(|error| {
            let what = format!("cannot be read: {error}; run the scenario again");
            fault(&file, what)
        })?;
        let metrics = Metrics::from_json(&text).ok_or_else(|| {
            let what = "it holds no metrics; run the scenario again";
            fault(&file, what.to_owned())
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
            metrics,
        })
    }
}

impl RunComparison {
    /// Compares the runs in the folders `a` and `b`.
    ///
    /// # Errors
    /// If one is no run folder, or is damaged.
    pub fn of(a: &Path, b: &Path) -> Result<Self, CompareError> {
        let (a, b) = (Side::open(a)?, Side::open(b)?);
        let lines = differing_lines(&a.manifest.scenario, &b.manifest.scenario);
        let owned = |(a, b): LinePair<'_>| (a.map(str::to_owned), b.map(str::to_owned));
        let pairs = DEFINITIONS.iter().map(|definition| Pair {
            definition,
            a: a.metrics.measured(definition.name),
            b: b.metrics.measured(definition.name),
        });
        Ok(Self {
            settings: lines.map(|lines| lines.into_iter().map(owned).collect()),
            metrics: pairs
                .filter(|pair| pair.a.is_some() || pair.b.is_some())
                .collect(),
            event: FirstEvent::of(&a, &b)?,
            a,
            b,
            columns: None,
        })
    }

    /// The same for a terminal of so many columns, if there is one.
    #[must_use]
    pub fn within(mut self, columns: Option<usize>) -> Self {
        self.columns = columns;
        self
    }

    /// The makespan of the longer run in seconds, beside which times are told.
    fn longer(&self) -> f64 {
        let makespan = |side: &Side| side.metrics.get("makespan_s").unwrap_or_default();
        makespan(&self.a).max(makespan(&self.b))
    }
}
