//! Uniform quantisation of real tensors to Q bits.
//!
//! Levels are the multiples of Δ = M/(2^{Q−1} − 1) from −M to M, where M is the largest
//! magnitude: symmetric, so that zero stays zero; one of the 2^Q codes is unused. Ties
//! round to even. On entries spread over many levels the error has variance Δ²/12
//! (Widrow and Kollár, *Quantization Noise*, 2008). At 32 bits entries are sent as they
//! are.

use crate::units::FieldFault;

/// 1.5·2⁵²: adding and subtracting it rounds a smaller double to an integer, ties to even.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The widths that a scenario may ask for.
const WIDEST: u32 = 24;
/// The width at which nothing is quantised.
const EXACT: u32 = 32;

/// A quantiser with its step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiser {
    step: f64,
    inverse: f64,
}

impl Quantiser {
    /// The quantiser of `bits` bits for entries of magnitude up to `maximum`.
    pub fn new(bits: u32, maximum: f64) -> Self {
        let step = if bits == EXACT {
            0.0
        } else {
            maximum / ((1u64 << (bits - 1)) - 1) as f64
        };
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        Self { step, inverse }
    }

    /// Checks a number of bits.
    ///
    /// # Errors
    /// Unless it lies in 2..=24 or is 32.
    pub fn validate(bits: u32) -> Result<(), FieldFault> {
        if (2..=WIDEST).contains(&bits) || bits == EXACT {
            return Ok(());
        }
        Err(FieldFault::new(
            "bits",
            format!("{bits} bits per entry; use 2 to {WIDEST}, or {EXACT} for entries as they are"),
        ))
    }

    /// The nearest level to `x`.
    #[inline(always)]
    pub fn quantise(self, x: f64) -> f64 {
        if self.inverse == 0.0 {
            return x;
        }
        ((x * self.inverse + ROUND) - ROUND) * self.step
    }

    /// Δ²/12, the expected squared error of one real entry.
    pub fn noise(self) -> f64 {
        self.step * self.step / 12.0
    }
}

/// The largest magnitude among `entries`, as the f32 that a control slot carries; NaN
/// or infinite if one of them is.
pub fn largest_magnitude(entries: &[f32]) -> f32 {
    // Without its sign bit an f32 orders as an integer, NaN above infinity.
    let bits = entries
        .iter()
        .fold(0, |largest, x| (x.to_bits() & 0x7fff_ffff).max(largest));
    f32::from_bits(bits)
}
