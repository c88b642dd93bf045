//! Small-scale fading on top of path loss: how the entries of a channel are drawn.
//!
//! Entries are independent and identically distributed over antennas: correlation in
//! space is not modelled here, correlation in time is [`super::doppler`]'s. A new
//! model is one file that checks its fields and gives the [`Moments`] of a device's
//! entries, named here in the enumeration, its registry and the two functions that ask.

use super::distance::Distance;
use super::doppler::SPEED_OF_LIGHT;
use super::matrix::Matrix;
use super::tr38901::Tr38901;
use super::trace::Trace;
use crate::rng::{BulkDistribution, StandardNormal, Stream, Streams};
use crate::units::{FieldFault, Hertz, Meters};
use num_complex::Complex;
use rand::Rng;
use rand::distr::Distribution;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the entries of an uplink channel H_n ∈ C^{N_r×N_t} are drawn.
///
/// Rayleigh fading of unit power and without path loss is
/// `Rician(mean: 0.0, variance: 1.0)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// h ~ CN(0, g), where g follows from [`path_loss_db`] as `mean` says.
    Rayleigh {
        /// The carrier frequency.
        carrier: Hertz,
        /// From device to server: one for all devices, or a list with one each.
        distance: Distance,
        /// What of the channel the path loss is the mean of. Default: its power.
        #[serde(default)]
        mean: Mean,
    },
    /// Path loss, line of sight, shadowing and Rice factor of 3GPP TR 38.901.
    Tr38901(Tr38901),
    /// Channels of the user's own, from a NumPy file.
    Trace(Trace),
}

/// Which mean of a Rayleigh channel a path loss of PL decibels states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Mean {
    /// E|h|² = 10^(−PL/10), as link budgets have it.
    #[default]
    Power,
    /// E|h| = 10^(−PL/20), as section V-A of Xue et al., "WDMoE", words it. A Rayleigh
    /// amplitude has E|h|² = (4/π)(E|h|)², so E|h|² = (4/π) 10^(−PL/10): 1.05 dB more.
    Amplitude,
}

/// The first two moments of every entry of one device's channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// E h, real: the line of sight.
    pub mean: f64,
    /// E|h − E h|²: the scattering.
    pub variance: f64,
}

impl Moments {
    /// E|h|² = (E h)² + E|h − E h|².
    pub fn power(self) -> f64 {
        self.mean * self.mean + self.variance
    }

    /// Independent CN(E h, E|h − E h|²) entries of a rows × columns matrix, column by column.
    pub(super) fn draw(self, mut stream: Stream, rows: usize, columns: usize) -> Matrix {
        let mut channel = Matrix::zeros(rows, columns);
        self.fill(&mut stream, channel.as_mut_slice());
        channel
    }
}

/// h ~ CN(E h, E|h − E h|²): its amplitude is Rice's, Rayleigh's without a mean.
impl Distribution<Complex<f64>> for Moments {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Complex<f64> {
        let mut entry = [Complex::ZERO];
        self.fill(rng, &mut entry);
        entry[0]
    }
}

impl BulkDistribution<Complex<f64>> for Moments {
    fn fill<R: Rng + ?Sized>(&self, rng: &mut R, out: &mut [Complex<f64>]) {
        let deviation = (self.variance / 2.0).sqrt();
        let mut normals = vec![0.0; 2 * out.len()];
        StandardNormal.fill(rng, &mut normals);
        for (entry, pair) in out.iter_mut().zip(normals.chunks_exact(2)) {
            *entry = Complex::new(self.mean + deviation * pair[0], deviation * pair[1]);
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

/// PL = 32.4 + 20 log₁₀(f/GHz) + 20 log₁₀(d/m) in dB: free space (Friis), with the
/// intercept of 3GPP TR 38.901, Table 7.4.1-1; section V-A of Xue et al., "WDMoE". The
/// environments of that table, whose slopes are steeper, are [`Environment`](super::Environment)'s.
///
/// `carrier` and `distance` above zero; meaningful from about a wavelength on.
pub fn path_loss_db(carrier: Hertz, distance: Meters) -> f64 {
    32.4 + 20.0 * libm::log10(carrier.0 / 1e9) + 20.0 * libm::log10(distance.0)
}

impl Fading {
    /// Every model's name with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        (
            "Rician",
            "a line-of-sight mean plus scattering, without path loss: the same for all devices",
        ),
        (
            "Rayleigh",
            "scattering only, with free-space path loss per device",
        ),
        (
            "Tr38901",
            "3GPP TR 38.901 path loss in UMi, UMa or InH: line of sight, shadowing, Rice factor",
        ),
        (
            "Trace",
            "channels of your own, [time, device, N_r, N_t], from a NumPy file",
        ),
    ];

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
                Ok(())
            }
            Self::Rayleigh {
                carrier, distance, ..
            } => {
                FieldFault::unless_positive("carrier", carrier.0)?;
                distance.validate(devices, |d| {
                    FieldFault::unless_positive("distance", d.0)?;
                    let gain = -path_loss_db(*carrier, d);
                    if gain <= 0.0 {
                        return Ok(());
                    }
                    let wavelength = SPEED_OF_LIGHT / carrier.0;
                    let wavelength = Meters(libm::ceil(1e3 * wavelength) / 1e3);
                    let message = format!(
                        "free space at {d} would amplify by {gain:.1} dB: its formula holds in the \
                         far field, from about a wavelength on; use {wavelength} or more"
                    );
                    Err(FieldFault::new("distance", message))
                })
            }
            Self::Tr38901(model) => model.validate(devices),
            Self::Trace(_) => Ok(()),
        }
    }

    /// Mean and variance of an entry of `device`'s channel: the same for the whole run.
    ///
    /// # Panics
    /// If this is a trace, whose entries only [`Channels`](super::Channels) know.
    pub fn moments(&self, streams: Streams, device: usize) -> Moments {
        match self {
            Self::Rician { mean, variance } => Moments {
                mean: *mean,
                variance: *variance,
            },
            Self::Rayleigh {
                carrier,
                distance,
                mean,
            } => {
                let loss = path_loss_db(*carrier, distance.of(device));
                let gain = libm::pow(10.0, -loss / 10.0);
                Moments {
                    mean: 0.0,
                    variance: match mean {
                        Mean::Power => gain,
                        Mean::Amplitude => 4.0 / PI * gain,
                    },
                }
            }
            Self::Tr38901(model) => model.link(streams, device).moments(),
            Self::Trace(_) => panic!("a trace is read, not drawn"),
        }
    }

    /// Draws H ∈ C^{rows×columns} for `device` in coherence block `block`.
    ///
    /// Entries are drawn column by column from the stream (`"radio.fading"`, device,
    /// block).
    ///
    /// # Panics
    /// If this is a trace, which is read, not drawn.
    pub fn draw(
        &self,
        streams: Streams,
        device: usize,
        block: u64,
        rows: usize,
        columns: usize,
    ) -> Matrix {
        let stream = streams.open("radio.fading", device as u32, block);
        self.moments(streams, device).draw(stream, rows, columns)
    }
}
