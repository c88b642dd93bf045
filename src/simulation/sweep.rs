//! Every point of a scenario's sweep, each an ordinary run folder.
//!
//! ```text
//! <out>/sweep.json      which sweep this is
//! <out>/points.csv      a row per point × run: its settings, status and metrics
//! <out>/aggregates.csv  a row per setting × metric: mean and confidence over the runs
//! <out>/points/<n>/     the run folder of point n
//! <out>/figures/        a figure per metric over every numeric axis
//! <out>/published/      what the scenario's `sweep.publish` asks for
//! ```
//!
//! A point that is finished is not run again, unless what it read has changed; one that is
//! infeasible or fails is recorded with its reason and the rest go on. A point's bits depend on
//! its own scenario, seed and run number alone, so order, parallelism and shards change
//! nothing. A shard has no aggregates, figures and publications: [`merge`](super::merge) makes them.

use super::error::RunError;
use super::prepare::prepare_until;
use super::publish::{PUBLISHED, check_publications, check_target, publish};
use super::run::{RunOptions, run};
use super::shard::Shard;
use super::standing::{Inputs, Standing, standing};
use crate::results::curves;
use crate::results::folder::{CreatedFolders, FolderError, Replaceable, check_place};
use crate::results::manifest::Identity;
use crate::results::metrics::Metrics;
use crate::results::outcomes::Outcomes;
use crate::results::points::{self, AGGREGATES, Row, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::rng::Streams;
use crate::scenario::{Point, Resolved, Sweep};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The folder of the points' run folders.
pub(super) const POINTS: &str = "points";

/// The folder of the figures over all points.
const FIGURES: &str = "figures";

/// How a sweep is to be made.
#[derive(Debug, Clone)]
pub struct SweepOptions<'a> {
    /// The scenario whose points are swept.
    pub scenario: &'a Resolved,
    /// The sweep's folder.
    pub out: PathBuf,
    /// The experiment's seed.
    pub seed: u64,
    /// Changes that the scenario already has, to be named in the manifests.
    pub overrides: Vec<String>,
    /// The part of the points to simulate; all of them without.
    pub shard: Option<Shard>,
    /// Points simulated side by side.
    pub jobs: usize,
    /// A folder to write what the scenario publishes to, beside the sweep's own.
    pub publish: Option<PathBuf>,
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
        /// Why it was made again, if an earlier result no longer counts.
        again: Option<String>,
    },
    /// It cannot be built, and why: "N/A" in a table.
    Infeasible(String),
    /// It broke off, and why.
    Failed(String),
}

/// The row of `points.csv` for `point` with `outcome`.
fn row(point: &Point, outcome: &PointOutcome) -> Row {
    let (status, reason, metrics) = match outcome {
        PointOutcome::Done { metrics, .. } => ("done", "", Some(metrics.clone())),
        PointOutcome::Infeasible(reason) => ("infeasible", reason.as_str(), None),
        PointOutcome::Failed(reason) => (FAILED, reason.as_str(), None),
    };
    let settings = point.values.iter();
    Row {
        point: point.index,
        run: point.run,
        settings: settings
            .map(|(path, value)| (path.to_string(), value.to_string()))
            .collect(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        metrics,
    }
}
/// The status of a point that broke off.
const FAILED: &str = "failed";

/// A sweep that is over.
#[derive(Debug)]
pub struct Swept {
    /// Its folder.
    pub folder: PathBuf,
    /// What was swept.
    pub sweep: Sweep,
    /// Every point and what became of it, in order.
    pub rows: Vec<Row>,
}

/// What there is of every point of the sweep, or of its shard.
///
/// # Errors
/// If the folder holds anything but this sweep, or an input is gone.
pub fn survey(
    points: &[Point],
    options: &SweepOptions<'_>,
) -> Result<Vec<(Point, Standing)>, RunError> {
    check(points, options)?;
    let inputs = Inputs::until(options.interrupt.into());
    let own = points.iter().filter(|point| options.takes(point));
    own.map(|point| {
        let target = options.target(point);
        let standing = match target.is_dir() {
            true => standing(&point.resolve()?, options.streams(point), &target, &inputs),
            false => Standing::Absent,
        };
        Ok((point.clone(), standing))
    })
    .collect()
}

/// Simulates `points`, which are those of the scenario, or of them the shard's; `on_point` is
/// told of each one that is finished, in the order in which they finish.
///
/// # Errors
/// If the folder cannot be written or holds anything but this sweep, points failed, or
/// the sweep is interrupted. Finished points stay in every case, and `points.csv` tells
/// of them.
pub fn sweep(
    points: &[Point],
    options: &SweepOptions<'_>,
    on_point: &(dyn Fn(&Point, &PointOutcome) + Sync),
) -> Result<Swept, RunError> {
    let folder = options.out.clone();
    check(points, options)?;
    let record = options.record(points.len());
    let points: Vec<&Point> = points.iter().filter(|point| options.takes(point)).collect();
    // Made before any point starts, lest one that fails take it from under another.
    let _created = CreatedFolders::create(&folder.join(POINTS))?;
    let inputs = Inputs::until(options.interrupt.into());
    let outcomes: Vec<Mutex<Option<PointOutcome>>> =
        points.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while !options.interrupt.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(point) = points.get(index) else {
                return;
            };
            let outcome = match simulate(point, options, &inputs) {
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
    let rows: Vec<Row> = points
        .iter()
        .zip(outcomes)
        .filter_map(|(point, slot)| {
            let outcome = slot.into_inner().expect("no worker panicked")?;
            Some(row(point, &outcome))
        })
        .collect();
    let interrupted = options.interrupt.load(Ordering::Relaxed);
    if interrupted && rows.is_empty() {
        return Err(RunError::Interrupted {
            kept: "nothing was written",
        });
    }
    let sweep = options.scenario.scenario.sweep.clone().unwrap_or_default();
    write_tables(&folder, &record, &sweep, &rows, options.shard.is_none())?;
    if interrupted {
        return Err(RunError::Interrupted {
            kept: "finished points stay, and the same command goes on from there",
        });
    }
    if let Some(target) = &options.publish {
        publish(&sweep, &rows, std::slice::from_ref(target))?;
    }
    refuse_failed(&folder, &rows)?;
    Ok(Swept {
        folder,
        sweep,
        rows,
    })
}

/// Writes what tells of all points; with `whole`, also what only a whole sweep has.
pub(super) fn write_tables(
    folder: &Path,
    record: &SweepRecord,
    sweep: &Sweep,
    rows: &[Row],
    whole: bool,
) -> Result<(), RunError> {
    let write = |name: &str, content: csv::Result<Vec<u8>>| {
        let path = folder.join(name);
        let content = content.map_err(|error| FolderError::io(&path)(error.into()))?;
        write_whole(&path, &content)
    };
    write(sweep_record::FILE_NAME, Ok(record.to_json().into_bytes()))?;
    write(TABLE, points::table(rows))?;
    if whole {
        write(AGGREGATES, points::aggregates(rows))?;
        draw_figures(folder, sweep, rows, record.points)?;
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

impl SweepOptions<'_> {
    fn takes(&self, point: &Point) -> bool {
        self.shard.is_none_or(|shard| shard.has(point.index))
    }

    fn target(&self, point: &Point) -> PathBuf {
        self.out.join(POINTS).join(point.index.to_string())
    }

    fn streams(&self, point: &Point) -> Streams {
        Streams {
            seed: self.seed,
            run: point.run,
        }
    }

    fn record(&self, points: usize) -> SweepRecord {
        SweepRecord {
            airloom: env!("CARGO_PKG_VERSION").to_owned(),
            scenario_name: self.scenario.name.clone(),
            scenario: self.scenario.to_ron(),
            seed: self.seed,
            points,
        }
    }
}

/// Finds what can be found wrong before any point runs.
fn check(points: &[Point], options: &SweepOptions<'_>) -> Result<(), RunError> {
    check_publications(options.scenario)?;
    if let Some(target) = &options.publish {
        check_target(options.scenario, target)?;
    }
    check_folder(points, options)
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
    let record = sweep_record::FILE_NAME;
    let files = [POINTS, TABLE, AGGREGATES, FIGURES, PUBLISHED, record];
    let known = |name: &str| files.contains(&name) || name.starts_with('.');
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
            .filter(|point| options.takes(point))
        {
            None => return occupied(&target, "a point that this sweep has not".to_owned()),
            Some(point) => {
                let configuration = point.resolve()?.configuration();
                let identity = Identity::of(&configuration, options.seed, point.run);
                if let Err(what) = identity.may_replace(&target) {
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

fn judge(outcome: Result<PointOutcome, RunError>) -> PointOutcome {
    match outcome {
        Ok(outcome) => outcome,
        Err(error) if error.is_infeasible() => PointOutcome::Infeasible(error.to_string()),
        Err(error) => PointOutcome::Failed(error.to_string()),
    }
}

fn simulate(
    point: &Point,
    options: &SweepOptions<'_>,
    inputs: &Inputs<'_>,
) -> Result<PointOutcome, RunError> {
    let resolved = point.resolve()?;
    let (target, streams) = (options.target(point), options.streams(point));
    let again = match standing(&resolved, streams, &target, inputs) {
        Standing::Finished(metrics) => {
            return Ok(PointOutcome::Done {
                metrics,
                skipped: true,
                again: None,
            });
        }
        Standing::Stale(why) => Some(why),
        Standing::Absent => None,
    };
    let settings = point
        .values
        .iter()
        .map(|(path, value)| format!("{path}={value}"));
    let overrides = options.overrides.iter().cloned().chain(settings).collect();
    let prepared = prepare_until(&resolved, streams, overrides, options.interrupt.into())?;
    let run_options = RunOptions {
        out: target,
        interrupt: options.interrupt,
    };
    let finished = run(prepared, &run_options, Box::new(|_| ()))?;
    Ok(PointOutcome::Done {
        metrics: finished.metrics,
        skipped: false,
        again,
    })
}

/// Draws the figures of a sweep of `points` points into its folder, and if all of them are there
/// what it publishes, and tells what was written.
pub(super) fn draw_figures(
    folder: &Path,
    sweep: &Sweep,
    rows: &[Row],
    points: usize,
) -> Result<Vec<PathBuf>, RunError> {
    let mut drawn = Vec::new();
    for (name, plot) in curves::figures(&Outcomes::of(sweep, rows)?) {
        let path = folder.join(FIGURES).join(name);
        write_whole(&path, curves::draw(&plot).as_bytes())?;
        drawn.push(path);
    }
    if rows.len() == points {
        drawn.extend(publish(sweep, rows, &[folder.join(PUBLISHED)])?);
    }
    Ok(drawn)
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), RunError> {
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
