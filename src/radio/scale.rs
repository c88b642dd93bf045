//! The scale that all devices share in one round.
//!
//! Each device computes the root mean square of its partial output's real entries and
//! announces it as one 32-bit float on the round's control slot, whose time is
//! `round_overhead`; the largest is everybody's scale R. A complex symbol of r real
//! entries has mean power r·R², so entries are divided by √r·R: the loudest device then
//! sends unit-variance complex entries and radiates what its precoder says, the others
//! less.

use super::all_reduce::{check_finite, check_lengths};
use super::error::RadioError;
use super::sums::sum_of_squares;
use rayon::prelude::*;

/// Entries from which on several threads sum.
const LARGE: usize = 1 << 15;

/// √r·R: what one normalised complex entry is worth.
///
/// # Errors
/// If a part is not `expected` long, or holds a NaN or an infinity.
pub(super) fn shared_scale(
    parts: &[&[f32]],
    reals_per_symbol: usize,
    expected: usize,
) -> Result<f64, RadioError> {
    check_lengths(parts, expected)?;
    let totals: Vec<f64> = if parts.len() * expected < LARGE {
        parts.iter().map(|part| sum_of_squares(part)).collect()
    } else {
        let parts = parts.par_iter();
        parts.map(|part| sum_of_squares(part)).collect()
    };
    let mut largest = 0.0f32;
    for ((device, part), total) in parts.iter().enumerate().zip(totals) {
        check_finite(device, part, total)?;
        let mean = total / part.len().max(1) as f64;
        largest = largest.max(mean.sqrt() as f32);
    }
    Ok(f64::from(largest) * (reals_per_symbol as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_device_sets_the_scale() {
        let quiet = [0.5f32; 21];
        let loud: Vec<f32> = (0..21)
            .map(|i| if i % 2 == 0 { 3.0 } else { -3.0 })
            .collect();
        let scale = |parts: &[&[f32]], reals| shared_scale(parts, reals, parts[0].len()).unwrap();
        assert_eq!(scale(&[&quiet, &loud], 1), 3.0);
        assert_eq!(scale(&[&quiet, &loud], 2), 3.0 * 2f64.sqrt());
        assert_eq!(scale(&[&[0.0; 4], &[0.0; 4]], 2), 0.0);
        assert_eq!(scale(&[&[]], 2), 0.0);
    }
}
