//! The dominant-eigenvector combiner: listen where most energy arrives.

use crate::radio::{
    Matrix, RadioError, Transceiver, TransceiverDesign, TransceiverProblem, eigen, product_adjoint,
};

/// G = the L leading eigenvectors of Σ_n H_n H_nᴴ, with zero-forcing precoders.
///
/// It ignores that the weakest device sets everybody's noise, so that it is a baseline
/// and a fast start, not an optimum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DominantEigenvectors;

impl TransceiverDesign for DominantEigenvectors {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        problem.check_streams()?;
        Transceiver::zero_forcing(&leading(problem.channels, problem.streams), problem)
    }
}

/// The `streams` leading eigenvectors of Σ_n H_n H_nᴴ, orthonormal columns.
fn leading(channels: &[Matrix], streams: usize) -> Matrix {
    let rows = channels.first().map_or(0, Matrix::nrows);
    let mut sum = Matrix::zeros(rows, rows);
    for channel in channels {
        sum += product_adjoint(channel, channel);
    }
    let vectors = eigen(&sum).vectors;
    Matrix::from_fn(rows, streams, |i, k| vectors[(i, k)])
}
