//! The Newton system of the interior-point method: a real symmetric matrix with one row per
//! real coordinate of every device's block, 16N for four antennas.
//!
//! With P = HᴴS⁻¹H and Q = HᴴGH on the columns of all channels, its entry for the
//! coordinates i of device n and j of device m is Re tr(E_i P_nm E_j Q_mn), plus
//! Re tr(E_i Z_n E_j W_n⁻¹) for n = m; for the elementary E_i = |a⟩⟨b| and E_j = |c⟩⟨d| such a
//! trace is P_bc Q*_ad, one product.

use super::blocks::Layout;
use super::split::Split;
use num_complex::Complex;
use std::f64::consts::FRAC_1_SQRT_2;

/// Columns that are eliminated together.
const PANEL: usize = 4;

/// The lower triangle of the matrix by columns, later its Cholesky factor.
#[derive(Debug)]
pub(super) struct Schur {
    n: usize,
    /// Distance between columns: not a power of two, on which cache lines would collide.
    stride: usize,
    entries: Vec<f64>,
}

impl Schur {
    pub(super) fn new(n: usize) -> Self {
        let stride = n + 8 - n % 8 + 8;
        Self {
            n,
            stride,
            entries: vec![0.0; stride * n],
        }
    }

    /// Fills the matrix. `p` and `q` are needed on and below the diagonal and in the
    /// diagonal blocks; `z` and `w_inverse` are blocks.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        layout: &Layout,
        p: &Split,
        q: &Split,
        z: &[Complex<f64>],
        w_inverse: &[Complex<f64>],
    ) {
        let stride = self.stride;
        for m in 0..layout.sizes.len() {
            for n in m..layout.sizes.len() {
                let (rows, columns) = (layout.sizes[n], layout.sizes[m]);
                let (row, column) = (layout.columns[n], layout.columns[m]);
                let out = &mut self.entries[layout.entries[n] + stride * layout.entries[m]..];
                let pick = #[inline(always)]
                |a: &Split, i: usize, j: usize| {
                    let k = row + i + a.rows * (column + j);
                    Complex::new(a.re[k], a.im[k])
                };
                let (at_p, at_q) = (
                    #[inline(always)]
                    |i: usize, j: usize| pick(p, i, j),
                    #[inline(always)]
                    |i: usize, j: usize| pick(q, i, j),
                );
                if n == m {
                    let block = layout.entries[n];
                    let at_z = #[inline(always)]
                    |i: usize, j: usize| z[block + i + rows * j];
                    let at_w = #[inline(always)]
                    |i: usize, j: usize| w_inverse[block + i + rows * j];
                    fill_block(
                        out,
                        stride,
                        rows,
                        columns,
                        #[inline(always)]
                        |b, c, a, d| {
                            at_p(b, c) * at_q(a, d).conj() + at_z(b, c) * at_w(a, d).conj()
                        },
                    );
                } else {
                    fill_block(
                        out,
                        stride,
                        rows,
                        columns,
                        #[inline(always)]
                        |b, c, a, d| at_p(b, c) * at_q(a, d).conj(),
                    );
                }
            }
        }
    }

    /// Cholesky; false if a pivot is not positive.
    #[inline(always)]
    pub(super) fn factor(&mut self) -> bool {
        let (n, stride) = (self.n, self.stride);
        let mut first = 0;
        while first < n {
            let last = (first + PANEL).min(n);
            for j in first..last {
                for k in first..j {
                    let (before, rest) = self.entries.split_at_mut(stride * j);
                    let column = &before[stride * k + j..stride * k + n];
                    let factor = column[0];
                    for (out, x) in rest[j..n].iter_mut().zip(column) {
                        *out -= factor * x;
                    }
                }
                let column = &mut self.entries[stride * j + j..stride * j + n];
                if column[0].is_nan() || column[0] <= 0.0 {
                    return false;
                }
                let inverse = 1.0 / column[0].sqrt();
                for x in column {
                    *x *= inverse;
                }
            }
            self.eliminate(first, last);
            first = last;
        }
        true
    }

    /// Takes the columns first..last out of all later ones.
    #[inline(always)]
    fn eliminate(&mut self, first: usize, last: usize) {
        let (n, stride) = (self.n, self.stride);
        let (before, rest) = self.entries.split_at_mut(stride * last);
        if last - first < PANEL {
            return;
        }
        let panel =
            #[inline(always)]
            |k: usize, j: usize| &before[stride * (first + k) + j..stride * (first + k) + n];
        for j in last..n {
            let (a, b, c, d) = (panel(0, j), panel(1, j), panel(2, j), panel(3, j));
            let out = &mut rest[stride * (j - last) + j..stride * (j - last) + n];
            let (wa, wb, wc, wd) = (a[0], b[0], c[0], d[0]);
            let length = out.len();
            let (a, b, c, d) = (&a[..length], &b[..length], &c[..length], &d[..length]);
            for i in 0..length {
                out[i] -= (a[i] * wa + b[i] * wb) + (c[i] * wc + d[i] * wd);
            }
        }
    }

    /// Overwrites `x` by the solution for it as right-hand side.
    #[inline(always)]
    pub(super) fn solve(&self, x: &mut [f64]) {
        let (n, stride) = (self.n, self.stride);
        for j in 0..n {
            let column = &self.entries[stride * j + j..stride * j + n];
            let value = x[j] / column[0];
            x[j] = value;
            for (x, l) in x[j + 1..].iter_mut().zip(&column[1..]) {
                *x -= value * l;
            }
        }
        for j in (0..n).rev() {
            let column = &self.entries[stride * j + j..stride * j + n];
            x[j] = (x[j] - dot(&column[1..], &x[j + 1..])) / column[0];
        }
    }
}

/// Writes one block in the coordinates of [`super::blocks::coordinates`]; `term(b, c, a, d)`
/// is the trace for the elementary pair (a, b), (c, d).
#[inline(always)]
fn fill_block(
    out: &mut [f64],
    stride: usize,
    rows: usize,
    columns: usize,
    term: impl Fn(usize, usize, usize, usize) -> Complex<f64>,
) {
    for c in 0..columns {
        let out = &mut out[stride * c..];
        for (a, entry) in out[..rows].iter_mut().enumerate() {
            *entry = term(a, c, a, c).re;
        }
        let mut k = rows;
        for a in 0..rows {
            for b in a + 1..rows {
                let (t, s) = (term(b, c, a, c), term(a, c, b, c));
                out[k] = (t.re + s.re) * FRAC_1_SQRT_2;
                out[k + 1] = (s.im - t.im) * FRAC_1_SQRT_2;
                k += 2;
            }
        }
    }
    let mut column = columns;
    for c in 0..columns {
        for d in c + 1..columns {
            for a in 0..rows {
                let (t, u) = (term(a, c, a, d), term(a, d, a, c));
                out[stride * column + a] = (t.re + u.re) * FRAC_1_SQRT_2;
                out[stride * (column + 1) + a] = (u.im - t.im) * FRAC_1_SQRT_2;
            }
            let mut k = rows;
            for a in 0..rows {
                for b in a + 1..rows {
                    let (t, s) = (term(b, c, a, d), term(a, c, b, d));
                    let (u, v) = (term(b, d, a, c), term(a, d, b, c));
                    out[stride * column + k] = 0.5 * ((t.re + s.re) + (u.re + v.re));
                    out[stride * column + k + 1] = 0.5 * ((s.im - t.im) + (v.im - u.im));
                    out[stride * (column + 1) + k] = 0.5 * ((u.im + v.im) - (t.im + s.im));
                    out[stride * (column + 1) + k + 1] = 0.5 * ((s.re - t.re) + (u.re - v.re));
                    k += 2;
                }
            }
            column += 2;
        }
    }
}

/// Σ a_k b_k in eight partial sums.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest = rest.fold(0.0, |sum, (a, b)| sum + a * b);
    for (a, b) in a_chunks.zip(b_chunks) {
        for k in 0..8 {
            lanes[k] += a[k] * b[k];
        }
    }
    let halves = [0, 1, 2, 3].map(|k| lanes[k] + lanes[k + 4]);
    (halves[0] + halves[1]) + (halves[2] + halves[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};
    use nalgebra::{DMatrix, DVector};

    fn with_lower_triangle(matrix: &DMatrix<f64>) -> Schur {
        let mut schur = Schur::new(matrix.nrows());
        for j in 0..schur.n {
            for i in j..schur.n {
                schur.entries[schur.stride * j + i] = matrix[(i, j)];
            }
        }
        schur
    }

    /// nalgebra's factor is the second route, for sizes around those of the panels.
    #[test]
    fn it_solves_as_nalgebra_does() {
        for n in [1, 3, 4, 5, 8, 17, 30] {
            let mut stream = Streams { seed: 5, run: 0 }.open("test.schur", NO_DEVICE, n as u64);
            let mut tall = DMatrix::<f64>::zeros(n, n + 3);
            let mut right = DVector::<f64>::zeros(n);
            StandardNormal.fill(&mut stream, tall.as_mut_slice());
            StandardNormal.fill(&mut stream, right.as_mut_slice());
            let matrix = &tall * tall.transpose();
            let mut schur = with_lower_triangle(&matrix);
            assert!(schur.factor());
            let mut found = right.clone();
            schur.solve(found.as_mut_slice());
            let expected = matrix.cholesky().unwrap().solve(&right);
            assert!((found - &expected).norm() < 1e-9 * expected.norm(), "{n}");
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        for last in [-1.0, 0.0, f64::NAN] {
            let mut matrix = DMatrix::identity(6, 6);
            matrix[(5, 5)] = last;
            assert!(!with_lower_triangle(&matrix).factor(), "{last}");
        }
    }
}
