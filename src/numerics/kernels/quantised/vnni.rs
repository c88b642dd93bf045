//! [`Integers`] with AVX-512 and its instructions for sums of products of bytes (VNNI): one
//! register, nothing is added in fewer than 32 bits.

use std::arch::x86_64::*;

use super::integers::{IntegerKernel, Integers};
use crate::numerics::kernels::avx512::Avx512;

/// Proof that the CPU has AVX-512F, BW and VNNI.
#[derive(Debug, Clone, Copy)]
pub(in crate::numerics::kernels) struct Vnni(Avx512);

impl Vnni {
    /// The proof, if the CPU can give it.
    pub fn detect(lanes: Avx512) -> Option<Self> {
        let all = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni");
        all.then_some(Self(lanes))
    }
}

/// Evaluates intrinsics of AVX-512F, BW and VNNI, given the proof.
macro_rules! vnni {
    ($proof:ident, $operation:expr) => {{
        let _: Vnni = $proof;
        // SAFETY: `Vnni` is only made by `detect`, which saw that the CPU has AVX-512F, BW and
        // VNNI. Loads reach all bytes of references to 64, 32 and 16.
        unsafe { $operation }
    }};
}

impl Integers for Vnni {
    type Floats = Avx512;
    type Bytes = __m512i;
    type Part = __m512i;
    type Words = __m512i;

    const TILE_ROWS: usize = 6;
    const BIASED: bool = true;
    const WIDE: bool = true;

    #[inline(always)]
    fn floats(self) -> Avx512 {
        self.0
    }

    #[inline]
    fn enter_integers<K: IntegerKernel>(self, kernel: K) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
        fn compiled<K: IntegerKernel>(integers: Vnni, kernel: K) {
            kernel.run(integers);
        }
        vnni!(self, compiled(self, kernel));
    }

    #[inline(always)]
    fn bytes(self, from: &[u8; 64]) -> __m512i {
        vnni!(self, _mm512_loadu_si512(from.as_ptr().cast()))
    }

    #[inline(always)]
    fn bits(self, bytes: __m512i, shift: u32, mask: u8) -> __m512i {
        vnni!(self, {
            let shifted = _mm512_srl_epi16(bytes, _mm_cvtsi32_si128(shift.cast_signed()));
            _mm512_and_si512(shifted, _mm512_set1_epi8(mask.cast_signed()))
        })
    }

    #[inline(always)]
    fn above(self, a: __m512i, b: __m512i, shift: u32) -> __m512i {
        vnni!(self, {
            let shifted = _mm512_sll_epi16(b, _mm_cvtsi32_si128(shift.cast_signed()));
            _mm512_or_si512(a, shifted)
        })
    }

    #[inline(always)]
    fn unsigned(self, codes: __m512i) -> __m512i {
        vnni!(self, _mm512_xor_si512(codes, _mm512_set1_epi8(i8::MIN)))
    }

    #[inline(always)]
    fn none(self) -> __m512i {
        vnni!(self, _mm512_setzero_si512())
    }

    #[inline(always)]
    fn add(self, part: __m512i, codes: __m512i, x: [i8; 4]) -> __m512i {
        let x = i32::from_le_bytes(x.map(i8::cast_unsigned));
        vnni!(self, _mm512_dpbusd_epi32(part, codes, _mm512_set1_epi32(x)))
    }

    #[inline(always)]
    fn add_signed(self, part: __m512i, _: __m512i, unsigned: __m512i, x: [i8; 4]) -> __m512i {
        self.add(part, unsigned, x)
    }

    #[inline(always)]
    fn start(self, value: i32, shift: u32) -> __m512i {
        vnni!(
            self,
            _mm512_sll_epi32(
                _mm512_set1_epi32(value),
                _mm_cvtsi32_si128(shift.cast_signed())
            )
        )
    }

    #[inline(always)]
    fn add_part(self, words: __m512i, part: __m512i) -> __m512i {
        vnni!(self, _mm512_add_epi32(words, part))
    }

    #[inline(always)]
    fn to_floats(self, words: __m512i) -> __m512 {
        vnni!(self, _mm512_cvtepi32_ps(words))
    }

    #[inline(always)]
    fn halves(self, from: &[u8; 32]) -> __m512 {
        vnni!(
            self,
            _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast()))
        )
    }

    #[inline(always)]
    fn small(self, from: &[u8; 16]) -> __m512 {
        vnni!(self, {
            let sixteen = _mm_loadu_si128(from.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(sixteen))
        })
    }

    #[inline(always)]
    fn small_signed(self, from: &[u8; 16]) -> __m512 {
        vnni!(self, {
            let sixteen = _mm_loadu_si128(from.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(sixteen))
        })
    }
}
