//! Exact integer sums of products in sixteen lanes of four bytes: what products of blocks need
//! beside [`Lanes`].
//!
//! Integers are not rounded, so a path may add in whatever order suits it, as long as nothing
//! overflows on the way. Paths that add pairs in 16 bits can do so for a few groups only: at most
//! [`exact_groups`].

use crate::numerics::kernels::lanes::{LANES, Lanes};
use crate::numerics::kernels::portable::Portable;

/// Groups of four inputs of a block.
pub(super) const GROUPS: usize = 8;

/// How many groups of codes of `bits` bits, times activations of ±127, can be added in 16 bits:
/// a pair is at most 2 · 127 · (2^bits − 1), or 2 · 127 · 128 of signed codes of 8 bits.
pub(super) const fn exact_groups(bits: usize) -> usize {
    let greatest = if bits == 8 { 128 } else { (1 << bits) - 1 };
    let groups = 32_767 / (2 * 127 * greatest);
    if groups >= GROUPS {
        GROUPS
    } else if groups >= 4 {
        4
    } else if groups >= 2 {
        2
    } else {
        1
    }
}

/// The integers of one path.
pub(in crate::numerics::kernels) trait Integers:
    Copy + Send + Sync
{
    /// The path's floats.
    type Floats: Lanes;
    /// 64 bytes, four in each lane.
    type Bytes: Copy;
    /// Sums of a few groups.
    type Part: Copy;
    /// Sixteen sums in 32 bits.
    type Words: Copy;

    /// Rows of a tile that the registers hold: 2, 4 or 6.
    const TILE_ROWS: usize;
    /// Whether [`Integers::unsigned`] adds 128 to signed codes, so that products are too great by
    /// as much times the sum of activations.
    const BIASED: bool;

    /// Whether sums of products are made in 32 bits at once, so that [`exact_groups`] has no say.
    const WIDE: bool;

    /// Its floats.
    fn floats(self) -> Self::Floats;
    /// Runs `kernel` in a function compiled for this path.
    fn enter_integers<K: IntegerKernel>(self, kernel: K);

    /// Lane i holds bytes 4 i to 4 i + 3.
    fn bytes(self, from: &[u8; 64]) -> Self::Bytes;
    /// Bits `shift` and up of each byte, those of `mask`: no bit of another byte may be in it.
    fn bits(self, bytes: Self::Bytes, shift: u32, mask: u8) -> Self::Bytes;
    /// a with b's bits above its own: b shifted up by `shift`, which loses none.
    fn above(self, a: Self::Bytes, b: Self::Bytes, shift: u32) -> Self::Bytes;
    /// Signed codes of 8 bits as [`Integers::add_signed`] wants them beside themselves.
    fn unsigned(self, codes: Self::Bytes) -> Self::Bytes;

    /// Nothing yet.
    fn none(self) -> Self::Part;
    /// part + Σ of each lane's four products of unsigned `codes` with the activations `x`.
    fn add(self, part: Self::Part, codes: Self::Bytes, x: [i8; 4]) -> Self::Part;
    /// [`Integers::add`] of signed `codes`, `unsigned` being [`Integers::unsigned`] of them; too
    /// great by 128 times the sum of the activations if [`Integers::BIASED`].
    fn add_signed(
        self,
        part: Self::Part,
        codes: Self::Bytes,
        unsigned: Self::Bytes,
        x: [i8; 4],
    ) -> Self::Part;
    /// `value` · 2^`shift` in every lane.
    fn start(self, value: i32, shift: u32) -> Self::Words;
    /// words + part.
    fn add_part(self, words: Self::Words, part: Self::Part) -> Self::Words;
    /// As floats: exact below 2²⁴.
    fn to_floats(self, words: Self::Words) -> <Self::Floats as Lanes>::Vector;

    /// Sixteen f16, little-endian, as floats.
    fn halves(self, from: &[u8; 32]) -> <Self::Floats as Lanes>::Vector;
    /// Sixteen unsigned bytes as floats.
    fn small(self, from: &[u8; 16]) -> <Self::Floats as Lanes>::Vector;
    /// Sixteen signed bytes as floats.
    fn small_signed(self, from: &[u8; 16]) -> <Self::Floats as Lanes>::Vector;
}

/// A computation that can be compiled for any path's integers.
pub(in crate::numerics::kernels) trait IntegerKernel {
    /// Computes on `integers`.
    fn run<I: Integers>(self, integers: I);
}

impl Integers for Portable {
    type Floats = Self;
    type Bytes = [u8; 64];
    type Part = [i32; LANES];
    type Words = [i32; LANES];

    const TILE_ROWS: usize = 2;
    const BIASED: bool = false;
    const WIDE: bool = true;

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline]
    fn enter_integers<K: IntegerKernel>(self, kernel: K) {
        kernel.run(self);
    }

    #[inline(always)]
    fn bytes(self, from: &[u8; 64]) -> [u8; 64] {
        *from
    }

    #[inline(always)]
    fn bits(self, bytes: [u8; 64], shift: u32, mask: u8) -> [u8; 64] {
        bytes.map(|byte| byte >> shift & mask)
    }

    #[inline(always)]
    fn above(self, a: [u8; 64], b: [u8; 64], shift: u32) -> [u8; 64] {
        std::array::from_fn(|i| a[i] | b[i] << shift)
    }

    #[inline(always)]
    fn unsigned(self, codes: [u8; 64]) -> [u8; 64] {
        codes
    }

    #[inline(always)]
    fn none(self) -> [i32; LANES] {
        [0; LANES]
    }

    #[inline(always)]
    fn add(self, part: [i32; LANES], codes: [u8; 64], x: [i8; 4]) -> [i32; LANES] {
        let product = |lane: usize, i: usize| i32::from(codes[4 * lane + i]) * i32::from(x[i]);
        std::array::from_fn(|lane| part[lane] + (0..4).map(|i| product(lane, i)).sum::<i32>())
    }

    #[inline(always)]
    fn add_signed(
        self,
        part: [i32; LANES],
        codes: [u8; 64],
        _: [u8; 64],
        x: [i8; 4],
    ) -> [i32; LANES] {
        let code = |at: usize| i32::from(codes[at].cast_signed());
        let product = |lane: usize, i: usize| code(4 * lane + i) * i32::from(x[i]);
        std::array::from_fn(|lane| part[lane] + (0..4).map(|i| product(lane, i)).sum::<i32>())
    }

    #[inline(always)]
    fn start(self, value: i32, shift: u32) -> [i32; LANES] {
        [value << shift; LANES]
    }

    #[inline(always)]
    fn add_part(self, words: [i32; LANES], part: [i32; LANES]) -> [i32; LANES] {
        std::array::from_fn(|lane| words[lane] + part[lane])
    }

    #[inline(always)]
    fn to_floats(self, words: [i32; LANES]) -> [f32; LANES] {
        words.map(|word| word as f32)
    }

    #[inline(always)]
    fn halves(self, from: &[u8; 32]) -> [f32; LANES] {
        std::array::from_fn(|i| half_to_f32(u16::from_le_bytes([from[2 * i], from[2 * i + 1]])))
    }

    #[inline(always)]
    fn small(self, from: &[u8; 16]) -> [f32; LANES] {
        from.map(f32::from)
    }

    #[inline(always)]
    fn small_signed(self, from: &[u8; 16]) -> [f32; LANES] {
        from.map(|byte| f32::from(byte.cast_signed()))
    }
}

/// An f16 as f32, exactly: its bits where those of an f32 belong, times what the exponents'
/// biases differ by, 2¹¹²; infinities and NaN apart.
#[inline(always)]
fn half_to_f32(bits: u16) -> f32 {
    /// 2¹¹².
    const BIAS: f32 = f32::from_bits((127 + 112) << 23);
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let special = 0u32.wrapping_sub(u32::from(bits & 0x7c00 == 0x7c00)) & 0x7f80_0000;
    let sign = u32::from(bits >> 15) << 31;
    f32::from_bits((f32::from_bits(magnitude) * BIAS).to_bits() | special | sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    #[test]
    fn every_half_becomes_the_same_number() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (half_to_f32(bits), f16::from_bits(bits).to_f32());
            assert!(
                found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
                "{bits:#x}: {found:e}, not {expected:e}"
            );
        }
    }

    #[test]
    fn as_many_groups_fit_sixteen_bits_as_are_added_there() {
        for bits in 2..=8 {
            let greatest = if bits == 8 { 128 } else { (1 << bits) - 1 };
            assert!(exact_groups(bits) * 2 * 127 * greatest <= 32_767, "{bits}");
        }
    }
}
