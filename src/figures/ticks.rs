//! An axis of a panel with its ticks, as plotters' coordinates take it: to its very ends, without
//! margins, for time ends where a run does.

use super::chart::tick_step;
use super::font::{self, Weight};
use super::style;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// An axis with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    pub(super) ticks: Vec<f64>,
    digits: usize,
}

/// Decimals of numbers that are `step` apart.
fn digits_of(step: f64) -> usize {
    (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize
}

impl Axis {
    /// An axis over `range` with at most `most` ticks, or one more.
    pub fn linear(range: Range<f64>, most: usize) -> Self {
        let (low, high) = (range.start, range.end);
        let length = if high > low { high - low } else { 1.0 };
        let step = tick_step(length / most.max(1) as f64);
        let first = libm::ceil(low / step - 1e-9);
        let last = libm::floor((low + length) / step + 1e-9);
        let count = (last - first).max(0.0) as usize;
        Self {
            low,
            high: low + length,
            ticks: (0..=count).map(|k| (first + k as f64) * step).collect(),
            digits: digits_of(step),
        }
    }

    /// The same with ticks at whole numbers only.
    pub fn counting(range: Range<f64>, most: usize) -> Self {
        let axis = Self::linear(range, most);
        let whole = |tick: &f64| (tick - libm::round(*tick)).abs() < 1e-9;
        Self {
            ticks: axis.ticks.iter().copied().filter(whole).collect(),
            digits: 0,
            ..axis
        }
    }

    /// An axis without ticks.
    pub fn bare(range: Range<f64>) -> Self {
        Self {
            low: range.start,
            high: range.end,
            ticks: Vec::new(),
            digits: 0,
        }
    }

    /// Which part of the way along the axis `value` is.
    pub fn part(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    fn label(&self, tick: f64) -> String {
        let digits = self.digits;
        let text = match tick.abs() {
            large if large >= 1e6 => format!("{tick:.0e}"),
            _ => format!("{tick:.digits$}"),
        };
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
            Some(rest) => format!("−{rest}"),
            None => text,
        }
    }

    /// The width of its widest label.
    pub(super) fn widest(&self) -> i32 {
        let labels = self.ticks.iter().map(|tick| self.label(*tick));
        let widths = labels.map(|label| font::width(&label, style::SMALL, Weight::Regular));
        widths.max().unwrap_or(0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + libm::round(self.part(*value) * f64::from(to - from)) as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let axis = Axis::linear(0.0..17.57, 8);
        assert_eq!(axis.ticks, [0.0, 5.0, 10.0, 15.0]);
        let labels: Vec<String> = Axis::linear(-0.6..1.1, 6)
            .ticks
            .iter()
            .map(|tick| Axis::linear(-0.6..1.1, 6).label(*tick))
            .collect();
        assert_eq!(labels, ["−0.5", "0.0", "0.5", "1.0"]);
        for (range, most) in [(0.0..1.0, 3), (3.2..3.21, 5), (-7.0..2e5, 9), (0.0..0.0, 4)] {
            let axis = Axis::linear(range.clone(), most);
            assert!(axis.ticks.len() <= most + 1, "{range:?}: {:?}", axis.ticks);
            assert!(
                axis.ticks
                    .iter()
                    .all(|tick| (axis.low - 1e-9..=axis.high + 1e-9).contains(tick))
            );
        }
    }

    #[test]
    fn whole_numbers_are_counted_without_fractions() {
        assert_eq!(Axis::counting(0.0..3.0, 8).ticks, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(Axis::counting(0.0..1.04, 3).ticks, [0.0, 1.0]);
    }

    #[test]
    fn an_axis_runs_to_the_very_ends_of_its_range_in_either_direction() {
        for range in [0.0..17.57, 300.0..0.0] {
            let axis = Axis::bare(range.clone());
            assert_eq!(axis.map(&range.start, (100, 4100)), 100);
            assert_eq!(axis.map(&range.end, (100, 4100)), 4100);
        }
    }
}
