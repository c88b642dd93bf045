//! The scale that all devices share in one round.
//!
//! Each device computes the root mean square of its partial output's real entries and
//! announces it as one 32-bit float on the round's control slot, whose time is
//! `round_overhead`; the largest is everybody's scale R. A complex symbol of r real
//! entries has mean power r·R², so entries are divided by √r·R: the loudest device then
//! sends unit-variance complex entries and radiates what its precoder says, the others
//! less.

/// Independent partial sums, so that the additions of one sum do not wait for each
/// other; their number is part of the result's definition.
const LANES: usize = 8;

/// √r·R: what one normalised complex entry is worth.
pub(super) fn shared_scale(parts: &[&[f32]], reals_per_symbol: usize) -> f64 {
    let largest = parts
        .iter()
        .map(|part| root_mean_square(part) as f32)
        .fold(0.0, f32::max);
    f64::from(largest) * (reals_per_symbol as f64).sqrt()
}

fn root_mean_square(entries: &[f32]) -> f64 {
    if entries.is_empty() {
        return 0.0;
    }
    (sum_of_squares(entries) / entries.len() as f64).sqrt()
}

fn sum_of_squares(entries: &[f32]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let mut chunks = entries.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }
    let rest = chunks.remainder().iter();
    lanes.iter().sum::<f64>() + rest.map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>()
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
        assert_eq!(shared_scale(&[&quiet, &loud], 1), 3.0);
        assert_eq!(shared_scale(&[&quiet, &loud], 2), 3.0 * 2f64.sqrt());
        assert_eq!(shared_scale(&[&[0.0; 4], &[0.0; 4]], 2), 0.0);
        assert_eq!(shared_scale(&[&[]], 2), 0.0);
    }
}
