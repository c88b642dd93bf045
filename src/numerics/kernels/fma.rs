//! Fused multiply–add in software, exact on every CPU.
//!
//! Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved
//! algorithms using rounding to odd" (IEEE Transactions on Computers 57(4), 2008),
//! with `f64` as the wider format: the product of two `f32` has at most 48
//! significant bits and is exact in `f64`; the sum is rounded to odd to 53 bits;
//! rounding that to the 24 bits of an `f32` (fewer, if subnormal) then gives what
//! one rounding of the exact a·b + c would, since 53 ≥ 24 + 2. Exponents cannot
//! leave the range of `f64`: magnitudes stay within 2⁻²⁹⁸ and 2²⁵⁷.

/// Whether the compilation target always has a fused multiply–add instruction,
/// so that [`f32::mul_add`] is that instruction.
pub(super) const IN_HARDWARE: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// a · b + c, rounded once.
#[inline(always)]
pub(super) fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if IN_HARDWARE {
        a.mul_add(b, c)
    } else {
        odd_sum(f64::from(a) * f64::from(b), f64::from(c)) as f32
    }
}

/// a + b rounded to odd: exact sums stay, others become the neighbour with an odd
/// last bit. Branch-free, so that it compiles to vector instructions.
#[inline(always)]
pub(super) fn odd_sum(a: f64, b: f64) -> f64 {
    // Knuth's two-sum: `error` is exactly a + b − sum.
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    let error = (a - a_part) + (b - b_part);
    // False for a NaN, which arises where the sum is infinite or a NaN itself.
    let inexact = u64::from(error.abs() > 0.0);
    // Where the error points towards zero, step to the neighbour below an even
    // sum; an odd one steps down and `|` brings it back.
    let inward = ((sum.to_bits() ^ error.to_bits()) >> 63) & inexact;
    f64::from_bits((sum.to_bits() - inward) | inexact)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The software route even where [`mul_add`] would use hardware.
    fn software(a: f32, b: f32, c: f32) -> f32 {
        odd_sum(f64::from(a) * f64::from(b), f64::from(c)) as f32
    }

    fn assert_fused(a: f32, b: f32, c: f32) {
        let (found, expected) = (software(a, b, c), a.mul_add(b, c));
        assert!(
            found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
            "{a:e} · {b:e} + {c:e}: {found:e}, not {expected:e}"
        );
    }

    /// Values at which rounding, underflow and overflow turn.
    fn edges() -> Vec<f32> {
        let mut edges = vec![
            0.0,
            1.0,
            1.5,
            3.0,
            1.0 + f32::EPSILON,
            1.0 - f32::EPSILON / 2.0,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::MIN_POSITIVE - f32::from_bits(1),
            f32::MIN_POSITIVE + f32::from_bits(1),
            f32::from_bits(1),
            f32::from_bits(2),
            f32::from_bits(3),
            2f32.powi(-75),
            2f32.powi(-74),
            2f32.powi(64),
            2f32.powi(63) * (1.0 + f32::EPSILON),
            16_777_217.0,
            16_777_215.0,
            f32::INFINITY,
            f32::NAN,
        ];
        edges.extend((-30..30).map(|n| 2f32.powi(n)));
        let negative: Vec<_> = edges.iter().map(|edge| -edge).collect();
        edges.extend(negative);
        edges
    }

    #[test]
    #[cfg_attr(miri, ignore = "four million cases")]
    fn equals_hardware_on_all_edges() {
        let edges = edges();
        for &a in &edges {
            for &b in &edges {
                for &c in &edges {
                    assert_fused(a, b, c);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 50 } else { 200_000 }))]

        #[test]
        fn equals_hardware_on_any_bits(a: u32, b: u32, c: u32) {
            assert_fused(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
        }

        /// Results close to the midpoint of two neighbours, where rounding twice goes wrong.
        #[test]
        fn equals_hardware_near_halfway(
            a in 1u32..1 << 24,
            b in 1u32..1 << 24,
            c in 1u32..1 << 24,
            gap in -60i32..60,
            negative: bool,
        ) {
            let shift = |value: u32, exponent: i32| value as f32 * 2f32.powi(exponent);
            let c = shift(c, gap) * if negative { -1.0 } else { 1.0 };
            assert_fused(a as f32, b as f32, c);
            // A sum that is exactly halfway, then pushed off it by the last bit of a·b.
            assert_fused(shift(a | 1, -30), shift((1 << 23) | 1, -30), c);
        }

        #[test]
        fn equals_hardware_among_subnormals(a in 0u32..0x0100_0000, b: u32, c in 0u32..0x0100_0000, negative: bool) {
            let c = f32::from_bits(c | u32::from(negative) << 31);
            let unit = f32::from_bits((b & 0x807f_ffff) | 0x3f00_0000);
            assert_fused(f32::from_bits(a), unit, c);
            assert_fused(f32::from_bits(a), f32::from_bits(b), c);
        }
    }
}
