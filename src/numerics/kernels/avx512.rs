//! [`Lanes`] with AVX-512F: one register.

use std::arch::x86_64::*;

use super::lanes::{Kernel, LANES, Lanes};

/// Proof that the CPU has AVX-512F.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// The proof, if the CPU can give it.
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

/// Evaluates intrinsics of AVX-512F, given the proof.
macro_rules! avx512 {
    ($proof:ident, $operation:expr) => {{
        let _: Avx512 = $proof;
        // SAFETY: `Avx512` is only made by `detect`, which saw that the CPU has
        // AVX-512F. Loads and stores go through references to sixteen values.
        unsafe { $operation }
    }};
}

impl Lanes for Avx512 {
    type Vector = __m512;

    const TILE_ROWS: usize = 6;

    /// Two strips of 20 KiB each, in a first-level cache of 48.
    const TILE_DEPTH: usize = 320;

    /// A dozen chains hide the time of an addition, and leave registers for what several steps
    /// load ahead.
    fn tile_vectors(rows: usize) -> usize {
        match rows {
            1 | 2 => 6,
            3 => 4,
            4 => 3,
            _ => 2,
        }
    }

    #[inline]
    fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f")]
        fn compiled<K: Kernel>(lanes: Avx512, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        avx512!(self, compiled(self, kernel))
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        avx512!(self, _mm512_set1_ps(value))
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> __m512 {
        avx512!(self, _mm512_loadu_ps(values.as_ptr()))
    }

    #[inline(always)]
    fn store(self, vector: __m512, to: &mut [f32; LANES]) {
        avx512!(self, _mm512_storeu_ps(to.as_mut_ptr(), vector));
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        avx512!(self, _mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        avx512!(self, _mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        avx512!(self, _mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        avx512!(self, _mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(self, _mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        avx512!(self, _mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        avx512!(self, _mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn negative_abs(self, a: __m512) -> __m512 {
        avx512!(
            self,
            _mm512_castsi512_ps(_mm512_or_si512(
                _mm512_castps_si512(a),
                _mm512_set1_epi32(i32::MIN)
            ))
        )
    }

    #[inline(always)]
    fn where_negative(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(self, {
            let negative = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, _mm512_setzero_ps());
            _mm512_mask_blend_ps(negative, c, b)
        })
    }

    #[inline(always)]
    fn scale(self, a: __m512, n: __m512) -> __m512 {
        avx512!(self, {
            // As on the other paths rather than `vscalefps`, which miri lacks:
            // 2ⁿ in two exact factors, so that only the second product rounds.
            let n = _mm512_cvtps_epi32(n);
            let half = _mm512_srai_epi32::<1>(n);
            let rest = _mm512_sub_epi32(n, half);
            let bias = _mm512_set1_epi32(127);
            let first = _mm512_slli_epi32::<23>(_mm512_add_epi32(half, bias));
            let second = _mm512_slli_epi32::<23>(_mm512_add_epi32(rest, bias));
            _mm512_mul_ps(
                _mm512_mul_ps(a, _mm512_castsi512_ps(first)),
                _mm512_castsi512_ps(second),
            )
        })
    }

    #[inline(always)]
    fn canonical(self, a: __m512) -> __m512 {
        avx512!(self, {
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
            _mm512_mask_blend_ps(nan, a, _mm512_set1_ps(f32::NAN))
        })
    }
}
