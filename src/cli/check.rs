//! `airloom check`: what is wrong with a scenario, before anything runs; and what a model is.

use super::described::{Described, is_model};
use super::output::{interrupt_flag, print};
use super::{Failure, warn};
use crate::scenario::{self, Override};
use crate::simulation::{self, RunError};
use std::path::PathBuf;

/// Say what is wrong with scenarios, or print them with all fields; say what a model is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom check scenarios/*.ron\n  \
    airloom check --resolved scenarios/aircomp_tensor_parallel.ron\n  \
    airloom check models/tiny-llama")]
pub(super) struct CheckArgs {
    /// Scenario files; or model folders, or a model's config.json
    #[arg(required = true, value_hint = clap::ValueHint::FilePath)]
    scenarios: Vec<PathBuf>,
    /// Print every field, defaults included, as a scenario that runs the same
    #[arg(long)]
    resolved: bool,
    /// In which language to print them
    #[arg(long, value_enum, default_value = "ron", requires = "resolved")]
    format: Format,
    /// Change a field of the scenarios first, such as nodes.device.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
}

/// A language of scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// As people write them, in files that end in .ron
    Ron,
    /// As programs write them, in files that end in .json
    Json,
}

pub(super) fn check(args: CheckArgs) -> Result<(), Failure> {
    let mut faults = Vec::new();
    let interrupt = interrupt_flag()?.into();
    for path in &args.scenarios {
        if is_model(path) {
            match Described::read(path) {
                Ok(model) => print(format_args!("{}: ok\n{model}", path.display()))?,
                Err(error) => faults.push(super::chain(&error)),
            }
            continue;
        }
        let loaded = scenario::load(path, &args.overrides);
        let checked = loaded.map_err(RunError::from).and_then(|resolved| {
            simulation::check_publications(&resolved)?;
            simulation::check_inputs(&resolved, interrupt)?;
            Ok(resolved)
        });
        match checked {
            Ok(resolved) => {
                warn(&resolved);
                if args.resolved {
                    print(match args.format {
                        Format::Ron => resolved.to_ron(),
                        Format::Json => resolved.to_json(),
                    })?;
                } else {
                    print(format_args!("{}: ok\n", path.display()))?;
                }
            }
            Err(error) if error.is_input() => faults.push(super::chain(&error)),
            Err(error) => return Err(Failure::run(error)),
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Input(faults.join("\nerror: ")))
    }
}
