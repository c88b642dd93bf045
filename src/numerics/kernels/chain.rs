//! Chains of fused multiply–adds for CPUs that may have none, several at a time.
//!
//! A chain is carried in `f64`, whose values it keeps to those of `f32`. One step
//! adds the exact product, which rounds to 53 bits, and then rounds to the 24 of an
//! `f32` by adding half a unit of the last place kept and clearing what is below.
//! That equals a single rounding of the exact sum except where
//!
//! - the sum to 53 bits lies halfway between two `f32`: its last 29 bits are 1 and
//!   zeros. Such a step is taken again with [`odd_sum`](fma::odd_sum);
//! - the result is subnormal, so that halfway lies elsewhere. While every product
//!   is zero or at least 2⁻¹⁰⁰, all sums are multiples of 2⁻¹⁴⁹, and those below
//!   2⁻¹²⁶ are `f32` already;
//! - the result overflows, or is an infinity or a NaN. While the magnitudes of all
//!   terms add up to at most 2¹²⁰, none does.
//!
//! Where the factors' [`Magnitudes`] do not promise the last two, every step is
//! taken with `odd_sum`. So the fast route is an optimisation that cannot be
//! seen in a result.

use super::fma;
use super::lanes::LANES;
use super::panel::{Columns, Magnitudes};

/// The lowest set bit where the last 29 bits are 1 and zeros.
const HALF: u64 = 1 << 28;

/// `acc[r][v][l]` ← fma(`a[r][k]`, `b[k][16 v + l]`, `acc[r][v][l]`) over k ascending.
pub(super) fn software<const R: usize, const V: usize>(
    a: [&[f32]; R],
    b: Columns<'_, V>,
    acc: &mut [[[f32; LANES]; V]; R],
) {
    let mut ordinary = true;
    for (a, acc) in a.iter().zip(acc.iter()) {
        let bounds = Magnitudes::of(acc.as_flattened());
        ordinary &= is_ordinary(Magnitudes::of(a), b.magnitudes(), bounds, a.len());
    }
    let mut sums = [[[0.0; LANES]; V]; R];
    for (sums, acc) in sums.as_flattened_mut().iter_mut().zip(acc.as_flattened()) {
        *sums = acc.map(f64::from);
    }
    for k in 0..b.depth() {
        let row = b.row(k);
        if R == 1 {
            prefetch(b.beyond(k, PREFETCH), V);
        }
        for v in 0..V {
            let weights = row[v].map(f64::from);
            for (a, sums) in a.iter().zip(&mut sums) {
                let x = f64::from(a[k]);
                if !ordinary || !fast_step(x, &weights, &mut sums[v]) {
                    careful_step(x, &weights, &mut sums[v]);
                }
            }
        }
    }
    for (sums, acc) in sums.as_flattened().iter().zip(acc.as_flattened_mut()) {
        *acc = sums.map(|sum| sum as f32);
    }
}

/// How many values ahead a single row fetches: it reads each weight once, and the
/// steps between two loads are too many for the CPU to look past by itself.
const PREFETCH: usize = 256;

/// Asks for the first `vectors` vectors of `data`, if they exist.
#[inline(always)]
fn prefetch(data: &[f32], vectors: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in data.chunks(LANES).take(vectors) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads and writes nothing that the program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, vectors);
}

/// One step by two roundings; false, with `sums` as they were, where one differs from a single rounding.
#[inline(always)]
fn fast_step(x: f64, weights: &[f64; LANES], sums: &mut [f64; LANES]) -> bool {
    let mut next = [0.0; LANES];
    let mut lowest = 0;
    for l in 0..LANES {
        next[l] = x * weights[l] + sums[l];
        let bits = next[l].to_bits() as u32;
        lowest |= bits & bits.wrapping_neg();
    }
    if lowest & HALF as u32 != 0 {
        return false;
    }
    for l in 0..LANES {
        sums[l] = f64::from_bits((next[l].to_bits() + HALF) & !(2 * HALF - 1));
    }
    true
}

/// One step rounded to odd, then to `f32`.
#[inline(always)]
fn careful_step(x: f64, weights: &[f64; LANES], sums: &mut [f64; LANES]) {
    for l in 0..LANES {
        sums[l] = f64::from(fma::odd_sum(x * weights[l], sums[l]) as f32);
    }
}

/// Whether chains of `depth` products that start at `acc` stay where [`fast_step`] holds.
fn is_ordinary(a: Magnitudes, b: Magnitudes, acc: Magnitudes, depth: usize) -> bool {
    /// 2⁻¹⁰⁰.
    const SMALLEST_PRODUCT: f64 = f64::from_bits((1023 - 100) << 52);
    /// 2¹²⁰; rounding makes sums grow by less than e in 2²⁴ steps.
    const LARGEST_SUM: f64 = f64::from_bits((1023 + 120) << 52);
    let smallest = f64::from(a.smallest) * f64::from(b.smallest);
    let largest = f64::from(a.largest) * f64::from(b.largest);
    smallest >= SMALLEST_PRODUCT
        && largest * depth as f64 + f64::from(acc.largest) <= LARGEST_SUM
        && depth <= 1 << 24
}
