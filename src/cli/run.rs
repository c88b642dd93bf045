//! `airloom run`: one scenario, one run folder.

use super::output::{interrupt_flag, print};
use super::progress::bar;
use super::width;
use super::{Failure, threads, warn};
use crate::rng::Streams;
use crate::scenario::{self, Override};
use crate::simulation::{self, RunOptions, default_folder};
use std::path::PathBuf;

/// Simulate one scenario and write its run folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom run first.ron\n  \
    airloom run first.ron --set devices.count=8\n  \
    airloom run first.ron --seed 2 --out results/second\n  \
    airloom run first.ron \\\n    \
    --set 'architecture.all_reduce=Digital(bits: 8)'\n\n\
    `airloom new first` writes first.ron; `airloom fields` explains what --set may change.")]
pub(super) struct RunArgs {
    /// The scenario file
    #[arg(value_hint = clap::ValueHint::FilePath)]
    scenario: PathBuf,
    /// The experiment's seed, in place of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Which repetition of the experiment: picks the random substream
    #[arg(long, default_value_t = 0)]
    run: u32,
    /// Change a field of the scenario, such as devices.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
    /// The run folder to write [default: results/NAME/seedS-runR, with a hash of the overrides]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Threads for the forward pass [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    let resolved = scenario::load(&args.scenario, &args.overrides).map_err(Failure::input)?;
    warn(&resolved);
    let streams = Streams {
        seed: args.seed.unwrap_or(resolved.seed()),
        run: args.run,
    };
    let options = RunOptions {
        out: args
            .out
            .unwrap_or_else(|| default_folder(&resolved.name, streams, &args.overrides)),
        interrupt: interrupt_flag()?,
    };
    threads::start(args.threads)?;
    let interrupt = options.interrupt.into();
    let prepared =
        simulation::prepare_until(&resolved, streams, texts(&args.overrides), interrupt)?;
    let bar = bar(prepared.expected_passes(), "passes");
    let watched = bar.clone();
    let finished = simulation::run(prepared, &options, Box::new(move |_| watched.inc(1)));
    bar.finish_and_clear();
    let finished = finished?;
    for name in finished.metrics.not_finite() {
        eprintln!(
            "warning: {name} is beyond every number: what was asked of the model is as good as \
             impossible to it, as after a radio that lets next to nothing through"
        );
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
