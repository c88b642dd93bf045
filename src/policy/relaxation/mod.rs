//! The paper's way: relax, then randomise.

mod blocks;
mod interior_point;
mod randomisation;
mod schur;
mod solution;
mod split;

pub use randomisation::Randomisation;
pub use solution::{RelaxedOptimum, relax};

use super::span::Span;
use super::weakest::WeakestLink;
use crate::radio::{RadioError, Transceiver, TransceiverDesign, TransceiverProblem};
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The least gap that doubles can certify with room to spare.
const LEAST_GAP: f64 = 1e-8;
/// More candidates than anybody waits for.
const MOST_RANDOMISATIONS: usize = 1_000_000;

/// The short-term algorithm of Zhang et al.: their semidefinite relaxation (17), solved by
/// [`relax`], then randomisation: of many random combiner directions with the covariance Ĝ,
/// the one that does best in the exact (13), with the zero-forcing precoders of Lemma 1.
///
/// It is here because it is the paper's. [`Descent`](super::Descent) is better for any
/// fleet: (17) bounds tr(·⁻¹) loosely, and its Ĝ has a rank above L, so that a random
/// direction of rank L rarely suits all devices. It needs as many streams as every device
/// has antennas, for otherwise (17) says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Relaxation {
    /// Relative distance between the relaxation's value and its certified bound at which
    /// it counts as solved, at least 1e-8 and below 1. Default 1e-3.
    pub gap: f64,
    /// Random directions of which the best is taken. Default 200.
    pub randomisations: usize,
    /// How they are drawn. Default: Gaussian, as the paper says.
    pub kind: Randomisation,
}

impl Default for Relaxation {
    fn default() -> Self {
        Self {
            gap: 1e-3,
            randomisations: 200,
            kind: Randomisation::Gaussian,
        }
    }
}

impl Relaxation {
    /// Checks the fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        if !(LEAST_GAP..1.0).contains(&self.gap) {
            let message = format!(
                "{} is no usable gap; use {LEAST_GAP} or more, below 1",
                self.gap
            );
            return Err(FieldFault::new("gap", message));
        }
        if !(1..=MOST_RANDOMISATIONS).contains(&self.randomisations) {
            return Err(FieldFault::new(
                "randomisations",
                format!(
                    "{} randomisations; use 1 to {MOST_RANDOMISATIONS}",
                    self.randomisations
                ),
            ));
        }
        Ok(())
    }
}

impl TransceiverDesign for Relaxation {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        let span = Span::new(problem)?;
        let solution = solution::solve(&span, problem, self.gap)?;
        let mut objective = WeakestLink::new(&span.channels, problem.powers, problem.streams);
        let direction = randomisation::best(
            &solution.covering,
            self.gap,
            (self.randomisations, self.kind),
            problem.streams,
            &mut objective,
        );
        Transceiver::zero_forcing(&span.outwards(&direction), problem)
    }
}
