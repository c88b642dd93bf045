//! Every point of a scenario's sweep, each an ordinary run folder.
//!
//! ```text
//! <out>/points.csv      a row per point × run: its settings, status and metrics
//! <out>/points/<n>/     the run folder of point n
//! ```
//!
//! A point that is already there is not run again; one that is infeasible or fails
//! is recorded with its reason and the rest go on. A point's bits depend on its own
//! scenario, seed and run number alone, so order and parallelism change nothing.

use super::error::RunError;
use super::prepare::prepare;
use super::run::{RunOptions, run};
use crate::results::folder::Replaceable;
use crate::results::manifest::Identity;
use crate::results::metrics::{DEFINITIONS, Metrics};
use crate::rng::Streams;
use crate::scenario::Point;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How a sweep is to be made.
#[derive(Debug, Clone)]
pub struct SweepOptions<'a> {
    /// The sweep's folder.
    pub out: PathBuf,
    /// The experiment's seed.
    pub seed: u64,
    /// Changes that the scenario already has, to be named in the manifests.
    pub overrides: Vec<String>,
    /// Points simulated side by side.
    pub jobs: usize,
    /// Ends the sweep when it becomes true; finished points stay.
    pub interrupt: &'a AtomicBool,
}

/// What became of one point.
#[derive(Debug)]
pub enum PointOutcome {
    /// It ran, or had run before.
    Done {
        /// Its metrics.
        metrics: Metrics,
        /// Whether an earlier sweep had made it.
        skipped: bool,
    },
    /// It cannot be built, and why: "N/A" in a table.
    Infeasible(String),
    /// It broke off, and why.
    Failed(String),
}

impl PointOutcome {
    /// The outcome's name in `points.csv`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Infeasible(_) => "infeasible",
            Self::Failed(_) => "failed",
        }
    }
}

/// A sweep that is over.
#[derive(Debug)]
pub struct Swept {
    /// Its folder.
    pub folder: PathBuf,
    /// Every point with its outcome, in order.
    pub points: Vec<(Point, PointOutcome)>,
}

/// Simulates `points`; `on_point` is told of each one
/// that is finished, in the order in which they finish.
///
/// # Errors
/// If the folder cannot be written, points failed, or the sweep is interrupted.
/// Finished points stay in every case, and `points.csv` tells of them.
pub fn sweep(
    points: Vec<Point>,
    options: &SweepOptions<'_>,
    on_point: &(dyn Fn(&Point, &PointOutcome) + Sync),
) -> Result<Swept, RunError> {
    let folder = options.out.clone();
    let outcomes: Vec<Mutex<Option<PointOutcome>>> =
        points.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while !options.interrupt.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(point) = points.get(index) else {
                return;
            };
            let target = folder.join("points").join(point.index.to_string());
            let outcome = match simulate(point, &target, options) {
                Err(RunError::Interrupted { .. }) => return,
                outcome => judge(outcome),
            };
            on_point(point, &outcome);
            *outcomes[index]
                .lock()
                .expect("no worker panics while it holds a slot") = Some(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..options.jobs.max(1) {
            scope.spawn(worker);
        }
        worker();
    });
    let finished: Vec<(Point, PointOutcome)> = points
        .into_iter()
        .zip(outcomes)
        .filter_map(|(point, slot)| {
            let outcome = slot.into_inner().expect("no worker panicked")?;
            Some((point, outcome))
        })
        .collect();
    let table = folder.join("points.csv");
    write_points(&table, &finished)?;
    if options.interrupt.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted {
            kept: "finished points stay, and the same command goes on from there",
        });
    }
    let failed = finished
        .iter()
        .filter(|(_, outcome)| matches!(outcome, PointOutcome::Failed(_)))
        .count();
    if failed > 0 {
        return Err(RunError::Points {
            failed,
            points: finished.len(),
            path: table,
        });
    }
    Ok(Swept {
        folder,
        points: finished,
    })
}

fn judge(outcome: Result<(Metrics, bool), RunError>) -> PointOutcome {
    match outcome {
        Ok((metrics, skipped)) => PointOutcome::Done { metrics, skipped },
        Err(error) if error.is_infeasible() => PointOutcome::Infeasible(error.to_string()),
        Err(error) => PointOutcome::Failed(error.to_string()),
    }
}

fn simulate(
    point: &Point,
    target: &Path,
    options: &SweepOptions<'_>,
) -> Result<(Metrics, bool), RunError> {
    let identity = Identity::of(&point.resolved.configuration(), options.seed, point.run);
    if target.is_dir()
        && identity.may_replace(target).is_ok()
        && let Ok(text) = std::fs::read_to_string(target.join("metrics.json"))
        && let Some(metrics) = Metrics::from_json(&text)
    {
        return Ok((metrics, true));
    }
    let streams = Streams {
        seed: options.seed,
        run: point.run,
    };
    let settings = point
        .values
        .iter()
        .map(|(path, value)| format!("{path}={value}"));
    let overrides = options.overrides.iter().cloned().chain(settings).collect();
    let prepared = prepare(&point.resolved, streams, overrides)?;
    let run_options = RunOptions {
        out: target.to_owned(),
        interrupt: options.interrupt,
    };
    let finished = run(prepared, &run_options, Box::new(|_| ()))?;
    Ok((finished.metrics, false))
}

/// Writes `points.csv`, whole or not at all. Metrics that no point measured have
/// no column.
fn write_points(path: &Path, points: &[(Point, PointOutcome)]) -> Result<(), RunError> {
    let fault = |error: String| RunError::Place {
        path: path.to_owned(),
        fault: format!("cannot be written: {error}"),
    };
    let done = |outcome: &PointOutcome, name: &str| match outcome {
        PointOutcome::Done { metrics, .. } => metrics.get(name),
        _ => None,
    };
    let metrics: Vec<&str> = DEFINITIONS
        .iter()
        .map(|definition| definition.name)
        .filter(|name| {
            points
                .iter()
                .any(|(_, outcome)| done(outcome, name).is_some())
        })
        .collect();
    let axes: Vec<String> = points.first().map_or(Vec::new(), |(point, _)| {
        point
            .values
            .iter()
            .map(|(path, _)| path.to_string())
            .collect()
    });
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["point", "run"]
        .into_iter()
        .chain(axes.iter().map(String::as_str))
        .chain(["status", "reason"])
        .chain(metrics.iter().copied());
    writer
        .write_record(header)
        .map_err(|error| fault(error.to_string()))?;
    for (point, outcome) in points {
        let reason = match outcome {
            PointOutcome::Done { .. } => "",
            PointOutcome::Infeasible(reason) | PointOutcome::Failed(reason) => reason,
        };
        let mut row = vec![point.index.to_string(), point.run.to_string()];
        row.extend(point.values.iter().map(|(_, value)| value.to_string()));
        row.extend([outcome.name().to_owned(), reason.to_owned()]);
        row.extend(
            metrics
                .iter()
                .map(|name| done(outcome, name).map_or(String::new(), |value| value.to_string())),
        );
        writer
            .write_record(row)
            .map_err(|error| fault(error.to_string()))?;
    }
    let content = writer
        .into_inner()
        .map_err(|error| fault(error.to_string()))?;
    let write = || -> std::io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let mut staged = tempfile::NamedTempFile::new_in(parent)?;
        std::io::Write::write_all(&mut staged, &content)?;
        staged.persist(path)?;
        Ok(())
    };
    write().map_err(|error| fault(error.to_string()))
}
