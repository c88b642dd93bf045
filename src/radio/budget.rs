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

use crate::units::{AntennaGain, Decibels, FieldFault, Hertz, Watts, WattsPerHertz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

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
    /// P in watts, σ_z² = N₀ F B I/(G_d G_s): noise and interference as an antenna without
    /// gain would have to collect them for the same ratio. The channel must then hold the path
    /// loss.
    Physical {
        /// P, what each device radiates.
        transmit_power: Watts,
        /// N₀; −174 dBm/Hz is kT at 290 K.
        noise_density: WattsPerHertz,
        /// F, what the server's receiver adds: 0 dB or more.
        noise_figure: Decibels,
        /// G_d, of each of a device's antennas towards the server, over an isotropic one; it
        /// helps both ways. −40 to 70 dBi. Default 0 dBi.
        #[serde(default)]
        device_antenna_gain: AntennaGain,
        /// G_s, of each of the server's antennas towards a device. −40 to 70 dBi. Default
        /// 0 dBi.
        #[serde(default)]
        server_antenna_gain: AntennaGain,
        /// I, noise and interference over noise alone, as if interference were noise, 0 to
        /// 60 dB. Default 0 dB.
        #[serde(default)]
        interference_margin: Decibels,
    },
}

/// From a chip buried in a body to the largest dishes.
const ANTENNA_GAINS_DBI: RangeInclusive<f64> = -40.0..=70.0;
/// No network is planned to be a million times as loud as its noise.
const INTERFERENCE_MARGINS_DB: RangeInclusive<f64> = 0.0..=60.0;

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
    /// σ_z²: units per receive antenna and channel use, over the antennas' gains.
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
                device_antenna_gain,
                server_antenna_gain,
                interference_margin,
            } => LinkPower {
                power: transmit_power.0,
                noise: noise_density.0
                    * noise_figure.ratio()
                    * bandwidth.0
                    * interference_margin.ratio()
                    / (device_antenna_gain.ratio() * server_antenna_gain.ratio()),
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
                device_antenna_gain,
                server_antenna_gain,
                interference_margin,
            } => {
                FieldFault::unless_positive("transmit_power", transmit_power.0)?;
                FieldFault::unless_positive("noise_density", noise_density.0)?;
                if noise_figure.0 < 0.0 {
                    let message = format!(
                        "{noise_figure}: no receiver takes noise away; use 0 dB or more, and for \
                         antennas with a gain device_antenna_gain and server_antenna_gain, such as \
                         \"8 dBi\""
                    );
                    return Err(FieldFault::new("noise_figure", message));
                }
                finite("noise_figure", noise_figure)?;
                for (path, gain) in [
                    ("device_antenna_gain", device_antenna_gain),
                    ("server_antenna_gain", server_antenna_gain),
                ] {
                    if !ANTENNA_GAINS_DBI.contains(&gain.0) {
                        let message = format!("{gain} is no antenna's; use -40 dBi to 70 dBi");
                        return Err(FieldFault::new(path, message));
                    }
                }
                if !INTERFERENCE_MARGINS_DB.contains(&interference_margin.0) {
                    let message = format!(
                        "{interference_margin}: interference adds to noise; use 0 dB to 60 dB"
                    );
                    return Err(FieldFault::new("interference_margin", message));
                }
                Ok(())
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

    /// With "23 dBm", "-174 dBm/Hz", a noise figure, antenna gains and a margin.
    fn physical(figure: &str, [device, server]: [&str; 2], margin: &str) -> LinkBudget {
        LinkBudget::Physical {
            transmit_power: "23 dBm".parse().unwrap(),
            noise_density: "-174 dBm/Hz".parse().unwrap(),
            noise_figure: figure.parse().unwrap(),
            device_antenna_gain: device.parse().unwrap(),
            server_antenna_gain: server.parse().unwrap(),
            interference_margin: margin.parse().unwrap(),
        }
    }

    /// −174 dBm/Hz + 70 dB(10 MHz) + 5 dB = −99 dBm; a margin of 3 dB makes −96 dBm, and gains
    /// of 2 and 8 dBi are worth 10 dB of noise.
    #[test]
    fn a_physical_budget_adds_decibels() {
        for (gains, margin, expected) in [
            (["0 dBi", "0 dBi"], "0 dB", -99.0),
            (["0 dBi", "0 dBi"], "3 dB", -96.0),
            (["2 dBi", "8 dBi"], "3 dB", -106.0),
            (["-3 dBi", "0 dBi"], "0 dB", -96.0),
        ] {
            let power = physical("5 dB", gains, margin).resolve(Hertz(10e6));
            let noise = 10.0 * (power.noise * 1e3).log10();
            assert!(
                (noise - expected).abs() < 1e-9,
                "{gains:?} {margin}: {noise}"
            );
            // Joules count what goes into the antenna.
            assert!((power.power - 0.199_526_231_496_888).abs() < 1e-12);
            assert_eq!(power.watts, Some(1.0));
        }
    }

    #[test]
    fn what_no_hardware_has_is_refused() {
        let none = ["0 dBi", "0 dBi"];
        for (budget, path) in [
            (physical("-6 dB", none, "0 dB"), "noise_figure"),
            (
                physical("5 dB", ["71 dBi", "0 dBi"], "0 dB"),
                "device_antenna_gain",
            ),
            (
                physical("5 dB", ["0 dBi", "-41 dBi"], "0 dB"),
                "server_antenna_gain",
            ),
            (physical("5 dB", none, "-1 dB"), "interference_margin"),
        ] {
            assert_eq!(budget.validate().unwrap_err().path, path);
        }
        assert!(
            physical("0 dB", ["70 dBi", "-40 dBi"], "60 dB")
                .validate()
                .is_ok()
        );
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
