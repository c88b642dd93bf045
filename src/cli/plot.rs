//! `airloom plot`: the figures of a run folder or a sweep, drawn again from its data.

use super::Failure;
use super::output::print;
use crate::figures::Width;
use crate::figures::catalogue::{Options, Part};
use crate::figures::format::Format;
use crate::simulation::{self, Drawing, Shown};
use std::path::PathBuf;

/// Draw the figures of a run folder or a sweep again from its data.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  airloom plot results/first/seed1-run0\n  airloom plot results/first/seed1-run0 --format pdf --width 180mm\n  airloom plot results/first/seed1-run0 --pass 17\n  airloom plot results/first/seed1-run0 --perfetto"
)]
pub(super) struct PlotArgs {
    /// A run folder or a sweep's folder
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// What figures are written as: svg, pdf (its fonts embedded) or png (600 dots per inch)
    #[arg(long, default_value = "svg", value_name = "KIND")]
    format: Format,
    /// How wide figures are printed: 88mm (a column of a paper) or 180mm (a page); text has the
    /// same size in both. By default as wide as suits each
    #[arg(long, value_name = "LENGTH")]
    width: Option<Width>,
    /// Draw the timeline of this pass, and who waited in it, alone: a number from batches.csv
    #[arg(long, value_name = "N", conflicts_with = "request")]
    pass: Option<u32>,
    /// Draw the timeline of this request, from its arrival to its answer, and who waited, alone
    #[arg(long, value_name = "N")]
    request: Option<u32>,
    /// Write trace.json, which opens in Perfetto (https://ui.perfetto.dev), and nothing else
    #[arg(long, conflicts_with_all = ["format", "width", "pass", "request"])]
    perfetto: bool,
}

pub(super) fn plot(args: PlotArgs) -> Result<(), Failure> {
    let drawing = match args.perfetto {
        true => Drawing::Perfetto,
        false => Drawing::Figures(Shown {
            format: args.format,
            options: Options {
                width: args.width,
                part: match (args.pass, args.request) {
                    (Some(number), _) => Some(Part::Pass(number)),
                    (None, Some(number)) => Some(Part::Request(number)),
                    (None, None) => None,
                },
            },
        }),
    };
    for figure in simulation::plot(&args.folder, drawing)? {
        print(format_args!("{}\n", figure.display()))?;
    }
    Ok(())
}
