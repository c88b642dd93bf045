//! Fading by scattering alone, with the path loss of free space.

use super::{FadingModel, Moments};
use crate::radio::distance::Distance;
use crate::radio::doppler::SPEED_OF_LIGHT;
use crate::rng::Streams;
use crate::units::{FieldFault, Hertz, Meters};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// h ~ CN(0, g), where g follows from [`path_loss_db`] as `mean` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rayleigh {
    /// The carrier frequency.
    pub carrier: Hertz,
    /// From device to server: one for all devices, or a list with one each.
    pub distance: Distance,
    /// What of the channel the path loss is the mean of. Default: its power.
    #[serde(default)]
    pub mean: Mean,
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

/// PL = 32.4 + 20 log₁₀(f/GHz) + 20 log₁₀(d/m) in dB: free space (Friis), with the
/// intercept of 3GPP TR 38.901, Table 7.4.1-1; section V-A of Xue et al., "WDMoE". The
/// environments of that table, whose slopes are steeper, are [`Environment`](crate::radio::Environment)'s.
///
/// `carrier` and `distance` above zero; meaningful from about a wavelength on.
pub fn path_loss_db(carrier: Hertz, distance: Meters) -> f64 {
    32.4 + 20.0 * libm::log10(carrier.0 / 1e9) + 20.0 * libm::log10(distance.0)
}

impl FadingModel for Rayleigh {
    fn validate(&self, devices: usize) -> Result<(), FieldFault> {
        let carrier = self.carrier;
        FieldFault::unless_positive("carrier", carrier.0)?;
        self.distance.validate(devices, |d| {
            FieldFault::unless_positive("distance", d.0)?;
            let gain = -path_loss_db(carrier, d);
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

    fn moments(&self, _streams: Streams, device: usize) -> Moments {
        let loss = path_loss_db(self.carrier, self.distance.of(device));
        let gain = libm::pow(10.0, -loss / 10.0);
        Moments {
            mean: 0.0,
            variance: match self.mean {
                Mean::Power => gain,
                Mean::Amplitude => 4.0 / PI * gain,
            },
        }
    }

    fn is_free_space(&self) -> bool {
        true
    }
}
