//! Equal shares.

use super::{Assign, Assigned, AssignmentError, AssignmentProblem, Setting};
use crate::model::Shares;
use crate::units::FieldFault;

/// m_n = 1/N, whatever the devices are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Equal;

impl Assign for Equal {
    fn validate(&self, _: Setting) -> Result<(), FieldFault> {
        Ok(())
    }

    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError> {
        Ok(Shares::equal(problem.devices())
            .map_err(|error| FieldFault::new("Equal", error.to_string()))?
            .into())
    }
}
