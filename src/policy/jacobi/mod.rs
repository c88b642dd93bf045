//! Eigenvectors of very small Hermitian matrices, in place.
//!
//! Cyclic complex Jacobi rotations (Golub and Van Loan, *Matrix Computations*, 4th ed.,
//! 8.5): for the L×L matrices of a few streams they cost less than a reduction to
//! tridiagonal form, allocate nothing, and do their operations in one fixed order.

pub(super) mod beside;

use num_complex::Complex;

/// Sweeps after which the iteration stops; 5 or 6 are usual.
const MAX_SWEEPS: usize = 30;

/// Makes the Hermitian `a` ∈ C^{n×n} (any storage order: entry (i, j) at i + n j) diagonal;
/// its eigenvalues are left on the diagonal, in no order, and the unitary V with
/// V diag Vᴴ = a in `vectors`, eigenvector k at `vectors[n k..]`.
///
/// # Panics
/// If a slice is shorter than n².
pub(super) fn diagonalise(n: usize, a: &mut [Complex<f64>], vectors: &mut [Complex<f64>]) {
    for (k, entry) in vectors[..n * n].iter_mut().enumerate() {
        *entry = Complex::new(if k % (n + 1) == 0 { 1.0 } else { 0.0 }, 0.0);
    }
    for _ in 0..MAX_SWEEPS {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                turned |= rotate(n, a, vectors, p, q);
            }
        }
        if !turned {
            return;
        }
    }
}

/// Zeroes entries (p, q) and (q, p) by one rotation; false if they are negligible.
fn rotate(
    n: usize,
    a: &mut [Complex<f64>],
    vectors: &mut [Complex<f64>],
    p: usize,
    q: usize,
) -> bool {
    let coupling = a[p + n * q];
    let (first, second) = (a[p + n * p].re, a[q + n * q].re);
    let squared = coupling.norm_sqr();
    let limit = f64::EPSILON * f64::EPSILON;
    if squared <= limit * (first * second).abs() || squared < f64::MIN_POSITIVE {
        return false;
    }
    let size = squared.sqrt();
    let phase = coupling / size;
    let cotangent = (second - first) / (2.0 * size);
    let tangent = if cotangent >= 0.0 { 1.0 } else { -1.0 }
        / (cotangent.abs() + (1.0 + cotangent * cotangent).sqrt());
    let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
    let sine = tangent * cosine;
    turn_columns(n, a, (p, q), (cosine, sine), phase);
    turn_columns(n, vectors, (p, q), (cosine, sine), phase);
    for k in 0..n {
        let (x, y) = (a[p + n * k], a[q + n * k] * phase);
        a[p + n * k] = x * cosine - y * sine;
        a[q + n * k] = x * sine + y * cosine;
    }
    let zero = Complex::new(0.0, 0.0);
    (a[p + n * q], a[q + n * p]) = (zero, zero);
    a[p + n * p].im = 0.0;
    a[q + n * q].im = 0.0;
    true
}

/// Columns p and q become c x − s φ* y and s x + c φ* y.
fn turn_columns(
    n: usize,
    a: &mut [Complex<f64>],
    (p, q): (usize, usize),
    (cosine, sine): (f64, f64),
    phase: Complex<f64>,
) {
    let back = phase.conj();
    for k in 0..n {
        let (x, y) = (a[k + n * p], a[k + n * q] * back);
        a[k + n * p] = x * cosine - y * sine;
        a[k + n * q] = x * sine + y * cosine;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{Fading, adjoint_product, eigen};
    use crate::rng::Streams;

    /// The library's tridiagonal QR is the second route.
    #[test]
    fn it_agrees_with_tridiagonal_qr() {
        for (n, rows) in [(1, 3), (2, 5), (4, 4), (4, 3), (7, 9)] {
            let fading = Fading::default();
            let h = fading.draw(Streams { seed: 5, run: 0 }, n, 0, rows, n);
            let gram = adjoint_product(&h, &h);
            let mut a = gram.as_slice().to_vec();
            let mut vectors = a.clone();
            diagonalise(n, &mut a, &mut vectors);
            let mut found: Vec<f64> = (0..n).map(|k| a[k + n * k].re).collect();
            found.sort_by(|x, y| y.total_cmp(x));
            let expected = eigen(&gram).values;
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-11, "{found} {expected}");
            }
            for i in 0..n {
                for j in 0..n {
                    let back = (0..n).fold(Complex::new(0.0, 0.0), |sum, k| {
                        sum + vectors[i + n * k] * a[k + n * k].re * vectors[j + n * k].conj()
                    });
                    assert!((back - gram[(i, j)]).norm() < 1e-12 * expected[0]);
                }
            }
        }
    }
}
