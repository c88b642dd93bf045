//! [`Lanes`] with AVX2, FMA and F16C, which every CPU with AVX2 has: two registers of eight.

use std::arch::x86_64::*;

use super::lanes::{Kernel, LANES, Lanes};

/// Proof that the CPU has AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The proof, if the CPU can give it.
    pub fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        all.then_some(Self(()))
    }
}

/// Evaluates intrinsics of AVX2 and FMA, given the proof.
macro_rules! avx2 {
    ($proof:ident, $operation:expr) => {{
        let _: Avx2 = $proof;
        // SAFETY: `Avx2` is only made by `detect`, which saw that the CPU has
        // AVX2, FMA and F16C. Loads and stores reach values 0..8 and 8..16 of
        // references to sixteen.
        unsafe { $operation }
    }};
}

impl Lanes for Avx2 {
    type Vector = [__m256; 2];

    const TILE_ROWS: usize = 6;

    /// A strip of weights of 20 KiB, in a first-level cache of 32.
    const TILE_DEPTH: usize = 320;

    fn tile_vectors(rows: usize) -> usize {
        match rows {
            1 => 6,
            2 => 3,
            3 => 2,
            _ => 1,
        }
    }

    #[inline]
    fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(lanes: Avx2, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        avx2!(self, compiled(self, kernel))
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        avx2!(self, [_mm256_set1_ps(value); 2])
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> [__m256; 2] {
        avx2!(
            self,
            [
                _mm256_loadu_ps(values.as_ptr()),
                _mm256_loadu_ps(values.as_ptr().add(8))
            ]
        )
    }

    #[inline(always)]
    fn store(self, vector: [__m256; 2], to: &mut [f32; LANES]) {
        avx2!(self, {
            _mm256_storeu_ps(to.as_mut_ptr(), vector[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), vector[1]);
        });
    }

    #[inline(always)]
    fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn sub(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn div(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn mul_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        avx2!(
            self,
            [
                _mm256_fmadd_ps(a[0], b[0], c[0]),
                _mm256_fmadd_ps(a[1], b[1], c[1])
            ]
        )
    }

    #[inline(always)]
    fn max(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn min(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn negative_abs(self, a: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, {
            let sign = _mm256_set1_ps(-0.0);
            [_mm256_or_ps(a[0], sign), _mm256_or_ps(a[1], sign)]
        })
    }

    #[inline(always)]
    fn where_negative(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, {
            let zero = _mm256_setzero_ps();
            [
                _mm256_blendv_ps(c[0], b[0], _mm256_cmp_ps::<_CMP_LT_OQ>(a[0], zero)),
                _mm256_blendv_ps(c[1], b[1], _mm256_cmp_ps::<_CMP_LT_OQ>(a[1], zero)),
            ]
        })
    }

    #[inline(always)]
    fn scale(self, a: [__m256; 2], n: [__m256; 2]) -> [__m256; 2] {
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        fn eight(a: __m256, n: __m256) -> __m256 {
            // 2ⁿ in two exact factors, so that only the second product rounds.
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            let rest = _mm256_sub_epi32(n, half);
            let bias = _mm256_set1_epi32(127);
            let first = _mm256_slli_epi32::<23>(_mm256_add_epi32(half, bias));
            let second = _mm256_slli_epi32::<23>(_mm256_add_epi32(rest, bias));
            _mm256_mul_ps(
                _mm256_mul_ps(a, _mm256_castsi256_ps(first)),
                _mm256_castsi256_ps(second),
            )
        }
        avx2!(self, [eight(a[0], n[0]), eight(a[1], n[1])])
    }

    #[inline(always)]
    fn canonical(self, a: [__m256; 2]) -> [__m256; 2] {
        avx2!(self, {
            let nan = _mm256_set1_ps(f32::NAN);
            [
                _mm256_blendv_ps(a[0], nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(a[0], a[0])),
                _mm256_blendv_ps(a[1], nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(a[1], a[1])),
            ]
        })
    }
}
