//! Shares that the scenario lists.

use super::{Assign, Assigned, AssignmentError, AssignmentProblem, Setting};
use crate::model::Shares;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// m_n in device order: each zero or above, their sum 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fixed(pub Vec<f64>);

impl Fixed {
    fn shares(&self, devices: usize) -> Result<Shares, FieldFault> {
        if self.0.len() != devices {
            return Err(FieldFault::new(
                "Fixed",
                format!(
                    "{} shares for {devices} devices; give one each",
                    self.0.len()
                ),
            ));
        }
        Shares::new(self.0.clone()).map_err(|error| FieldFault::new("Fixed", error.to_string()))
    }
}

impl Assign for Fixed {
    fn validate(&self, setting: Setting) -> Result<(), FieldFault> {
        self.shares(setting.devices).map(|_| ())
    }

    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError> {
        Ok(self.shares(problem.devices())?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_shares_are_refused_by_name() {
        let refuse = |shares: &[f64]| {
            let error = Fixed(shares.to_vec()).shares(2).unwrap_err();
            assert_eq!(error.path, "Fixed");
            error.message
        };
        assert!(refuse(&[0.5, 0.4]).contains("sum to 0.9"));
        assert!(refuse(&[1.5, -0.5]).contains("device 1 is -0.5"));
        assert!(refuse(&[f64::NAN, 1.0]).contains("device 0 is NaN"));
        assert!(refuse(&[1.0]).contains("1 shares for 2 devices"));
        let uneven = Fixed(vec![0.9, 0.1]).shares(2).unwrap();
        assert_eq!(uneven.as_slice(), [0.9, 0.1]);
    }
}
