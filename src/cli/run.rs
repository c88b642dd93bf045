//! `airloom run`: one scenario, one run folder.

use super::output::{interrupt_flag, print, tell};
use super::progress::{Passes, bar};
use super::width;
use super::{Failure, threads, warn};
use crate::rng::Streams;
use crate::scenario::Override;
use crate::simulation::{self, RunOptions, default_folder};
use std::path::PathBuf;

/// Simulate one scenario and write its run folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom run first.ron\n  \
    airloom run first.ron --set nodes.device.count=8\n  \
    airloom run first.ron --seed 2 --out results/second\n  \
    airloom run first.ron \\\n    \
    --set 'replicas[0].placement.all_reduce=Digital(bits: 8)'\n\n\
    `airloom new first` writes first.ron; `airloom fields` explains what --set may change.")]
pub(super) struct RunArgs {
    /// The scenario file, or the manifest.json of a run folder to run it again
    #[arg(value_hint = clap::ValueHint::FilePath)]
    scenario: PathBuf,
    /// The experiment's seed, in place of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Which repetition of the experiment: picks the random substream [default: 0, or that of
    /// the manifest]
    #[arg(long)]
    run: Option<u32>,
    /// Change a field of the scenario, such as nodes.device.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
    /// The run folder to write [default: results/NAME/seedS-runR, with a hash of the overrides,
    /// and one of the scenario where that folder holds another run]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Replace another run in that folder
    #[arg(long)]
    overwrite: bool,
    /// Threads for the forward pass [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    let loaded = simulation::load(&args.scenario, &args.overrides)?;
    let resolved = &loaded.resolved;
    // What a run has recorded has every default written out, which nobody chose to write.
    if loaded.streams.is_none() {
        warn(resolved);
    }
    let recorded = loaded.streams.unwrap_or(Streams {
        seed: resolved.seed(),
        run: 0,
    });
    let streams = Streams {
        seed: args.seed.unwrap_or(recorded.seed),
        run: args.run.unwrap_or(recorded.run),
    };
    let interrupt = interrupt_flag()?;
    threads::start(args.threads)?;
    let mut prepared =
        simulation::prepare_until(resolved, streams, loaded.overrides, interrupt.into())?;
    let usual = || default_folder(&resolved.name, streams, &args.overrides);
    let out = match args.out {
        Some(out) => out,
        None if args.overwrite => usual(),
        None => prepared.own_folder(usual()),
    };
    let options = RunOptions { out, interrupt };
    if args.overwrite {
        prepared = prepared.overwriting();
    }
    let bar = bar(prepared.expected_passes(), "passes");
    let finished = simulation::run(prepared, &options, &mut Passes(&bar));
    bar.finish_and_clear();
    let finished = finished?;
    for warning in finished.warnings() {
        tell(format_args!("warning: {warning}"));
    }
    print(format_args!(
        "{}\nwritten to {}\n",
        finished.summary(width::columns()),
        finished.folder.display()
    ))
}

/// Overrides as the user wrote them.
pub(super) fn texts(overrides: &[Override]) -> Vec<String> {
    overrides
        .iter()
        .map(|change| change.as_str().to_owned())
        .collect()
}

impl From<simulation::RunError> for Failure {
    fn from(error: simulation::RunError) -> Self {
        if error.is_input() {
            Self::input(error)
        } else {
            Self::run(error)
        }
    }
}
