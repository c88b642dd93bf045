//! What one token's state weighs on a digital link, and what it is after the journey.

use super::quantiser::{Quantiser, largest_magnitude};
use crate::units::FieldFault;
use half::f16;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// ε, bits per entry of a token that crosses the air, (4) of Xue et al., "WDMoE".
///
/// 32: entries as they are. 16: rounded to the nearest half-precision number, ties to
/// even; beyond its largest they become that. 2 to 15: uniform levels up to the token's
/// own largest magnitude, which travels along as a scale of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Payload(pub u32);

/// Bits of a token's scale.
const SCALE_BITS: u64 = 32;

impl Default for Payload {
    fn default() -> Self {
        Self(16)
    }
}

impl Payload {
    /// Checks the number of bits.
    ///
    /// # Errors
    /// Unless it is 32 or lies in 2..=16.
    pub fn validate(self) -> Result<(), FieldFault> {
        if (2..=16).contains(&self.0) || self.0 == 32 {
            return Ok(());
        }
        let message = format!("{} bits per entry; use 2 to 16, or 32", self.0);
        Err(FieldFault::new("bits", message))
    }

    /// L_comm: bits of a token of `width` entries, its scale included.
    pub fn bits(self, width: usize) -> u64 {
        let scale = if self.0 < 16 { SCALE_BITS } else { 0 };
        u64::from(self.0) * width as u64 + scale
    }

    /// Replaces a token's entries by what arrives of them.
    pub fn carry(self, token: &mut [f32]) {
        match self.0 {
            32 => {}
            16 => {
                for entry in token {
                    let most = f16::MAX.to_f32();
                    *entry = f16::from_f32(entry.clamp(-most, most)).to_f32();
                }
            }
            bits => {
                let quantiser = Quantiser::new(bits, f64::from(largest_magnitude(token)));
                for entry in token {
                    *entry = quantiser.quantise(f64::from(*entry)) as f32;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_rounds_ties_to_even() {
        // Between 1 and 1 + 2⁻¹⁰ half-precision has nothing.
        let ulp = 1.0 / 1024.0;
        let mut token = [1.0 + 0.5 * ulp, 1.0 + 1.5 * ulp, -1e9, 0.0, 1.0 + 0.6 * ulp];
        Payload(16).carry(&mut token);
        assert_eq!(token, [1.0, 1.0 + 2.0 * ulp, -65504.0, 0.0, 1.0 + ulp]);
        assert_eq!(Payload(16).bits(4096), 65536);
    }

    #[test]
    fn fewer_bits_keep_each_tokens_own_scale_and_count_it() {
        // Four bits: seven levels on either side.
        let mut token = [7.0, 3.4, -0.4, -6.6];
        Payload(4).carry(&mut token);
        assert_eq!(token, [7.0, 3.0, 0.0, -7.0]);
        let mut zeros = [0.0f32; 3];
        Payload(4).carry(&mut zeros);
        assert_eq!(zeros, [0.0; 3]);
        assert_eq!(Payload(4).bits(64), 4 * 64 + 32);
        let mut exact = [0.1f32];
        Payload(32).carry(&mut exact);
        assert_eq!(exact, [0.1]);
        for bits in [0, 1, 17, 31, 33] {
            assert!(Payload(bits).validate().is_err());
        }
    }
}
