//! Every point of a scenario's sweep, each an ordinary run folder.
//!
//! ```text
//! <out>/points.csv      a row per point × run: its settings, status and metrics
//! <out>/points/<n>/     the run folder of point n
//! <out>/figures/        a figure per metric over the last numeric axis, if there is one
//! ```
//!
//! A point that is already there is not run again; one that is infeasible or fails
//! is recorded with its reason and the rest go on. A point's bits depend on its own
//! scenario, seed and run number alone, so order and parallelism change nothing.

use super::error::RunError;
use super::prepare::prepare;
use super::run::{RunOptions, run};
use crate::results::curves;
use crate::results::folder::{CreatedFolders, FolderError, Replaceable, check_place};
use crate::results::manifest::Identity;
use crate::results::metrics::{DEFINITIONS, Metrics};
use crate::rng::Streams;
use crate::scenario::Point;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The folder of the points' run folders.
const POINTS: &str = "points";

/// The table over all points.
pub(super) const TABLE: &str = "points.csv";

/// The folder of the figures over all points.
const FIGURES: &str = "figures";

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
/// If the folder cannot be written or holds anything but this sweep, points failed, or
/// the sweep is interrupted. Finished points stay in every case, and `points.csv` tells
/// of them.
pub fn sweep(
    points: Vec<Point>,
    options: &SweepOptions<'_>,
    on_point: &(dyn Fn(&Point, &PointOutcome) + Sync),
) -> Result<Swept, RunError> {
    let folder = options.out.clone();
    check_folder(&points, options)?;
    // Made before any point starts, lest one that fails take it from under another.
    let _created = CreatedFolders::create(&folder.join(POINTS))?;
    let outcomes: Vec<Mutex<Option<PointOutcome>>> =
        points.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while !options.interrupt.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(point) = points.get(index) else {
                return;
            };
            let target = folder.join(POINTS).join(point.index.to_string());
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
    let interrupted = options.interrupt.load(Ordering::Relaxed);
    if interrupted && finished.is_empty() {
        return Err(RunError::Interrupted {
            kept: "nothing was written",
        });
    }
    let table = folder.join(TABLE);
    write_points(&table, &finished)?;
    draw_figures(&folder)?;
    if interrupted {
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

/// Refuses a folder that holds anything but this sweep or a part of it, before any
/// point runs.
fn check_folder(points: &[Point], options: &SweepOptions<'_>) -> Result<(), RunError> {
    let out = options.out.as_path();
    check_place(out)?;
    let occupied = |path: &Path, what: String| {
        let path = path.to_owned();
        Err(FolderError::Occupied { path, what }.into())
    };
    if out.exists() && !out.is_dir() {
        return occupied(out, "a file".to_owned());
    }
    // What is hidden is what an earlier sweep could not clean up when it was killed.
    let known = |name: &str| [POINTS, TABLE, FIGURES].contains(&name) || name.starts_with('.');
    if !names(out).iter().all(|name| known(name)) {
        return occupied(out, "something that is no sweep".to_owned());
    }
    let folder = out.join(POINTS);
    for name in names(&folder).iter().filter(|name| !name.starts_with('.')) {
        let target = folder.join(name);
        match name
            .parse::<usize>()
            .ok()
            .and_then(|index| points.get(index))
        {
            None => return occupied(&target, "a point that this sweep has not".to_owned()),
            Some(point) => {
                if let Err(what) = identity(point, options.seed).may_replace(&target) {
                    return occupied(&target, what);
                }
            }
        }
    }
    Ok(())
}

/// Names of what is in `folder`, none if it is not there.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn identity(point: &Point, seed: u64) -> Identity {
    Identity::of(&point.resolved.configuration(), seed, point.run)
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
    if target.is_dir()
        && identity(point, options.seed).may_replace(target).is_ok()
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
    let fault = |error: std::io::Error| RunError::from(FolderError::io(path)(error));
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
        .map_err(|error| fault(error.into()))?;
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
            .map_err(|error| fault(error.into()))?;
    }
    let content = writer
        .into_inner()
        .map_err(|error| fault(error.into_error()))?;
    write_whole(path, &content)
}

/// Draws the figures of the sweep in `folder` from its table, and tells which.
pub(super) fn draw_figures(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut drawn = Vec::new();
    for figure in curves::read(&folder.join(TABLE))? {
        let path = folder
            .join(FIGURES)
            .join(format!("{}.svg", figure.metric.name));
        write_whole(&path, curves::draw(&figure)?.as_bytes())?;
        drawn.push(path);
    }
    Ok(drawn)
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), RunError> {
    let write = || -> std::io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let mut staged = tempfile::NamedTempFile::new_in(parent)?;
        std::io::Write::write_all(&mut staged, content)?;
        staged.persist(path)?;
        Ok(())
    };
    write().map_err(|error| FolderError::io(path)(error).into())
}
