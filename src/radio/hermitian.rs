//! Small Hermitian matrices: eigenvectors, Cholesky factor, inverse, determinant.
//!
//! Every routine does its operations in one order fixed by the dimension (Jacobi
//! stops by a test on the numbers, which are the same everywhere), so results are
//! equal bit for bit on every machine. Formulas: Golub and Van Loan, *Matrix
//! Computations*, 4th ed., 4.2.5 (Cholesky) and 8.5 (Jacobi).

use super::matrix::{Matrix, adjoint_product};
use num_complex::Complex;

/// Sweeps after which Jacobi gives up; it converges quadratically and needs 6–10.
const MAX_SWEEPS: usize = 60;

/// A pivot below this fraction of its diagonal entry counts as zero: what is left of
/// it is rounding.
const SINGULAR: f64 = 1e-13;

/// Eigenvalues in descending order and, column by column, their eigenvectors.
#[derive(Debug, Clone)]
pub struct Eigen {
    /// λ₁ ≥ λ₂ ≥ …
    pub values: Vec<f64>,
    /// Orthonormal columns v₁, v₂, … ∈ Cⁿ.
    pub vectors: Matrix,
}

/// Eigenvalues and eigenvectors of a Hermitian `a` ∈ C^{n×n}, by cyclic Jacobi
/// rotations. Only the lower triangle's conjugate symmetry is assumed, not checked.
///
/// Accuracy: a few ε‖a‖. Ties keep the order of their diagonal positions.
///
/// # Panics
/// If `a` is not square.
pub fn eigen(a: &Matrix) -> Eigen {
    assert!(a.is_square(), "eigenvectors of a square matrix");
    let n = a.nrows();
    let mut a = a.clone();
    let mut v = Matrix::identity(n, n);
    let norm = super::matrix::power(&a);
    for _ in 0..MAX_SWEEPS {
        let off: f64 = (0..n)
            .flat_map(|q| (0..q).map(move |p| (p, q)))
            .fold(0.0, |sum, index| sum + a[index].norm_sqr());
        if off <= 1e-32 * norm {
            break;
        }
        for q in 1..n {
            for p in 0..q {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[(j, j)].re.total_cmp(&a[(i, i)].re));
    Eigen {
        values: order.iter().map(|&i| a[(i, i)].re).collect(),
        vectors: Matrix::from_fn(n, n, |row, k| v[(row, order[k])]),
    }
}

/// One rotation in the plane (p, q) that makes a_pq zero.
fn rotate(a: &mut Matrix, v: &mut Matrix, p: usize, q: usize) {
    let r = a[(p, q)].norm_sqr().sqrt();
    if r == 0.0 {
        return;
    }
    let phase = a[(p, q)] / r;
    let theta = (a[(q, q)].re - a[(p, p)].re) / (2.0 * r);
    let sign = if theta < 0.0 { -1.0 } else { 1.0 };
    let t = sign / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = phase * (t * c);
    let columns = |m: &mut Matrix| {
        for k in 0..m.nrows() {
            let (x, y) = (m[(k, p)], m[(k, q)]);
            m[(k, p)] = x * c - y * s.conj();
            m[(k, q)] = x * s + y * c;
        }
    };
    columns(a);
    columns(v);
    for k in 0..a.ncols() {
        let (x, y) = (a[(p, k)], a[(q, k)]);
        a[(p, k)] = x * c - y * s;
        a[(q, k)] = x * s.conj() + y * c;
    }
}

/// The lower triangular L with L Lᴴ = `a`, or `None` if `a` is not positive definite
/// to working precision.
pub fn cholesky(a: &Matrix) -> Option<Matrix> {
    let n = a.nrows();
    let mut l = Matrix::zeros(n, n);
    for j in 0..n {
        let pivot = (0..j).fold(a[(j, j)].re, |sum, k| sum - l[(j, k)].norm_sqr());
        if pivot.is_nan() || pivot <= SINGULAR * a[(j, j)].re {
            return None;
        }
        let root = pivot.sqrt();
        l[(j, j)] = Complex::new(root, 0.0);
        for i in j + 1..n {
            let rest = (0..j).fold(a[(i, j)], |sum, k| sum - l[(i, k)] * l[(j, k)].conj());
            l[(i, j)] = rest / root;
        }
    }
    Some(l)
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

/// log₂ det of a positive definite `a`, or `None` if it is not.
pub fn log2_det(a: &Matrix) -> Option<f64> {
    let l = cholesky(a)?;
    Some((0..a.nrows()).fold(0.0, |sum, k| sum + 2.0 * libm::log2(l[(k, k)].re)))
}

#[cfg(test)]
mod tests {
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
        fn eigenvectors_rebuild_the_matrix(h in tall(9, 6)) {
            let a = product_adjoint(&h, &h);
            let Eigen { values, vectors } = eigen(&a);
            prop_assert!(values.is_sorted_by(|x, y| x >= y));
            let identity = Matrix::identity(9, 9);
            prop_assert!((adjoint_product(&vectors, &vectors) - identity).norm() < 1e-13);
            let diagonal = Matrix::from_fn(9, 9, |i, j| Complex::from(if i == j { values[i] } else { 0.0 }));
            let rebuilt = product_adjoint(&product(&vectors, &diagonal), &vectors);
            prop_assert!((rebuilt - &a).norm() < 1e-12);
            // Rank 6: the last three vanish.
            prop_assert!(values[6..].iter().all(|x| x.abs() < 1e-12));
        }

        #[test]
        fn inverse_and_determinant_agree_with_eigenvalues(h in tall(8, 4)) {
            let a = adjoint_product(&h, &h) + Matrix::identity(4, 4).scale(0.01);
            let back = product(&a, &inverse(&a).unwrap());
            prop_assert!((back - Matrix::identity(4, 4)).norm() < 1e-9);
            let bits: f64 = eigen(&a).values.iter().map(|x| x.log2()).sum();
            prop_assert!((log2_det(&a).unwrap() - bits).abs() < 1e-10);
        }
    }

    #[test]
    fn a_singular_matrix_has_no_factor() {
        let equal = Matrix::from_element(2, 2, Complex::new(3.0, 0.0));
        assert!(cholesky(&equal).is_none());
        assert!(inverse(&equal).is_none());
        assert!(cholesky(&Matrix::from_element(1, 1, Complex::new(f64::NAN, 0.0))).is_none());
    }

    #[test]
    fn repeated_eigenvalues_and_zero_are_fine() {
        let eigen_of = eigen(&Matrix::identity(5, 5));
        assert!(eigen_of.values.iter().all(|x| *x == 1.0));
        assert!(eigen(&Matrix::zeros(3, 3)).values.iter().all(|x| *x == 0.0));
    }
}
