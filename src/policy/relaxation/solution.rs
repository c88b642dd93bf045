//! The relaxation as a problem of its own: solved, with its certificate.

use super::super::span::Span;
use super::interior_point::{Certified, InteriorPoint};
use crate::radio::{
    Matrix, RadioError, TransceiverProblem, adjoint_product, inverse, product, product_adjoint,
    scaled,
};

/// A solution of (17) that proves its own quality.
#[derive(Debug, Clone)]
pub struct RelaxedOptimum {
    /// Ĝ ∈ C^{N_r×N_r}, positive semidefinite with tr Ĝ = 1.
    pub covariance: Matrix,
    /// t, with P_n λ_min(H_nᴴĜH_n) ≥ t for every device: at most the optimum.
    pub value: f64,
    /// No Ĝ reaches more than this, by a feasible point of the dual problem.
    pub bound: f64,
    /// Newton systems solved.
    pub iterations: usize,
}

impl RelaxedOptimum {
    /// bound/value − 1: how far from optimal it may be at most.
    pub fn gap(&self) -> f64 {
        self.bound / self.value - 1.0
    }
}

/// Solves the relaxation (17) of Zhang et al. to a relative gap,
///
/// maximise t subject to P_n λ_min(H_nᴴĜH_n) ≥ t for all n, tr Ĝ = 1, Ĝ ⪰ 0,
///
/// over Ĝ ∈ C^{N_r×N_r}. `problem` gives H_n ∈ C^{N_r×N_t,n} and P_n, its noise has no
/// influence; (17) bounds the error (7) of L = N_t streams by σ_z² L/t. `gap` is
/// dimensionless; doubles certify about 1e-8. The gap that was reached is the solution's
/// [`gap`](RelaxedOptimum::gap).
///
/// # Errors
/// [`RadioError::StreamsUnlikeAntennas`] unless every device has L antennas;
/// [`RadioError::SingularChannel`] if a channel has not full column rank.
pub fn relax(problem: &TransceiverProblem<'_>, gap: f64) -> Result<RelaxedOptimum, RadioError> {
    let span = Span::new(problem)?;
    let found = solve(&span, problem, gap)?;
    let trace = (0..span.rows()).fold(0.0, |sum, k| sum + found.covering[(k, k)].re);
    let outwards = product(&span.basis, &scaled(&found.covering, 1.0 / trace));
    Ok(RelaxedOptimum {
        covariance: product_adjoint(&outwards, &span.basis),
        value: 1.0 / found.above,
        bound: 1.0 / found.below,
        iterations: found.iterations,
    })
}

/// Within the span of the channels.
pub(super) fn solve(
    span: &Span,
    problem: &TransceiverProblem<'_>,
    gap: f64,
) -> Result<Certified, RadioError> {
    let streams = problem.streams;
    let mut scaled_channels = Vec::with_capacity(span.channels.len());
    for (device, (channel, power)) in span.channels.iter().zip(problem.powers).enumerate() {
        if channel.ncols() != streams {
            return Err(RadioError::StreamsUnlikeAntennas {
                device,
                streams,
                antennas: channel.ncols(),
            });
        }
        if inverse(&adjoint_product(channel, channel)).is_none() {
            return Err(RadioError::SingularChannel { device, streams });
        }
        scaled_channels.push(scaled(channel, power.sqrt()));
    }
    InteriorPoint::new(&scaled_channels)
        .solve(gap)
        .ok_or(RadioError::SingularChannel { device: 0, streams })
}
