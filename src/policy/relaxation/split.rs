//! Complex matrices with real and imaginary parts apart.
//!
//! Every product walks down columns, so that the compiler works on as many rows at once as
//! the CPU allows; each entry is still summed over the inner index in ascending order
//! without fused operations, hence with the same bits at any width. Everything is
//! `inline(always)` because the caller chooses the instruction set.

use crate::radio::Matrix;
use num_complex::Complex;

/// A dense complex matrix, by columns.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) re: Vec<f64>,
    pub(super) im: Vec<f64>,
}

impl Split {
    pub(super) fn zeros(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            re: vec![0.0; rows * columns],
            im: vec![0.0; rows * columns],
        }
    }

    pub(super) fn to_matrix(&self) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, j| self.get(i, j))
    }

    #[inline(always)]
    pub(super) fn get(&self, i: usize, j: usize) -> Complex<f64> {
        let k = i + self.rows * j;
        Complex::new(self.re[k], self.im[k])
    }

    #[inline(always)]
    pub(super) fn set(&mut self, i: usize, j: usize, value: Complex<f64>) {
        let k = i + self.rows * j;
        self.re[k] = value.re;
        self.im[k] = value.im;
    }

    /// self = A.
    #[inline(always)]
    pub(super) fn copy_from(&mut self, a: &Self) {
        self.re.copy_from_slice(&a.re);
        self.im.copy_from_slice(&a.im);
    }

    /// self = Aᴴ.
    #[inline(always)]
    pub(super) fn set_adjoint(&mut self, a: &Self) {
        for i in 0..a.rows {
            for j in 0..a.columns {
                self.re[j + a.columns * i] = a.re[i + a.rows * j];
                self.im[j + a.columns * i] = -a.im[i + a.rows * j];
            }
        }
    }

    /// self = A B; if `lower`, only entries on and below the diagonal.
    #[inline(always)]
    pub(super) fn set_product(&mut self, a: &Self, b: &Self, lower: bool) {
        let rows = a.rows;
        for column in 0..b.columns {
            let mut row = if lower { column } else { 0 };
            while row < rows {
                row += match rows - row {
                    8.. => self.set_rows::<8>(a, b, row, column),
                    4.. => self.set_rows::<4>(a, b, row, column),
                    _ => self.set_rows::<1>(a, b, row, column),
                };
            }
        }
    }

    /// `ROWS` entries of one column of A B, whose sums stay in registers.
    #[inline(always)]
    fn set_rows<const ROWS: usize>(
        &mut self,
        a: &Self,
        b: &Self,
        row: usize,
        column: usize,
    ) -> usize {
        let (rows, inner) = (a.rows, a.columns);
        let (mut re, mut im) = ([0.0; ROWS], [0.0; ROWS]);
        let range = inner * column..inner * (column + 1);
        let factors = b.re[range.clone()].iter().zip(&b.im[range]);
        for (k, (x, y)) in factors.enumerate() {
            let entries = rows * k + row..rows * k + row + ROWS;
            let (a_re, a_im) = (&a.re[entries.clone()], &a.im[entries]);
            for i in 0..ROWS {
                re[i] += a_re[i] * x - a_im[i] * y;
                im[i] += a_re[i] * y + a_im[i] * x;
            }
        }
        let out = rows * column + row..rows * column + row + ROWS;
        self.re[out.clone()].copy_from_slice(&re);
        self.im[out].copy_from_slice(&im);
        ROWS
    }

    /// self = (A + Aᴴ)/2, for a square A.
    #[inline(always)]
    pub(super) fn set_hermitian_part(&mut self, a: &Self) {
        let n = a.rows;
        for j in 0..n {
            for i in 0..n {
                self.re[i + n * j] = 0.5 * (a.re[i + n * j] + a.re[j + n * i]);
                self.im[i + n * j] = 0.5 * (a.im[i + n * j] - a.im[j + n * i]);
            }
        }
    }

    /// The part above the diagonal from the one below it.
    #[inline(always)]
    pub(super) fn mirror(&mut self) {
        let n = self.rows;
        for j in 0..n {
            self.im[j + n * j] = 0.0;
            for i in j + 1..n {
                self.re[j + n * i] = self.re[i + n * j];
                self.im[j + n * i] = -self.im[i + n * j];
            }
        }
    }

    /// self = A + x B.
    #[inline(always)]
    pub(super) fn set_sum(&mut self, a: &Self, x: f64, b: &Self) {
        for (out, (a, b)) in self.re.iter_mut().zip(a.re.iter().zip(&b.re)) {
            *out = a + x * b;
        }
        for (out, (a, b)) in self.im.iter_mut().zip(a.im.iter().zip(&b.im)) {
            *out = a + x * b;
        }
    }

    /// self += x A.
    #[inline(always)]
    pub(super) fn add(&mut self, x: f64, a: &Self) {
        for (out, a) in self.re.iter_mut().zip(&a.re) {
            *out += x * a;
        }
        for (out, a) in self.im.iter_mut().zip(&a.im) {
            *out += x * a;
        }
    }

    /// Replaces the lower triangle of a Hermitian matrix by its Cholesky factor, column by
    /// column; false if a pivot is not positive.
    #[inline(always)]
    pub(super) fn factor(&mut self) -> bool {
        let n = self.rows;
        for j in 0..n {
            let (before_re, rest_re) = self.re.split_at_mut(n * j);
            let (before_im, rest_im) = self.im.split_at_mut(n * j);
            let (out_re, out_im) = (&mut rest_re[j..n], &mut rest_im[j..n]);
            for k in 0..j {
                let (x, y) = (before_re[j + n * k], before_im[j + n * k]);
                let column = n * k + j..n * (k + 1);
                // Minus L_ik times the conjugate of L_jk.
                add_scaled(
                    out_re,
                    out_im,
                    &before_re[column.clone()],
                    &before_im[column],
                    -x,
                    y,
                );
            }
            let pivot = out_re[0];
            if pivot.is_nan() || pivot <= 0.0 {
                return false;
            }
            let inverse = 1.0 / pivot.sqrt();
            for x in &mut *out_re {
                *x *= inverse;
            }
            for x in &mut *out_im {
                *x *= inverse;
            }
            out_im[0] = 0.0;
        }
        true
    }

    /// self = F⁻¹ for a lower triangular F, lower triangular too.
    #[inline(always)]
    pub(super) fn set_lower_inverse(&mut self, factor: &Self) {
        let n = factor.rows;
        self.re.fill(0.0);
        self.im.fill(0.0);
        for j in 0..n {
            let range = n * j..n * (j + 1);
            let (out_re, out_im) = (&mut self.re[range.clone()], &mut self.im[range]);
            out_re[j] = 1.0;
            for k in j..n {
                let inverse = 1.0 / factor.re[k + n * k];
                out_re[k] *= inverse;
                out_im[k] *= inverse;
                let (x, y) = (out_re[k], out_im[k]);
                let column = n * k + k + 1..n * (k + 1);
                add_scaled(
                    &mut out_re[k + 1..],
                    &mut out_im[k + 1..],
                    &factor.re[column.clone()],
                    &factor.im[column],
                    -x,
                    -y,
                );
            }
        }
    }

    /// Re tr A, over the diagonal in order.
    pub(super) fn trace(&self) -> f64 {
        (0..self.rows).fold(0.0, |sum, k| sum + self.re[k + self.rows * k])
    }

    /// The Frobenius norm.
    #[inline(always)]
    pub(super) fn norm(&self) -> f64 {
        let squares = |sum: f64, x: &f64| sum + x * x;
        self.im
            .iter()
            .fold(self.re.iter().fold(0.0, squares), squares)
            .sqrt()
    }
}

/// out += (x + iy) a.
#[inline(always)]
fn add_scaled(out_re: &mut [f64], out_im: &mut [f64], a_re: &[f64], a_im: &[f64], x: f64, y: f64) {
    let n = out_re.len();
    let (out_im, a_re, a_im) = (&mut out_im[..n], &a_re[..n], &a_im[..n]);
    for i in 0..n {
        out_re[i] += a_re[i] * x - a_im[i] * y;
        out_im[i] += a_re[i] * y + a_im[i] * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::Fading;
    use crate::rng::Streams;

    fn split(matrix: &Matrix) -> Split {
        let mut split = Split::zeros(matrix.nrows(), matrix.ncols());
        for j in 0..matrix.ncols() {
            for i in 0..matrix.nrows() {
                split.set(i, j, matrix[(i, j)]);
            }
        }
        split
    }

    /// nalgebra's product, factor and inverse are the second route.
    #[test]
    fn products_factors_and_inverses_are_those_of_nalgebra() {
        for n in [1, 2, 4, 7, 8, 13] {
            let streams = Streams { seed: 5, run: 0 };
            let h = Fading::default().draw(streams, n, 0, n, n + 2);
            let adjoint = h.adjoint();
            let gram = &h * &adjoint;
            let mut found = Split::zeros(n, n);
            found.set_product(&split(&h), &split(&adjoint), false);
            assert!((found.to_matrix() - &gram).norm() < 1e-12 * gram.norm());

            assert!(found.factor());
            let expected = gram.cholesky().unwrap().l();
            let lower = found.to_matrix().lower_triangle();
            assert!((&lower - &expected).norm() < 1e-11 * expected.norm());
            let mut inverse = Split::zeros(n, n);
            inverse.set_lower_inverse(&found);
            let unit = &lower * inverse.to_matrix();
            assert!((unit - Matrix::identity(n, n)).norm() < 1e-9, "{n}");
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        for last in [-1.0, 0.0, f64::NAN] {
            let mut matrix = Matrix::identity(3, 3);
            matrix[(2, 2)] = Complex::from(last);
            assert!(!split(&matrix).factor(), "{last}");
        }
    }
}
