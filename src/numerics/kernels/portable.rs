//! [`Lanes`] without any particular instructions: arrays of sixteen.
//!
//! Where the CPU may lack fused multiply–adds, products take a route of their own
//! through `f64`, given at `software_chain`.

use super::fma;
use super::lanes::{Kernel, LANES, Lanes, Panel, sixteen, smallest_magnitude};

/// The path that every CPU can run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

/// Applies `operation` in each lane.
#[inline(always)]
fn each(mut operation: impl FnMut(usize) -> f32) -> [f32; LANES] {
    let mut result = [0.0; LANES];
    for (i, lane) in result.iter_mut().enumerate() {
        *lane = operation(i);
    }
    result
}

impl Lanes for Portable {
    type Vector = [f32; LANES];

    const TILE_ROWS: usize = 2;
    const TILE_VECTORS: usize = 1;

    #[inline]
    fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; LANES] {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> [f32; LANES] {
        *values
    }

    #[inline(always)]
    fn store(self, vector: [f32; LANES], to: &mut [f32; LANES]) {
        *to = vector;
    }

    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn div(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| a[i] / b[i])
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        each(|i| fma::mul_add(a[i], b[i], c[i]))
    }

    #[inline(always)]
    fn max(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn negative_abs(self, a: [f32; LANES]) -> [f32; LANES] {
        each(|i| -a[i].abs())
    }

    #[inline(always)]
    fn where_negative(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        each(|i| if a[i] < 0.0 { b[i] } else { c[i] })
    }

    #[inline(always)]
    fn scale(self, a: [f32; LANES], n: [f32; LANES]) -> [f32; LANES] {
        /// 1.5 · 2²³: added to a small integer, it leaves that in the last bits.
        const MAGIC: f32 = 12_582_912.0;
        each(|i| {
            // 2ⁿ in two exact factors, so that only the second product rounds.
            let n = ((n[i] + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits())) as i32;
            let half = n >> 1;
            let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23) as u32);
            a[i] * power(half) * power(n.wrapping_sub(half))
        })
    }

    #[inline(always)]
    fn tile<const R: usize, const V: usize>(
        self,
        a: [&[f32]; R],
        b: Panel<'_>,
        acc: &mut [[[f32; LANES]; V]; R],
    ) {
        for (row, vectors) in a.iter().zip(acc) {
            for (v, acc) in vectors.iter_mut().enumerate() {
                software_chain(&row[..b.depth], b, v * LANES, acc);
            }
        }
    }

    #[inline(always)]
    fn canonical(self, a: [f32; LANES]) -> [f32; LANES] {
        each(|i| if a[i].is_nan() { f32::NAN } else { a[i] })
    }
}

/// acc_l ← fma(a_k, b_kl, acc_l), k ascending, for sixteen columns l of `b`.
///
/// The sum of the exact product and `acc` is rounded to `f64`, then to `f32`.
/// The second rounding can only differ from a single one where the first landed
/// exactly halfway between two neighbouring `f32`, that is where the last 29 bits of
/// its 53 are 1 followed by zeros. Such a step is done again with
/// [`fma::odd_sum`]. In the subnormal range halfway lies elsewhere, but while
/// every product that is not zero is at least 2⁻¹⁰⁰, all values are multiples of 2⁻¹⁴⁶, so that
/// sums below 2⁻¹²⁶ are exact; smaller factors take the careful step throughout.
fn software_chain(a: &[f32], b: Panel<'_>, column: usize, acc: &mut [f32; LANES]) {
    /// 2⁻¹⁰⁰.
    const SMALLEST_PRODUCT: f32 = f32::from_bits((127 - 100) << 23);
    let ordinary = smallest_magnitude(a) * b.smallest >= SMALLEST_PRODUCT;
    let mut wide = acc.map(f64::from);
    for (&x, row) in a.iter().zip(b.rows()) {
        let x = f64::from(x);
        let weights = sixteen(&row[column..]);
        let mut sums = [0.0; LANES];
        let mut halfway = 0;
        for l in 0..LANES {
            sums[l] = x * f64::from(weights[l]) + wide[l];
            halfway |= u32::from((sums[l].to_bits() as u32) << 3 == 1 << 31);
        }
        if halfway != 0 || !ordinary {
            for l in 0..LANES {
                sums[l] = fma::odd_sum(x * f64::from(weights[l]), wide[l]);
            }
        }
        for l in 0..LANES {
            wide[l] = f64::from(sums[l] as f32);
        }
    }
    *acc = wide.map(|value| value as f32);
}
