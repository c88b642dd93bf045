//! `airloom sweep`: every point of a scenario's sweep, each an ordinary run folder.

use super::output::{interrupt_flag, print, tell};
use super::progress::bar;
use super::run::texts;
use super::width;
use super::{Failure, threads, warn};
use crate::results::comparison::Comparison;
use crate::results::metrics::overdraft;
use crate::results::outcomes::Outcomes;
use crate::scenario::{self, Override, Point};
use crate::simulation::{
    self, PointOutcome, PointSet, Shard, Standing, Surveyed, SweepEvent, SweepOptions, Swept,
    default_sweep_folder,
};
use crate::text::Visible;
use serde_json::json;
use std::path::PathBuf;

/// Simulate every point of a scenario's sweep.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom sweep scenarios/compare_all_reduce.ron --dry-run\n  \
    airloom sweep scenarios/compare_all_reduce.ron --jobs 2\n  \
    airloom sweep scenarios/compare_all_reduce.ron --set sweep.runs=20\n\n\
    Many machines share a sweep, for example as a Slurm array of four, with\n\
    I=$SLURM_ARRAY_TASK_ID (--dry-run --format json lists points for other engines):\n  \
    airloom sweep S.ron --shard $I/4 --out shards/$I\n  \
    airloom merge shards/* --out results/whole\n\n\
    Points that are finished are skipped, unless the model, a text, a channel trace or airloom\n\
    has changed since. More runs, values or axes make only what is missing.")]
pub(super) struct SweepArgs {
    /// A scenario file with a `sweep`
    #[arg(value_hint = clap::ValueHint::FilePath)]
    scenario: PathBuf,
    /// The experiment's seed, in place of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Change a field of the scenario first, such as nodes.device.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
    /// The sweep's folder [default: results/NAME/sweep-seedS, with a hash of the overrides]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Points to simulate side by side; results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Simulate only the points whose number leaves the remainder i when divided by n; see merge
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Simulate only these points, by their numbers, such as 3 or 0,4,16-31; see merge
    #[arg(long, value_name = "NUMBERS", conflicts_with = "shard")]
    points: Option<PointSet>,
    /// A folder to write the tables and figures of the scenario's `sweep.publish` to
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shard", "points"])]
    publish: Option<PathBuf>,
    /// List the points and whether each is finished, and run none
    #[arg(long)]
    dry_run: bool,
    /// How --dry-run lists: lines for people, or one JSON document for an engine that shares the
    /// points among machines
    #[arg(long, value_enum, default_value_t = Listing::Text, requires = "dry_run")]
    format: Listing,
}

/// How points are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Listing {
    /// A line per point.
    Text,
    /// One document.
    Json,
}

fn describe(point: &Point) -> String {
    format!("point {}: {}", point.index, Visible(&point.label))
}

pub(super) fn sweep(args: SweepArgs) -> Result<(), Failure> {
    let resolved = scenario::load(&args.scenario, &args.overrides).map_err(Failure::input)?;
    warn(&resolved);
    let points = scenario::points(&resolved).map_err(Failure::input)?;
    let seed = args.seed.unwrap_or(resolved.seed());
    let shard = args.shard.or(args.points.map(Shard::Points));
    let options = SweepOptions {
        scenario: &resolved,
        out: args.out.unwrap_or_else(|| {
            default_sweep_folder(&resolved.name, seed, shard.as_ref(), &args.overrides)
        }),
        seed,
        shard,
        overrides: texts(&args.overrides),
        jobs: threads::bounded("--jobs", usize::from(args.jobs)),
        publish: args.publish,
        interrupt: interrupt_flag()?,
    };
    if args.dry_run {
        return list(&points, &options, args.format);
    }
    let own = points.iter().filter(|point| {
        let shard = options.shard.as_ref();
        shard.is_none_or(|shard| shard.has(point.index))
    });
    threads::start(None)?;
    let bar = bar(own.count() as u64, "points");
    let on_event = |event: SweepEvent<'_>| {
        let (point, outcome) = match event {
            SweepEvent::Point(point, outcome) => (point, outcome),
            SweepEvent::Waiting => {
                let note = "the same sweep is at work in this folder; waiting for its end";
                return bar.suspend(|| tell(note));
            }
        };
        bar.inc(1);
        let note = match outcome {
            PointOutcome::Done { skipped: true, .. } => {
                // What took no time says nothing about the time left.
                bar.reset_eta();
                "was there already".to_owned()
            }
            PointOutcome::Done {
                again: Some(why), ..
            } => format!("run again, as {why}: done"),
            PointOutcome::Done { metrics, .. } => match overdraft(metrics) {
                Some(warning) => format!("done; warning: {warning}"),
                None => "done".to_owned(),
            },
            PointOutcome::Infeasible(reason) => format!("infeasible: {reason}"),
            PointOutcome::Failed(reason) => format!("failed: {reason}"),
        };
        bar.suspend(|| tell(format_args!("{}: {note}", describe(point))));
    };
    let swept = simulation::sweep(&points, &options, &on_event);
    bar.finish_and_clear();
    told(&swept?)
}

/// Prints the table of a sweep and where the rest is.
pub(super) fn told(swept: &Swept) -> Result<(), Failure> {
    let outcomes = Outcomes::of(&swept.sweep, &swept.rows).map_err(Failure::input)?;
    print(format_args!(
        "{}\nwritten to {}\n",
        Comparison::of(&outcomes).within(width::columns()),
        swept.folder.display()
    ))
}

/// Tells of every point whether it is finished.
fn list(points: &[Point], options: &SweepOptions<'_>, format: Listing) -> Result<(), Failure> {
    let surveyed = simulation::survey(points, options)?;
    if format == Listing::Json {
        let listed: Vec<_> = surveyed.iter().map(Surveyed::to_json).collect();
        let whole = json!({
            "scenario": options.scenario.name,
            "seed": options.seed,
            "points": listed,
        });
        return print(format_args!("{whole:#}\n"));
    }
    for found in surveyed {
        let note = match found.standing {
            Standing::Absent => "to run".to_owned(),
            Standing::Finished(_) => "finished".to_owned(),
            Standing::Stale(why) => format!("to run again, as {why}"),
        };
        print(format_args!("{}: {note}\n", describe(&found.point)))?;
    }
    Ok(())
}
