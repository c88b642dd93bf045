//! Gaussian numbers whose bits are defined here.
//!
//! The transform is Box and Muller's (Annals of Mathematical Statistics 29, 1958):
//! from two independent uniforms U on (0, 1] and an angle φ uniform on the circle,
//! √(−2 ln U)·(cos φ, sin φ) is a pair of independent standard normals.
//!
//! Everything here is additions, multiplications, one division and one square root
//! of IEEE doubles plus integer bit operations, in one fixed order and without a
//! branch: each is correctly rounded, so the compiler may vectorise at any width
//! and no bit changes. [`crate::wide`] picks the widest vectors that the
//! CPU has. Nothing here may ask the platform for a logarithm, a sine or a fused
//! multiply-add.
//!
//! # From bits to a pair
//!
//! A pair takes two words of the stream, `a` then `b`.
//!
//! - The top 52 bits of `a` make x ∈ [1, 2); U = 2 − x is a multiple of 2⁻⁵² in (0, 1],
//!   so that a normal reaches at most √(104 ln 2) = 8.49 standard deviations.
//! - The low 52 bits of `b` make δ ∈ [−π/4, π/4); bit 63 mirrors it in the vertical
//!   axis, bit 62 in the diagonal. The four images cover the circle once.
//!
//! Logarithm: with U = 2ᵏ·m, m ∈ [√½, √2), and s = (m − 1)/(m + 1),
//! ln U = k ln 2 + 2 artanh s, where |s| < 0.1716, artanh by its power series to s²¹.
//! Sine and cosine of δ by their power series to δ¹⁵ and δ¹⁶. All three truncation
//! errors lie below 10⁻¹⁶.

use super::BulkDistribution;
use crate::wide;
use num_complex::Complex;
use rand::distr::Distribution;
use rand::{Rng, RngExt};
use std::f64::consts::{FRAC_PI_2, LN_2, SQRT_2};

/// Pairs made per pass: large enough to amortise the generator, small enough for
/// the stack and the first-level cache.
const PAIRS: usize = 128;

const MANTISSA: u64 = (1 << 52) - 1;
const ONE: u64 = 1023 << 52;
/// Bits of √½, the lower end of the interval to which mantissas are reduced.
const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
/// 2⁵²: an integer below it, or-ed into its mantissa, becomes that double plus 2⁵².
const TWO_52: u64 = 1075 << 52;

/// Σ (s²)ⁱ/(2i + 1), i ≤ 10: artanh s = s · this.
const ARTANH: [f64; 11] = [
    1.0,
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
];
/// (−1)ⁱ/(2i + 1)!: sin δ = δ · Σ.
const SINE: [f64; 8] = [
    1.0,
    -1.0 / 6.0,
    1.0 / 120.0,
    -1.0 / 5040.0,
    1.0 / 362_880.0,
    -1.0 / 39_916_800.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 1_307_674_368_000.0,
];
/// (−1)ⁱ/(2i)!.
const COSINE: [f64; 9] = [
    1.0,
    -1.0 / 2.0,
    1.0 / 24.0,
    -1.0 / 720.0,
    1.0 / 40_320.0,
    -1.0 / 3_628_800.0,
    1.0 / 479_001_600.0,
    -1.0 / 87_178_291_200.0,
    1.0 / 20_922_789_888_000.0,
];

/// Horner's rule, highest coefficient first.
#[inline(always)]
fn horner<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let mut sum = coefficients[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum * x + coefficients[i];
    }
    sum
}

/// −2 ln U for the U that `word` stands for.
#[inline(always)]
fn minus_two_ln(word: u64) -> f64 {
    let u = 2.0 - f64::from_bits(ONE | (word >> 12));
    let bits = u.to_bits();
    let shifted = bits + (ONE - SQRT_HALF);
    let exponent = f64::from_bits(TWO_52 | (shifted >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits(bits + ONE - (shifted & !MANTISSA));
    let s = (m - 1.0) / (m + 1.0);
    exponent * (-2.0 * LN_2) - (4.0 * s) * horner(&ARTANH, s * s)
}

/// (cos φ, sin φ) for the angle that `word` stands for.
#[inline(always)]
fn direction(word: u64) -> (f64, f64) {
    let delta = (f64::from_bits(ONE | (word & MANTISSA)) - 1.5) * FRAC_PI_2;
    let square = delta * delta;
    let sine = (delta * horner(&SINE, square)).to_bits();
    let cosine = horner(&COSINE, square).to_bits() | (word & (1 << 63));
    let swap = 0u64.wrapping_sub((word >> 62) & 1);
    let exchanged = (sine ^ cosine) & swap;
    (
        f64::from_bits(cosine ^ exchanged),
        f64::from_bits(sine ^ exchanged),
    )
}

#[inline(always)]
fn pair(a: u64, b: u64) -> (f64, f64) {
    let radius = minus_two_ln(a).sqrt();
    let (cosine, sine) = direction(b);
    (radius * cosine, radius * sine)
}

/// The normal distribution N(0, 1).
///
/// Normals come in pairs. A `f64` alone takes a pair's two words and drops the second
/// number; [`fill`](BulkDistribution::fill) uses both, and drops the second of the last
/// pair of an odd length. So filling two slices of even length one after the other gives
/// the same numbers as filling one slice of their joint length. A `Complex<f64>` is one
/// pair: circularly symmetric CN(0, 1), its real and imaginary part independent N(0, ½).
/// `f32` has a transform of its own, which takes one word for a pair.
///
/// Source: Box–Muller, see `src/rng/normal.rs` and `normal_single.rs`. Range: |x| ≤ 8.49
/// in double precision, 6.67 in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandardNormal;

#[inline(always)]
fn fill<R: Rng + ?Sized>(rng: &mut R, out: &mut [f64]) {
    let mut words = [0u64; 2 * PAIRS];
    let mut chunks = out.chunks_exact_mut(2 * PAIRS);
    for chunk in &mut chunks {
        rng.fill(&mut words);
        for (two, word) in chunk.chunks_exact_mut(2).zip(words.chunks_exact(2)) {
            (two[0], two[1]) = pair(word[0], word[1]);
        }
    }
    let rest = chunks.into_remainder();
    let words = &mut words[..rest.len().next_multiple_of(2)];
    rng.fill(words);
    for (two, word) in rest.chunks_mut(2).zip(words.chunks_exact(2)) {
        let (first, second) = pair(word[0], word[1]);
        two[0] = first;
        if let Some(last) = two.get_mut(1) {
            *last = second;
        }
    }
}

impl BulkDistribution<f64> for StandardNormal {
    fn fill<R: Rng + ?Sized>(&self, rng: &mut R, out: &mut [f64]) {
        wide::run(
            #[inline(always)]
            || fill(rng, out),
        );
    }
}

impl Distribution<f64> for StandardNormal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        pair(rng.next_u64(), rng.next_u64()).0
    }
}

impl Distribution<Complex<f64>> for StandardNormal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Complex<f64> {
        let (re, im) = pair(rng.next_u64(), rng.next_u64());
        Complex::new(re * (SQRT_2 / 2.0), im * (SQRT_2 / 2.0))
    }
}
