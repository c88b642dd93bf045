//! Activations rounded to 8 bits, block by block.
//!
//! For each row and each block of 32 values x along it, the last one filled up with zeros:
//! 1. m = max |x|, σ = m / 127, rounded once;
//! 2. q = x / σ, rounded once, then to the nearest integer, halves to even, and clamped to ±127;
//!    zeros where σ is zero;
//! 3. where a value is not finite, σ is NaN and every q zero.
//!
//! So a block depends on its own 32 values alone: neither on other rows nor on how far the row
//! reaches, and a row cut at multiples of 32 rounds to the same numbers. |x − σ q| ≤ σ / 2 but for
//! the rounding of the two divisions.

use super::format::BLOCK;
use super::integers::GROUPS;
use crate::numerics::kernels::Kernels;
use crate::numerics::kernels::lanes::{Kernel, Lanes};

/// Rows of activations, rounded. One can be used again and again: it keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct RoundedRows {
    rows: usize,
    columns: usize,
    pub(super) blocks: Vec<RoundedBlock>,
}

/// 32 values.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct RoundedBlock {
    /// q, in groups of four.
    pub codes: [[i8; 4]; GROUPS],
    /// −Σ q of each half.
    pub negative_sums: [i32; 2],
    /// −Σ q.
    pub negative_whole: i32,
    /// σ.
    pub scale: f32,
    /// −σ Σ q, rounded once.
    pub negative_sum: f32,
}

const EMPTY: RoundedBlock = RoundedBlock {
    codes: [[0; 4]; GROUPS],
    negative_sums: [0; 2],
    negative_whole: 0,
    scale: 0.0,
    negative_sum: 0.0,
};

impl RoundedRows {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values per row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Writes the values that row `row` stands for, σ q.
    ///
    /// # Panics
    /// If there is no such row, or `to` has another length.
    pub fn values(&self, row: usize, to: &mut [f32]) {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        assert_eq!(to.len(), self.columns, "one value per column");
        for (to, block) in to.chunks_mut(BLOCK).zip(self.row(row)) {
            for (to, &code) in to.iter_mut().zip(block.codes.as_flattened()) {
                *to = block.scale * f32::from(code);
            }
        }
    }

    /// The blocks of row `row`.
    pub(super) fn row(&self, row: usize) -> &[RoundedBlock] {
        let blocks = self.columns.div_ceil(BLOCK);
        &self.blocks[row * blocks..(row + 1) * blocks]
    }
}

impl Kernels {
    /// Rounds `rows` rows of `columns` values, as the module defines.
    ///
    /// `to` allocates only to become larger than ever.
    ///
    /// # Panics
    /// If `x` is not rows × columns.
    pub fn round_rows(self, x: &[f32], rows: usize, columns: usize, to: &mut RoundedRows) {
        assert_eq!(x.len(), rows * columns, "x must be rows × columns");
        to.rows = rows;
        to.columns = columns;
        to.blocks.clear();
        to.blocks.resize(rows * columns.div_ceil(BLOCK), EMPTY);
        if to.blocks.is_empty() {
            return;
        }
        self.enter(Round {
            x,
            columns,
            blocks: &mut to.blocks,
        });
    }
}

struct Round<'a> {
    x: &'a [f32],
    columns: usize,
    blocks: &'a mut [RoundedBlock],
}

impl Kernel for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let rows = self.blocks.chunks_exact_mut(self.columns.div_ceil(BLOCK));
        for (x, blocks) in self.x.chunks_exact(self.columns).zip(rows) {
            for (x, block) in x.chunks(BLOCK).zip(blocks) {
                match x.first_chunk() {
                    Some(full) => round(full, block),
                    None => {
                        let mut padded = [0.0; BLOCK];
                        padded[..x.len()].copy_from_slice(x);
                        round(&padded, block);
                    }
                }
            }
        }
    }
}

/// 1.5 · 2²³: added to a number below 2²² and taken from it again, it leaves the nearest integer,
/// halves to even.
const MAGIC: f32 = 12_582_912.0;

/// Plain operations of f32, which the compiler makes vectors of and may not reorder.
#[inline(always)]
fn round(x: &[f32; BLOCK], block: &mut RoundedBlock) {
    /// The bits of infinity: those of finite magnitudes are less.
    const INFINITY: u32 = f32::INFINITY.to_bits();
    // Magnitudes are in the order of their bits.
    let greatest = x
        .iter()
        .fold(0, |greatest, x| greatest.max(x.to_bits() & 0x7fff_ffff));
    if greatest >= INFINITY {
        *block = RoundedBlock {
            scale: f32::NAN,
            negative_sum: f32::NAN,
            ..EMPTY
        };
        return;
    }
    let scale = f32::from_bits(greatest) / 127.0;
    if scale == 0.0 {
        *block = EMPTY;
        return;
    }
    let mut codes = [0i32; BLOCK];
    for (code, x) in codes.iter_mut().zip(x) {
        let ratio = (x / scale).clamp(-127.0, 127.0);
        *code = (ratio + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i32;
    }
    let sums = [codes[..16].iter().sum(), codes[16..].iter().sum::<i32>()];
    let mut bytes = [[0; 4]; GROUPS];
    for (byte, code) in bytes.as_flattened_mut().iter_mut().zip(codes) {
        *byte = code as i8;
    }
    *block = RoundedBlock {
        codes: bytes,
        negative_sums: sums.map(|sum| -sum),
        negative_whole: -(sums[0] + sums[1]),
        scale,
        negative_sum: -(scale * (sums[0] + sums[1]) as f32),
    };
}
