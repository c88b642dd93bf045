//! A sweep's figures: one metric each, over each numeric axis, a line per other setting,
//! read from `points.csv`.
//!
//! A point of a line is the mean over the runs of one setting, with its 95 % confidence
//! interval by Student's t distribution.

mod draw;
mod read;

pub use draw::draw;
pub use read::{CurvesError, read};

use super::metrics::Definition;
use super::student;

/// One figure.
#[derive(Debug, Clone)]
pub struct Curves {
    /// What is drawn upwards.
    pub metric: &'static Definition,
    /// The field that is drawn to the right, such as `radio.bandwidth`.
    pub path: String,
    /// The same with its unit, such as `radio.bandwidth (MHz)`.
    pub axis: String,
    /// In the order of the sweep.
    pub lines: Vec<Line>,
}

/// One setting of everything but the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The setting, as the legend names it.
    pub name: String,
    /// By position on the axis.
    pub estimates: Vec<Estimate>,
}

/// The runs of one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Where on the axis.
    pub at: f64,
    /// The mean over the runs.
    pub mean: f64,
    /// Half the width of its 95 % confidence interval; `None` with a single run.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The estimate from `values`, of which there is at least one.
    fn of(at: f64, values: &[f64]) -> Self {
        Self {
            at,
            mean: student::mean(values),
            half_width: student::half_width(values),
        }
    }

    /// The interval's ends; the mean twice with a single run.
    pub fn interval(&self) -> (f64, f64) {
        let half = self.half_width.unwrap_or(0.0);
        (self.mean - half, self.mean + half)
    }
}
