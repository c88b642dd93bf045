//! Local descent on the exact short-term problem.

use super::lbfgs::Lbfgs;
use super::span::{Span, leading};
use super::weakest::WeakestLink;
use crate::radio::{Matrix, RadioError, Transceiver, TransceiverDesign, TransceiverProblem};
use crate::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};
use crate::units::FieldFault;
use num_complex::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sharpness of the smoothed maximum and the gain in ln α below which a stage ends,
/// stage by stage: gentle first, so that all devices pull, then close to the maximum.
/// A last stage of sharpness p leaves at most (ln N)/p in ln α.
const STAGES: [(f64, f64); 3] = [(4.0, 1e-4), (30.0, 1e-5), (300.0, 1e-5)];
/// Steps per stage.
const MAX_STEPS: usize = 60;
/// Devices up to which designs work in the span of the channels.
pub(super) const FEW: usize = 4;
/// Arbitrary directions are part of the method, not of a run's randomness.
const FIXED: Streams = Streams { seed: 0, run: 0 };

/// Minimises α(G) = tr(GGᴴ)·max_n tr[(GᴴH_nH_nᴴG)⁻¹]/P_n, the exact (13) of Zhang et al.,
/// by L-BFGS on a smoothed maximum, from the L leading eigenvectors of
/// Σ_n H_n(H_nᴴH_n)⁻¹H_nᴴ; precoders are the zero-forcing ones of their Lemma 1.
///
/// The problem is not convex: the result is a local minimum, in practice well below the
/// paper's relaxation, whose bound (14) is loose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Descent {
    /// Descents, of which the best counts. The first starts from the eigenvectors, every
    /// other one from directions of its own, the same in every run. Default 1.
    pub starts: usize,
}

impl Default for Descent {
    fn default() -> Self {
        Self { starts: 1 }
    }
}

impl TransceiverDesign for Descent {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        if problem.channels.len() <= FEW {
            return self.within(&Span::new(problem)?, problem);
        }
        let search = self.among_many(problem)?;
        let rows = problem.channels[0].nrows();
        Transceiver::zero_forcing(&search.direction(rows, problem.streams), problem)
    }
}

impl Descent {
    /// Checks the fields.
    ///
    /// # Errors
    /// Without a start.
    pub fn validate(&self) -> Result<(), FieldFault> {
        if self.starts == 0 {
            let message = "0 starts find nothing; use 1 or more";
            return Err(FieldFault::new("starts", message));
        }
        Ok(())
    }

    /// The design in the span of the problem's channels.
    pub(super) fn within(
        self,
        span: &Span,
        problem: &TransceiverProblem<'_>,
    ) -> Result<Transceiver, RadioError> {
        // In the basis of the span, the leading eigenvectors are unit vectors.
        let start = Matrix::identity(span.rows(), problem.streams);
        let search = self.search(&span.channels, problem, &start);
        let direction = search.direction(span.rows(), problem.streams);
        Transceiver::zero_forcing(&span.outwards(&direction), problem)
    }

    /// The search at the antennas themselves. Its start lies in the joint range of the
    /// channels and so do all gradients, hence it never leaves it; many devices reach the
    /// whole space, and turning their channels into a basis of that would cost as much as
    /// several steps.
    pub(super) fn among_many(self, problem: &TransceiverProblem<'_>) -> Result<Search, RadioError> {
        problem.check_streams()?;
        let start = leading(problem.channels, problem.streams);
        Ok(self.search(problem.channels, problem, &start))
    }

    /// Descends on `channels`, those of the problem or seen in a basis, the first time from
    /// `start`.
    pub(super) fn search(
        self,
        channels: &[Matrix],
        problem: &TransceiverProblem<'_>,
        start: &Matrix,
    ) -> Search {
        let mut objective = WeakestLink::new(channels, problem.powers, problem.streams);
        let mut search = Search::new(objective.dimension());
        let mut g: Vec<f64> = start.iter().flat_map(|x| [x.re, x.im]).collect();
        let mut arbitrary = 0;
        if objective.exact(&g).is_infinite() {
            // The leading directions miss a device entirely; arbitrary ones miss none that
            // can be heard.
            draw(arbitrary, &mut g);
            arbitrary += 1;
        }
        search.descend(&mut objective, &mut g);
        for _ in 1..self.starts {
            draw(arbitrary, &mut g);
            arbitrary += 1;
            search.descend(&mut objective, &mut g);
        }
        search
    }
}

/// Directions of start number `index`.
fn draw(index: u64, g: &mut [f64]) {
    StandardNormal.fill(&mut FIXED.open("policy.descent.start", NO_DEVICE, index), g);
}

/// The best point that any descent has passed.
pub(super) struct Search {
    minimiser: Lbfgs,
    /// G, as the objective takes it.
    pub(super) best: Vec<f64>,
    /// α(G).
    pub(super) least: f64,
}

impl Search {
    fn new(dimension: usize) -> Self {
        Self {
            minimiser: Lbfgs::new(dimension),
            best: vec![0.0; dimension],
            least: f64::INFINITY,
        }
    }

    /// The best G ∈ C^{r×L} of all, for r = `rows` and L = `streams`.
    pub(super) fn direction(&self, rows: usize, streams: usize) -> Matrix {
        Matrix::from_fn(rows, streams, |r, l| {
            let entry = 2 * (l * rows + r);
            Complex::new(self.best[entry], self.best[entry + 1])
        })
    }

    fn descend(&mut self, objective: &mut WeakestLink<'_>, g: &mut [f64]) {
        self.keep(objective.exact(g), g);
        for (sharpness, tolerance) in STAGES {
            objective.rank();
            self.minimiser
                .minimise(g, tolerance, MAX_STEPS, |g, gradient| {
                    objective.smoothed(g, sharpness, gradient)
                });
            self.keep(objective.exact(g), g);
        }
    }

    fn keep(&mut self, value: f64, g: &[f64]) {
        if value < self.least || self.least.is_infinite() {
            self.least = value;
            self.best.copy_from_slice(g);
        }
    }
}
