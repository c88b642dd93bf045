//! A sweep's figures: one metric each, over the numeric axis, a line per other setting,
//! read from `points.csv`.
//!
//! A point of a line is the mean over the runs of one setting, with its 95 % confidence
//! interval by Student's t distribution.

mod draw;
mod read;

pub use draw::draw;
pub use read::{CurvesError, read};

use super::metrics::Definition;

/// One figure.
#[derive(Debug, Clone)]
pub struct Curves {
    /// What is drawn upwards.
    pub metric: &'static Definition,
    /// What is drawn to the right, such as `devices.count`.
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

/// Two-sided 95 % quantiles of Student's t distribution with 1, 2, … 30 degrees of freedom
/// (standard table).
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// That of the normal distribution, for more.
const NORMAL: f64 = 1.960;

impl Estimate {
    /// The estimate from `values`, of which there is at least one.
    fn of(at: f64, values: &[f64]) -> Self {
        let runs = values.len() as f64;
        let mean = values.iter().fold(0.0, |sum, x| sum + x) / runs;
        let squares = values
            .iter()
            .fold(0.0, |sum, x| sum + (x - mean) * (x - mean));
        let half_width = (values.len() > 1).then(|| {
            let quantile = STUDENT.get(values.len() - 2).copied().unwrap_or(NORMAL);
            quantile * (squares / (runs - 1.0) / runs).sqrt()
        });
        Self {
            at,
            mean,
            half_width,
        }
    }

    /// The interval's ends; the mean twice with a single run.
    pub fn interval(&self) -> (f64, f64) {
        let half = self.half_width.unwrap_or(0.0);
        (self.mean - half, self.mean + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: mean 4, s² = 4, and 4.303·2/√3.
    #[test]
    fn three_runs_have_a_wide_interval() {
        let estimate = Estimate::of(8.0, &[2.0, 4.0, 6.0]);
        assert_eq!(estimate.mean, 4.0);
        let half = estimate.half_width.unwrap();
        assert!((half - 4.303 * 2.0 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(Estimate::of(0.0, &[5.0]).interval(), (5.0, 5.0));
    }
}
