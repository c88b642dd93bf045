//! Local descent on the exact short-term problem.

use super::lbfgs::Lbfgs;
use super::span::Span;
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
        self.within(&Span::new(problem)?, problem)
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
        let (rows, streams) = (span.rows(), problem.streams);
        let mut objective = WeakestLink::new(&span.channels, problem.powers, streams);
        let mut search = Search::new(objective.dimension());
        let mut g = vec![0.0; objective.dimension()];
        // In the basis of the span, the leading eigenvectors are unit vectors.
        for l in 0..streams.min(rows) {
            g[2 * (l * rows + l)] = 1.0;
        }
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
        let direction = Matrix::from_fn(rows, streams, |r, l| {
            let entry = 2 * (l * rows + r);
            Complex::new(search.best[entry], search.best[entry + 1])
        });
        Transceiver::zero_forcing(&span.outwards(&direction), problem)
    }
}

/// Directions of start number `index`.
fn draw(index: u64, g: &mut [f64]) {
    StandardNormal.fill(&mut FIXED.open("policy.descent.start", NO_DEVICE, index), g);
}

/// The best point that any descent has passed.
struct Search {
    minimiser: Lbfgs,
    best: Vec<f64>,
    least: f64,
}

impl Search {
    fn new(dimension: usize) -> Self {
        Self {
            minimiser: Lbfgs::new(dimension),
            best: vec![0.0; dimension],
            least: f64::INFINITY,
        }
    }

    fn descend(&mut self, objective: &mut WeakestLink, g: &mut [f64]) {
        self.keep(objective.exact(g), g);
        for (sharpness, tolerance) in STAGES {
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
