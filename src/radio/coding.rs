//! How far practical codes stay behind capacity, and blocks that must be sent again.
//!
//! A digital link of signal-to-noise ratio γ carries, in bit/s/Hz,
//!
//! η = (1 − p) · min(η_max, C(γ/Γ)),
//!
//! with C its capacity, Γ the gap of its codes, η_max what its densest modulation and weakest
//! code carry, and p the share of blocks that arrive damaged. A damaged block is sent again
//! until it arrives: 1/(1 − p) attempts on average, whose time and energy every transmission is
//! charged. Where N receivers must all have a block, the last of them has it after
//!
//! Σ_{k ≥ 0} (1 − (1 − pᵏ)ᴺ)
//!
//! attempts on average, if damage is independent. Bits arrive as sent; which block is damaged is
//! not drawn, combining of attempts (chase, incremental redundancy) and giving up are not
//! modelled.
//!
//! Source: the gap is that of Forney and Ungerboeck, "Modulation and Coding for Linear Gaussian
//! Channels" (1998), section II; uncoded QAM at an error rate of 10⁻⁶ has 8.8 dB.

use super::capacity::mimo_capacity;
use super::matrix::Matrix;
use crate::units::{Decibels, FieldFault, SpectralEfficiency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Beyond it nothing useful is a code.
const LARGEST_GAP_DB: f64 = 30.0;

/// What coding and modulation make of the capacity of every digital link. Defaults are
/// Shannon's: no gap, no ceiling, no errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Coding {
    /// Γ, by how much a code needs a higher signal-to-noise ratio than capacity does, 0 to
    /// 30 dB. Default 0 dB. A fixed rate has none.
    pub gap: Decibels,
    /// η_max, what a link carries at most, all its spatial streams together. Default: no limit.
    /// A fixed rate has none.
    pub ceiling: Option<SpectralEfficiency>,
    /// p, the share of blocks that arrive damaged and are sent again, in [0, 1). Default 0.
    pub block_error_rate: f64,
}

impl Coding {
    /// Checks every value.
    ///
    /// # Errors
    /// The first out of its range.
    pub fn validate(self) -> Result<(), FieldFault> {
        if !(0.0..=LARGEST_GAP_DB).contains(&self.gap.0) {
            let message = format!(
                "{} is no gap to capacity, which no code exceeds; use 0 dB to {LARGEST_GAP_DB} dB",
                self.gap
            );
            return Err(FieldFault::new("gap", message));
        }
        if let Some(ceiling) = self.ceiling {
            FieldFault::unless_positive("ceiling", ceiling.0)?;
        }
        if !(0.0..1.0).contains(&self.block_error_rate) {
            let message = format!(
                "{} is no share of damaged blocks that leaves some whole; use 0 or more, below 1",
                self.block_error_rate
            );
            return Err(FieldFault::new("block_error_rate", message));
        }
        Ok(())
    }

    /// η_max in bit/s/Hz; infinite without a limit.
    pub fn limit(self) -> f64 {
        self.ceiling.map_or(f64::INFINITY, |ceiling| ceiling.0)
    }

    /// min(η_max, [`mimo_capacity`] with γ/Γ) of a channel, before retransmissions.
    pub fn efficiency(self, channel: &Matrix, power: f64, noise: f64) -> f64 {
        mimo_capacity(channel, power, noise * self.gap.ratio()).min(self.limit())
    }

    /// 1/(1 − p), how often a block is sent on average until one receiver has it.
    pub fn attempts(self) -> f64 {
        1.0 / (1.0 - self.block_error_rate)
    }

    /// How often a block is sent on average until `receivers` all have it.
    pub fn attempts_to_all(self, receivers: usize) -> f64 {
        let p = self.block_error_rate;
        if p == 0.0 {
            return 1.0;
        }
        let (mut sum, mut damaged) = (0.0, 1.0);
        loop {
            // 1 − (1 − pᵏ)ᴺ, the chance that somebody still lacks it after k attempts.
            let lacking = -libm::expm1(receivers as f64 * libm::log1p(-damaged));
            sum += lacking;
            damaged *= p;
            // What is left out is at most N pᵏ/(1 − p).
            if receivers as f64 * damaged < 1e-12 * (1.0 - p) {
                return sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    fn coding(gap: f64, ceiling: Option<f64>, block_error_rate: f64) -> Coding {
        Coding {
            gap: Decibels(gap),
            ceiling: ceiling.map(SpectralEfficiency),
            block_error_rate,
        }
    }

    /// One antenna on either side: log₂(1 + γ/Γ), cut off at η_max.
    #[test]
    fn the_gap_divides_the_ratio_and_the_ceiling_cuts() {
        let channel = Matrix::from_element(1, 1, Complex::new(0.6, 0.8));
        let rate = |coding: Coding| coding.efficiency(&channel, 30.0, 2.0);
        assert!((rate(coding(0.0, None, 0.0)) - 16f64.log2()).abs() < 1e-12);
        // 10 log10(5) dB leave γ/Γ = 3.
        assert!((rate(coding(6.989_700_043_360_188, None, 0.0)) - 2.0).abs() < 1e-12);
        assert_eq!(rate(coding(0.0, Some(3.5), 0.0)), 3.5);
        assert!(rate(coding(0.0, Some(4.5), 0.0)) < 4.0 + 1e-12);
    }

    #[test]
    fn nothing_is_changed_by_default() {
        let ideal = Coding::default();
        assert_eq!((ideal.attempts(), ideal.attempts_to_all(9)), (1.0, 1.0));
        assert_eq!((ideal.gap.ratio(), ideal.limit()), (1.0, f64::INFINITY));
    }

    /// The maximum of N geometric numbers: 1/(1 − p) for one, and by inclusion and exclusion
    /// Σ_j (−1)^{j+1} C(N, j)/(1 − pʲ) for N.
    #[test]
    fn attempts_are_the_mean_of_a_maximum_of_geometric_numbers() {
        for p in [0.01, 0.1, 0.5, 0.9] {
            let coding = coding(0.0, None, p);
            assert!((coding.attempts_to_all(1) - coding.attempts()).abs() < 1e-9);
            for n in 2..=8u32 {
                let mut expected = 0.0;
                let mut choose = 1.0;
                for j in 1..=n {
                    choose *= f64::from(n - j + 1) / f64::from(j);
                    let sign = if j % 2 == 1 { 1.0 } else { -1.0 };
                    expected += sign * choose / (1.0 - p.powi(j as i32));
                }
                let found = coding.attempts_to_all(n as usize);
                assert!((found / expected - 1.0).abs() < 1e-9, "{p} {n}: {found}");
            }
        }
    }

    #[test]
    fn impossible_values_are_refused() {
        for (wrong, path) in [
            (coding(-1.0, None, 0.0), "gap"),
            (coding(31.0, None, 0.0), "gap"),
            (coding(f64::NAN, None, 0.0), "gap"),
            (coding(0.0, Some(0.0), 0.0), "ceiling"),
            (coding(0.0, Some(f64::INFINITY), 0.0), "ceiling"),
            (coding(0.0, None, 1.0), "block_error_rate"),
            (coding(0.0, None, -0.1), "block_error_rate"),
            (coding(0.0, None, f64::NAN), "block_error_rate"),
        ] {
            assert_eq!(wrong.validate().unwrap_err().path, path);
        }
    }
}
