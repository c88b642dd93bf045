//! Round numbers along an axis, and how they are written.

/// A number without the noise of binary fractions.
pub fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.6e}").parse().expect("just written");
    match rounded.abs() {
        0.0 => "0".to_owned(),
        x if (1e-4..1e6).contains(&x) => rounded.to_string().replace('-', "−"),
        _ => {
            let text = format!("{rounded:e}");
            let (factor, decade) = text.split_once('e').expect("just written so");
            let sign = if rounded < 0.0 { "−" } else { "" };
            let factor = factor
                .trim_start_matches('-')
                .parse()
                .expect("just written");
            format!(
                "{sign}{}",
                power_of_ten(factor, decade.parse().expect("just written"))
            )
        }
    }
}

/// `factor` times ten to the power of `decade`, as people write it.
pub fn power_of_ten(factor: f64, decade: i32) -> String {
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

/// A step of 1, 2 or 5 times a power of ten that is at least `least`.
pub fn tick_step(least: f64) -> f64 {
    let magnitude = libm::pow(10.0, libm::floor(libm::log10(least)));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * magnitude >= least);
    factor.unwrap_or(10.0) * magnitude
}

/// Multiples of 1, 2 or 5 times a power of ten, at most about `most` of them.
pub fn linear_ticks(from: f64, to: f64, most: f64) -> Vec<(f64, String)> {
    let step = tick_step((to - from) / most);
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

    #[test]
    fn numbers_are_short() {
        let numbers = [0.0, 0.1 + 0.2, -2.5, 2.5e7, 1e6, -1.5e-7];
        let expected = ["0", "0.3", "−2.5", "2.5·10⁷", "10⁶", "−1.5·10⁻⁷"];
        assert_eq!(numbers.map(short), expected);
    }
}
