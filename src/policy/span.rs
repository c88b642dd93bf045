//! The part of the receive space that signals reach.
//!
//! Outside the joint range of all channels a combiner collects noise and no signal, so
//! that designs search inside it: fewer variables, same optimum.

use crate::radio::{
    Matrix, RadioError, TransceiverProblem, adjoint_product, eigen, factor_in_place, product,
};
use crate::wide;
use num_complex::Complex;

/// Below this fraction of the largest an eigenvalue counts as zero.
const NEGLIGIBLE: f64 = 1e-12;
/// A projector's eigenvalues are 0 and 1, so that a sum of them has none between rounding
/// and this.
const ABSENT: f64 = 1e-9;

/// The channels of a problem, seen in an orthonormal basis of their joint range.
#[derive(Debug)]
pub(super) struct Span {
    /// Q ∈ C^{N_r×r}, orthonormal columns: the eigenvectors of Σ_n H_n(H_nᴴH_n)⁻¹H_nᴴ, the
    /// sum of the projectors onto the channels' ranges, leading first.
    pub(super) basis: Matrix,
    /// QᴴH_n ∈ C^{r×N_t,n}.
    pub(super) channels: Vec<Matrix>,
}

impl Span {
    /// The span of the problem's channels, whose streams are checked first.
    ///
    /// # Errors
    /// [`RadioError::TooManyStreams`], or [`RadioError::SingularChannel`] if all channels
    /// are zero.
    pub(super) fn new(problem: &TransceiverProblem<'_>) -> Result<Self, RadioError> {
        problem.check_streams()?;
        let basis = joint_range(problem.channels).ok_or(RadioError::SingularChannel {
            device: 0,
            streams: problem.streams,
        })?;
        let channels = problem
            .channels
            .iter()
            .map(|channel| adjoint_product(&basis, channel))
            .collect();
        Ok(Self { basis, channels })
    }

    /// r, the dimension of the span.
    pub(super) fn rows(&self) -> usize {
        self.basis.ncols()
    }

    /// Q G: a direction in the span, seen at the antennas.
    pub(super) fn outwards(&self, direction: &Matrix) -> Matrix {
        product(&self.basis, direction)
    }
}

fn joint_range(channels: &[Matrix]) -> Option<Matrix> {
    let rows = channels.first()?.nrows();
    let mut sum = Matrix::zeros(rows, rows);
    for channel in channels {
        add_square(&range(channel), &mut sum);
    }
    let spectrum = eigen(&sum);
    let rank = spectrum.values.iter().filter(|x| **x > ABSENT).count();
    (rank > 0).then(|| Matrix::from_fn(rows, rank, |i, k| spectrum.vectors[(i, k)]))
}

/// `sum` += W Wᴴ.
fn add_square(w: &Matrix, sum: &mut Matrix) {
    let rows = w.nrows();
    let mut column = vec![Complex::ZERO; rows];
    wide::run(
        #[inline(always)]
        || {
            for (j, target) in sum.as_mut_slice().chunks_exact_mut(rows).enumerate() {
                column.fill(Complex::ZERO);
                for w in w.as_slice().chunks_exact(rows) {
                    let share = w[j].conj();
                    for (x, w) in column.iter_mut().zip(w) {
                        *x += w * share;
                    }
                }
                for (target, x) in target.iter_mut().zip(&column) {
                    *target += x;
                }
            }
        },
    );
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

/// The `streams` leading eigenvectors of Σ_n H_n(H_nᴴH_n)⁻¹H_nᴴ, by Cholesky factors of the
/// H_nᴴH_n where [`Span`] takes their eigenvalues; a direction that is lost in rounding is
/// left out there too.
pub(super) fn leading(channels: &[Matrix], streams: usize) -> Matrix {
    let rows = channels.first().map_or(0, Matrix::nrows);
    let mut sum = Matrix::zeros(rows, rows);
    wide::run(
        #[inline(always)]
        || {
            for channel in channels {
                add_projector(channel, &mut sum);
            }
        },
    );
    sum.fill_upper_triangle_with_lower_triangle();
    for j in 0..rows {
        for i in 0..j {
            sum[(i, j)] = sum[(i, j)].conj();
        }
    }
    let vectors = eigen(&sum).vectors;
    Matrix::from_fn(rows, streams, |i, k| vectors[(i, k)])
}

/// The lower triangle of `sum` += W Wᴴ, where W Lᴴ = H and L Lᴴ = HᴴH.
#[inline(always)]
fn add_projector(channel: &Matrix, sum: &mut Matrix) {
    let (rows, n) = (channel.nrows(), channel.ncols());
    let mut factor = adjoint_product(channel, channel);
    factor_in_place(n, factor.as_mut_slice(), NEGLIGIBLE);
    let mut range = channel.clone();
    let entries = range.as_mut_slice();
    for j in 0..n {
        let (done, rest) = entries.split_at_mut(j * rows);
        let column = &mut rest[..rows];
        for (k, other) in done.chunks_exact(rows).enumerate() {
            let share = factor[(j, k)].conj();
            for (x, y) in column.iter_mut().zip(other) {
                *x -= y * share;
            }
        }
        let pivot = factor[(j, j)].re;
        let inverse = if pivot > 0.0 { 1.0 / pivot } else { 0.0 };
        for x in column {
            *x *= inverse;
        }
    }
    for column in entries.chunks_exact(rows) {
        for (j, target) in sum.as_mut_slice().chunks_exact_mut(rows).enumerate() {
            let share: Complex<f64> = column[j].conj();
            for (target, x) in target[j..].iter_mut().zip(&column[j..]) {
                *target += x * share;
            }
        }
    }
}
