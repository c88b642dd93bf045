//! Eigenvalues and eigenvectors of small Hermitian matrices.
//!
//! Householder reflections make the matrix tridiagonal, a diagonal of phases makes it
//! real, and implicit QR steps with Wilkinson's shift make it diagonal (Golub and Van
//! Loan, *Matrix Computations*, 4th ed., algorithms 8.3.1–8.3.3, for complex entries).
//! Every operation has one place in one order, so results are equal bit for bit on
//! every machine; the tests that end an iteration compare such results.

use super::matrix::{Matrix, column};
use crate::wide;
use num_complex::Complex;

/// QR steps per eigenvalue after which the iteration stops; 2 are usual.
const MAX_STEPS: usize = 30;

/// Eigenvalues in descending order and, column by column, their eigenvectors.
#[derive(Debug, Clone)]
pub struct Eigen {
    /// λ₁ ≥ λ₂ ≥ …
    pub values: Vec<f64>,
    /// Orthonormal columns v₁, v₂, … ∈ Cⁿ.
    pub vectors: Matrix,
}

/// Eigenvalues and eigenvectors of a Hermitian `a` ∈ C^{n×n}, whose symmetry is
/// assumed. Accuracy: a few n·ε·‖a‖.
///
/// Range: ‖a‖ between 10⁻¹⁴⁰ and 10¹⁴⁰, so that squares neither vanish nor overflow.
///
/// # Panics
/// If `a` is not square.
pub fn eigen(a: &Matrix) -> Eigen {
    assert!(a.is_square(), "eigenvectors of a square matrix");
    let n = a.nrows();
    let (tridiagonal, basis) = wide::run(
        #[inline(always)]
        || {
            let (mut tridiagonal, mut basis) = tridiagonalise(a);
            tridiagonal.diagonalise(&mut basis);
            (tridiagonal, basis)
        },
    );
    let values = tridiagonal.diagonal;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
    Eigen {
        values: order.iter().map(|&i| values[i]).collect(),
        vectors: Matrix::from_fn(n, n, |row, k| basis[(row, order[k])]),
    }
}

/// A real symmetric tridiagonal matrix.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Below the diagonal: entry k couples k and k + 1.
    below: Vec<f64>,
}

/// The entries of column `k`, to be changed.
#[inline(always)]
fn column_mut(a: &mut Matrix, k: usize) -> &mut [Complex<f64>] {
    let rows = a.nrows();
    &mut a.as_mut_slice()[k * rows..(k + 1) * rows]
}

/// Real tridiagonal T and unitary Q with Q T Qᴴ = `a`.
#[inline(always)]
fn tridiagonalise(a: &Matrix) -> (Tridiagonal, Matrix) {
    let n = a.nrows();
    let mut a = a.clone();
    let mut reflections = Vec::with_capacity(n);
    let mut below = Vec::with_capacity(n);
    for k in 0..n.saturating_sub(1) {
        let (v, factor, corner) = reflection(&column(&a, k)[k + 1..]);
        below.push(corner);
        reflect_both_sides(&mut a, &v, factor, k + 1);
        reflections.push((v, factor));
    }
    let mut q = Matrix::identity(n, n);
    for (k, (v, factor)) in reflections.iter().enumerate().rev() {
        for j in k + 1..n {
            reflect(&mut column_mut(&mut q, j)[k + 1..], v, *factor);
        }
    }
    // A diagonal of phases turns each coupling into its magnitude.
    let mut phase = Complex::new(1.0, 0.0);
    let mut magnitudes = Vec::with_capacity(n);
    for (k, coupling) in below.into_iter().enumerate() {
        let magnitude = coupling.norm_sqr().sqrt();
        magnitudes.push(magnitude);
        if magnitude > 0.0 {
            phase *= coupling / magnitude;
        }
        for entry in column_mut(&mut q, k + 1) {
            *entry *= phase;
        }
    }
    let tridiagonal = Tridiagonal {
        diagonal: (0..n).map(|k| a[(k, k)].re).collect(),
        below: magnitudes,
    };
    (tridiagonal, q)
}

/// v, β and γ such that (I − β v vᴴ) x = γ e₁.
#[inline(always)]
fn reflection(x: &[Complex<f64>]) -> (Vec<Complex<f64>>, f64, Complex<f64>) {
    let mut v = x.to_vec();
    let rest = x[1..].iter().fold(0.0, |sum, entry| sum + entry.norm_sqr());
    if rest == 0.0 {
        return (v, 0.0, x[0]);
    }
    let first = x[0].norm_sqr().sqrt();
    let norm = (first * first + rest).sqrt();
    let phase = if first > 0.0 {
        x[0] / first
    } else {
        Complex::new(1.0, 0.0)
    };
    v[0] = phase * (first + norm);
    // ‖v‖² = 2 norm (norm + first).
    (v, 1.0 / (norm * (norm + first)), -phase * norm)
}

/// x ← (I − β v vᴴ) x.
#[inline(always)]
fn reflect(x: &mut [Complex<f64>], v: &[Complex<f64>], factor: f64) {
    let along = inner(v, x) * factor;
    for (x, v) in x.iter_mut().zip(v) {
        *x -= v * along;
    }
}

/// vᴴ x.
#[inline(always)]
fn inner(v: &[Complex<f64>], x: &[Complex<f64>]) -> Complex<f64> {
    v.iter()
        .zip(x)
        .fold(Complex::new(0.0, 0.0), |sum, (v, x)| sum + v.conj() * x)
}

/// (I − β v vᴴ) A (I − β v vᴴ) on the trailing block from `first` on, as
/// A − v wᴴ − w vᴴ with p = β A v and w = p − β/2 (vᴴp) v.
#[inline(always)]
fn reflect_both_sides(a: &mut Matrix, v: &[Complex<f64>], factor: f64, first: usize) {
    if factor == 0.0 {
        return;
    }
    let mut w = vec![Complex::new(0.0, 0.0); v.len()];
    for (j, vj) in v.iter().enumerate() {
        let scaled = vj * factor;
        for (w, entry) in w.iter_mut().zip(&column(a, first + j)[first..]) {
            *w += entry * scaled;
        }
    }
    let half = inner(v, &w) * (0.5 * factor);
    for (w, v) in w.iter_mut().zip(v) {
        *w -= v * half;
    }
    for (j, (vj, wj)) in v.iter().zip(&w).enumerate() {
        let (vj, wj) = (vj.conj(), wj.conj());
        let entries = &mut column_mut(a, first + j)[first..];
        for ((entry, v), w) in entries.iter_mut().zip(v).zip(&w) {
            *entry -= v * wj + w * vj;
        }
    }
}

impl Tridiagonal {
    /// Makes it diagonal and turns the columns of `basis` along.
    #[inline(always)]
    fn diagonalise(&mut self, basis: &mut Matrix) {
        let mut high = self.diagonal.len().saturating_sub(1);
        let mut steps = 0;
        while high > 0 {
            if self.splits(high - 1) || steps == MAX_STEPS {
                high -= 1;
                steps = 0;
                continue;
            }
            let mut low = high - 1;
            while low > 0 && !self.splits(low - 1) {
                low -= 1;
            }
            self.step(low, high, basis);
            steps += 1;
        }
    }

    /// Whether the coupling `k` is zero to working precision; if so, makes it zero.
    #[inline(always)]
    fn splits(&mut self, k: usize) -> bool {
        let neighbours = self.diagonal[k].abs() + self.diagonal[k + 1].abs();
        let negligible = self.below[k] == 0.0 || self.below[k].abs() <= f64::EPSILON * neighbours;
        if negligible {
            self.below[k] = 0.0;
        }
        negligible
    }

    /// One implicit QR step on the block from `low` to `high`.
    #[inline(always)]
    fn step(&mut self, low: usize, high: usize, basis: &mut Matrix) {
        let Self { diagonal, below } = self;
        let coupling = below[high - 1];
        let half = (diagonal[high - 1] - diagonal[high]) / 2.0;
        let root = (half * half + coupling * coupling).sqrt();
        let shift =
            diagonal[high] - coupling * coupling / (half + if half < 0.0 { -root } else { root });
        let (mut x, mut z) = (diagonal[low] - shift, below[low]);
        for k in low..high {
            let radius = (x * x + z * z).sqrt();
            if radius == 0.0 {
                break;
            }
            let (c, s) = (x / radius, z / radius);
            if k > low {
                below[k - 1] = radius;
            }
            let (upper, lower, e) = (diagonal[k], diagonal[k + 1], below[k]);
            diagonal[k] = c * c * upper + 2.0 * c * s * e + s * s * lower;
            diagonal[k + 1] = s * s * upper - 2.0 * c * s * e + c * c * lower;
            below[k] = (c * c - s * s) * e + c * s * (lower - upper);
            if k + 1 < high {
                x = below[k];
                z = s * below[k + 1];
                below[k + 1] *= c;
            }
            rotate(basis, k, c, s);
        }
    }
}

/// Columns k and k + 1 ← (c q_k + s q_{k+1}, −s q_k + c q_{k+1}).
#[inline(always)]
fn rotate(basis: &mut Matrix, k: usize, c: f64, s: f64) {
    let rows = basis.nrows();
    let pair = &mut basis.as_mut_slice()[k * rows..(k + 2) * rows];
    let (left, right) = pair.split_at_mut(rows);
    for (x, y) in left.iter_mut().zip(right) {
        (*x, *y) = (*x * c + *y * s, *y * c - *x * s);
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{adjoint_product, product, product_adjoint};
    use super::*;
    use proptest::prelude::*;

    fn entries(count: usize) -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((-1.0..1.0, -1.0..1.0), count)
    }

    fn matrix(rows: usize, columns: usize, entries: Vec<(f64, f64)>) -> Matrix {
        let entries = entries.into_iter().map(|(re, im)| Complex::new(re, im));
        Matrix::from_iterator(rows, columns, entries)
    }

    /// V is unitary, V Λ Vᴴ = A, and values descend.
    fn check(a: &Matrix, scale: f64) {
        let n = a.nrows();
        let Eigen { values, vectors } = eigen(a);
        assert!(values.is_sorted_by(|x, y| x >= y));
        let gram = adjoint_product(&vectors, &vectors);
        assert!((gram - Matrix::identity(n, n)).norm() < 1e-13);
        let diagonal = Matrix::from_fn(n, n, |i, j| {
            Complex::from(if i == j { values[i] } else { 0.0 })
        });
        let rebuilt = product_adjoint(&product(&vectors, &diagonal), &vectors);
        assert!((rebuilt - a).norm() < 1e-13 * scale * n as f64);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn eigenvectors_rebuild_the_matrix(n in 1usize..21, list in entries(400)) {
            let h = matrix(n, n, list[..n * n].to_vec());
            let a = &h + h.adjoint();
            check(&a, 10.0);
            // nalgebra's, by another reduction.
            let mut expected: Vec<f64> = a.symmetric_eigenvalues().iter().copied().collect();
            expected.sort_by(|x, y| y.total_cmp(x));
            for (found, expected) in eigen(&a).values.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-12 * n as f64);
            }
        }

        #[test]
        fn rank_deficient_sums_are_fine(rank in 1usize..6, list in entries(100)) {
            let h = matrix(20, rank, list[..20 * rank].to_vec());
            let a = product_adjoint(&h, &h);
            check(&a, 20.0);
            prop_assert!(eigen(&a).values[rank..].iter().all(|x| x.abs() < 1e-12));
        }

        #[test]
        fn weak_channels_keep_their_vectors(list in entries(80)) {
            let h = matrix(20, 4, list) * Complex::from(1e-7);
            check(&product_adjoint(&h, &h), 20.0 * 1e-14);
        }
    }

    /// The second-difference matrix has eigenvalues 2 − 2 cos(kπ/(n + 1)).
    #[test]
    fn a_known_spectrum_is_found() {
        let n = 12;
        let a = Matrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => Complex::new(2.0, 0.0),
            1 => Complex::new(0.0, if i < j { 1.0 } else { -1.0 }),
            _ => Complex::new(0.0, 0.0),
        });
        check(&a, 4.0);
        for (k, value) in eigen(&a).values.iter().rev().enumerate() {
            let angle = (k + 1) as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13);
        }
    }

    #[test]
    fn repeated_values_zero_and_diagonals_are_fine() {
        check(&Matrix::identity(5, 5), 1.0);
        check(&Matrix::zeros(3, 3), 1.0);
        check(&Matrix::from_element(6, 6, Complex::new(1.0, 0.0)), 6.0);
        let diagonal = Matrix::from_fn(4, 4, |i, j| {
            Complex::from(if i == j { i as f64 - 2.0 } else { 0.0 })
        });
        check(&diagonal, 2.0);
        assert_eq!(eigen(&diagonal).values, [1.0, 0.0, -1.0, -2.0]);
        assert!(eigen(&Matrix::zeros(0, 0)).values.is_empty());
    }
}
