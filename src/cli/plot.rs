//! `airloom plot`: the figures of a run folder or a sweep, drawn again from its data.

use super::Failure;
use super::output::print;
use crate::simulation::{self, Drawing};
use std::path::PathBuf;

/// Draw the figures of a run folder or a sweep again from its data.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  airloom plot results/first/seed1-run0\n  airloom plot results/first/seed1-run0 --perfetto"
)]
pub(super) struct PlotArgs {
    /// A run folder or a sweep's folder
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Write trace.json, which opens in Perfetto (https://ui.perfetto.dev), and nothing else
    #[arg(long)]
    perfetto: bool,
}

pub(super) fn plot(args: PlotArgs) -> Result<(), Failure> {
    let drawing = match args.perfetto {
        true => Drawing::Perfetto,
        false => Drawing::Figures,
    };
    for figure in simulation::plot(&args.folder, drawing)? {
        print(format_args!("{}\n", figure.display()))?;
    }
    Ok(())
}
