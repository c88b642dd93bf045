//! `airloom compare`: two runs side by side.

use super::output::print;
use super::{Failure, width};
use crate::report::{PageError, RunComparison};
use crate::whole::{Files, Unwritable};
use std::path::{Path, PathBuf};

/// Put two runs side by side: settings, metrics with their differences, and the first event in
/// which they part.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom compare results/first/seed1-run0 results/first/seed2-run0\n  \
    airloom compare A B --out a-and-b.html\n\n\
    B − A is the difference of a metric, and (B − A) / |A| its change. The page has both timelines\n\
    too, on one scale. Exit code 0 whether or not the runs differ; `airloom replay` tells whether a\n\
    run can be had again, bit for bit.")]
pub(super) struct CompareArgs {
    /// A run folder
    #[arg(value_hint = clap::ValueHint::DirPath)]
    a: PathBuf,
    /// Another
    #[arg(value_hint = clap::ValueHint::DirPath)]
    b: PathBuf,
    /// Write a page for a browser to this file too
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

pub(super) fn compare(args: CompareArgs) -> Result<(), Failure> {
    let comparison = RunComparison::of(&args.a, &args.b).map_err(Failure::input)?;
    let comparison = comparison.within(width::columns());
    if let Some(out) = &args.out {
        write(&comparison, out)?;
    }
    print(&comparison)?;
    match &args.out {
        Some(out) => print(format_args!("\nwritten to {}\n", out.display())),
        None => Ok(()),
    }
}

/// Why the page cannot be there.
enum NoPage {
    Page(PageError),
    File(Unwritable),
}

impl From<Unwritable> for NoPage {
    fn from(error: Unwritable) -> Self {
        Self::File(error)
    }
}

fn write(comparison: &RunComparison, out: &Path) -> Result<(), Failure> {
    let mut files = Files::default();
    let staged = files.stage_with(out, |file| {
        comparison.write_page(file).map_err(|error| match error {
            PageError::Io(source) => NoPage::File(Unwritable::at(out)(source)),
            error => NoPage::Page(error),
        })
    });
    match staged {
        Ok(()) => files.commit().map(drop).map_err(Failure::run),
        Err(NoPage::Page(error)) => Err(Failure::input(error)),
        Err(NoPage::File(error)) => Err(Failure::run(error)),
    }
}
