//! Calibration: from tables of measured boards to profiles, with what is known of their error.
//!
//! Tables are CSV with the columns of [`COLUMNS`], any of them beside `board` and `model`. Of one
//! board's rows [`calibrate`] fits the parameters of a [`DeviceProfile`](crate::device::DeviceProfile)
//! that they determine:
//!
//! | parameter | determined by |
//! | --- | --- |
//! | seconds per weight, by bits | one row of those bits |
//! | replicated fraction | rows with different numbers of devices |
//! | overhead per task | beside those, rows of different models |
//! | rate of the cache | rows with different and long contexts |
//! | time between tokens | a row's total beside its parts |
//! | efficiency | a long prompt |
//! | powers | watts |
//! | cost of a message | time in the network of several devices |
//!
//! What they do not determine is taken from a base, a preset, and said to be. Nothing here knows
//! a clock or a tensor; equal tables give equal profiles, bit for bit.

mod bounded;
mod columns;
mod determined;
mod equation;
mod error;
pub mod figure;
mod fit;
mod leave_out;
mod messages;
mod profile;
mod row;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use columns::{COLUMNS, Column};
pub use error::CalibrationError;
pub use fit::{Certainty, Fitted, Parameter};
pub use leave_out::LeftOut;
pub use messages::Messages;
pub use row::Row;
pub use table::{read, read_all};

use crate::device::{Calibrated, PRESETS, Preset};
use crate::units::BytesPerSecond;
use equation::counts;
use fit::{Fit, Observation};
use leave_out::leave_one_out;
use std::collections::BTreeSet;

/// Which rows are fitted, and what stands where they say nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// The board, by the name that the tables give it; none where there is but one.
    pub board: Option<String>,
    /// The preset whose numbers stand where no row determines one; none for the preset of the
    /// board's name.
    pub base: Option<String>,
}

/// A row beside what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The row.
    pub row: Row,
    /// What of it: computing, or all of it where the table has not both.
    pub what: &'static str,
    /// Seconds per token.
    pub measured: f64,
    /// By the fit to all rows.
    pub fitted: f64,
    /// By a fit to the other rows, where these say anything.
    pub left_out: Option<LeftOut>,
}

impl Compared {
    /// What it is off by as predicted from the others, where these determine it.
    pub fn error(&self) -> Option<f64> {
        let left_out = self.left_out.filter(|left_out| left_out.determined)?;
        Some(left_out.predicted / self.measured - 1.0)
    }
}

/// A profile, and how good it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The profile with its origin, as it is written.
    pub calibrated: Calibrated,
    /// The parameters of generated tokens.
    pub parameters: Vec<Fitted>,
    /// Rows that were fitted, in order.
    pub compared: Vec<Compared>,
    /// Messages, where several devices were measured.
    pub messages: Option<Messages>,
    /// What no row determines, and what it was taken to be.
    pub undetermined: Vec<String>,
    /// Rows whose time in the network is known: measured and fitted, seconds.
    pub exchanged: Vec<(Row, f64, f64)>,
}

impl Calibration {
    /// Mean and largest |error| of rows predicted from the others, and how many of them there
    /// are.
    pub fn error(&self) -> Option<(f64, f64, usize)> {
        let errors = self.compared.iter().filter_map(Compared::error);
        let errors: Vec<f64> = errors.map(f64::abs).collect();
        let count = errors.len();
        let worst = errors.iter().copied().fold(0.0, f64::max);
        let sum = errors.iter().fold(0.0, |sum, error| sum + error);
        (count > 0).then(|| (sum / count as f64, worst, count))
    }
}

/// Fits the rows of a board.
///
/// # Errors
/// If tables have several boards or none and none is chosen, if the board has no row with a time
/// of a generated token, or there is no base.
pub fn calibrate(rows: &[Row], choice: &Choice) -> Result<Calibration, CalibrationError> {
    let board = chosen(rows, choice)?;
    let own: Vec<&Row> = rows.iter().filter(|row| row.board == board).collect();
    table::agree(&own.iter().map(|row| (*row).clone()).collect::<Vec<_>>())?;
    let base = base(&board, choice)?;
    let replicated = base
        .profile
        .measured
        .map_or(0.0, |fit| fit.replicated_fraction);
    let mut observations = Vec::new();
    let mut sources = Vec::new();
    for row in &own {
        let (what, measured) = match (row.compute(), row.total()) {
            (Some(compute), _) => ("computing", compute),
            (None, Some(total)) if row.devices == 1 => ("all of it", total),
            _ => continue,
        };
        let counts = counts(row, 1, row.context)?;
        plausible(row, counts.own, measured, base)?;
        observations.push(Observation {
            counts,
            bits: row.shape.weight_bits,
            measured,
        });
        sources.push((*row, what));
    }
    if observations.is_empty() {
        return Err(CalibrationError::Choice(format!(
            "no row of `{board}` says how long a generated token takes; give compute_ms, \
             total_ms or decode_tokens_per_s of at least one"
        )));
    }
    let fit = Fit::of(&observations, replicated);
    let replicates = fit.replicated().value;
    let no_time = fit
        .weights_by_bits()
        .find(|(_, fitted)| fitted.value <= 0.0);
    if no_time.is_some() || replicates > 1.0 {
        return Err(CalibrationError::Choice(format!(
            "the rows of `{board}` leave no time for weights: more devices take as long as fewer, or \
             larger models no longer than smaller ones; are their numbers of devices and their \
             models right?"
        )));
    }
    let left_out = leave_one_out(&observations, &fit, replicated);
    let compared = sources.iter().zip(&observations).zip(left_out);
    let compared = compared.map(|(((row, what), seen), left_out)| Compared {
        row: (*row).clone(),
        what,
        measured: seen.measured,
        fitted: fit.predict(&seen.counts, seen.bits),
        left_out,
    });
    let mut calibration = Calibration {
        compared: compared.collect(),
        ..profile::of(&board, &own, &fit, base)?
    };
    profile::state_error(&mut calibration);
    Ok(calibration)
}

/// A board that reads weights so many times faster than the memory of its base is none: its row has
/// another unit.
const FASTER: f64 = 30.0;

/// A board that reads them so many times slower is none either: between a single-board computer
/// and a data centre's accelerator lies less.
const SLOWER: f64 = 3000.0;

fn plausible(row: &Row, weights: f64, seconds: f64, base: &Preset) -> Result<(), CalibrationError> {
    let rate = weights * row.shape.weight_bits / 8.0 / seconds;
    let rated = base.profile.memory_bandwidth;
    if (rated.0 / SLOWER..=FASTER * rated.0).contains(&rate) {
        return Ok(());
    }
    Err(CalibrationError::Table {
        place: row.place.clone(),
        fault: format!(
            "a token in {:.4} ms would read {} of weights, and the memory of the base `{}` has \
             {rated}; are times in ms? If so, another --base is more like the board",
            seconds * 1e3,
            BytesPerSecond(three_digits(rate)),
            base.name
        ),
    })
}

fn three_digits(value: f64) -> f64 {
    let last = libm::pow(10.0, libm::floor(libm::log10(value)) - 2.0);
    (value / last).round() * last
}

/// The board whose rows are meant.
fn chosen(rows: &[Row], choice: &Choice) -> Result<String, CalibrationError> {
    let boards: BTreeSet<&str> = rows.iter().map(|row| row.board.as_str()).collect();
    let names: Vec<&str> = boards.iter().copied().collect();
    let refuse = |message: String| Err(CalibrationError::Choice(message));
    match (&choice.board, names.as_slice()) {
        (_, []) => refuse("the tables have no rows; give at least one measurement".into()),
        (Some(board), _) if boards.contains(board.as_str()) => Ok(board.clone()),
        (Some(board), _) => refuse(format!(
            "no row is of the board `{board}`; there are {}",
            names.join(", ")
        )),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => refuse(format!(
            "the tables have {} boards, and a profile is of one; choose with --board: {}",
            names.len(),
            names.join(", ")
        )),
    }
}

fn base(board: &str, choice: &Choice) -> Result<&'static Preset, CalibrationError> {
    let wanted = choice.base.as_deref().unwrap_or(board);
    let found = PRESETS.iter().find(|preset| preset.name == wanted);
    found.ok_or_else(|| {
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let why = match choice.base {
            Some(_) => "",
            None => {
                "; memory, peak and whatever no row determines come from a preset: give the one \
                 that is most like the board with --base"
            }
        };
        CalibrationError::Choice(format!(
            "there is no preset `{wanted}`{why}: {}",
            names.join(", ")
        ))
    })
}
