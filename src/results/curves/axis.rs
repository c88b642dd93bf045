//! One direction of a plot: where its values go, and which of them are marked.

use crate::scenario::Scale;

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

/// A direction with its values laid out.
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
    start: f64,
    end: f64,
}

impl Axis {
    /// Lays `values` out between `start` and `end`, on which marks stand at least `apart`.
    pub fn new(
        direction: &Direction,
        values: &[f64],
        (start, end): (f64, f64),
        apart: f64,
    ) -> Self {
        let least = values.iter().copied().fold(f64::MAX, f64::min);
        let most = values.iter().copied().fold(f64::MIN, f64::max);
        let mut axis = Self {
            ticks: Vec::new(),
            minor: Vec::new(),
            logarithmic: false,
            from: 0.0,
            to: 1.0,
            start,
            end,
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
            axis.lay_out_logarithmic(libm::log10(least), libm::log10(most), apart);
        } else {
            axis.lay_out_linear(direction, least, most, apart);
        }
        let measured = |place: &&f64| (least..=most).contains(*place);
        let mut places: Vec<f64> = direction.places.iter().filter(measured).copied().collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let pixels: Vec<f64> = places.iter().map(|place| axis.pixel(*place)).collect();
        let roomy = pixels
            .windows(2)
            .all(|pair| (pair[1] - pair[0]).abs() >= apart);
        if roomy && (1..=MOST_MARKED).contains(&places.len()) {
            axis.ticks = places.iter().map(|place| (*place, short(*place))).collect();
            axis.minor.clear();
        }
        axis
    }

    /// Where `value` is drawn; what lies beyond the ends, at the end.
    pub fn pixel(&self, value: f64) -> f64 {
        let place = match self.logarithmic {
            true if value <= 0.0 => self.from,
            true => libm::log10(value),
            false => value,
        };
        let share = ((place - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }

    fn lay_out_logarithmic(&mut self, least: f64, most: f64, apart: f64) {
        let margin = (0.05 * (most - least)).max(0.02);
        (self.from, self.to) = (least - margin, most + margin);
        let decades = libm::floor(self.from) as i32..=libm::ceil(self.to) as i32;
        let within = |value: f64| (self.from..=self.to).contains(&libm::log10(value));
        let multiples = |factors: &'static [f64]| {
            let decades = decades.clone();
            decades.flat_map(move |decade| {
                let power = libm::pow(10.0, f64::from(decade));
                factors
                    .iter()
                    .map(move |factor| (*factor, decade, factor * power))
            })
        };
        let whole = multiples(&[1.0])
            .filter(|(_, _, value)| within(*value))
            .count();
        // As many as have room; of many decades every second or third.
        let every = ((whole as i32 + 7) / 8).max(1);
        let denser: [&'static [f64]; 3] = [
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 2.0, 5.0],
            &[1.0],
        ];
        let layouts = denser.map(|factors| {
            let ticks = multiples(factors).filter(|(_, _, value)| within(*value));
            let ticks = ticks.filter(|(_, decade, _)| decade.rem_euclid(every) == 0);
            ticks.collect::<Vec<(f64, i32, f64)>>()
        });
        let roomy = |ticks: &Vec<(f64, i32, f64)>| {
            let pixels: Vec<f64> = ticks
                .iter()
                .map(|(_, _, value)| self.pixel(*value))
                .collect();
            let steps = pixels.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            ticks.len() <= 8 && steps.fold(f64::MAX, f64::min) >= apart
        };
        let found = layouts.iter().find(|ticks| roomy(ticks));
        let ticks = found.unwrap_or(&layouts[2]);
        let plain = ticks.iter().all(|(_, decade, _)| (-3..=3).contains(decade));
        let words = |(factor, decade, value): &(f64, i32, f64)| match plain {
            true => (*value, short(*value)),
            false => (*value, power_of_ten(*factor, *decade)),
        };
        let ticks: Vec<(f64, String)> = ticks.iter().map(words).collect();
        let minor = multiples(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let minor = minor
            .map(|(_, _, value)| value)
            .filter(|value| within(*value));
        self.ticks = ticks;
        self.minor = match whole {
            0..=8 => minor.collect(),
            _ => Vec::new(),
        };
    }

    fn lay_out_linear(&mut self, direction: &Direction, least: f64, most: f64, apart: f64) {
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
        let most_ticks = ((self.end - self.start).abs() / (1.6 * apart)).clamp(2.0, 7.0);
        self.ticks = linear_ticks(self.from, self.to, most_ticks);
    }
}

/// A number without the noise of binary fractions.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.6e}").parse().expect("just written");
    match rounded.abs() {
        0.0 => "0".to_owned(),
        x if (1e-4..1e6).contains(&x) => rounded.to_string().replace('-', "−"),
        _ => format!("{rounded:e}").replace('-', "−"),
    }
}

fn power_of_ten(factor: f64, decade: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(0x2070 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    let power: String = decade.to_string().chars().map(raised).collect();
    match factor {
        1.0 => format!("10{power}"),
        factor => format!("{factor}·10{power}"),
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, at most about `most` of them.
fn linear_ticks(from: f64, to: f64, most: f64) -> Vec<(f64, String)> {
    let raw = (to - from) / most;
    let magnitude = libm::floor(libm::log10(raw));
    let power = libm::pow(10.0, magnitude);
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= raw);
    let step = factor.unwrap_or(10.0) * power;
    let digits = (-libm::floor(libm::log10(step * 1.000_001)) as i32).max(0) as usize;
    let first = libm::ceil(from / step - 1e-9) as i64;
    let last = libm::floor(to / step + 1e-9) as i64;
    (first..=last)
        .map(|k| {
            let value = k as f64 * step;
            let words = match value.abs().max(step) {
                x if x >= 1e6 || digits > 5 => short(value),
                _ => format!("{value:.digits$}").replace('-', "−"),
            };
            (value, words)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(scale: Scale, values: &[f64]) -> Vec<String> {
        let direction = Direction {
            label: String::new(),
            scale: Some(scale),
            places: Vec::new(),
            categories: Vec::new(),
            from_zero: true,
        };
        let axis = Axis::new(&direction, values, (0.0, 200.0), 20.0);
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
        assert_eq!(words(Log, &[1.9, 11.0]), ["2", "5", "10"]);
    }

    #[test]
    fn equal_ratios_are_equally_far_apart_on_a_logarithmic_scale() {
        let direction = Direction {
            label: String::new(),
            scale: Some(Scale::Log),
            places: vec![1.0, 2.0, 4.0, 8.0],
            categories: Vec::new(),
            from_zero: false,
        };
        let axis = Axis::new(&direction, &[1.0, 8.0], (0.0, 300.0), 20.0);
        let at = |value| axis.pixel(value);
        assert!((at(2.0) - at(1.0) - (at(8.0) - at(4.0))).abs() < 1e-9);
        let marked: Vec<&str> = axis.ticks.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(marked, ["1", "2", "4", "8"]);
        // What has no logarithm is at the foot.
        assert_eq!(at(0.0), 0.0);
    }
}
