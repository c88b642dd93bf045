//! Small positive definite matrices: Cholesky factor, inverse, determinant.
//!
//! Every routine does its operations in one order fixed by the dimension, so results
//! are equal bit for bit on every machine. Formulas: Golub and Van Loan, *Matrix
//! Computations*, 4th ed., 4.2.5.

use super::matrix::{Matrix, adjoint_product};
use num_complex::Complex;

/// A pivot below this fraction of its diagonal entry counts as zero: what is left of
/// it is rounding.
const SINGULAR: f64 = 1e-13;

/// The lower triangular L with L Lᴴ = `a`, or `None` if `a` is not positive definite
/// to working precision.
pub fn cholesky(a: &Matrix) -> Option<Matrix> {
    let (l, rank) = factor(a);
    (rank == a.nrows()).then_some(l)
}

/// A lower triangular L with L Lᴴ = `a` for a positive semidefinite `a`: where nothing but
/// rounding is left of a pivot, its column is zero.
pub fn semidefinite_factor(a: &Matrix) -> Matrix {
    factor(a).0
}

/// L, and how many of its columns are not zero.
fn factor(a: &Matrix) -> (Matrix, usize) {
    let mut l = a.lower_triangle();
    let rank = factor_in_place(a.nrows(), l.as_mut_slice(), SINGULAR);
    (l, rank)
}

/// Replaces the lower triangle of a Hermitian `a` ∈ C^{n×n}, stored by columns, by its
/// Cholesky factor and returns how many columns of that are not zero: those whose pivot
/// exceeds the fraction `singular` of its diagonal entry. The rest of `a` is left alone.
///
/// nalgebra's factor of a complex matrix cannot tell: it takes the root of a negative
/// pivot too.
#[inline(always)]
pub(crate) fn factor_in_place(n: usize, a: &mut [Complex<f64>], singular: f64) -> usize {
    let mut rank = 0;
    for j in 0..n {
        let diagonal = a[j + n * j].re;
        let pivot = (0..j).fold(diagonal, |sum, k| sum - a[j + n * k].norm_sqr());
        // Nor is a NaN a pivot.
        if pivot > singular * diagonal {
            rank += 1;
            let root = pivot.sqrt();
            a[j + n * j] = Complex::new(root, 0.0);
            for i in j + 1..n {
                let rest = (0..j).fold(a[i + n * j], |sum, k| {
                    sum - a[i + n * k] * a[j + n * k].conj()
                });
                a[i + n * j] = rest / root;
            }
        } else {
            a[j + n * j..n * (j + 1)].fill(Complex::ZERO);
        }
    }
    rank
}

/// The inverse of a positive definite `a`, or `None` if it has none to working
/// precision: with `a` = L Lᴴ, (L⁻¹)ᴴ L⁻¹.
pub fn inverse(a: &Matrix) -> Option<Matrix> {
    let l = cholesky(a)?;
    let n = a.nrows();
    let mut m = Matrix::zeros(n, n);
    for j in 0..n {
        for i in j..n {
            let unit = Complex::new(if i == j { 1.0 } else { 0.0 }, 0.0);
            let rest = (j..i).fold(unit, |sum, k| sum - l[(i, k)] * m[(k, j)]);
            m[(i, j)] = rest / l[(i, i)].re;
        }
    }
    Some(adjoint_product(&m, &m))
}

/// log₂ det of a positive definite `a` ∈ C^{n×n}, stored by columns, or `None` if it is not. Its
/// lower triangle is read and holds the factor afterwards.
pub(super) fn log2_det_in_place(n: usize, a: &mut [Complex<f64>]) -> Option<f64> {
    let rank = factor_in_place(n, a, SINGULAR);
    let pivots = (0..n).map(|k| a[k + n * k].re);
    (rank == n).then(|| pivots.fold(0.0, |sum, pivot| sum + 2.0 * libm::log2(pivot)))
}

#[cfg(test)]
mod tests {
    use super::super::eigen::eigen;
    use super::super::matrix::{product, product_adjoint};
    use super::*;
    use proptest::prelude::*;

    fn tall(rows: usize, columns: usize) -> impl Strategy<Value = Matrix> {
        prop::collection::vec((-1.0..1.0, -1.0..1.0), rows * columns).prop_map(move |entries| {
            let entries = entries.into_iter().map(|(re, im)| Complex::new(re, im));
            Matrix::from_iterator(rows, columns, entries)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn inverse_and_determinant_agree_with_eigenvalues(h in tall(8, 4)) {
            let a = adjoint_product(&h, &h) + Matrix::identity(4, 4).scale(0.01);
            let back = product(&a, &inverse(&a).unwrap());
            prop_assert!((back - Matrix::identity(4, 4)).norm() < 1e-9);
            let bits: f64 = eigen(&a).values.iter().map(|x| x.log2()).sum();
            prop_assert!((log2_det_in_place(4, a.clone().as_mut_slice()).unwrap() - bits).abs() < 1e-10);
        }

        /// nalgebra's factor, and its inverse and determinant by another factorisation.
        #[test]
        fn factor_inverse_and_determinant_agree_with_nalgebra(h in tall(8, 4)) {
            let a = adjoint_product(&h, &h) + Matrix::identity(4, 4).scale(0.01);
            let l = a.clone().cholesky().unwrap().l();
            prop_assert!((cholesky(&a).unwrap() - l).norm() < 1e-12);
            let lu = a.clone().lu();
            prop_assert!((inverse(&a).unwrap() - lu.try_inverse().unwrap()).norm() < 1e-9);
            let determinant = log2_det_in_place(4, a.clone().as_mut_slice()).unwrap().exp2();
            prop_assert!((lu.determinant().re / determinant - 1.0).abs() < 1e-10);
        }
    }

    #[test]
    fn a_semidefinite_matrix_has_a_factor() {
        // Rank 2 of 4: the first two columns count, then two that add nothing.
        let tall = Matrix::from_fn(4, 2, |i, k| Complex::new((i + 1) as f64, (i * k) as f64));
        let a = product_adjoint(&tall, &tall);
        let l = semidefinite_factor(&a);
        assert!((product_adjoint(&l, &l) - a).norm() < 1e-12);
        let definite = adjoint_product(&tall, &tall);
        assert_eq!(semidefinite_factor(&definite), cholesky(&definite).unwrap());
        let zero = Matrix::zeros(2, 2);
        assert_eq!(semidefinite_factor(&zero), zero);
    }

    #[test]
    fn a_singular_matrix_has_no_factor() {
        let equal = Matrix::from_element(2, 2, Complex::new(3.0, 0.0));
        assert!(cholesky(&equal).is_none());
        assert!(inverse(&equal).is_none());
        assert!(cholesky(&Matrix::from_element(1, 1, Complex::new(f64::NAN, 0.0))).is_none());
    }
}
