//! `airloom sweep`: every point of a scenario's sweep, each an ordinary run folder.

use super::Failure;
use super::output::{interrupt_flag, print};
use super::progress::bar;
use super::run::texts;
use crate::results::comparison::Comparison;
use crate::scenario::{self, Override, Point};
use crate::simulation::{self, PointOutcome, SweepOptions, default_sweep_folder};
use std::path::PathBuf;

/// Simulate every point of a scenario's sweep.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom sweep scenarios/compare_all_reduce.ron --dry-run\n  \
    airloom sweep scenarios/compare_all_reduce.ron --jobs 2")]
pub(super) struct SweepArgs {
    /// A scenario file with a `sweep`
    scenario: PathBuf,
    /// The experiment's seed, in place of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Change a field of the scenario first, such as devices.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
    /// The sweep's folder [default: results/NAME/sweep-seedS, with a hash of the overrides]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Points to simulate side by side; results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// List the points and run none
    #[arg(long)]
    dry_run: bool,
}

fn describe(point: &Point) -> String {
    format!("point {}: {}", point.index, point.label)
}

pub(super) fn sweep(args: SweepArgs) -> Result<(), Failure> {
    let resolved = scenario::load(&args.scenario, &args.overrides).map_err(Failure::input)?;
    let points = scenario::points(&resolved).map_err(Failure::input)?;
    if args.dry_run {
        return points
            .iter()
            .try_for_each(|point| print(format_args!("{}\n", describe(point))));
    }
    let seed = args.seed.unwrap_or(resolved.seed());
    let options = SweepOptions {
        out: args
            .out
            .unwrap_or_else(|| default_sweep_folder(&resolved.name, seed, &args.overrides)),
        seed,
        overrides: texts(&args.overrides),
        jobs: usize::from(args.jobs),
        interrupt: interrupt_flag()?,
    };
    let bar = bar(points.len() as u64, "points");
    let told = |point: &Point, outcome: &PointOutcome| {
        let note = match outcome {
            PointOutcome::Done { skipped: true, .. } => "was there already".to_owned(),
            PointOutcome::Done { .. } => "done".to_owned(),
            PointOutcome::Infeasible(reason) => format!("infeasible: {reason}"),
            PointOutcome::Failed(reason) => format!("failed: {reason}"),
        };
        bar.inc(1);
        bar.suspend(|| eprintln!("{}: {note}", describe(point)));
    };
    let swept = simulation::sweep(points, &options, &told);
    bar.finish_and_clear();
    let swept = swept?;
    let rows = swept.points.iter().map(|(point, outcome)| {
        let metrics = match outcome {
            PointOutcome::Done { metrics, .. } => Some(metrics),
            _ => None,
        };
        let settings = point.values.iter();
        let settings = settings.map(|(path, value)| (path.to_string(), value.to_string()));
        (settings.collect(), metrics)
    });
    print(format_args!(
        "{}\nwritten to {}\n",
        Comparison::of(rows),
        swept.folder.display()
    ))
}
