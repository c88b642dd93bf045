//! Products of L×L matrices with the symbols of many channel uses.
//!
//! The 2L numbers of a use, real and imaginary part of one stream after the other, lie side
//! by side, as tensors have them. A product adds one column of the matrix after the other to
//! them, each twice: as it is, times the symbol's real part, and turned by j, times its
//! imaginary part. So every step is the same few additions and products on neighbours, and
//! each number is the sum over columns in their order.

use super::super::matrix::Matrix;
use super::symbols::{BESIDE, Beside, Symbols};
use num_complex::Complex;

/// Numbers that are taken side by side.
pub(super) const SIDE: usize = 8;

/// Some of a use's numbers: those of [`SIDE`]/2 streams.
pub(super) type Side = [f64; SIDE];

/// How many [`Side`]s the numbers of `streams` streams take.
pub(super) fn sides(streams: usize) -> usize {
    (2 * streams).div_ceil(SIDE)
}

/// A matrix M ∈ C^{L×L}, by columns.
#[derive(Debug, Clone)]
pub(in crate::radio) struct Columns {
    streams: usize,
    /// Column c as it is, then times j, by column and [`Side`]; zero beyond L.
    entries: Vec<[Side; 2]>,
}

impl Columns {
    pub(in crate::radio) fn new(matrix: &Matrix) -> Self {
        let streams = matrix.ncols();
        let sides = sides(streams);
        let mut entries = vec![[[0.0; SIDE]; 2]; streams * sides];
        for c in 0..streams {
            for r in 0..streams {
                let Complex { re, im } = matrix[(r, c)];
                let [plain, turned] = &mut entries[c * sides + 2 * r / SIDE];
                let place = 2 * r % SIDE;
                plain[place..place + 2].copy_from_slice(&[re, im]);
                turned[place..place + 2].copy_from_slice(&[-im, re]);
            }
        }
        Self { streams, entries }
    }

    /// sums\[u\] += M s_u for as many uses u as `sums` holds.
    #[inline(always)]
    pub(super) fn add_product(&self, symbols: &impl Symbols, sums: &mut [Side]) {
        let mut done = 0;
        if self.streams == SIDE / 2
            && let Some(columns) = self.entries.first_chunk()
        {
            done = add_blocks(columns, symbols, sums);
        }
        let sides = sides(self.streams);
        let rest = sums[done * sides..].chunks_exact_mut(sides);
        for (u, sums) in (done..).zip(rest) {
            for (c, column) in self.entries.chunks_exact(sides).enumerate() {
                for (sum, column) in sums.iter_mut().zip(column) {
                    add(sum, column, symbols.at(u, c));
                }
            }
        }
    }
}

/// [`Columns::add_product`] over whole blocks of uses, of one [`Side`] each; how many uses that
/// were. Sums in arrays of known lengths stay in registers, each as wide as the CPU has them.
#[inline(always)]
fn add_blocks(columns: &[[Side; 2]; SIDE / 2], symbols: &impl Symbols, sums: &mut [Side]) -> usize {
    let (blocks, _) = sums.as_chunks_mut::<BESIDE>();
    for (block, sums) in blocks.iter_mut().enumerate() {
        let symbols = symbols.beside(block);
        let mut beside = *sums;
        for (c, column) in columns.iter().enumerate() {
            for (k, sum) in beside.iter_mut().enumerate() {
                add(sum, column, symbols.at(k, c));
            }
        }
        *sums = beside;
    }
    blocks.len() * BESIDE
}

/// sum += column · (re + j im).
#[inline(always)]
fn add(sum: &mut Side, [plain, turned]: &[Side; 2], (re, im): (f64, f64)) {
    for i in 0..SIDE {
        sum[i] += plain[i] * re + turned[i] * im;
    }
}
