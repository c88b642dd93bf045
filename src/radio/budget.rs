//! Power and noise of a link, and how joules follow from them.
//!
//! Inside the radio, power is a number of *units* per channel use and noise is in the
//! same units; a scenario says what a unit is, or leaves it open and then gets no
//! joules.
//!
//! **Convention.** Power P is what a device radiates in total, over all its antennas,
//! in each channel use (so that a precoder obeys tr(B Bᴴ) ≤ P); noise σ_z² is what one
//! receive antenna of the server collects in the whole bandwidth B. The symbol rate
//! equals B, so that u uses at tr(B Bᴴ) watts radiate tr(B Bᴴ)·u/B joules.

use crate::units::{Decibels, FieldFault, Hertz, Watts, WattsPerHertz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a link's signal-to-noise ratio comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum LinkBudget {
    /// P = 1 and σ_z² = 10^(−SNR/10): only the ratio counts, as in papers.
    Normalised {
        /// 10 log₁₀(P/σ_z²) before the channel: its gain E|h|² comes on top.
        snr: Decibels,
        /// What P = 1 is in watts. Without it, radio energy is not reported.
        #[serde(default)]
        reference_power: Option<Watts>,
    },
    /// P in watts, σ_z² = N₀ F B; the channel must then hold the path loss.
    Physical {
        /// P, what each device radiates.
        transmit_power: Watts,
        /// N₀; −174 dBm/Hz is kT at 290 K.
        noise_density: WattsPerHertz,
        /// F, what the server's receiver adds.
        noise_figure: Decibels,
    },
}

impl Default for LinkBudget {
    /// 20 dB, in units of no declared size.
    fn default() -> Self {
        Self::Normalised {
            snr: Decibels(20.0),
            reference_power: None,
        }
    }
}

/// A [`LinkBudget`] in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkPower {
    /// P: units per device and channel use.
    pub power: f64,
    /// σ_z²: units per receive antenna and channel use.
    pub noise: f64,
    /// Watts per unit, where known.
    pub watts: Option<f64>,
}

impl LinkBudget {
    /// The numbers in a bandwidth of `bandwidth`.
    pub fn resolve(self, bandwidth: Hertz) -> LinkPower {
        match self {
            Self::Normalised {
                snr,
                reference_power,
            } => LinkPower {
                power: 1.0,
                noise: 1.0 / snr.ratio(),
                watts: reference_power.map(|power| power.0),
            },
            Self::Physical {
                transmit_power,
                noise_density,
                noise_figure,
            } => LinkPower {
                power: transmit_power.0,
                noise: noise_density.0 * noise_figure.ratio() * bandwidth.0,
                watts: Some(1.0),
            },
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first field that is NaN, infinite, or zero where it must not be.
    pub fn validate(self) -> Result<(), FieldFault> {
        let finite = |path: &str, ratio: Decibels| {
            FieldFault::unless_positive(path, ratio.ratio()).map_err(|_| {
                FieldFault::new(
                    path,
                    format!("{ratio} is beyond any radio; write for example \"10 dB\""),
                )
            })
        };
        match self {
            Self::Normalised {
                snr,
                reference_power,
            } => {
                finite("snr", snr)?;
                reference_power.map_or(Ok(()), |power| {
                    FieldFault::unless_positive("reference_power", power.0)
                })
            }
            Self::Physical {
                transmit_power,
                noise_density,
                noise_figure,
            } => {
                FieldFault::unless_positive("transmit_power", transmit_power.0)?;
                FieldFault::unless_positive("noise_density", noise_density.0)?;
                finite("noise_figure", noise_figure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalised_budget_is_its_ratio() {
        let power = LinkBudget::Normalised {
            snr: Decibels(30.0),
            reference_power: Some(Watts(0.2)),
        }
        .resolve(Hertz(10e6));
        assert!((power.power / power.noise - 1000.0).abs() < 1e-9);
        assert_eq!(power.watts, Some(0.2));
    }

    /// −174 dBm/Hz + 70 dB(10 MHz) + 5 dB = −99 dBm.
    #[test]
    fn a_physical_budget_adds_decibels() {
        let power = LinkBudget::Physical {
            transmit_power: "23 dBm".parse().unwrap(),
            noise_density: "-174 dBm/Hz".parse().unwrap(),
            noise_figure: "5 dB".parse().unwrap(),
        }
        .resolve(Hertz(10e6));
        assert!((10.0 * (power.noise * 1e3).log10() + 99.0).abs() < 1e-9);
        assert!((power.power - 0.199_526_231_496_888).abs() < 1e-12);
    }

    #[test]
    fn impossible_ratios_are_refused() {
        for snr in [f64::NAN, f64::INFINITY, 1e5, -1e5] {
            let budget = LinkBudget::Normalised {
                snr: Decibels(snr),
                reference_power: None,
            };
            assert_eq!(budget.validate().unwrap_err().path, "snr", "{snr}");
        }
    }
}
