//! Small-scale fading and path loss: one matrix of entries per device and block.
//!
//! Entries are independent and identically distributed; correlation in space or
//! time is not modelled here.

use super::matrix::Matrix;
use crate::rng::Streams;
use crate::units::{FieldFault, Hertz, Meters};
use num_complex::Complex;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// How the entries of an uplink channel H_n ∈ C^{N_r×N_t} are drawn.
///
/// Rayleigh fading of unit power and without path loss is
/// `Rician(mean: 0.0, variance: 1.0)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Fading {
    /// h ~ CN(μ, σ²): a real line-of-sight mean μ plus scattering of variance σ²
    /// (real and imaginary part σ²/2 each). E|h|² = μ² + σ²; Rice factor μ²/σ².
    Rician {
        /// μ, dimensionless.
        mean: f64,
        /// σ², dimensionless.
        variance: f64,
    },
    /// h ~ CN(0, g) with the mean power gain g = 10^(−PL/10) of [`path_loss_db`].
    Rayleigh {
        /// The carrier frequency.
        carrier: Hertz,
        /// From device to server: one for all devices, or a list with one each.
        distance: Distance,
    },
}

/// One distance for all devices, or one each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Distance {
    /// The same for every device.
    All(Meters),
    /// In device order.
    Each(Vec<Meters>),
}

impl<'de> Deserialize<'de> for Distance {
    /// By hand, so that a wrong unit is told as such and at its place.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrEach;

        impl<'de> Visitor<'de> for OneOrEach {
            type Value = Distance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length with its unit, such as \"120 m\", or a list of one each")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Distance, E> {
                text.parse().map(Distance::All).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Distance, A::Error> {
                let mut distances = Vec::new();
                while let Some(distance) = list.next_element()? {
                    distances.push(distance);
                }
                Ok(Distance::Each(distances))
            }
        }

        deserializer.deserialize_any(OneOrEach)
    }
}

impl Distance {
    fn of(&self, device: usize) -> Meters {
        match self {
            Self::All(distance) => *distance,
            Self::Each(distances) => distances[device],
        }
    }
}

impl Default for Fading {
    /// Mean 1, variance 1: section IV of Zhang et al., "Distributed On-Device LLM
    /// Inference With Over-the-Air Computation".
    fn default() -> Self {
        Self::Rician {
            mean: 1.0,
            variance: 1.0,
        }
    }
}

/// PL = 32.4 + 20 log₁₀(f/GHz) + 20 log₁₀(d/m) in dB: free space, as 3GPP TR 38.901
/// (Table 7.4.1-1) has it for line of sight in its street canyon below 10 m.
///
/// `carrier` and `distance` above zero; meaningful from about a wavelength on.
pub fn path_loss_db(carrier: Hertz, distance: Meters) -> f64 {
    32.4 + 20.0 * libm::log10(carrier.0 / 1e9) + 20.0 * libm::log10(distance.0)
}

impl Fading {
    /// Checks the values for `devices` devices.
    ///
    /// # Errors
    /// The first field that is NaN, infinite, negative or zero where it must not be,
    /// or a list of distances of another length.
    pub fn validate(&self, devices: usize) -> Result<(), FieldFault> {
        match self {
            Self::Rician { mean, variance } => {
                if !mean.is_finite() {
                    return Err(FieldFault::new(
                        "mean",
                        format!("{mean} must be a finite number"),
                    ));
                }
                FieldFault::if_negative("variance", *variance)?;
                if *mean == 0.0 && *variance == 0.0 {
                    return Err(FieldFault::new(
                        "variance",
                        "mean and variance are both zero, so nothing arrives; raise one of them",
                    ));
                }
            }
            Self::Rayleigh { carrier, distance } => {
                FieldFault::unless_positive("carrier", carrier.0)?;
                if let Distance::Each(list) = distance
                    && list.len() != devices
                {
                    return Err(FieldFault::new(
                        "distance",
                        format!(
                            "{} distances for {devices} devices; give one for all, or one each",
                            list.len()
                        ),
                    ));
                }
                for device in 0..devices {
                    FieldFault::unless_positive("distance", distance.of(device).0)?;
                }
            }
        }
        Ok(())
    }

    /// Mean and variance of an entry of `device`'s channel.
    fn moments(&self, device: usize) -> (f64, f64) {
        match self {
            Self::Rician { mean, variance } => (*mean, *variance),
            Self::Rayleigh { carrier, distance } => {
                let loss = path_loss_db(*carrier, distance.of(device));
                (0.0, libm::pow(10.0, -loss / 10.0))
            }
        }
    }

    /// Draws H ∈ C^{rows×columns} for `device` in coherence block `block`.
    ///
    /// Entries are drawn column by column from the stream (`"radio.fading"`, device,
    /// block).
    pub fn draw(
        &self,
        streams: Streams,
        device: usize,
        block: u64,
        rows: usize,
        columns: usize,
    ) -> Matrix {
        let (mean, variance) = self.moments(device);
        let deviation = (variance / 2.0).sqrt();
        let mut normals = vec![0.0; 2 * rows * columns];
        streams
            .open("radio.fading", device as u32, block)
            .fill_normal(&mut normals);
        let entries = normals
            .chunks_exact(2)
            .map(|pair| Complex::new(mean + deviation * pair[0], deviation * pair[1]));
        Matrix::from_iterator(rows, columns, entries)
    }
}
