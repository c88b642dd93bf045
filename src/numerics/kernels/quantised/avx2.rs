//! [`Integers`] with AVX2: two registers of 32 bytes. Pairs are added in 16 bits.

use std::arch::x86_64::*;

use super::integers::{IntegerKernel, Integers};
use crate::numerics::kernels::avx2::Avx2;

/// Evaluates intrinsics of AVX2, FMA and F16C, given the proof.
macro_rules! avx2 {
    ($proof:ident, $operation:expr) => {{
        let _: Avx2 = $proof;
        // SAFETY: `Avx2` is only made by `detect`, which saw that the CPU has AVX2, FMA and
        // F16C. Loads reach bytes 0..32 and 32..64 of references to 64, 0..16 and 16..32 of
        // references to 32, and 0..8 and 8..16 of references to 16.
        unsafe { $operation }
    }};
}

/// The same operation on both registers.
macro_rules! both {
    ($proof:ident, |$i:ident| $operation:expr) => {
        avx2!(
            $proof,
            [
                {
                    let $i = 0;
                    $operation
                },
                {
                    let $i = 1;
                    $operation
                }
            ]
        )
    };
}

impl Integers for Avx2 {
    type Floats = Self;
    type Bytes = [__m256i; 2];
    type Part = [__m256i; 2];
    type Words = [__m256i; 2];

    const TILE_ROWS: usize = 2;
    const BIASED: bool = false;
    const WIDE: bool = false;

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline]
    fn enter_integers<K: IntegerKernel>(self, kernel: K) {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn compiled<K: IntegerKernel>(integers: Avx2, kernel: K) {
            kernel.run(integers);
        }
        avx2!(self, compiled(self, kernel));
    }

    #[inline(always)]
    fn bytes(self, from: &[u8; 64]) -> [__m256i; 2] {
        both!(self, |i| _mm256_loadu_si256(
            from.as_ptr().add(32 * i).cast()
        ))
    }

    #[inline(always)]
    fn bits(self, bytes: [__m256i; 2], shift: u32, mask: u8) -> [__m256i; 2] {
        both!(self, |i| {
            let shifted = _mm256_srl_epi16(bytes[i], _mm_cvtsi32_si128(shift.cast_signed()));
            _mm256_and_si256(shifted, _mm256_set1_epi8(mask.cast_signed()))
        })
    }

    #[inline(always)]
    fn above(self, a: [__m256i; 2], b: [__m256i; 2], shift: u32) -> [__m256i; 2] {
        both!(self, |i| {
            let shifted = _mm256_sll_epi16(b[i], _mm_cvtsi32_si128(shift.cast_signed()));
            _mm256_or_si256(a[i], shifted)
        })
    }

    #[inline(always)]
    fn unsigned(self, codes: [__m256i; 2]) -> [__m256i; 2] {
        both!(self, |i| _mm256_abs_epi8(codes[i]))
    }

    #[inline(always)]
    fn none(self) -> [__m256i; 2] {
        both!(self, |_i| _mm256_setzero_si256())
    }

    #[inline(always)]
    fn add(self, part: [__m256i; 2], codes: [__m256i; 2], x: [i8; 4]) -> [__m256i; 2] {
        both!(self, |i| {
            let x = _mm256_set1_epi32(four(x));
            _mm256_add_epi16(part[i], _mm256_maddubs_epi16(codes[i], x))
        })
    }

    #[inline(always)]
    fn add_signed(
        self,
        part: [__m256i; 2],
        codes: [__m256i; 2],
        unsigned: [__m256i; 2],
        x: [i8; 4],
    ) -> [__m256i; 2] {
        both!(self, |i| {
            let x = _mm256_sign_epi8(_mm256_set1_epi32(four(x)), codes[i]);
            _mm256_add_epi16(part[i], _mm256_maddubs_epi16(unsigned[i], x))
        })
    }

    #[inline(always)]
    fn start(self, value: i32, shift: u32) -> [__m256i; 2] {
        both!(self, |_i| _mm256_sll_epi32(
            _mm256_set1_epi32(value),
            _mm_cvtsi32_si128(shift.cast_signed())
        ))
    }

    #[inline(always)]
    fn add_part(self, words: [__m256i; 2], part: [__m256i; 2]) -> [__m256i; 2] {
        both!(self, |i| {
            let pairs = _mm256_madd_epi16(part[i], _mm256_set1_epi16(1));
            _mm256_add_epi32(words[i], pairs)
        })
    }

    #[inline(always)]
    fn to_floats(self, words: [__m256i; 2]) -> [__m256; 2] {
        both!(self, |i| _mm256_cvtepi32_ps(words[i]))
    }

    #[inline(always)]
    fn halves(self, from: &[u8; 32]) -> [__m256; 2] {
        both!(self, |i| {
            _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().add(16 * i).cast()))
        })
    }

    #[inline(always)]
    fn small(self, from: &[u8; 16]) -> [__m256; 2] {
        both!(self, |i| {
            let eight = _mm_loadl_epi64(from.as_ptr().add(8 * i).cast());
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight))
        })
    }

    #[inline(always)]
    fn small_signed(self, from: &[u8; 16]) -> [__m256; 2] {
        both!(self, |i| {
            let eight = _mm_loadl_epi64(from.as_ptr().add(8 * i).cast());
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight))
        })
    }
}

/// Four bytes as one integer.
#[inline(always)]
fn four(x: [i8; 4]) -> i32 {
    i32::from_le_bytes(x.map(i8::cast_unsigned))
}
