//! Link rates: how many bits a channel carries.

use super::error::RadioError;
use super::hermitian::log2_det_in_place;
use super::matrix::Matrix;
use crate::units::{FieldFault, SpectralEfficiency};
use num_complex::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

/// Capacity of a MIMO channel whose transmitter does not know it, in bit/s/Hz:
/// log₂ det(I + P/(N_t σ²) H Hᴴ).
///
/// `channel` is H ∈ C^{N_r×N_t}; `power` P is what the transmitter radiates in total
/// per channel use, `noise` σ² what one receive antenna collects, in the same unit.
///
/// Source: Telatar, "Capacity of Multi-antenna Gaussian Channels" (1999), theorem 1.
/// Range: finite H, P ≥ 0, σ² > 0.
pub fn mimo_capacity(channel: &Matrix, power: f64, noise: f64) -> f64 {
    let factor = power / (channel.ncols() as f64 * noise);
    let (n, mut gram) = smaller_gram(channel);
    for (place, entry) in gram.iter_mut().enumerate() {
        let unit = if place % (n + 1) == 0 { 1.0 } else { 0.0 };
        *entry = Complex::from(unit) + *entry * factor;
    }
    // I plus a semidefinite matrix has a factor unless the numbers are not finite.
    log2_det_in_place(n, &mut gram).unwrap_or(f64::NAN)
}

/// Entries of a Gram matrix that need no allocation: those of eight antennas.
const INLINE: usize = 64;

/// n and the lower triangle, stored by columns, of H Hᴴ or of Hᴴ H, whichever is smaller: with
/// c > 0 both give det(I + c H Hᴴ). Sums go over k in ascending order.
///
/// A rate is asked of every channel that is drawn, and there a general product of matrices
/// costs more than the draw.
fn smaller_gram(channel: &Matrix) -> (usize, SmallVec<[Complex<f64>; INLINE]>) {
    let (rows, columns) = channel.shape();
    let n = rows.min(columns);
    let mut gram = smallvec![Complex::ZERO; n * n];
    let mut add = |vector: &[Complex<f64>]| {
        for (j, right) in vector.iter().enumerate() {
            let right = right.conj();
            for (sum, left) in gram[n * j..][..n].iter_mut().zip(vector) {
                *sum += left * right;
            }
        }
    };
    if rows <= columns {
        channel.as_slice().chunks_exact(n.max(1)).for_each(add);
    } else {
        let mut conjugate: SmallVec<[Complex<f64>; INLINE]> = smallvec![Complex::ZERO; n];
        for k in 0..rows {
            for (entry, column) in conjugate.iter_mut().zip(channel.column_iter()) {
                *entry = column[k].conj();
            }
            add(&conjugate);
        }
    }
    (n, gram)
}

/// Shannon's capacity B log₂(1 + P g/(N₀ B)) in bit/s.
///
/// `bandwidth` B in Hz, `power` P in W, power gain `gain` g, `noise_density` N₀ in W/Hz.
/// Concave and increasing in B.
pub fn shannon_rate(bandwidth: f64, power: f64, gain: f64, noise_density: f64) -> f64 {
    bandwidth * libm::log1p(power * gain / (noise_density * bandwidth)) / std::f64::consts::LN_2
}

/// Refuses a rate at which nothing can be sent.
pub(super) fn check_rate(device: usize, rate: f64) -> Result<(), RadioError> {
    if rate.is_finite() && rate > 0.0 {
        Ok(())
    } else {
        Err(RadioError::NoRate { device, rate })
    }
}

/// The spectral efficiency at which a digital link runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum LinkRate {
    /// The [`mimo_capacity`] of the drawn channel.
    #[default]
    Drawn,
    /// The same on every channel, as a measurement or a standard's table gives it.
    Fixed(SpectralEfficiency),
}

impl LinkRate {
    /// Checks the value.
    ///
    /// # Errors
    /// If a fixed efficiency is not above zero.
    pub fn validate(self) -> Result<(), FieldFault> {
        match self {
            Self::Drawn => Ok(()),
            Self::Fixed(rate) => FieldFault::unless_positive("rate", rate.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::singular_values;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Σ log₂(1 + P σ²/(N_t N₀)) over singular values, which come from another
        /// decomposition.
        #[test]
        fn capacity_is_that_of_the_parallel_channels(
            (rows, columns) in (1usize..12, 1usize..12),
            entries in prop::collection::vec((-1.0..1.0, -1.0..1.0), 144),
            power in 0.0..100.0,
        ) {
            let entries = entries.into_iter().map(|(re, im)| Complex::new(re, im));
            let channel = Matrix::from_iterator(rows, columns, entries.take(rows * columns));
            let factor = power / (columns as f64 * 0.5);
            let parallel = singular_values(&channel)
                .iter()
                .map(|value: &f64| f64::log2(1.0 + factor * value * value))
                .sum::<f64>();
            prop_assert!((mimo_capacity(&channel, power, 0.5) - parallel).abs() < 1e-9);
        }
    }

    #[test]
    fn a_channel_of_no_finite_entries_has_no_capacity() {
        let channel = Matrix::from_element(3, 2, Complex::new(f64::INFINITY, 0.0));
        assert!(mimo_capacity(&channel, 1.0, 1.0).is_nan());
    }
}
