//! ln Σ eˣ over a row of logits, in `f64` and to the bit.
//!
//! Plain additions, products and bit operations on [`WIDTH`] entries side by side, no
//! branch and nothing fused: the compiler may vectorise at any width ([`wide`]
//! picks the widest that the CPU has) and no bit changes.
//!
//! eˣ for x ≤ 0: n = round(x · log₂e), r = x − n ln 2 in two steps (Cody and Waite,
//! "Software Manual for the Elementary Functions", 1980), |r| ≤ ½ ln 2, eʳ by its power
//! series to r¹³ (truncation below 10⁻¹⁷), times 2ⁿ. Below [`LEAST`] the result is 0, less
//! than any digit of a sum that holds e⁰ = 1.

use crate::wide;

/// Partial sums; entry i goes to sum i mod `WIDTH`. Part of the result's definition.
const WIDTH: usize = 16;
/// Below this, eˣ counts as zero: 2⁻¹⁰²².
const LEAST: f64 = -708.0;
/// 1.5 · 2⁵²: adding it to a small value leaves the nearest integer in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// The first 32 bits of ln 2: times any n that occurs, still exact.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
/// ln 2 − [`LN2_HIGH`].
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1/i!, i ≤ 13.
const SERIES: [f64; 14] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// eˣ for x ≤ 0.
#[inline(always)]
fn exp(x: f64) -> f64 {
    let clamped = if x > LEAST { x } else { LEAST };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let mut sum = SERIES[13];
    for i in (0..13).rev() {
        sum = sum * r + SERIES[i];
    }
    // n is at least −1022, so that 2ⁿ is normal.
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    let value = sum * power;
    if x > LEAST { value } else { 0.0 }
}

/// Σ_i exp(x_i − m) for m = max x, all of them numbers.
///
/// The error is a few units in the last place: see the module's test.
pub(super) fn sum_of_exponentials(logits: &[f32], greatest: f64) -> f64 {
    wide::run(
        #[inline(always)]
        || {
            let mut sums = [0.0; WIDTH];
            let mut chunks = logits.chunks_exact(WIDTH);
            for chunk in &mut chunks {
                for (sum, &x) in sums.iter_mut().zip(chunk) {
                    *sum += exp(f64::from(x) - greatest);
                }
            }
            for (sum, &x) in sums.iter_mut().zip(chunks.remainder()) {
                *sum += exp(f64::from(x) - greatest);
            }
            sums.iter().sum()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_two_units_in_the_last_place() {
        let mut x = 0.0;
        while x > -708.0 {
            let (found, expected) = (exp(x), libm::exp(x));
            let error = (found - expected).abs() / expected;
            assert!(error <= 2.0 * f64::EPSILON, "{x}: {error}");
            x -= 0.000_917 * (1.0 - x);
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-709.0), 0.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
    }

    #[test]
    fn sums_of_any_length_are_those_of_the_terms() {
        for length in [1, 15, 16, 17, 255, 4097] {
            let logits: Vec<f32> = (0..length)
                .map(|i| -((i * 37 % 101) as f32) / 7.0)
                .collect();
            let expected: f64 = logits.iter().map(|x| libm::exp(f64::from(*x))).sum();
            let found = sum_of_exponentials(&logits, 0.0);
            assert!((found - expected).abs() <= 1e-14 * expected, "{length}");
        }
    }
}
