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

#[cfg(target_arch = "x86_64")]
mod sse2;

use std::ops::Range;

use super::fma;
use super::lanes::LANES;
use super::panel::{Magnitudes, Operands, Step};

/// Half a unit of the last place that an `f32` keeps of an `f64`.
const HALF: u64 = 1 << 28;

/// Steps taken before it is asked whether one of them was halfway, sums staying in
/// registers in between.
const BLOCK: usize = 16;

/// `acc[r][v][l]` ← fma(value k of row r, lane l of vector v of row k, `acc[r][v][l]`)
/// over k ascending.
#[inline(always)]
pub(super) fn software<const R: usize, const V: usize>(
    operands: Operands<'_, R, V>,
    acc: &mut [[[f32; LANES]; V]; R],
) {
    let depth = operands.depth();
    let mut ordinary = true;
    for (r, acc) in acc.iter().enumerate() {
        let (a, acc) = (operands.row(r), Magnitudes::of(acc.as_flattened()));
        ordinary &= is_ordinary(Magnitudes::of(a), operands.magnitudes(), acc, depth);
    }
    let mut sums = [[[0.0; LANES]; V]; R];
    for (sums, acc) in sums.as_flattened_mut().iter_mut().zip(acc.as_flattened()) {
        *sums = acc.map(f64::from);
    }
    for step in operands.steps::<BLOCK>(0) {
        block(&step, ordinary, &mut sums);
    }
    for step in operands.steps::<1>(depth - depth % BLOCK) {
        for v in 0..V {
            one_by_one(&step, ordinary, v, 0..LANES, &mut sums);
        }
    }
    for (sums, acc) in sums.as_flattened().iter().zip(acc.as_flattened_mut()) {
        *acc = sums.map(|sum| sum as f32);
    }
}

/// Some steps of all chains.
#[inline(always)]
fn block<const R: usize, const V: usize>(
    step: &Step<'_, R, V, BLOCK>,
    ordinary: bool,
    sums: &mut [[[f64; LANES]; V]; R],
) {
    #[cfg(target_arch = "x86_64")]
    {
        // Sixteen sums fill half of the registers, and are enough for none to wait long for
        // the step before.
        let lanes = match R {
            1 => 16,
            2 => 8,
            _ => 4,
        };
        // SAFETY: every x86-64 has SSE2.
        let x = unsafe { sse2::spread(step) };
        for v in 0..V {
            for first in (0..LANES).step_by(lanes) {
                // SAFETY: every x86-64 has SSE2.
                let fast = ordinary
                    && unsafe {
                        match R {
                            1 => sse2::fast_steps::<R, V, BLOCK, 8>(&x, step, v, first, sums),
                            2 => sse2::fast_steps::<R, V, BLOCK, 4>(&x, step, v, first, sums),
                            _ => sse2::fast_steps::<R, V, BLOCK, 2>(&x, step, v, first, sums),
                        }
                    };
                if !fast {
                    one_by_one(step, ordinary, v, first..first + lanes, sums);
                }
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    for v in 0..V {
        one_by_one(step, ordinary, v, 0..LANES, sums);
    }
}

/// Some steps for the lanes `lanes` of vector `v`, each by two roundings where those are
/// as good as one.
#[inline(never)]
fn one_by_one<const R: usize, const V: usize, const U: usize>(
    step: &Step<'_, R, V, U>,
    ordinary: bool,
    v: usize,
    lanes: Range<usize>,
    sums: &mut [[[f64; LANES]; V]; R],
) {
    for u in 0..U {
        let weights = &step.vector(v, u)[lanes.clone()];
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = f64::from(step.x(r, u));
            let sums = &mut sums[v][lanes.clone()];
            if !ordinary || !fast_step(x, weights, sums) {
                careful_step(x, weights, sums);
            }
        }
    }
}

/// One step by two roundings; false, with `sums` as they were, where one differs from a single rounding.
#[inline(always)]
fn fast_step(x: f64, weights: &[f32], sums: &mut [f64]) -> bool {
    let mut next = [0.0; LANES];
    let mut lowest = 0;
    for ((next, &weight), &sum) in next.iter_mut().zip(weights).zip(sums.iter()) {
        *next = x * f64::from(weight) + sum;
        let bits = next.to_bits() as u32;
        lowest |= bits & bits.wrapping_neg();
    }
    // The lowest bit set is that of half a unit.
    if lowest & HALF as u32 != 0 {
        return false;
    }
    for (sum, next) in sums.iter_mut().zip(next) {
        *sum = f64::from_bits((next.to_bits() + HALF) & !(2 * HALF - 1));
    }
    true
}

/// One step rounded to odd, then to `f32`.
#[inline(always)]
fn careful_step(x: f64, weights: &[f32], sums: &mut [f64]) {
    for (&weight, sum) in weights.iter().zip(sums) {
        *sum = f64::from(fma::odd_sum(x * f64::from(weight), *sum) as f32);
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
