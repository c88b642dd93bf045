//! Model assignment: the share m_n of the model that each device holds.

use crate::model::Shares;
use crate::units::FieldFault;
use serde::{Deserialize, Serialize};

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
    /// If there is no device, the list has another length, a share is negative or NaN, or
    /// the sum is off 1.
    pub fn shares(&self, devices: usize) -> Result<Shares, FieldFault> {
        let Self::Fixed(shares) = self else {
            return Shares::equal(devices)
                .map_err(|_| FieldFault::new("Equal", "there is no device to share the model"));
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
        Shares::new(shares.clone()).map_err(|error| FieldFault::new("Fixed", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shares_sum_to_one() {
        let shares = Assignment::Equal.shares(4).unwrap();
        assert_eq!(shares.as_slice(), [0.25; 4]);
        assert!(Assignment::Equal.shares(0).is_err());
    }

    #[test]
    fn impossible_shares_are_refused_by_name() {
        let refuse = |shares: &[f64]| {
            let error = Assignment::Fixed(shares.to_vec()).shares(2).unwrap_err();
            assert_eq!(error.path, "Fixed");
            error.message
        };
        assert!(refuse(&[0.5, 0.4]).contains("sum to 0.9"));
        assert!(refuse(&[1.5, -0.5]).contains("device 1 is -0.5"));
        assert!(refuse(&[f64::NAN, 1.0]).contains("device 0 is NaN"));
        assert!(refuse(&[1.0]).contains("1 shares for 2 devices"));
        let uneven = Assignment::Fixed(vec![0.9, 0.1]).shares(2).unwrap();
        assert_eq!(uneven.as_slice(), [0.9, 0.1]);
    }
}
