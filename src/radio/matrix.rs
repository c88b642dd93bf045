//! Complex matrices and their products, summed in one fixed order.
//!
//! nalgebra stores the matrices. Its own products must not be used on them: from a
//! dimension above 5 it hands f64 products to a library that picks its instructions
//! at run time, so the same program gives other bits on another machine. Here each
//! element of a product is summed over the inner index in ascending order, without
//! fused multiply-add.

use num_complex::Complex;

/// A dense complex matrix, stored by columns.
#[expect(
    clippy::disallowed_types,
    reason = "it stores; the functions below multiply"
)]
pub type Matrix = nalgebra::DMatrix<Complex<f64>>;

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);

/// A B, for A ∈ C^{m×k} and B ∈ C^{k×n}.
///
/// # Panics
/// If the inner dimensions differ.
pub fn product(a: &Matrix, b: &Matrix) -> Matrix {
    assert_eq!(a.ncols(), b.nrows(), "inner dimensions of a product");
    let rows = a.nrows();
    let mut out = Matrix::from_element(rows, b.ncols(), ZERO);
    for j in 0..b.ncols() {
        let column = &mut out.as_mut_slice()[j * rows..(j + 1) * rows];
        for k in 0..a.ncols() {
            let factor = b[(k, j)];
            for (sum, x) in column
                .iter_mut()
                .zip(&a.as_slice()[k * rows..(k + 1) * rows])
            {
                *sum += x * factor;
            }
        }
    }
    out
}

/// Aᴴ B, for A ∈ C^{k×m} and B ∈ C^{k×n}.
///
/// # Panics
/// If the numbers of rows differ.
pub fn adjoint_product(a: &Matrix, b: &Matrix) -> Matrix {
    assert_eq!(a.nrows(), b.nrows(), "inner dimensions of a product");
    Matrix::from_fn(a.ncols(), b.ncols(), |i, j| {
        column(a, i)
            .iter()
            .zip(column(b, j))
            .fold(ZERO, |sum, (x, y)| sum + x.conj() * y)
    })
}

/// A Bᴴ, for A ∈ C^{m×k} and B ∈ C^{n×k}.
///
/// # Panics
/// If the numbers of columns differ.
pub fn product_adjoint(a: &Matrix, b: &Matrix) -> Matrix {
    product(a, &b.adjoint())
}

/// tr(A Aᴴ) = Σ |a_ij|², the squared Frobenius norm.
pub fn power(a: &Matrix) -> f64 {
    a.iter().fold(0.0, |sum, x| sum + x.norm_sqr())
}

/// A scaled by a real factor.
pub fn scaled(a: &Matrix, factor: f64) -> Matrix {
    a.map(|x| x * factor)
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

    proptest! {
        /// nalgebra's product is the second route; only the order of sums differs.
        #[test]
        fn products_agree_with_nalgebra(a in matrix(7, 5), b in matrix(5, 6), c in matrix(7, 3)) {
            prop_assert!((product(&a, &b) - &a * &b).norm() < 1e-13);
            prop_assert!((adjoint_product(&a, &c) - a.adjoint() * &c).norm() < 1e-13);
            prop_assert!((product_adjoint(&b, &b) - &b * b.adjoint()).norm() < 1e-13);
            prop_assert!((power(&a) - (&a * a.adjoint()).trace().re).abs() < 1e-12);
        }
    }
}
