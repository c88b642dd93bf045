//! Several steps of [`software`](super::software)'s fast route in the registers that every
//! x86-64 has: two sums in each, sixteen at a time.

use std::arch::x86_64::*;

use super::HALF;
use crate::numerics::kernels::lanes::LANES;
use crate::numerics::kernels::panel::Step;

/// The left side of `U` steps, each value in both lanes.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn spread<const R: usize, const V: usize, const U: usize>(
    step: &Step<'_, R, V, U>,
) -> [[__m128d; R]; U] {
    let mut x = [[_mm_setzero_pd(); R]; U];
    for (u, x) in x.iter_mut().enumerate() {
        for (r, x) in x.iter_mut().enumerate() {
            *x = _mm_set1_pd(f64::from(step.x(r, u)));
        }
    }
    x
}

/// `U` steps for the `2 P` lanes of vector `v` from `first` on; false, with `sums` as they
/// were, where a step was halfway between two `f32`.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn fast_steps<const R: usize, const V: usize, const U: usize, const P: usize>(
    x: &[[__m128d; R]; U],
    step: &Step<'_, R, V, U>,
    v: usize,
    first: usize,
    sums: &mut [[[f64; LANES]; V]; R],
) -> bool {
    let half = _mm_set1_epi64x(HALF as i64);
    let kept_bits = _mm_set1_epi64x(!(2 * HALF - 1) as i64);
    let mut halfway = _mm_setzero_si128();
    let mut next = [[_mm_setzero_pd(); P]; R];
    for (next, sums) in next.iter_mut().zip(sums.iter()) {
        let pairs = sums[v][first..].as_chunks::<2>().0;
        for (next, &[low, high]) in next.iter_mut().zip(pairs) {
            *next = _mm_set_pd(high, low);
        }
    }
    for (u, x) in x.iter().enumerate() {
        let weights = step.vector(v, u)[first..].as_chunks::<2>().0;
        for (p, &[low, high]) in weights.iter().take(P).enumerate() {
            let weights = _mm_cvtps_pd(_mm_set_ps(0.0, 0.0, high, low));
            for (&x, next) in x.iter().zip(&mut next) {
                let sum = _mm_add_pd(_mm_mul_pd(x, weights), next[p]);
                let above = _mm_add_epi64(_mm_castpd_si128(sum), half);
                let kept = _mm_and_si128(above, kept_bits);
                // Equal in the lower half where nothing was cut off: only there is the sum
                // halfway. The upper halves are always equal.
                halfway = _mm_or_si128(halfway, _mm_cmpeq_epi32(above, kept));
                next[p] = _mm_castsi128_pd(kept);
            }
        }
    }
    if _mm_movemask_ps(_mm_castsi128_ps(halfway)) & 0b0101 != 0 {
        return false;
    }
    for (next, sums) in next.iter().zip(sums) {
        let pairs = sums[v][first..].as_chunks_mut::<2>().0;
        for (&next, pair) in next.iter().zip(pairs) {
            *pair = [
                _mm_cvtsd_f64(next),
                _mm_cvtsd_f64(_mm_unpackhi_pd(next, next)),
            ];
        }
    }
    true
}
