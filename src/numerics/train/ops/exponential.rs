//! exp in single precision, branch-free so that loops over it vectorise.
//!
//! Cephes' scheme: x = n ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts, a
//! polynomial of degree 6 for exp r, and 2ⁿ by writing the exponent bits. The
//! relative error stays below 2 × 10⁻⁷ on [−87, 88]; arguments beyond are
//! clamped to it.

/// exp(x) for x in [−87, 88], clamped outside.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 × 2²³ rounds to the nearest whole number.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.0e-1;
    let p = (p * r * r + r) + 1.0;
    // The low bits of `shifted` hold n.
    let power = (shifted.to_bits() << 23).wrapping_add(0x3f80_0000);
    p * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_double_precision_exponential() {
        for step in 0..=17_500 {
            let x = -87.0 + step as f32 * 0.01;
            let exact = libm::exp(f64::from(x));
            let error = (f64::from(super::exp(x)) / exact - 1.0).abs();
            assert!(error < 2e-7, "exp({x}) is off by {error:e}");
        }
        assert_eq!(super::exp(0.0), 1.0);
        assert!(super::exp(-1e9) < 1e-37);
    }
}
