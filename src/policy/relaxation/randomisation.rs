//! Random directions with a given covariance.

use super::super::weakest::WeakestLink;
use crate::radio::{Matrix, eigen, scaled};
use crate::rng::{NO_DEVICE, StandardNormal, Streams};
use num_complex::Complex;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);
/// The directions are part of the method, not of a run's randomness.
const FIXED: Streams = Streams { seed: 0, run: 0 };

/// How random directions G = Ĝ^½ V are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Randomisation {
    /// V of independent CN(0, 1) entries, literally "Gaussian randomisation" (Luo et al.,
    /// "Semidefinite Relaxation of Quadratic Optimization Problems", 2010): GGᴴ is Ĝ on
    /// average only.
    #[default]
    Gaussian,
    /// V of orthonormal columns, uniformly drawn in the range of Ĝ: exact where Ĝ has
    /// rank L.
    Orthonormal,
}

/// The best of `count` directions for `objective`, r × `streams`; eigenvalues of
/// `covariance` below `negligible` times the largest do not count as part of its range.
pub(super) fn best(
    covariance: &Matrix,
    negligible: f64,
    (count, kind): (usize, Randomisation),
    streams: usize,
    objective: &mut WeakestLink<'_>,
) -> Matrix {
    let rows = covariance.nrows();
    let spectrum = eigen(covariance);
    let floor = negligible * spectrum.values[0];
    let rank = match kind {
        Randomisation::Gaussian => rows,
        Randomisation::Orthonormal => {
            let above = spectrum.values.iter().filter(|x| **x > floor).count();
            above.max(streams)
        }
    };
    // Ĝ^½ up to a unitary matrix, by columns.
    let root = Matrix::from_fn(rows, rank, |i, k| {
        spectrum.vectors[(i, k)] * spectrum.values[k].max(0.0).sqrt()
    });
    let mut stream = FIXED.open("policy.relaxation.randomisation", NO_DEVICE, 0);
    let mut draw = vec![ZERO; rank * streams];
    let mut g = vec![0.0; 2 * rows * streams];
    let mut best = g.clone();
    let mut least = f64::INFINITY;
    for candidate in 0..count {
        draw.fill_with(|| stream.sample(StandardNormal));
        if kind == Randomisation::Orthonormal {
            orthonormalise(rank, &mut draw);
        }
        for (column, weights) in g.chunks_exact_mut(2 * rows).zip(draw.chunks_exact(rank)) {
            column.fill(0.0);
            for (weight, basis) in weights.iter().zip(root.as_slice().chunks_exact(rows)) {
                for (entry, x) in column.chunks_exact_mut(2).zip(basis) {
                    let term = x * weight;
                    entry[0] += term.re;
                    entry[1] += term.im;
                }
            }
        }
        let value = objective.exact(&g);
        if value < least || candidate == 0 {
            least = value;
            best.copy_from_slice(&g);
        }
    }
    let direction = Matrix::from_fn(rows, streams, |i, l| {
        let entry = 2 * (l * rows + i);
        Complex::new(best[entry], best[entry + 1])
    });
    // Its scale does not matter; keep it away from under- and overflow.
    scaled(&direction, 1.0 / spectrum.values[0].sqrt())
}

/// Gram and Schmidt, twice as usual, on columns of `rows` entries.
fn orthonormalise(rows: usize, a: &mut [Complex<f64>]) {
    for j in 0..a.len() / rows {
        let (done, rest) = a.split_at_mut(rows * j);
        let column = &mut rest[..rows];
        for _ in 0..2 {
            for other in done.chunks_exact(rows) {
                let along = other
                    .iter()
                    .zip(&*column)
                    .fold(ZERO, |sum, (a, b)| sum + a.conj() * b);
                for (x, other) in column.iter_mut().zip(other) {
                    *x -= other * along;
                }
            }
        }
        let norm = column.iter().fold(0.0, |sum, x| sum + x.norm_sqr()).sqrt();
        for x in column {
            *x /= norm;
        }
    }
}
