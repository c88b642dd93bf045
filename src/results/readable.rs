//! Numbers as people read them, and prose in lines that fit.
//!
//! The rules, for every table and page that is read rather than parsed:
//!
//! - four significant digits and a unit that fits; what is exactly zero is `0`, `0 s`, `0 %`;
//! - a share that is not zero but below a hundredth of a percent is `< 0.01 %`;
//! - a time is told beside the whole that it is part of. Each of a run's durations is rounded up to
//!   a picosecond, so that sums of many differ by their rounding: less than 10⁻⁶ of the whole is
//!   `≈ 0 s`. Files for programs have the exact number.

/// A part of a whole that is smaller than this is not told from rounding.
const NEGLIGIBLE: f64 = 1e-6;

/// A number of seconds in the unit in which it reads best.
pub fn seconds(value: f64) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
    scaled(value, &units, (1e-12, "ps"))
}

/// A number of seconds that is part of `whole` seconds.
pub fn seconds_of(value: f64, whole: f64) -> String {
    match value.abs() < NEGLIGIBLE * whole && value != 0.0 {
        true => "≈ 0 s".to_owned(),
        false => seconds(value),
    }
}

/// A number of joules in the unit in which it reads best.
pub fn joules(value: f64) -> String {
    scaled(
        value,
        &[(1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ")],
        (1e-9, "nJ"),
    )
}

/// A share of a whole in percent.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        0.0 => "0 %".to_owned(),
        size if size >= 0.01 || size.is_nan() => format!("{} %", significant(percent)),
        _ if percent > 0.0 => "< 0.01 %".to_owned(),
        _ => "≈ 0 %".to_owned(),
    }
}

/// A number of bytes in the unit in which it reads best.
pub fn bytes(count: u64) -> String {
    if count < 1000 {
        return format!("{count} B");
    }
    scaled(count as f64, &[(1e9, "GB"), (1e6, "MB")], (1e3, "kB"))
}

/// `value` in the first of `units` of which it has at least one, else in the `last`.
fn scaled(value: f64, units: &[(f64, &str)], last: (f64, &str)) -> String {
    // As it will be shown: 0.99999 s are 1.000 s and no 1000.0 ms.
    let size = rounded(value).abs();
    let fits = |(unit, _): &&(f64, &str)| size >= *unit || size == 0.0;
    let (unit, name) = units.iter().find(fits).unwrap_or(&last);
    match size {
        0.0 => format!("0 {name}"),
        _ => format!("{} {name}", significant(value / unit)),
    }
}

/// To four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Four significant digits.
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = libm::floor(libm::log10(rounded(value).abs()));
    if !(-4.0..7.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - magnitude as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

/// `text` in lines of at most `width` columns, broken between words; a longer word has a
/// line of its own.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut room = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if length < room => {
                line.push(' ');
                line.push_str(word);
                room -= length + 1;
            }
            _ => {
                lines.push(word.to_owned());
                room = width.saturating_sub(length);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_has_four_digits_and_the_unit_that_fits() {
        for (value, shown) in [
            (0.0, "0 s"),
            (1.0, "1.000 s"),
            (0.999_96, "1.000 s"),
            (0.999_94, "999.9 ms"),
            (2.5e-7, "250.0 ns"),
            (49e-12, "49.00 ps"),
            (-0.25, "-250.0 ms"),
            (12_345.6, "12346 s"),
        ] {
            assert_eq!(seconds(value), shown);
        }
        assert_eq!(joules(0.0), "0 J");
        assert_eq!(joules(9.830_4e-7), "983.0 nJ");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(999_999), "1.000 MB");
        assert_eq!(bytes(123_456_789), "123.5 MB");
        assert_eq!(significant(9.999_96), "10.00");
        assert_eq!(significant(0.0), "0");
    }

    #[test]
    fn what_is_rounding_is_not_told_as_if_it_were_measured() {
        assert_eq!(seconds_of(49e-12, 0.153), "≈ 0 s");
        assert_eq!(seconds_of(0.0, 0.153), "0 s");
        assert_eq!(seconds_of(49e-12, 80e-12), "49.00 ps");
        assert_eq!(percent(1.117e-9), "< 0.01 %");
        assert_eq!(percent(-1.117e-9), "≈ 0 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(1e-4), "0.01000 %");
        assert_eq!(percent(1.0), "100.0 %");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_the_number_to_four_digits(exponent in -13.0..4.0_f64) {
            let value = libm::pow(10.0, exponent);
            let text = seconds(value);
            let (number, unit) = text.split_once(' ').unwrap();
            let unit = match unit {
                "s" => 1.0,
                "ms" => 1e-3,
                "µs" => 1e-6,
                "ns" => 1e-9,
                _ => 1e-12,
            };
            let shown: f64 = number.parse::<f64>().unwrap() * unit;
            prop_assert!((shown / value - 1.0).abs() < 5.01e-4, "{} for {}", text, value);
        }
    }
}
