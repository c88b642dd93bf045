//! `airloom plot`: a run folder's figures, drawn again from its data.

use super::Failure;
use super::output::print;
use crate::simulation;
use std::path::PathBuf;

/// Draw a run folder's figures again from its data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  airloom plot results/aircomp_tensor_parallel/seed7-run0")]
pub(super) struct PlotArgs {
    /// A run folder
    folder: PathBuf,
}

pub(super) fn plot(args: PlotArgs) -> Result<(), Failure> {
    for figure in simulation::plot(&args.folder)? {
        print(format_args!("{}\n", figure.display()))?;
    }
    Ok(())
}
