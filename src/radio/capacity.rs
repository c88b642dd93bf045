//! Link rates: how many bits a channel carries.

use super::error::RadioError;
use super::hermitian::log2_det;
use super::matrix::{Matrix, adjoint_product, product_adjoint};
use crate::units::{FieldFault, SpectralEfficiency};
use num_complex::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    // det(I + c H Hᴴ) = det(I + c Hᴴ H): take the smaller.
    let gram = if channel.nrows() <= channel.ncols() {
        product_adjoint(channel, channel)
    } else {
        adjoint_product(channel, channel)
    };
    let n = gram.nrows();
    let shifted = Matrix::from_fn(n, n, |i, j| {
        Complex::from(if i == j { 1.0 } else { 0.0 }) + gram[(i, j)] * factor
    });
    // I plus a semidefinite matrix has a factor unless the numbers are not finite.
    log2_det(&shifted).unwrap_or(f64::NAN)
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
