//! `airloom replay`: run again and compare, bit for bit.

use super::output::{interrupt_flag, print};
use super::{Failure, chain, threads};
use crate::simulation::{self, ReplayOptions};
use std::path::PathBuf;

/// Run again what a run folder or manifest describes, and compare bit for bit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom replay results/first/seed1-run0\n  \
    airloom replay manifest.json --base scenarios\n\n\
    Exit code 0: bit-equal (figures may be drawn differently by another commit). 1: something \
    differs or has changed, and is shown. 2: there is nothing to replay: no manifest of a known \
    format, or a file that the run needs is missing.")]
pub(super) struct ReplayArgs {
    /// A run folder, or a manifest.json alone
    #[arg(value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// Folder that the scenario's paths are relative to [default: as in the run]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    base: Option<PathBuf>,
    /// Threads for the forward pass [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

pub(super) fn replay(args: ReplayArgs) -> Result<(), Failure> {
    threads::start(args.threads)?;
    let options = ReplayOptions {
        base: args.base,
        interrupt: interrupt_flag()?,
    };
    let replay = simulation::replay(&args.path, &options)?;
    print(&replay)?;
    match &replay.made {
        Ok(_) if replay.is_equal() => Ok(()),
        Ok(_) => Err(Failure::Run("the replay is not bit-equal".to_owned())),
        Err(error) => Err(Failure::Run(format!(
            "the replay cannot go on: {}",
            chain(error)
        ))),
    }
}
