//! Products of L×L matrices with the symbols of many channel uses.
//!
//! The 2L numbers of a use, real and imaginary part of one stream after the other, lie side
//! by side, as tensors have them. A product adds one column of the matrix after the other to
//! them, each twice: as it is, times the symbol's real part, and turned by j, times its
//! imaginary part. So every step is the same few additions and products on neighbours, and
//! each number is the sum over columns in their order.

use super::super::matrix::Matrix;
use num_complex::Complex;

/// Numbers that are taken side by side.
pub(super) const SIDE: usize = 8;

/// Some of a use's numbers: those of [`SIDE`]/2 streams.
pub(super) type Side = [f64; SIDE];

/// Uses whose sums are formed side by side.
const BESIDE: usize = 4;

/// How many [`Side`]s the numbers of `streams` streams take.
pub(super) fn sides(streams: usize) -> usize {
    (2 * streams).div_ceil(SIDE)
}

/// The symbols of many uses.
pub(super) trait Symbols {
    /// Entry `c` of s_u for u = `channel_use`: real and imaginary part.
    fn at(&self, channel_use: usize, c: usize) -> (f64, f64);
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
        // With the usual size known, loops over it unroll.
        match self.streams {
            4 => self.add_product_sized(symbols, sums, 4),
            streams => self.add_product_sized(symbols, sums, streams),
        }
    }

    #[inline(always)]
    fn add_product_sized(&self, symbols: &impl Symbols, sums: &mut [Side], streams: usize) {
        let sides = sides(streams);
        let entries = &self.entries[..streams * sides];
        let mut u = 0;
        for beside in sums.chunks_mut(BESIDE * sides) {
            if beside.len() == BESIDE * sides {
                for side in 0..sides {
                    let mut sum: [Side; BESIDE] = std::array::from_fn(|k| beside[k * sides + side]);
                    for c in 0..streams {
                        let column = &entries[c * sides + side];
                        for (k, sum) in sum.iter_mut().enumerate() {
                            add(sum, column, symbols.at(u + k, c));
                        }
                    }
                    for (k, sum) in sum.into_iter().enumerate() {
                        beside[k * sides + side] = sum;
                    }
                }
            } else {
                for (k, use_) in beside.chunks_exact_mut(sides).enumerate() {
                    for (side, sum) in use_.iter_mut().enumerate() {
                        for c in 0..streams {
                            add(sum, &entries[c * sides + side], symbols.at(u + k, c));
                        }
                    }
                }
            }
            u += BESIDE;
        }
    }
}

/// sum += column · (re + j im).
#[inline(always)]
fn add(sum: &mut Side, [plain, turned]: &[Side; 2], (re, im): (f64, f64)) {
    for i in 0..SIDE {
        sum[i] += plain[i] * re + turned[i] * im;
    }
}
