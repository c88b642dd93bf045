//! Matrix product of activation rows with [`Packed`](super::Packed) weights.
//!
//! # The result, to the bit
//!
//! out\[r\]\[o\] is the end of one chain over the inputs k in ascending order:
//! acc ← +0, then acc ← fma(x\[r\]\[k\], w\[o\]\[k\], acc), each step rounded once. A NaN is
//! stored as `f32::NAN`. The chain belongs to one output of one row, so neither
//! the batch, nor the blocking, nor threads, nor the width of a register enters
//! it; work is only ever split across rows and outputs, never across k.

use std::ops::Range;

use rayon::prelude::*;

use super::lanes::{Kernel, LANES, Lanes};
use super::packed::{PANEL, PackedView};
use super::panel::Panel;
use super::path::Kernels;

/// Multiply–adds below which a product stays on the calling thread: waking
/// another costs about as long as these take.
pub(super) const PARALLEL_WORK: usize = 1 << 20;

impl Kernels {
    /// out\[r\]\[o\] = Σ_k x\[r\]\[k\] · w\[o\]\[k\], in the order that the
    /// [module](super) defines: an ascending chain of fused multiply–adds.
    ///
    /// `weights` is a [`Packed`](super::Packed) or a view of one; `x` is `rows` ×
    /// [`Packed::inputs`](super::Packed::inputs), `out` is `rows` ×
    /// [`Packed::outputs`](super::Packed::outputs), both row-major.
    ///
    /// # Panics
    /// If `x` or `out` has another length.
    pub fn matmul<'w>(
        self,
        x: &[f32],
        rows: usize,
        weights: impl Into<PackedView<'w>>,
        out: &mut [f32],
    ) {
        let weights = weights.into();
        let (inputs, outputs) = (weights.inputs(), weights.outputs());
        assert_eq!(x.len(), rows * inputs, "x must be rows × inputs");
        assert_eq!(out.len(), rows * outputs, "out must be rows × outputs");
        if out.is_empty() {
            return;
        }
        let product = |x, out, panels| {
            self.enter(Product {
                x,
                weights,
                panels,
                out,
            });
        };
        let small = rows * outputs * inputs < PARALLEL_WORK;
        if small || rayon::current_num_threads() == 1 {
            product(x, out, 0..weights.panels());
        } else if rows == 1 {
            out.par_chunks_mut(PANEL)
                .enumerate()
                .for_each(|(panel, out)| product(x, out, panel..panel + 1));
        } else {
            let rows = rows_per_task(rows);
            out.par_chunks_mut(rows * outputs)
                .zip(x.par_chunks(rows * inputs))
                .for_each(|(out, x)| product(x, out, 0..weights.panels()));
        }
    }
}

/// Rows that one task takes when `rows` are shared out: a multiple of every path's
/// tile, more where there are enough for all threads.
pub(super) fn rows_per_task(rows: usize) -> usize {
    if rows < 96 { 12 } else { 24 }
}

/// The outputs of some panels for some rows.
struct Product<'a> {
    x: &'a [f32],
    weights: PackedView<'a>,
    panels: Range<usize>,
    /// Row-major; a row holds the panels' outputs only.
    out: &'a mut [f32],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let inputs = self.weights.inputs();
        let first_output = self.panels.start * PANEL;
        let width = (self.panels.end * PANEL).min(self.weights.outputs()) - first_output;
        let rows = self.out.len() / width;
        for panel in self.panels {
            let weights = self.weights.panel(panel);
            let mut row = 0;
            while row < rows {
                let count = (rows - row).min(L::TILE_ROWS);
                for (vector, weights) in weights.tiles(L::tile_vectors(count)) {
                    let column = panel * PANEL + vector * LANES - first_output;
                    let tile = Tile {
                        a: &self.x[row * inputs..],
                        a_stride: inputs,
                        b: weights,
                        out: &mut self.out[row * width + column..],
                        out_stride: width,
                        columns: (weights.vectors() * LANES).min(width - column),
                        resume: false,
                    };
                    tile.compute(lanes, count);
                }
                row += count;
            }
        }
    }
}

/// A block of a product that fits the registers: rows of `a` times columns of `b`.
pub(super) struct Tile<'a> {
    /// Row r starts at r · `a_stride`.
    pub a: &'a [f32],
    pub a_stride: usize,
    /// One row per value of a row of `a`.
    pub b: Panel<'a>,
    /// Row r starts at r · `out_stride`.
    pub out: &'a mut [f32],
    pub out_stride: usize,
    /// Columns stored, at most sixteen per vector.
    pub columns: usize,
    /// Whether the chains go on from what `out` holds instead of starting at +0.
    pub resume: bool,
}

impl Tile<'_> {
    /// Computes `rows` rows of as many vectors as `b` has.
    #[inline(always)]
    pub fn compute<L: Lanes>(self, lanes: L, rows: usize) {
        match rows {
            1 => self.with_rows::<L, 1>(lanes),
            2 => self.with_rows::<L, 2>(lanes),
            3 => self.with_rows::<L, 3>(lanes),
            4 => self.with_rows::<L, 4>(lanes),
            5 => self.with_rows::<L, 5>(lanes),
            6 => self.with_rows::<L, 6>(lanes),
            _ => unreachable!("tiles have one to six rows"),
        }
    }

    #[inline(always)]
    fn with_rows<L: Lanes, const R: usize>(self, lanes: L) {
        // What a path never asks for compiles to nothing.
        match self.b.vectors() {
            1 if R <= L::TILE_ROWS => self.exactly::<L, R, 1>(lanes),
            2 if L::tile_vectors(R) >= 2 => self.exactly::<L, R, 2>(lanes),
            3 if L::tile_vectors(R) >= 3 => self.exactly::<L, R, 3>(lanes),
            4 if L::tile_vectors(R) >= 4 => self.exactly::<L, R, 4>(lanes),
            _ => unreachable!("a tile has one to {} vectors", L::tile_vectors(R)),
        }
    }

    #[inline(always)]
    fn exactly<L: Lanes, const R: usize, const V: usize>(self, lanes: L) {
        let b = self.b.columns::<V>();
        let mut a: [&[f32]; R] = [&[]; R];
        for (r, row) in a.iter_mut().enumerate() {
            *row = &self.a[r * self.a_stride..][..b.depth()];
        }
        let mut acc = [[lanes.splat(0.0); V]; R];
        if self.resume {
            for (r, vectors) in acc.iter_mut().enumerate() {
                let row = &self.out[r * self.out_stride..][..self.columns];
                for (vector, from) in vectors.iter_mut().zip(row.chunks(LANES)) {
                    *vector = lanes.load_or(from, 0.0);
                }
            }
        }
        lanes.tile(a, b, &mut acc);
        for (r, vectors) in acc.into_iter().enumerate() {
            let row = &mut self.out[r * self.out_stride..][..self.columns];
            for (vector, to) in vectors.into_iter().zip(row.chunks_mut(LANES)) {
                lanes.store_up_to(lanes.canonical(vector), to);
            }
        }
    }
}
