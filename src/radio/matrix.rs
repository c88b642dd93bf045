//! Complex matrices and their products.
//!
//! nalgebra stores, multiplies and decomposes them. Are its bits the same everywhere? The
//! one part of it that picks instructions at run time is the crate `matrixmultiply`, which
//! its feature `std` brings along and to which it hands products of real matrices of run-time
//! size above 5; complex products never go there. airloom builds nalgebra without `std`, and
//! a test below holds `Cargo.lock` to that. What is left are plain loops, whose order
//! depends on the sizes alone: Rust rounds each product and each sum by itself and never
//! contracts them, square roots are IEEE's, and everything else comes from libm (its
//! feature `libm-force`). A program that uses airloom as a library and nalgebra with `std`
//! brings `matrixmultiply` back, so nothing here multiplies two real matrices.
//!
//! What is not nalgebra's here, and why: [`cholesky`](super::cholesky), because its own
//! takes complex roots of negative pivots instead of refusing them; [`eigen`](super::eigen),
//! on whose last bits every published design stands; and the kernels of `src/policy`,
//! which run many small matrices at once or in place.

use num_complex::Complex;

/// A dense complex matrix, stored by columns.
pub type Matrix = nalgebra::DMatrix<Complex<f64>>;

/// A B, for A ∈ C^{m×k} and B ∈ C^{k×n}, summed over k in ascending order.
///
/// # Panics
/// If the inner dimensions differ.
pub fn product(a: &Matrix, b: &Matrix) -> Matrix {
    a * b
}

/// Aᴴ B, for A ∈ C^{k×m} and B ∈ C^{k×n}, summed over k in ascending order.
///
/// # Panics
/// If the numbers of rows differ.
pub fn adjoint_product(a: &Matrix, b: &Matrix) -> Matrix {
    a.adjoint() * b
}

/// A Bᴴ, for A ∈ C^{m×k} and B ∈ C^{n×k}, summed over k in ascending order.
///
/// # Panics
/// If the numbers of columns differ.
pub fn product_adjoint(a: &Matrix, b: &Matrix) -> Matrix {
    a * b.adjoint()
}

/// σ₁ ≥ σ₂ ≥ … of `a`, min(rows, columns) of them, each to a few ε σ₁; what lies below
/// that is zero. NaN where an entry is not finite.
pub fn singular_values(a: &Matrix) -> Vec<f64> {
    /// QR steps per value after which the iteration stops; 2 are usual.
    const MAX_STEPS: usize = 60;
    let (least, most) = (a.nrows().min(a.ncols()), a.nrows().max(a.ncols()));
    if least == 0 {
        return Vec::new();
    }
    let steps = MAX_STEPS * least;
    let finite = a.iter().all(|x| x.re.is_finite() && x.im.is_finite());
    let found = finite
        .then(|| a.clone().try_svd(false, false, f64::EPSILON, steps))
        .flatten();
    let Some(found) = found else {
        return vec![f64::NAN; least];
    };
    let values = found.singular_values;
    let rounding = f64::EPSILON * most as f64 * values[0];
    let told = |value: &f64| if *value > rounding { *value } else { 0.0 };
    values.iter().map(told).collect()
}

/// tr(A Aᴴ) = Σ |a_ij|², the squared Frobenius norm.
pub fn power(a: &Matrix) -> f64 {
    a.iter().fold(0.0, |sum, x| sum + x.norm_sqr())
}

/// A scaled by a real factor.
pub fn scaled(a: &Matrix, factor: f64) -> Matrix {
    a.scale(factor)
}

/// The k-th column.
pub fn column(a: &Matrix, k: usize) -> &[Complex<f64>] {
    &a.as_slice()[k * a.nrows()..(k + 1) * a.nrows()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Matrix> {
        prop::collection::vec((-1.0..1.0, -1.0..1.0), rows * columns).prop_map(move |entries| {
            let entries = entries.into_iter().map(|(re, im)| Complex::new(re, im));
            Matrix::from_iterator(rows, columns, entries)
        })
    }

    /// What lets bits depend on the CPU; see the head of this file.
    #[test]
    fn nalgebra_multiplies_by_plain_loops() {
        let lock = include_str!("../../Cargo.lock");
        assert!(lock.contains("name = \"nalgebra\""));
        assert!(!lock.contains("name = \"matrixmultiply\""));
    }

    proptest! {
        /// Sums over the inner index in ascending order, term by term: the same bits.
        #[test]
        fn products_are_summed_in_ascending_order(
            a in matrix(7, 8), b in matrix(8, 6), c in matrix(7, 3),
        ) {
            let inner = |k: usize, term: &dyn Fn(usize) -> Complex<f64>| {
                (1..k).fold(term(0), |sum, k| sum + term(k))
            };
            let expected = Matrix::from_fn(7, 6, |i, j| inner(8, &|k| a[(i, k)] * b[(k, j)]));
            prop_assert_eq!(product(&a, &b), expected);
            let expected =
                Matrix::from_fn(8, 3, |i, j| inner(7, &|k| a[(k, i)].conj() * c[(k, j)]));
            prop_assert_eq!(adjoint_product(&a, &c), expected);
            let expected =
                Matrix::from_fn(8, 8, |i, j| inner(6, &|k| b[(i, k)] * b[(j, k)].conj()));
            prop_assert_eq!(product_adjoint(&b, &b), expected);
            prop_assert!((power(&a) - (&a * a.adjoint()).trace().re).abs() < 1e-12);
        }

        /// The squares are the eigenvalues of the Gram matrix, their sum is the power.
        #[test]
        fn singular_values_agree_with_eigenvalues(a in matrix(7, 4)) {
            let found = singular_values(&a);
            prop_assert_eq!(found.len(), 4);
            let expected = super::super::eigen(&adjoint_product(&a, &a)).values;
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found * found - expected).abs() < 1e-12 * expected.max(1.0));
            }
            let turned = singular_values(&a.adjoint());
            for (found, turned) in found.iter().zip(&turned) {
                prop_assert!((found - turned).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn singular_values_know_rank_and_nonsense() {
        let one = Complex::new(1.0, 0.0);
        let found = singular_values(&Matrix::from_element(6, 3, one));
        assert!((found[0] - 18f64.sqrt()).abs() < 1e-14);
        assert_eq!(found[1..], [0.0, 0.0]);
        assert_eq!(singular_values(&Matrix::zeros(2, 5)), [0.0, 0.0]);
        assert!(singular_values(&Matrix::zeros(0, 5)).is_empty());
        let found = singular_values(&Matrix::from_element(2, 2, one * f64::INFINITY));
        assert!(found.iter().all(|value| value.is_nan()));
    }
}
