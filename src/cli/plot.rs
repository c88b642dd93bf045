//! `airloom plot`: the figures of a run folder or a sweep, drawn again from its data.

use super::Failure;
use super::output::print;
use crate::simulation;
use std::path::PathBuf;

/// Draw the figures of a run folder or a sweep again from its data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  airloom plot results/first/seed1-run0")]
pub(super) struct PlotArgs {
    /// A run folder or a sweep's folder
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

pub(super) fn plot(args: PlotArgs) -> Result<(), Failure> {
    for figure in simulation::plot(&args.folder)? {
        print(format_args!("{}\n", figure.display()))?;
    }
    Ok(())
}
