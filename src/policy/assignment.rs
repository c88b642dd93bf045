//! Model assignment: the share m_n of the model that each device holds.

use crate::units::FieldFault;
use serde::{Deserialize, Serialize};

/// How far from 1 a list of shares may sum.
const TOLERANCE: f64 = 1e-9;

/// How the model is divided among N devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Assignment {
    /// m_n = 1/N.
    #[default]
    Equal,
    /// m_n as listed, in device order: each zero or above, their sum 1.
    Fixed(Vec<f64>),
}

impl Assignment {
    /// The shares of `devices` devices.
    ///
    /// # Errors
    /// If the list has another length, a share is negative or NaN, or the sum is off 1 by
    /// more than 10⁻⁹.
    pub fn shares(&self, devices: usize) -> Result<Vec<f64>, FieldFault> {
        let Self::Fixed(shares) = self else {
            return Ok(vec![1.0 / devices as f64; devices]);
        };
        if shares.len() != devices {
            return Err(FieldFault::new(
                "Fixed",
                format!(
                    "{} shares for {devices} devices; give one each",
                    shares.len()
                ),
            ));
        }
        for (device, share) in shares.iter().enumerate() {
            FieldFault::if_negative(&format!("Fixed[{device}]"), *share)?;
        }
        let sum: f64 = shares.iter().sum();
        if (sum - 1.0).abs() > TOLERANCE {
            return Err(FieldFault::new(
                "Fixed",
                format!("the shares sum to {sum}, not 1; divide each by {sum}"),
            ));
        }
        Ok(shares.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shares_sum_to_one() {
        assert_eq!(Assignment::Equal.shares(4).unwrap(), [0.25; 4]);
    }

    #[test]
    fn impossible_shares_are_refused_by_name() {
        let refuse = |shares: &[f64]| {
            Assignment::Fixed(shares.to_vec())
                .shares(2)
                .unwrap_err()
                .to_string()
        };
        assert!(refuse(&[0.5, 0.4]).starts_with("Fixed: the shares sum to 0.9, not 1"));
        assert!(refuse(&[1.5, -0.5]).starts_with("Fixed[1]: -0.5 must be"));
        assert!(refuse(&[f64::NAN, 1.0]).starts_with("Fixed[0]: NaN must be"));
        assert!(refuse(&[1.0]).starts_with("Fixed: 1 shares for 2 devices"));
        assert!(Assignment::Fixed(vec![0.9, 0.1]).shares(2).is_ok());
    }
}
