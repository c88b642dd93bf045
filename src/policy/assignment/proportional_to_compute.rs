//! Shares as the devices' speed.

use super::problem::normalised;
use super::{Assign, Assigned, AssignmentError, AssignmentProblem, Setting};
use crate::units::FieldFault;

/// m_n ∝ 1/τ_n, where device n alone would compute a layer for a token in τ_n: all
/// devices finish together, up to what each does whatever its share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProportionalToCompute;

impl Assign for ProportionalToCompute {
    fn validate(&self, _: Setting) -> Result<(), FieldFault> {
        Ok(())
    }

    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError> {
        let [attention, mlp] = problem.halves;
        let alone = attention.iter().zip(mlp).map(|(a, b)| a.slope + b.slope);
        let speeds: Vec<f64> = alone.map(|seconds| 1.0 / seconds).collect();
        Ok(normalised(&speeds)?.into())
    }
}
