//! The command line: thin verbs over the library.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 the run
//! or comparison failed (or was interrupted), 2 the input is wrong.

mod calibrate;
mod channel;
mod check;
mod compare;
mod completions;
mod described;
mod explain;
mod fields;
mod list;
mod list_devices;
mod man;
mod merge;
mod new;
mod output;
mod plot;
mod progress;
mod replay;
mod run;
mod sweep;
mod threads;
mod train;
mod usage;
mod width;

use crate::scenario::ScenarioError;
use crate::simulation::RunError;
use crate::text::Visible;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Co-simulates LLM inference spread over a wireless network: latency, energy and
/// accuracy from one deterministic run.
#[derive(Debug, Parser)]
#[command(
    name = "airloom",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "Begin with:\n  \
    airloom new first\n  \
    airloom run first.ron\n\n\
    The manual is README.md with src/manual, or `cargo doc --open`.\n\
    Colours: only on a terminal, and not where NO_COLOR is set. Text fits the terminal's width, or\n\
    COLUMNS where there is none.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented scenario to begin with
    New(new::NewArgs),
    /// Simulate one scenario and write its run folder
    Run(run::RunArgs),
    /// Simulate every point of a scenario's sweep
    Sweep(sweep::SweepArgs),
    /// Put the shards of a sweep together
    Merge(merge::MergeArgs),
    /// Run again what a run folder or manifest describes, and compare bit for bit
    Replay(replay::ReplayArgs),
    /// Say what is wrong with scenarios, or print them with all fields
    Check(check::CheckArgs),
    /// Draw a scenario's channels: tensor, statistics, figure
    Channel(channel::ChannelArgs),
    /// Draw a run folder's figures again from its data
    Plot(plot::PlotArgs),
    /// Put two runs side by side: settings, metrics, the first event that differs, timelines
    Compare(compare::CompareArgs),
    /// Say where the time of a run went, and what a faster part would be worth
    Explain(explain::ExplainArgs),
    /// Explain the fields of a scenario
    Fields(fields::FieldsArgs),
    /// List what a scenario may name
    List(list::ListArgs),
    /// Fit a device's profile to measurements, and say how good it is
    Calibrate(calibrate::CalibrateArgs),
    /// Train a model on text of the bundled world
    Train(train::TrainArgs),
    /// Print a script that lets a shell complete verbs, options and files
    Completions(completions::CompletionsArgs),
    /// Print or write manual pages, for `man`
    Man(man::ManArgs),
}

/// Why a verb did not succeed.
#[derive(Debug)]
enum Failure {
    /// The input is wrong: exit code 2.
    Input(String),
    /// The input is fine, but the run failed: exit code 1.
    Run(String),
}

/// What `error` says, with everything that caused it, on one line: only a scenario's faults are
/// laid out in several, and any other line break comes from outside.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let scenario = match error.downcast_ref() {
        Some(RunError::Scenario(error)) => Some(error),
        _ => error.downcast_ref::<ScenarioError>(),
    };
    if let Some(error) = scenario {
        return error.to_string();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    Visible(&text).to_string()
}

/// Says what is remarkable about a scenario that runs all the same.
fn warn(resolved: &crate::scenario::Resolved) {
    for warning in resolved.warnings() {
        output::tell(format_args!("warning: {warning}"));
    }
}

impl Failure {
    fn input(error: impl std::error::Error + 'static) -> Self {
        Self::Input(chain(&error))
    }

    fn run(error: impl std::error::Error + 'static) -> Self {
        Self::Run(chain(&error))
    }
}

fn train(args: train::TrainArgs) -> Result<(), Failure> {
    let interrupt = output::interrupt_flag()?;
    threads::start(None)?;
    let report = train::run(args, interrupt).map_err(|error| {
        if error.is_input() {
            Failure::input(error)
        } else {
            Failure::run(error)
        }
    })?;
    output::print(report)
}

/// Parses the arguments and runs the verb they name.
pub fn main() -> ExitCode {
    let verb = match Cli::try_parse() {
        Ok(cli) => cli.verb,
        Err(error) => return usage::answer(&error),
    };
    let outcome = match verb {
        Verb::New(args) => new::new(args),
        Verb::Run(args) => run::run(args),
        Verb::Sweep(args) => sweep::sweep(args),
        Verb::Merge(args) => merge::merge(args),
        Verb::Replay(args) => replay::replay(args),
        Verb::Check(args) => check::check(args),
        Verb::Channel(args) => channel::channel(args),
        Verb::Plot(args) => plot::plot(args),
        Verb::Compare(args) => compare::compare(args),
        Verb::Explain(args) => explain::explain(args),
        Verb::Fields(args) => fields::fields(args),
        Verb::List(args) => list::list(&args),
        Verb::Calibrate(args) => calibrate::calibrate(args),
        Verb::Train(args) => train(args),
        Verb::Completions(args) => completions::completions(&args),
        Verb::Man(args) => man::man(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Run(message)) => {
            output::tell(format_args!("error: {message}"));
            ExitCode::from(1)
        }
        Err(Failure::Input(message)) => {
            output::tell(format_args!("error: {message}"));
            ExitCode::from(2)
        }
    }
}
