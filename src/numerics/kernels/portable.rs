//! [`Lanes`] without any particular instructions: arrays of sixteen.
//!
//! Where the CPU may lack fused multiply–adds, products take a route of their own,
//! [`chain`].

use super::lanes::{Kernel, LANES, Lanes, fused_tile};
use super::panel::Operands;
use super::{chain, fma};

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

    const TILE_ROWS: usize = if fma::IN_HARDWARE { 6 } else { 4 };

    const TILE_DEPTH: usize = 320;

    fn tile_vectors(rows: usize) -> usize {
        match rows {
            // In software, sixteen sums at a time are taken anyway.
            _ if !fma::IN_HARDWARE => 1,
            // With hardware these fill NEON's 32 registers of four lanes.
            1 => 4,
            2 => 3,
            3 => 2,
            _ => 1,
        }
    }

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
        operands: Operands<'_, R, V>,
        acc: &mut [[[f32; LANES]; V]; R],
    ) {
        if fma::IN_HARDWARE {
            fused_tile(self, operands, acc);
        } else {
            chain::software(operands, acc);
        }
    }

    #[inline(always)]
    fn canonical(self, a: [f32; LANES]) -> [f32; LANES] {
        each(|i| if a[i].is_nan() { f32::NAN } else { a[i] })
    }
}
