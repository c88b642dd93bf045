//! Local descent on the exact short-term problem.

use super::lbfgs::Lbfgs;
use super::weakest::WeakestLink;
use crate::radio::{
    Matrix, RadioError, Transceiver, TransceiverDesign, TransceiverProblem, adjoint_product, eigen,
    product, product_adjoint,
};
use crate::rng::{NO_DEVICE, Streams};
use num_complex::Complex;

/// The sharpness of the smoothed maximum and the gain in ln α below which a stage ends,
/// stage by stage: gentle first, so that all devices pull, then close to the maximum.
/// A last stage of sharpness p leaves at most (ln N)/p in ln α.
const STAGES: [(f64, f64); 3] = [(4.0, 1e-4), (30.0, 1e-5), (300.0, 1e-5)];
/// Steps per stage.
const MAX_STEPS: usize = 60;
/// Arbitrary directions are part of the method, not of a run's randomness.
const FIXED: Streams = Streams { seed: 0, run: 0 };
/// Below this fraction of the largest an eigenvalue counts as zero.
const NEGLIGIBLE: f64 = 1e-12;

/// Minimises α(G) = tr(GGᴴ)·max_n tr[(GᴴH_nH_nᴴG)⁻¹]/P_n, the exact (13) of Zhang et al.,
/// by L-BFGS on a smoothed maximum, from the L leading eigenvectors of
/// Σ_n H_n(H_nᴴH_n)⁻¹H_nᴴ; precoders are the zero-forcing ones of their Lemma 1.
///
/// The problem is not convex: the result is a local minimum, in practice well below the
/// paper's relaxation, whose bound (14) is loose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Descent;

impl TransceiverDesign for Descent {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        problem.check_streams()?;
        let Some(basis) = joint_range(problem.channels) else {
            return Err(RadioError::SingularChannel {
                device: 0,
                streams: problem.streams,
            });
        };
        // In the basis of the joint range, the leading eigenvectors are unit vectors.
        let inner: Vec<Matrix> = problem
            .channels
            .iter()
            .map(|channel| adjoint_product(&basis, channel))
            .collect();
        let rows = basis.ncols();
        let mut objective = WeakestLink::new(&inner, problem.powers, problem.streams);
        let mut g = vec![0.0; objective.dimension()];
        for l in 0..problem.streams.min(rows) {
            g[2 * (l * rows + l)] = 1.0;
        }
        let mut least = objective.exact(&g);
        if least.is_infinite() {
            // The leading directions miss a device entirely; arbitrary ones miss none that
            // can be heard.
            FIXED
                .open("policy.descent.start", NO_DEVICE, 0)
                .fill_normal(&mut g);
            least = objective.exact(&g);
        }
        let mut best = g.clone();
        let mut minimiser = Lbfgs::new(g.len());
        for (sharpness, tolerance) in STAGES {
            minimiser.minimise(&mut g, tolerance, MAX_STEPS, |g, gradient| {
                objective.smoothed(g, sharpness, gradient)
            });
            let value = objective.exact(&g);
            if value < least {
                least = value;
                best.copy_from_slice(&g);
            }
        }
        let direction = Matrix::from_fn(rows, problem.streams, |r, l| {
            let entry = 2 * (l * rows + r);
            Complex::new(best[entry], best[entry + 1])
        });
        Transceiver::zero_forcing(&product(&basis, &direction), problem)
    }
}

/// Orthonormal columns that span all channels' ranges: the eigenvectors of
/// Σ_n H_n(H_nᴴH_n)⁻¹H_nᴴ, the sum of the projectors onto them, leading first. `None` if
/// all channels are zero.
///
/// Outside this span a combiner collects noise and no signal.
fn joint_range(channels: &[Matrix]) -> Option<Matrix> {
    let rows = channels.first()?.nrows();
    let mut sum = Matrix::zeros(rows, rows);
    for channel in channels {
        let range = range(channel);
        sum += product_adjoint(&range, &range);
    }
    let spectrum = eigen(&sum);
    // A projector's eigenvalues are 0 and 1, so that a sum of them has none in between
    // 0 and rounding.
    let rank = spectrum.values.iter().filter(|x| **x > 1e-9).count();
    (rank > 0).then(|| Matrix::from_fn(rows, rank, |i, k| spectrum.vectors[(i, k)]))
}

/// Orthonormal columns that span the range of `channel`: H v/√λ over the eigenvectors v
/// of HᴴH.
fn range(channel: &Matrix) -> Matrix {
    let spectrum = eigen(&adjoint_product(channel, channel));
    let floor = NEGLIGIBLE * spectrum.values[0];
    let rank = spectrum.values.iter().filter(|x| **x > floor).count();
    let scaled = Matrix::from_fn(channel.ncols(), rank, |i, k| {
        spectrum.vectors[(i, k)] / spectrum.values[k].sqrt()
    });
    product(channel, &scaled)
}
