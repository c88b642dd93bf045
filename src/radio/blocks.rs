//! Real entries in blocks, each with a scale of its own: how tensors travel in messages.
//!
//! Q bits per entry are levels d·q, |q| ≤ 2^{Q−1} − 1, where d is the block's largest magnitude
//! over 2^{Q−1} − 1, rounded to the half-precision number that travels along. A block of 32
//! entries of 8 bits is the format Q8_0 (Q80) of llama.cpp and its relatives: 8 + 16/32 = 8.5
//! bits per entry. 16 bits are half precision, 32 bits the entries as they are; neither has scales.
//!
//! Blocks begin anew with every token, so that a batch changes nobody's bits.

use crate::units::FieldFault;
use half::f16;

/// Bits of a block's scale.
const SCALE_BITS: u64 = 16;

/// Entries in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// Q, bits per entry: 2 to 12, 16 or 32.
    pub bits: u32,
    /// Entries per block, where these have a scale.
    pub block: usize,
}

impl Blocks {
    /// Checks both numbers.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(self) -> Result<(), FieldFault> {
        let Self { bits, block } = self;
        if !((2..=12).contains(&bits) || bits == 16 || bits == 32) {
            let message = format!("{bits} bits per entry; use 2 to 12, 16 or 32");
            return Err(FieldFault::new("bits", message));
        }
        if !(1..=1 << 16).contains(&block) {
            let message = format!("{block} entries per block; use 1 to 65536");
            return Err(FieldFault::new("block", message));
        }
        Ok(())
    }

    fn has_scales(self) -> bool {
        self.bits < 16
    }

    /// Bits of `entries` entries of one token, their scales included.
    pub fn size(self, entries: usize) -> u64 {
        let scales = match self.has_scales() {
            true => entries.div_ceil(self.block) as u64 * SCALE_BITS,
            false => 0,
        };
        u64::from(self.bits) * entries as u64 + scales
    }

    /// Replaces entries of one token by what arrives of them; returns the expected square of the
    /// error, Δ²/12 per entry, of levels that lie Δ apart.
    pub(super) fn carry(self, entries: &mut [f32]) -> f64 {
        match self.bits {
            32 => 0.0,
            16 => entries.iter_mut().map(half_precision).sum(),
            bits => {
                let blocks = entries.chunks_mut(self.block);
                blocks.map(|block| quantise(bits, block)).sum()
            }
        }
    }
}

fn half_precision(entry: &mut f32) -> f64 {
    let most = f16::MAX.to_f32();
    let rounded = f16::from_f32(entry.clamp(-most, most));
    *entry = rounded.to_f32();
    // Between 2^e and 2^(e+1) numbers lie 2^(e−10) apart, the smallest 2^−24.
    let exponent = i32::from(rounded.to_bits() >> 10 & 0x1f) - 15;
    let apart = libm::exp2(f64::from(exponent.max(-14) - 10));
    apart * apart / 12.0
}

fn quantise(bits: u32, block: &mut [f32]) -> f64 {
    let most = f64::from((1u32 << (bits - 1)) - 1);
    let largest = f64::from(super::quantiser::largest_magnitude(block));
    let scale = (largest / most).min(f16::MAX.to_f64());
    let scale = f16::from_f64(scale).to_f64();
    if scale == 0.0 {
        let lost = block.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        block.fill(0.0);
        return lost;
    }
    for entry in block.iter_mut() {
        let level = libm::rint(f64::from(*entry) / scale);
        *entry = (level.clamp(-most, most) * scale) as f32;
    }
    scale * scale / 12.0 * block.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 entries of 8 bits and one scale: 34 bytes, as in llama.cpp's `block_q8_0`.
    #[test]
    fn a_block_weighs_its_entries_and_its_scale() {
        let q80 = Blocks { bits: 8, block: 32 };
        assert_eq!(q80.size(32), 34 * 8);
        assert_eq!(q80.size(4096), 34 * 8 * 128);
        assert_eq!(q80.size(33), 33 * 8 + 2 * 16);
        assert_eq!(Blocks { bits: 16, ..q80 }.size(10), 160);
        assert_eq!(Blocks { bits: 32, ..q80 }.size(10), 320);
    }

    #[test]
    fn every_block_has_its_own_levels() {
        // Three bits: 3 levels on either side; scales 1 and 1/64.
        let mut entries = [3.0, -1.4, 3.0 / 64.0, 0.02];
        let blocks = Blocks { bits: 3, block: 2 };
        let expected = blocks.carry(&mut entries);
        assert_eq!(entries, [3.0, -1.0, 3.0 / 64.0, 1.0 / 64.0]);
        let square = |x: f64| x * x;
        assert!((expected - 2.0 * (1.0 + square(1.0 / 64.0)) / 12.0).abs() < 1e-15);
        let mut tiny = [1e-9f32, 0.0];
        assert!(blocks.carry(&mut tiny) > 0.0);
        assert_eq!(tiny, [0.0, 0.0]);
    }

    /// Entries spread over many levels err by Δ²/12.
    #[test]
    fn the_expected_error_is_the_mean_error() {
        let entry = |i: u32| libm::sinf(i as f32 * 1.618_034) * (1.0 + (i % 7) as f32);
        for bits in [6, 8, 16] {
            let blocks = Blocks { bits, block: 64 };
            let mut entries: Vec<f32> = (0..64 * 400).map(entry).collect();
            let before = entries.clone();
            let expected = blocks.carry(&mut entries);
            let errors = before.iter().zip(&entries);
            let squared: f64 = errors.map(|(a, b)| f64::from(a - b).powi(2)).sum();
            assert!(
                (squared / expected - 1.0).abs() < 0.06,
                "{bits}: {squared} {expected}"
            );
        }
    }

    #[test]
    fn impossible_blocks_are_refused() {
        for (bits, block, path) in [(1, 32, "bits"), (13, 32, "bits"), (8, 0, "block")] {
            assert_eq!(Blocks { bits, block }.validate().unwrap_err().path, path);
        }
    }
}
