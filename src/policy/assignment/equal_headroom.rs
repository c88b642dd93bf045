//! The closed form that leaves every device the same energy for its radio.

use super::problem::normalised;
use super::{Assign, Assigned, AssignmentError, AssignmentProblem, Setting};
use crate::units::FieldFault;

/// m_n = max(0, (P_n − c)/d_n), d_n = e_n s_tot/2 what computing the whole model before an
/// all-reduce would take of P_n, with c such that Σ m_n = 1: P'_n = c on every device that
/// holds a part, and P_n ≤ c on the others.
///
/// The weakest device sets everybody's error (13), and of devices with like channels the
/// one with the least P'_n is the weakest: this maximises min_n P'_n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EqualHeadroom;

impl Assign for EqualHeadroom {
    fn validate(&self, setting: Setting) -> Result<(), FieldFault> {
        setting.needs_shared_energy("EqualHeadroom")
    }

    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError> {
        problem.check_feasible(1.0)?;
        let AssignmentProblem {
            budgets, demands, ..
        } = problem;
        // Σ_{n ∈ S} (P_n − c)/d_n = 1 with the richest devices in S, as many as hold a part.
        let mut richest: Vec<usize> = (0..budgets.len()).collect();
        richest.sort_by(|a, b| budgets[*b].total_cmp(&budgets[*a]));
        let (mut carried, mut inverse, mut level) = (0.0, 0.0, f64::INFINITY);
        for device in richest {
            if budgets[device] <= level && level.is_finite() {
                break;
            }
            carried += budgets[device] / demands[device];
            inverse += 1.0 / demands[device];
            level = (carried - 1.0) / inverse;
        }
        let pairs = budgets.iter().zip(*demands);
        let parts: Vec<f64> = pairs.map(|(p, d)| ((p - level) / d).max(0.0)).collect();
        Ok(normalised(&parts)?.into())
    }
}
