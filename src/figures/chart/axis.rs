//! One direction of a chart: where its values go, and which of them are marked.

use super::ticks::{linear_ticks, power_of_ten, short};
use crate::figures::font::{self, Weight};
use crate::figures::style;
use crate::scenario::Scale;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// Highest over lowest value from which a scale is logarithmic by itself.
pub const WIDE: f64 = 30.0;

/// Of more places than that not every one is marked.
const MOST_MARKED: usize = 12;

/// What the values of one direction are.
#[derive(Debug, Clone)]
pub struct Direction {
    /// What stands along it.
    pub label: String,
    /// How it is spaced; by itself logarithmic where the values span much.
    pub scale: Option<Scale>,
    /// Places worth a mark each, if they are few.
    pub places: Vec<f64>,
    /// What stands at 0, 1, 2 …, if the values are no numbers; else empty.
    pub categories: Vec<String>,
    /// Whether a linear scale starts at zero, unless everything happens far from it.
    pub from_zero: bool,
}

impl Direction {
    /// Numbers called `label`, spaced linearly from zero.
    pub fn numbers(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            scale: Some(Scale::Linear),
            places: Vec::new(),
            categories: Vec::new(),
            from_zero: true,
        }
    }
}

/// Which way an axis runs: what its marks' words need room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// To the right: words stand side by side.
    Across,
    /// Upwards: words stand above each other.
    Upwards,
}

/// A direction with its values laid out, as plotters' coordinates take it.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Marked values with what is written there.
    pub ticks: Vec<(f64, String)>,
    /// Values with a small mark.
    pub minor: Vec<f64>,
    /// Whether the scale is logarithmic.
    pub logarithmic: bool,
    from: f64,
    to: f64,
    length: f64,
    runs: Runs,
}

impl Axis {
    /// Lays `values` out along `length` hundredths of a point.
    pub fn new(direction: &Direction, values: &[f64], length: i32, runs: Runs) -> Self {
        let least = values.iter().copied().fold(f64::MAX, f64::min);
        let most = values.iter().copied().fold(f64::MIN, f64::max);
        // Nothing was measured: an empty chart is still a chart.
        let (least, most) = if least > most {
            (0.0, 1.0)
        } else {
            (least, most)
        };
        let mut axis = Self {
            ticks: Vec::new(),
            minor: Vec::new(),
            logarithmic: false,
            from: 0.0,
            to: 1.0,
            length: f64::from(length),
            runs,
        };
        if !direction.categories.is_empty() {
            let labels = direction.categories.iter().enumerate();
            axis.ticks = labels
                .map(|(at, label)| (at as f64, label.clone()))
                .collect();
            (axis.from, axis.to) = (-0.5, direction.categories.len() as f64 - 0.5);
            return axis;
        }
        let spans = least > 0.0 && most > WIDE * least;
        axis.logarithmic = match direction.scale {
            Some(Scale::Log) => least > 0.0,
            Some(Scale::Linear) => false,
            None => spans,
        };
        if axis.logarithmic {
            axis.lay_out_logarithmic(libm::log10(least), libm::log10(most));
        } else {
            axis.lay_out_linear(direction, least, most);
        }
        let measured = |place: &&f64| (least..=most).contains(*place);
        let mut places: Vec<f64> = direction.places.iter().filter(measured).copied().collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let marked: Vec<(f64, String)> =
            places.iter().map(|place| (*place, short(*place))).collect();
        if (1..=MOST_MARKED).contains(&marked.len()) && axis.has_room_for(&marked) {
            axis.ticks = marked;
            axis.minor.clear();
        }
        axis
    }

    /// Which part of the way along the axis `value` is drawn; what lies beyond the ends, there.
    pub fn share(&self, value: f64) -> f64 {
        let place = match self.logarithmic {
            true if value <= 0.0 => self.from,
            true => libm::log10(value),
            false => value,
        };
        ((place - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// Whether the words at `ticks` keep apart from each other.
    fn has_room_for(&self, ticks: &[(f64, String)]) -> bool {
        let half = |words: &str| match self.runs {
            Runs::Across => 0.5 * f64::from(font::width(words, style::TEXT, Weight::Regular)),
            Runs::Upwards => 0.5 * f64::from(style::TEXT),
        };
        let gap = 0.5 * f64::from(style::TEXT);
        ticks.windows(2).all(|pair| {
            let apart = (self.share(pair[1].0) - self.share(pair[0].0)).abs() * self.length;
            apart >= half(&pair[0].1) + half(&pair[1].1) + gap
        })
    }

    fn lay_out_logarithmic(&mut self, least: f64, most: f64) {
        let margin = (0.05 * (most - least)).max(0.02);
        (self.from, self.to) = (least - margin, most + margin);
        let decades = libm::floor(self.from) as i32..=libm::ceil(self.to) as i32;
        let within = |value: f64| (self.from..=self.to).contains(&libm::log10(value));
        let multiples = |factors: &'static [f64]| {
            let decades = decades.clone();
            let all = decades.flat_map(move |decade| {
                let power = libm::pow(10.0, f64::from(decade));
                let multiple = move |factor: &f64| (*factor, decade, factor * power);
                factors.iter().map(multiple)
            });
            all.filter(|(_, _, value)| within(*value))
                .collect::<Vec<(f64, i32, f64)>>()
        };
        let whole = multiples(&[1.0]).len();
        let words = |ticks: Vec<(f64, i32, f64)>| -> Vec<(f64, String)> {
            let plain = ticks.iter().all(|(_, decade, _)| (-3..=3).contains(decade));
            let word = |(factor, decade, value): (f64, i32, f64)| match plain {
                true => (value, short(value)),
                false => (value, power_of_ten(factor, decade)),
            };
            ticks.into_iter().map(word).collect()
        };
        let denser: [&'static [f64]; 3] = [
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 2.0, 5.0],
            &[1.0],
        ];
        // The densest that has room; of many decades every second, third and so on.
        let sparser = (1..=whole.max(1) as i32).map(|every| {
            let powers = multiples(&[1.0]).into_iter();
            let kept = powers.filter(|(_, decade, _)| decade.rem_euclid(every) == 0);
            words(kept.collect())
        });
        let layouts = denser.into_iter().map(|factors| words(multiples(factors)));
        let mut layouts = layouts.chain(sparser);
        let found =
            layouts.find(|ticks| (2..=8).contains(&ticks.len()) && self.has_room_for(ticks));
        self.ticks = found.unwrap_or_else(|| {
            let ends = words(multiples(&[1.0, 2.0, 5.0]));
            ends.into_iter().take(1).collect()
        });
        let minor = multiples(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        self.minor = match whole {
            0..=8 => minor.into_iter().map(|(_, _, value)| value).collect(),
            _ => Vec::new(),
        };
    }

    fn lay_out_linear(&mut self, direction: &Direction, least: f64, most: f64) {
        let span = most - least;
        let margin = 0.05 * span.max(1e-3 * most.abs()).max(f64::MIN_POSITIVE);
        let far = least > 0.6 * most;
        self.from = match direction.from_zero {
            true if least >= 0.0 && (!far || span == 0.0) => 0.0,
            _ => least - margin,
        };
        self.to = most + margin.max(0.05 * (most - self.from));
        if self.to - self.from <= f64::MIN_POSITIVE {
            (self.from, self.to) = (least - 1.0, least + 1.0);
        }
        let layouts = (2..=7).rev();
        let layouts = layouts.map(|most| linear_ticks(self.from, self.to, f64::from(most)));
        self.ticks = layouts
            .into_iter()
            .find(|ticks| self.has_room_for(ticks))
            .unwrap_or_else(|| linear_ticks(self.from, self.to, 1.0));
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + libm::round(self.share(*value) * f64::from(end - start)) as i32
    }

    /// The marked values. Small marks are no lines of a grid.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.iter().map(|(value, _)| *value).collect(),
        }
    }

    fn range(&self) -> Range<f64> {
        let value = |place: f64| match self.logarithmic {
            true => libm::pow(10.0, place),
            false => place,
        };
        value(self.from)..value(self.to)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick == value);
        tick.map_or(String::new(), |(_, words)| words.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(scale: Scale, values: &[f64]) -> Vec<String> {
        let direction = Direction {
            scale: Some(scale),
            ..Direction::numbers("")
        };
        let axis = Axis::new(&direction, values, 20_000, Runs::Across);
        axis.ticks.into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        use Scale::{Linear, Log};
        assert_eq!(words(Linear, &[0.2, 9.0]), ["0", "2", "4", "6", "8"]);
        assert_eq!(
            words(Linear, &[0.11, 0.12]),
            ["0.110", "0.112", "0.114", "0.116", "0.118", "0.120"]
        );
        assert_eq!(
            words(Log, &[1e-5, 1.0]),
            ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]
        );
        assert_eq!(
            words(Log, &[1.9, 11.0]),
            ["2", "3", "4", "5", "6", "8", "10"]
        );
    }

    #[test]
    fn words_of_marks_keep_apart_on_a_short_axis() {
        for scale in [Scale::Linear, Scale::Log] {
            for length in [2_000, 4_000, 9_000] {
                let direction = Direction {
                    scale: Some(scale),
                    places: (1..12).map(|k| 1e5 * f64::from(k)).collect(),
                    ..Direction::numbers("")
                };
                let axis = Axis::new(&direction, &[1e5, 1.15e6], length, Runs::Across);
                assert!(!axis.ticks.is_empty());
                assert!(axis.has_room_for(&axis.ticks), "{scale:?} {length}");
            }
        }
    }

    #[test]
    fn equal_ratios_are_equally_far_apart_on_a_logarithmic_scale() {
        let direction = Direction {
            scale: Some(Scale::Log),
            places: vec![1.0, 2.0, 4.0, 8.0],
            ..Direction::numbers("")
        };
        let axis = Axis::new(&direction, &[1.0, 8.0], 30_000, Runs::Across);
        let at = |value| axis.share(value);
        assert!((at(2.0) - at(1.0) - (at(8.0) - at(4.0))).abs() < 1e-12);
        let marked: Vec<&str> = axis.ticks.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(marked, ["1", "2", "4", "8"]);
        // What has no logarithm is at the foot.
        assert_eq!(at(0.0), 0.0);
    }
}
