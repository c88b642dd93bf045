//! Student's t distribution: how wide the confidence interval of a mean is.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Degrees of freedom from which the expansion about the normal quantile is exact to eight
/// digits.
const MANY: u32 = 200;

/// The 97.5 % quantile of the normal distribution.
const NORMAL: f64 = 1.959_963_984_540_054;

/// Half the width of the 95 % confidence interval of the mean of `values`: t s/√n, with s² the
/// unbiased variance and t the two-sided quantile with n − 1 degrees of freedom. `None` for
/// fewer than two values.
pub fn half_width(values: &[f64]) -> Option<f64> {
    let freedom = u32::try_from(values.len()).ok()?.checked_sub(1)?;
    if freedom == 0 {
        return None;
    }
    let count = values.len() as f64;
    let mean = mean(values);
    let squares = values
        .iter()
        .fold(0.0, |sum, x| sum + (x - mean) * (x - mean));
    Some(quantile(freedom) * (squares / f64::from(freedom) / count).sqrt())
}

/// The mean of `values`, of which there is at least one: the first plus the mean distance
/// from it, so that equal values have no spread that is only rounding.
pub fn mean(values: &[f64]) -> f64 {
    let first = values[0];
    let distances = values.iter().fold(0.0, |sum, x| sum + (x - first));
    first + distances / values.len() as f64
}

/// The t with P(|T| ≤ t) = 95 % for `freedom` ν ≥ 1 degrees of freedom.
///
/// Up to 200 by bisection on θ = arctan(t/√ν) in the finite series of P; above, by
/// Abramowitz & Stegun, *Handbook of Mathematical Functions* (1964), 26.7.5, with x the normal
/// quantile: t ≈ x + (x³ + x)/(4ν) + (5x⁵ + 16x³ + 3x)/(96ν²).
pub fn quantile(freedom: u32) -> f64 {
    let nu = f64::from(freedom);
    if freedom > MANY {
        let x = NORMAL;
        let (x3, x5) = (x * x * x, x * x * x * x * x);
        return x + (x3 + x) / (4.0 * nu) + (5.0 * x5 + 16.0 * x3 + 3.0 * x) / (96.0 * nu * nu);
    }
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return nu.sqrt() * libm::tan(low);
        }
        if probability(middle, freedom) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// P(|T| ≤ √ν tan θ) for ν degrees of freedom (Abramowitz & Stegun 26.7.3 for odd ν, 26.7.4
/// for even ν).
fn probability(theta: f64, freedom: u32) -> f64 {
    let (sine, cosine) = (libm::sin(theta), libm::cos(theta));
    let odd = freedom % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = 0.0;
    // The power of cos θ in the term.
    let mut power = u32::from(odd);
    while power + 2 <= freedom {
        sum += term;
        term *= cosine * cosine * f64::from(power + 1) / f64::from(power + 2);
        power += 2;
    }
    if odd {
        FRAC_2_PI * (theta + sine * sum)
    } else {
        sine * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty times 0.1 add up to 2.0000000000000004.
    #[test]
    fn equal_values_have_no_spread() {
        assert_eq!(mean(&[0.1; 20]), 0.1);
        assert_eq!(half_width(&[0.1; 20]), Some(0.0));
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
    }

    /// Standard tables (for example NIST/SEMATECH e-Handbook 1.3.6.7.2), more digits from the
    /// closed forms tan(0.475π) for ν = 1 and 0.95 √(2/(1 − 0.95²)) for ν = 2.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, expected) in [
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (10, 2.228),
            (19, 2.093),
            (30, 2.042),
            (60, 2.000),
            (100, 1.984),
            (1000, 1.962),
        ] {
            let t = quantile(freedom);
            assert!((t - expected).abs() < 5.1e-4, "{freedom}: {t}");
        }
        let one = (0.475 * std::f64::consts::PI).tan();
        assert!((quantile(1) / one - 1.0).abs() < 1e-12);
        let two = 0.95 * (2.0 / (1.0 - 0.95f64 * 0.95)).sqrt();
        assert!((quantile(2) / two - 1.0).abs() < 1e-12);
    }

    #[test]
    fn series_and_expansion_meet() {
        let series = quantile(MANY);
        let above = quantile(MANY + 1);
        assert!(series > above && series - above < 2e-4);
        // t falls as 1/ν: the difference between neighbours is the slope.
        let slope = (NORMAL * NORMAL * NORMAL + NORMAL) / 4.0 / f64::from(MANY * (MANY + 1));
        assert!((series - above - slope).abs() < 2e-6, "{}", series - above);
    }

    /// By hand: mean 4, s² = 4.
    #[test]
    fn three_values_have_a_wide_interval() {
        let half = half_width(&[2.0, 4.0, 6.0]).unwrap();
        assert!((half - quantile(2) * 2.0 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(half_width(&[5.0]), None);
    }
}
