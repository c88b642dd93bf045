//! `airloom explain`: where the time of a run went.

use super::Failure;
use super::output::print;
use super::width;
use crate::analysis;
use std::path::PathBuf;

/// Say where the time of a run went: its critical path, who held its barriers, and
/// what the largest cause is worth.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  airloom explain results/first/seed1-run0")]
pub(super) struct ExplainArgs {
    /// A run folder with its event log (trace: Full)
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

pub(super) fn explain(args: ExplainArgs) -> Result<(), Failure> {
    let explanation = analysis::explain(&args.folder).map_err(Failure::input)?;
    print(explanation.within(width::columns()))
}
