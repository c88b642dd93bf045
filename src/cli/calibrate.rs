//! `airloom calibrate`: from tables of measurements to a profile.

use super::Failure;
use super::output::{print, tell};
use crate::calibration::{self, Choice};
use crate::figures::Width;
use crate::figures::format::Format;
use crate::whole::Files;
use std::path::{Path, PathBuf};

/// Fit a device's profile to tables of measurements, and say how good it is: residuals,
/// confidence intervals, the error of each row predicted from the others.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Columns, any subset beside board and model, are explained in the manual's page \
    \"Calibration\".\n\nExample:\n  \
    airloom calibrate boards.csv --board raspberry-pi-4b --out profile.ron --figure fit.svg"
)]
pub(super) struct CalibrateArgs {
    /// Tables of measurements, CSV with the names of columns in the first line
    #[arg(required = true, value_name = "MEASUREMENTS", value_hint = clap::ValueHint::FilePath)]
    tables: Vec<PathBuf>,
    /// The profile to write; scenarios name it as File("profile.ron")
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: PathBuf,
    /// The board whose rows are fitted; may be left out where there is but one
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// The preset whose numbers stand where no row determines one: memory, peak and so on; may be
    /// left out where a preset has the board's name
    #[arg(long, value_name = "PRESET")]
    base: Option<String>,
    /// Draw measured against predicted, as .svg, .pdf or .png
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    figure: Option<PathBuf>,
}

pub(super) fn calibrate(args: CalibrateArgs) -> Result<(), Failure> {
    let format = args.figure.as_deref().map(format_of).transpose()?;
    let rows = calibration::read_all(&args.tables).map_err(Failure::input)?;
    let choice = Choice {
        board: args.board,
        base: args.base,
    };
    let found = calibration::calibrate(&rows, &choice).map_err(Failure::input)?;
    let mut files = Files::default();
    let profile = found.calibrated.to_ron();
    files
        .stage(&args.out, profile.as_bytes())
        .map_err(Failure::run)?;
    if let Some((path, format)) = args.figure.as_deref().zip(format) {
        let scene = calibration::figure::draw(&found, Width::Column);
        let drawn = format.write(&scene).map_err(Failure::run)?;
        files.stage(path, &drawn).map_err(Failure::run)?;
    }
    files.commit().map_err(Failure::run)?;
    print(&found)?;
    tell(format_args!(
        "wrote {}; a scenario uses it as profile: File(\"{}\")",
        args.out.display(),
        args.out.display()
    ));
    Ok(())
}

fn format_of(path: &Path) -> Result<Format, Failure> {
    let end = path
        .extension()
        .map(|end| end.to_string_lossy().into_owned());
    end.unwrap_or_default()
        .parse()
        .map_err(|fault| Failure::Input(format!("--figure {}: {fault}", path.display())))
}
