//! Matrix product of [`RoundedRows`] with a [`BlockMatrix`].
//!
//! # The result, to the bit
//!
//! With σ, x̂ of a row as [`RoundedRows`] has them, d, s, m, d′ and codes q of an output as
//! [`BlockFormat`] has them and o the code that stands for zero, out\[r\]\[n\] is the end of one
//! chain over the parts of k that have a scale of their own (32 inputs, 16 of `Q6K`), k ascending:
//!
//! acc ← +0, then for each part: t = I · σ, rounded, with the integer I = Σ (q − o) x̂, which is exact;
//! acc ← fma(d s, t, acc), where d s (d, if there is no s) is exact; and of `Q4K` and `Q5K` then
//! acc ← fma(d′ m, −(σ Σ x̂), acc), where d′ m is exact and σ Σ x̂ is rounded.
//!
//! A NaN is stored as `f32::NAN`. The chain belongs to one output of one row: neither the batch,
//! nor threads, nor the path enter it.

use rayon::prelude::*;

use super::format::BlockFormat;
use super::integers::{IntegerKernel, Integers};
use super::matrix::BlockMatrix;
use super::rows::RoundedRows;
use super::tile::{HALVES, MINIMUM, PLAIN, Panel, Tile};
use crate::numerics::kernels::Kernels;
use crate::numerics::kernels::lanes::LANES;
use crate::numerics::kernels::matmul::{PARALLEL_ROW, PARALLEL_WORK, rows_per_task};
use crate::numerics::kernels::packed::PANEL;

/// Which columns of rows a product writes.
#[derive(Debug)]
pub struct Columns<'a> {
    /// Rows of `width` values, one after the other.
    pub out: &'a mut [f32],
    /// Values of a row.
    pub width: usize,
    /// The first that is written.
    pub first: usize,
}

impl Kernels {
    /// out\[r\]\[first + n\] = Σ_k x\[r\]\[k\] · w\[n\]\[k\] of rounded activations and weights, as
    /// the module defines; other columns of `out` stay as they are.
    ///
    /// # Panics
    /// If the rows have another number of values than `weights` has inputs, or `out` is not as
    /// many rows, or they have no room for all outputs.
    pub fn block_matmul(self, x: &RoundedRows, weights: &BlockMatrix, to: Columns<'_>) {
        let Columns { out, width, first } = to;
        let (rows, outputs) = (x.rows(), weights.rows());
        assert_eq!(x.columns(), weights.columns(), "one value per input");
        assert_eq!(out.len(), rows * width, "out must be rows × width");
        assert!(first + outputs <= width, "a row must hold all outputs");
        if rows == 0 || outputs == 0 {
            return;
        }
        let task = |first_row, panel, columns: Columns<'_>| {
            self.enter_integers(Product {
                x,
                first_row,
                weights,
                first_panel: panel,
                to: columns,
            });
        };
        let enough = if rows == 1 {
            PARALLEL_ROW
        } else {
            PARALLEL_WORK
        };
        let small = rows * outputs * weights.columns() < enough;
        if small || rayon::current_num_threads() == 1 {
            task(0, 0, Columns { out, width, first });
        } else if rows == 1 {
            out[first..first + outputs]
                .par_chunks_mut(PANEL)
                .enumerate()
                .for_each(|(index, out)| {
                    let width = out.len();
                    let columns = Columns {
                        out,
                        width,
                        first: 0,
                    };
                    task(0, index * (PANEL / LANES), columns);
                });
        } else {
            let each = rows_per_task(rows);
            out.par_chunks_mut(each * width)
                .enumerate()
                .for_each(|(index, out)| task(index * each, 0, Columns { out, width, first }));
        }
    }
}

/// Some rows' products with the panels from one on, as many as there are columns for.
struct Product<'a> {
    x: &'a RoundedRows,
    first_row: usize,
    weights: &'a BlockMatrix,
    first_panel: usize,
    to: Columns<'a>,
}

impl IntegerKernel for Product<'_> {
    #[inline(always)]
    fn run<I: Integers>(self, integers: I) {
        match self.weights.format() {
            BlockFormat::Q8_0 => self.of::<I, 8, PLAIN>(integers),
            BlockFormat::Q4_0 => self.of::<I, 4, PLAIN>(integers),
            BlockFormat::Q4K => self.of::<I, 4, MINIMUM>(integers),
            BlockFormat::Q5K => self.of::<I, 5, MINIMUM>(integers),
            BlockFormat::Q6K => self.of::<I, 6, HALVES>(integers),
            BlockFormat::Groups { bits, .. } => match bits {
                2 => self.of::<I, 2, PLAIN>(integers),
                3 => self.of::<I, 3, PLAIN>(integers),
                4 => self.of::<I, 4, PLAIN>(integers),
                5 => self.of::<I, 5, PLAIN>(integers),
                6 => self.of::<I, 6, PLAIN>(integers),
                7 => self.of::<I, 7, PLAIN>(integers),
                _ => self.of::<I, 8, PLAIN>(integers),
            },
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn of<I: Integers, const BITS: usize, const SCALES: u8>(self, integers: I) {
        let Columns { out, width, first } = self.to;
        let last = self.weights.panels();
        let layout = self.weights.scale_layout();
        for (index, panel) in (self.first_panel..last).enumerate() {
            let column = first + index * LANES;
            if column >= width {
                break;
            }
            let (codes, scales) = self.weights.panel(panel);
            let columns = (self.weights.rows() - panel * LANES).min(LANES);
            let panel = Panel {
                codes,
                scales,
                layout,
                cut: self.weights.cut(),
                span_blocks: self.weights.format().span_blocks(),
            };
            let rows = out.len() / width;
            let mut row = 0;
            while row < rows {
                let count = match (rows - row).min(I::TILE_ROWS) {
                    1 => 1,
                    left => left / 2 * 2,
                };
                let tile = Tile {
                    x: self.x,
                    first_row: self.first_row + row,
                    out: &mut out[row * width + column..],
                    width,
                    columns,
                };
                match count {
                    1 => tile.compute::<I, 1, BITS, SCALES>(integers, &panel),
                    2 if I::TILE_ROWS >= 2 => tile.compute::<I, 2, BITS, SCALES>(integers, &panel),
                    4 if I::TILE_ROWS >= 4 => tile.compute::<I, 4, BITS, SCALES>(integers, &panel),
                    6 if I::TILE_ROWS >= 6 => tile.compute::<I, 6, BITS, SCALES>(integers, &panel),
                    _ => unreachable!("tiles have 1, 2, 4 or 6 rows"),
                }
                row += count;
            }
        }
    }
}
