//! Every point of a scenario's sweep, each an ordinary run folder.
//!
//! ```text
//! <out>/sweep.json       which sweep this is
//! <out>/points.csv       a row per point × run: its folder, settings, status and metrics
//! <out>/aggregates.csv   a row per setting × metric: mean and confidence over the runs
//! <out>/points/<digest>/ the run folder of the point that this is the digest of
//! <out>/figures/         a figure per metric over every numeric axis
//! <out>/index.html       settings, figures, and links to the points' reports on one page
//! <out>/published/       what the scenario's `sweep.publish` asks for
//! ```
//!
//! A point that is finished is not run again, unless what it read has changed; one that is
//! infeasible or fails is recorded with its reason and the rest go on. A point's bits depend on
//! its own scenario, seed and run number alone, so order, parallelism and shards change
//! nothing, and a sweep that grows keeps what it has. One sweep at a time works in a folder. A
//! shard has no aggregates, figures and publications: [`merge`] makes them.

mod merge;
mod place;
mod plan;
mod publish;
mod shard;
mod standing;
mod survey;
mod tables;

pub use merge::{MergeOptions, merge};
pub use publish::check_publications;
pub use shard::{PointSet, Shard, ShardError};
pub use standing::Standing;
pub(super) use standing::inputs_key;
pub use survey::{Surveyed, survey};
pub(super) use tables::draw_figures;

use super::error::RunError;
use super::plot::Shown;
use super::prepare::prepare_until;
use super::run::{RunOptions, run};
use crate::results::folder::check_place;
use crate::results::metrics::Metrics;
use crate::results::points::Row;
use crate::results::sweep_record::SweepRecord;
use crate::scenario::{Column, Point, Resolved, Sweep};
use place::{POINTS, check_folder, hold};
use plan::{Planned, plan, settings, shown};
use publish::{check_target, publish};
use standing::{Inputs, standing};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tables::{refuse_failed, write_tables};

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

/// What a sweep tells on its way.
#[derive(Debug)]
pub enum SweepEvent<'a> {
    /// Another process is making the same sweep in the same folder; this one waits.
    Waiting,
    /// A point is over.
    Point(&'a Point, &'a PointOutcome),
}

/// The row of `points.csv` for a point with `outcome`.
fn row(planned: &Planned<'_>, columns: &[Column], outcome: &PointOutcome) -> Row {
    let (status, reason, metrics) = match outcome {
        PointOutcome::Done { metrics, .. } => (DONE, "", Some(metrics.clone())),
        PointOutcome::Infeasible(reason) => (INFEASIBLE, reason.as_str(), None),
        PointOutcome::Failed(reason) => (FAILED, reason.as_str(), None),
    };
    let point = planned.point;
    Row {
        point: point.index,
        run: point.run,
        folder: match metrics {
            Some(_) => shown(&planned.name),
            None => String::new(),
        },
        settings: settings(columns, &point.choice),
        status: status.to_owned(),
        reason: reason.to_owned(),
        metrics,
    }
}

/// The status of a point that has a run folder.
const DONE: &str = "done";

/// The status of a point that cannot be built.
const INFEASIBLE: &str = "infeasible";

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

/// Simulates `points`, which are those of the scenario, or of them the shard's; `on_event` is
/// told of each one that is finished, in the order in which they finish.
///
/// # Errors
/// If the folder cannot be written, holds anything but this experiment, or another sweep is
/// at work there; if points failed, or the sweep is interrupted. Finished points stay in
/// every case, and `points.csv` tells of them.
pub fn sweep(
    points: &[Point],
    options: &SweepOptions<'_>,
    on_event: &(dyn Fn(SweepEvent<'_>) + Sync),
) -> Result<Swept, RunError> {
    let folder = options.out.clone();
    check(points.len(), options)?;
    let record = options.record(points.len());
    let plan = plan(points, options)?;
    // Before anything is made there, and once nobody else is at work there.
    check_folder(&plan, options, &record)?;
    let _held = hold(options, &record, &|| on_event(SweepEvent::Waiting))?;
    check_folder(&plan, options, &record)?;
    let sweep = options.sweep();
    let columns = sweep.columns()?;
    let own: Vec<&Planned<'_>> = plan
        .iter()
        .filter(|planned| options.takes(planned.point))
        .collect();
    let inputs = Inputs::until(options.interrupt.into());
    let outcomes: Vec<Mutex<Option<PointOutcome>>> = own.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while !options.interrupt.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(planned) = own.get(index) else {
                return;
            };
            let outcome = match simulate(planned, options, &inputs) {
                Err(RunError::Interrupted { .. }) => return,
                outcome => judge(outcome),
            };
            on_event(SweepEvent::Point(planned.point, &outcome));
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
    let rows: Vec<Row> = own
        .iter()
        .zip(outcomes)
        .filter_map(|(planned, slot)| {
            let outcome = slot.into_inner().expect("no worker panicked")?;
            Some(row(planned, &columns, &outcome))
        })
        .collect();
    let interrupted = options.interrupt.load(Ordering::Relaxed);
    if interrupted && rows.is_empty() {
        return Err(RunError::Interrupted {
            kept: "nothing was written",
        });
    }
    write_tables(&folder, &record, &sweep, &rows, options.shard.is_none())?;
    if interrupted {
        return Err(RunError::Interrupted {
            kept: "finished points stay, and the same command goes on from there",
        });
    }
    if let Some(target) = &options.publish {
        publish(&sweep, &rows, std::slice::from_ref(target), Shown::USUAL)?;
    }
    refuse_failed(&folder, &rows)?;
    Ok(Swept {
        folder,
        sweep,
        rows,
    })
}

impl SweepOptions<'_> {
    fn takes(&self, point: &Point) -> bool {
        let shard = self.shard.as_ref();
        shard.is_none_or(|shard| shard.has(point.index))
    }

    fn sweep(&self) -> Sweep {
        self.scenario.scenario.sweep.clone().unwrap_or_default()
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

/// Finds what can be found wrong before any point is looked at.
fn check(points: usize, options: &SweepOptions<'_>) -> Result<(), RunError> {
    if let Some(beyond) = options.shard.as_ref().and_then(|it| it.beyond(points)) {
        return Err(RunError::NoPoint { beyond, points });
    }
    check_publications(options.scenario)?;
    if let Some(target) = &options.publish {
        check_target(options.scenario, target)?;
    }
    Ok(check_place(&options.out)?)
}

fn judge(outcome: Result<PointOutcome, RunError>) -> PointOutcome {
    match outcome {
        Ok(outcome) => outcome,
        Err(error) if error.is_infeasible() => PointOutcome::Infeasible(error.to_string()),
        Err(error) => PointOutcome::Failed(error.to_string()),
    }
}

fn simulate(
    planned: &Planned<'_>,
    options: &SweepOptions<'_>,
    inputs: &Inputs<'_>,
) -> Result<PointOutcome, RunError> {
    let resolved = planned.point.resolve()?;
    let (target, streams) = (options.target(&planned.name), planned.streams);
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
    let settings = planned
        .point
        .values
        .iter()
        .map(|(path, value)| format!("{path}={value}"));
    let overrides = options.overrides.iter().cloned().chain(settings).collect();
    let prepared = prepare_until(&resolved, streams, overrides, options.interrupt.into())?;
    let run_options = RunOptions {
        out: target,
        interrupt: options.interrupt,
    };
    let finished = run(prepared, &run_options, &mut ())?;
    Ok(PointOutcome::Done {
        metrics: finished.metrics,
        skipped: false,
        again,
    })
}
