//! Shares as the devices' energy budgets.

use super::problem::normalised;
use super::{Assign, Assigned, AssignmentError, AssignmentProblem, Setting};
use crate::units::FieldFault;

/// m_n ∝ P_n/e_n, the weights that device n's budget can process: every device spends the
/// same fraction of its budget on compute. Feasible whenever any assignment is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProportionalToEnergy;

impl Assign for ProportionalToEnergy {
    fn validate(&self, setting: Setting) -> Result<(), FieldFault> {
        setting.needs_shared_energy("ProportionalToEnergy")
    }

    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError> {
        problem.check_feasible(1.0)?;
        let pairs = problem.budgets.iter().zip(problem.demands);
        let weights: Vec<f64> = pairs.map(|(budget, demand)| budget / demand).collect();
        Ok(normalised(&weights)?.into())
    }
}
