//! What a device's budget P_n limits: its power in each channel use, or its energy for
//! each vector that it computes and sends.
//!
//! Equation (8) of Zhang et al., "Distributed On-Device LLM Inference With Over-the-Air
//! Computation", limits energy, e_n m_n s_tot + (L₀/L) tr(B_n B_nᴴ) ≤ P_n, while their
//! P_n = σ_z² = 1 makes sense only per channel use (L₀ = L and no compute): taken
//! literally, the noise of an entry is hundreds of times its signal. So a scenario says
//! which of the two it means.

use super::all_reduce::AllReduce;
use super::budget::LinkPower;
use super::config::RadioConfig;
use super::error::RadioError;
use crate::units::{FieldFault, Joules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What P_n is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum PowerConvention {
    /// Watts per channel use, over all antennas: tr(B_n B_nᴴ) ≤ P_n, with the P of the
    /// link budget. Compute draws on another account. This is (8) with L₀ = L and e_n = 0.
    #[default]
    PowerPerUse,
    /// Joules per all-reduce of one token's vector, compute included. The link budget
    /// then gives the noise and the size of a power unit, but limits no device.
    EnergyPerVector {
        /// P_n of every device without an offset.
        energy: Joules,
        /// What of a device's compute counts. Default: what (8) names, its weights.
        #[serde(default)]
        charge: Charge,
    },
}

/// What of a device's compute counts against a budget in joules per vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Charge {
    /// e_n m_n s_tot/2, (8) as written: each of a layer's two all-reduces carries half the
    /// layer's weights, read once and used for one multiply–add. A run draws more: keys and
    /// values, norms and activations come on top, and the two halves of a layer are unlike.
    /// The metric `energy_budget_ratio` tells how far it passes P_n.
    #[default]
    Weights,
    /// Everything that the costlier of a layer's two sublayers, attention and feed-forward
    /// network, draws for one token at the workload's longest context. No pass draws more per
    /// vector, so the joules of every all-reduce stay within P_n, save for pilots.
    Sublayer,
}

/// What a device does for each vector that it sends: the terms of (8) that the model
/// decides.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorLoad {
    /// Real entries of one token's vector: the model's hidden size.
    pub entries: usize,
    /// Joules of compute that count before each of a layer's two all-reduces, as [`Charge`]
    /// says, in device order.
    pub compute: Vec<f64>,
}

impl PowerConvention {
    /// What of the compute counts against the budget of the radio, if anything does.
    pub fn charge(self) -> Option<Charge> {
        match self {
            Self::PowerPerUse => None,
            Self::EnergyPerVector { charge, .. } => Some(charge),
        }
    }

    pub(super) fn validate(self) -> Result<(), FieldFault> {
        match self {
            Self::PowerPerUse => Ok(()),
            Self::EnergyPerVector { energy, .. } => FieldFault::unless_positive("energy", energy.0),
        }
    }
}

impl RadioConfig {
    /// P_n in device order: units per channel use with [`PowerConvention::PowerPerUse`],
    /// joules per vector with [`PowerConvention::EnergyPerVector`].
    pub fn budgets(&self, devices: usize) -> Vec<f64> {
        let common = match self.convention {
            PowerConvention::PowerPerUse => self.budget.resolve(self.bandwidth).power,
            PowerConvention::EnergyPerVector { energy, .. } => energy.0,
        };
        (0..devices)
            .map(|device| {
                let offset = u32::try_from(device)
                    .ok()
                    .and_then(|n| self.budget_offsets.get(&n));
                offset.map_or(common, |offset| common * offset.ratio())
            })
            .collect()
    }

    /// P'_n = P_n − `compute` in device order: what is left for the radio, in the unit of
    /// [`budgets`](Self::budgets). With [`PowerConvention::PowerPerUse`] that is
    /// all of P_n.
    ///
    /// # Errors
    /// [`RadioError::NoEnergy`] for the first device whose compute takes all of its energy.
    pub fn headroom(&self, compute: &[f64]) -> Result<Vec<f64>, RadioError> {
        let budgets = self.budgets(compute.len());
        if self.convention == PowerConvention::PowerPerUse {
            return Ok(budgets);
        }
        let left = |(device, (budget, needs)): (usize, (f64, &f64))| {
            // A NaN has nothing left either.
            if budget - needs > 0.0 {
                return Ok(budget - needs);
            }
            Err(RadioError::NoEnergy {
                device,
                needs: Joules(*needs),
                has: Joules(budget),
                shortfall: Joules(needs - budget),
            })
        };
        let pairs = budgets.into_iter().zip(compute);
        pairs.enumerate().map(left).collect()
    }

    /// The limit of tr(B_n B_nᴴ) in device order, units per channel use: P'_n times its
    /// [`power_per_headroom`](Self::power_per_headroom).
    ///
    /// # Errors
    /// Those of [`headroom`](Self::headroom) and of the factors.
    pub(super) fn limits(
        &self,
        scheme: &dyn AllReduce,
        load: &VectorLoad,
    ) -> Result<Vec<f64>, RadioError> {
        let headroom = self.headroom(&load.compute)?;
        let factors = self.power_per_headroom(scheme, load.entries, headroom.len())?;
        Ok(headroom.iter().zip(factors).map(|(p, k)| p * k).collect())
    }

    /// Units per channel use for each unit of P'_n, in device order.
    ///
    /// One, with [`PowerConvention::PowerPerUse`]. With
    /// [`PowerConvention::EnergyPerVector`], u_n channel uses for a vector of `entries` real
    /// entries at the symbol rate B, and W watts per unit, it is B/(W u_n): then u_n uses
    /// radiate exactly P'_n joules.
    ///
    /// # Errors
    /// A [`FieldFault`] if a unit has no watts, or the scheme's number of uses is not known
    /// before the channel is.
    pub fn power_per_headroom(
        &self,
        scheme: &dyn AllReduce,
        entries: usize,
        devices: usize,
    ) -> Result<Vec<f64>, RadioError> {
        if self.convention == PowerConvention::PowerPerUse || !scheme.uses_radio() {
            return Ok(vec![1.0; devices]);
        }
        let LinkPower { watts, .. } = self.budget.resolve(self.bandwidth);
        let unit = watts.ok_or_else(unknown_unit)?;
        let uses = scheme
            .uses_per_vector(entries, devices, self.coding)
            .ok_or_else(|| {
                FieldFault::new(
                    "convention",
                    "with this all-reduce the channel decides how many channel uses a vector \
                 takes, so that no power follows from its energy; use PowerPerUse, or fix \
                 the link's rate",
                )
            })?;
        let factor = |uses: &f64| self.bandwidth.0 / (unit * uses);
        Ok(uses.iter().map(factor).collect())
    }

    pub(super) fn validate_budgets(&self, devices: usize) -> Result<(), FieldFault> {
        self.convention
            .validate()
            .map_err(|fault| fault.under("convention"))?;
        let in_joules = matches!(self.convention, PowerConvention::EnergyPerVector { .. });
        if in_joules && self.budget.resolve(self.bandwidth).watts.is_none() {
            return Err(unknown_unit());
        }
        for (device, offset) in &self.budget_offsets {
            let path = format!("budget_offsets[{device}]");
            if *device as usize >= devices {
                return Err(FieldFault::new(
                    path,
                    format!(
                        "there is no device {device} among {devices}, which are counted from 0"
                    ),
                ));
            }
            FieldFault::unless_positive(&path, offset.ratio()).map_err(|_| {
                FieldFault::new(
                    path.as_str(),
                    format!("{offset} is beyond any device; write for example \"-3 dB\""),
                )
            })?;
        }
        Ok(())
    }
}

fn unknown_unit() -> FieldFault {
    FieldFault::new(
        "budget.reference_power",
        "EnergyPerVector counts joules, so the size of a power unit must be known; add \
         for example reference_power: \"100 mW\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{AirComp, Digital, LinkBudget, LinkRate, Scheme};
    use crate::units::{Decibels, SpectralEfficiency, Watts};

    fn config(energy: f64) -> RadioConfig {
        RadioConfig {
            budget: LinkBudget::Normalised {
                snr: Decibels(0.0),
                reference_power: Some(Watts(0.1)),
            },
            convention: PowerConvention::EnergyPerVector {
                energy: Joules(energy),
                charge: Charge::Weights,
            },
            budget_offsets: [(1, Decibels(-3.010_299_956_639_812))].into(),
            ..RadioConfig::default()
        }
    }

    fn load(compute: &[f64]) -> VectorLoad {
        VectorLoad {
            entries: 192,
            compute: compute.to_vec(),
        }
    }

    /// 192 entries on 4 streams of 2 are 24 uses of 0.1 µs: 2.4 µs in which 40 µJ are
    /// 16.7 W, or 167 units of 100 mW.
    #[test]
    fn energy_becomes_power_over_the_uses_of_a_vector() {
        let scheme = Scheme::AirComp(AirComp::default());
        let limits = config(100e-6).limits(scheme.all_reduce(), &load(&[60e-6, 10e-6]));
        let limits = limits.unwrap();
        assert!((limits[0] / (40e-6 / 2.4e-6 / 0.1) - 1.0).abs() < 1e-12);
        // Half the budget, of which a fifth is spent.
        assert!((limits[1] / limits[0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn compute_beyond_the_budget_names_device_and_shortfall() {
        let error = config(100e-6).headroom(&[99e-6, 75e-6]).unwrap_err();
        let RadioError::NoEnergy {
            device, shortfall, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(device, 1);
        assert!((shortfall.0 - 25e-6).abs() < 1e-12);
        assert!(config(100e-6).headroom(&[100e-6]).is_err());
    }

    #[test]
    fn a_rate_that_the_channel_decides_has_no_power_per_vector() {
        let limits = |rate| {
            let digital = Digital {
                rate,
                ..Digital::default()
            };
            config(1e-6).limits(&digital, &load(&[0.0]))
        };
        let error = limits(LinkRate::Drawn).unwrap_err().to_string();
        assert!(error.starts_with("convention: "), "{error}");
        // 1536 bits at 12 bit/s/Hz are 128 uses of 0.1 µs.
        let limits = limits(LinkRate::Fixed(SpectralEfficiency(12.0))).unwrap();
        assert!((limits[0] / (1e-6 / 12.8e-6 / 0.1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn impossible_budgets_are_refused_by_path() {
        let refuse = |config: RadioConfig| config.validate(2).unwrap_err().path;
        let nameless = RadioConfig {
            budget: LinkBudget::default(),
            ..config(1.0)
        };
        assert_eq!(refuse(nameless), "budget.reference_power");
        assert_eq!(refuse(config(0.0)), "convention.energy");
        let offset = |device, ratio| RadioConfig {
            budget_offsets: [(device, Decibels(ratio))].into(),
            ..RadioConfig::default()
        };
        assert_eq!(refuse(offset(2, 0.0)), "budget_offsets[2]");
        assert_eq!(refuse(offset(0, f64::NAN)), "budget_offsets[0]");
    }
}
