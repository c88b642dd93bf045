//! Model assignment: the share m_n of the model that each device holds.
//!
//! An assignment is made once, before a run: moving weights is slow. So it knows the
//! channels' statistics ([`AssignmentProblem`]), not the draws that the run will see. A
//! new one is one file that implements [`Assign`], and one line of registration below.

mod equal;
mod equal_headroom;
mod fixed;
mod problem;
mod proportional_to_compute;
mod proportional_to_energy;
mod simplex;
mod stochastic_sca;

pub use equal::Equal;
pub use equal_headroom::EqualHeadroom;
pub use fixed::Fixed;
pub use problem::{Affine, AssignmentProblem, Combining, Estimate};
pub use proportional_to_compute::ProportionalToCompute;
pub use proportional_to_energy::ProportionalToEnergy;
pub use simplex::project_to_capped_simplex;
pub use stochastic_sca::StochasticSca;

use crate::model::Shares;
use crate::radio::RadioError;
use crate::registry::registry;
use crate::units::FieldFault;
use std::fmt;

/// A way to divide the model.
pub trait Assign: fmt::Debug {
    /// Checks the assignment's own fields, and that the scenario gives it what it needs.
    ///
    /// # Errors
    /// The first fault, by its path within the assignment.
    fn validate(&self, setting: Setting) -> Result<(), FieldFault>;

    /// Divides the model.
    ///
    /// # Errors
    /// If no division keeps every device within its budget.
    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError>;
}

/// What a scenario says without reading the model.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// N, at least 1.
    pub devices: usize,
    /// Whether compute is paid from the same budget as the radio.
    pub shares_energy: bool,
    /// Whether the all-reduce is over the air.
    pub over_the_air: bool,
}

/// A division of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// m_n, in device order.
    pub shares: Shares,
    /// How an iterative method came to them; empty for a closed form.
    pub iterates: Vec<Iterate>,
}

impl From<Shares> for Assigned {
    fn from(shares: Shares) -> Self {
        Self {
            shares,
            iterates: Vec::new(),
        }
    }
}

/// One step of an iterative method.
#[derive(Debug, Clone, PartialEq)]
pub struct Iterate {
    /// m^τ, in device order.
    pub shares: Vec<f64>,
    /// The error (7) per complex entry on the iteration's channel sample.
    pub error: f64,
    /// Seconds of compute per layer and token.
    pub latency: f64,
}

/// Why there is no division.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AssignmentError {
    /// A field does not fit the model.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The short-term problem has no solution.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// All devices together cannot hold the whole model.
    #[error(
        "all devices together can take {:.3} of the model within their energy budgets and the cap on a share; raise `convention.energy` of the link or the cap, or use more devices or such as spend less on a weight",
        carried
    )]
    Infeasible {
        /// The most of the model that they can take.
        carried: f64,
    },
}

registry! {
    /// How the model is divided among N devices, as a scenario states it.
    #[derive(Default)]
    enum Assignment;
    /// The assignment itself.
    fn method -> Assign;
    without fields {
        #[default]
        Equal, "m_n = 1/N";
        ProportionalToCompute, "m_n as the speed of device n: all finish together";
        ProportionalToEnergy, "m_n as the weights that device n's energy budget can process";
        EqualHeadroom, "what is left of every device's energy for the radio is equal";
    }
    with fields {
        Fixed, "m_n as listed, in device order: each zero or above, their sum 1";
        StochasticSca, "least mean error over channel samples, by successive convex approximation";
    }
}

impl Setting {
    /// Refuses what only makes sense if compute and radio share a budget.
    pub(super) fn needs_shared_energy(self, name: &str) -> Result<(), FieldFault> {
        if self.shares_energy {
            return Ok(());
        }
        Err(FieldFault::new(
            name,
            "with PowerPerUse compute costs nothing of a device's budget, so that there is \
             nothing to divide by; set the link's convention to EnergyPerVector",
        ))
    }
}
