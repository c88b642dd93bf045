//! One small Hermitian matrix per device, and the real coordinates in which the Newton
//! system is written.

use super::split::Split;
use crate::radio::factor_in_place;
use num_complex::Complex;
use std::f64::consts::FRAC_1_SQRT_2;

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);

/// Where each device's block lies: `sizes` N_t,n; `columns` their running sums, the columns
/// of all channels side by side; `entries` the running sums of N_t,n².
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) sizes: Vec<usize>,
    pub(super) columns: Vec<usize>,
    pub(super) entries: Vec<usize>,
}

impl Layout {
    pub(super) fn new(sizes: Vec<usize>) -> Self {
        let mut columns = vec![0];
        let mut entries = vec![0];
        for (n, size) in sizes.iter().enumerate() {
            columns.push(columns[n] + size);
            entries.push(entries[n] + size * size);
        }
        Self {
            sizes,
            columns,
            entries,
        }
    }

    /// Σ N_t,n.
    pub(super) fn width(&self) -> usize {
        self.columns[self.sizes.len()]
    }

    /// Σ N_t,n²: entries of all blocks, and real coordinates of them.
    pub(super) fn dimension(&self) -> usize {
        self.entries[self.sizes.len()]
    }
}

/// One Hermitian N_t,n × N_t,n matrix per device, by columns, one after the other.
pub(super) type Blocks = Vec<Complex<f64>>;

/// The block of device `n`.
#[inline(always)]
pub(super) fn block<'a>(
    layout: &Layout,
    blocks: &'a [Complex<f64>],
    n: usize,
) -> &'a [Complex<f64>] {
    &blocks[layout.entries[n]..layout.entries[n + 1]]
}

/// Σ tr W_n.
pub(super) fn trace(layout: &Layout, blocks: &[Complex<f64>]) -> f64 {
    let mut sum = 0.0;
    for (n, t) in layout.sizes.iter().enumerate() {
        for k in 0..*t {
            sum += block(layout, blocks, n)[k * (t + 1)].re;
        }
    }
    sum
}

/// The coordinates of Hermitian blocks in the orthonormal basis of, device by device, E_aa,
/// then (E_ab + E_ba)/√2 and i(E_ab − E_ba)/√2 for a < b.
#[inline(always)]
pub(super) fn coordinates(layout: &Layout, blocks: &[Complex<f64>], out: &mut [f64]) {
    let root = std::f64::consts::SQRT_2;
    for (n, &t) in layout.sizes.iter().enumerate() {
        let block = block(layout, blocks, n);
        let out = &mut out[layout.entries[n]..][..t * t];
        for a in 0..t {
            out[a] = block[a * (t + 1)].re;
        }
        let mut k = t;
        for a in 0..t {
            for b in a + 1..t {
                out[k] = root * block[a + t * b].re;
                out[k + 1] = root * block[a + t * b].im;
                k += 2;
            }
        }
    }
}

/// The blocks that have these coordinates.
#[inline(always)]
pub(super) fn from_coordinates(layout: &Layout, x: &[f64], blocks: &mut [Complex<f64>]) {
    for (n, &t) in layout.sizes.iter().enumerate() {
        let x = &x[layout.entries[n]..][..t * t];
        let block = &mut blocks[layout.entries[n]..][..t * t];
        for a in 0..t {
            block[a * (t + 1)] = Complex::new(x[a], 0.0);
        }
        let mut k = t;
        for a in 0..t {
            for b in a + 1..t {
                let entry = Complex::new(x[k], x[k + 1]) * FRAC_1_SQRT_2;
                block[a + t * b] = entry;
                block[b + t * a] = entry.conj();
                k += 2;
            }
        }
    }
}

/// out = A diag(blocks), for A ∈ C^{r×ΣN_t}.
#[inline(always)]
pub(super) fn times_blocks(layout: &Layout, a: &Split, blocks: &[Complex<f64>], out: &mut Split) {
    let r = a.rows;
    for (n, &t) in layout.sizes.iter().enumerate() {
        let block = block(layout, blocks, n);
        let first = layout.columns[n];
        for j in 0..t {
            let range = r * (first + j)..r * (first + j + 1);
            let (out_re, out_im) = (&mut out.re[range.clone()], &mut out.im[range]);
            out_re.fill(0.0);
            out_im.fill(0.0);
            for k in 0..t {
                let w = block[k + t * j];
                let column = r * (first + k)..r * (first + k + 1);
                let (a_re, a_im) = (&a.re[column.clone()], &a.im[column]);
                for i in 0..r {
                    out_re[i] += a_re[i] * w.re - a_im[i] * w.im;
                    out_im[i] += a_re[i] * w.im + a_im[i] * w.re;
                }
            }
        }
    }
}

/// The diagonal blocks of a matrix on the columns of all channels.
#[inline(always)]
pub(super) fn diagonal_blocks(layout: &Layout, a: &Split, out: &mut [Complex<f64>]) {
    for (n, &t) in layout.sizes.iter().enumerate() {
        let first = layout.columns[n];
        for j in 0..t {
            for i in 0..t {
                out[layout.entries[n] + i + t * j] = a.get(first + i, first + j);
            }
        }
    }
}

/// The diagonal blocks of Aᴴ B, for A, B ∈ C^{r×ΣN_t}.
#[inline(always)]
pub(super) fn congruence(layout: &Layout, a: &Split, b: &Split, out: &mut [Complex<f64>]) {
    let r = a.rows;
    for (n, &t) in layout.sizes.iter().enumerate() {
        for j in 0..t {
            for i in 0..t {
                let (x, y) = (r * (layout.columns[n] + i), r * (layout.columns[n] + j));
                let mut sum = ZERO;
                for k in 0..r {
                    let left = Complex::new(a.re[x + k], -a.im[x + k]);
                    sum += left * Complex::new(b.re[y + k], b.im[y + k]);
                }
                out[layout.entries[n] + i + t * j] = sum;
            }
        }
    }
}

/// Whether blocks + x · direction are all positive definite; `scratch` is overwritten.
#[inline(always)]
pub(super) fn are_positive(
    layout: &Layout,
    blocks: &[Complex<f64>],
    x: f64,
    direction: &[Complex<f64>],
    scratch: &mut [Complex<f64>],
) -> bool {
    for ((s, b), d) in scratch.iter_mut().zip(blocks).zip(direction) {
        *s = b + d * x;
    }
    layout
        .sizes
        .iter()
        .enumerate()
        .all(|(n, &t)| factor(t, &mut scratch[layout.entries[n]..][..t * t]))
}

/// Cholesky of one block, in its lower triangle; false if it is not positive definite.
#[inline(always)]
fn factor(t: usize, a: &mut [Complex<f64>]) -> bool {
    factor_in_place(t, a, 0.0) == t
}

/// out = blocks⁻¹, block by block; false if one is not positive definite.
#[inline(always)]
pub(super) fn invert(
    layout: &Layout,
    blocks: &[Complex<f64>],
    scratch: &mut [Complex<f64>],
    out: &mut [Complex<f64>],
) -> bool {
    scratch.copy_from_slice(blocks);
    for (n, &t) in layout.sizes.iter().enumerate() {
        let l = &mut scratch[layout.entries[n]..][..t * t];
        if !factor(t, l) {
            return false;
        }
        let out = &mut out[layout.entries[n]..][..t * t];
        // Column j of the inverse, by two triangular solves.
        for j in 0..t {
            let x = &mut out[t * j..][..t];
            for i in 0..t {
                let mut sum = Complex::new(if i == j { 1.0 } else { 0.0 }, 0.0);
                for k in 0..i {
                    sum -= l[i + t * k] * x[k];
                }
                x[i] = sum / l[i + t * i].re;
            }
            for i in (0..t).rev() {
                let mut sum = x[i];
                for k in i + 1..t {
                    sum -= l[k + t * i].conj() * x[k];
                }
                x[i] = sum / l[i + t * i].re;
            }
        }
    }
    true
}

/// out = (A B C + (A B C)ᴴ)/2, block by block, for Hermitian A, B, C.
#[inline(always)]
pub(super) fn symmetric_product(
    layout: &Layout,
    [a, b, c]: [&[Complex<f64>]; 3],
    scratch: &mut [Complex<f64>],
    out: &mut [Complex<f64>],
) {
    for (n, &t) in layout.sizes.iter().enumerate() {
        let range = layout.entries[n]..layout.entries[n + 1];
        let (a, b, c) = (&a[range.clone()], &b[range.clone()], &c[range.clone()]);
        let half = &mut scratch[range.clone()];
        let out = &mut out[range];
        for j in 0..t {
            for i in 0..t {
                half[i + t * j] = (0..t).fold(ZERO, |s, k| s + a[i + t * k] * b[k + t * j]);
            }
        }
        for j in 0..t {
            for i in 0..t {
                out[i + t * j] = (0..t).fold(ZERO, |s, k| s + half[i + t * k] * c[k + t * j]);
            }
        }
        for j in 0..t {
            for i in 0..=j {
                let mean = (out[i + t * j] + out[j + t * i].conj()) * 0.5;
                out[i + t * j] = mean;
                out[j + t * i] = mean.conj();
            }
        }
    }
}
