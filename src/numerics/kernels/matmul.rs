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
use super::narrow::Weights;
use super::packed::{PANEL, PackedView, Strips};
use super::panel::{Operands, Panel};
use super::path::Kernels;

/// Multiply–adds below which a product stays on the calling thread: waking
/// another costs about as long as these take.
pub(super) const PARALLEL_WORK: usize = 1 << 20;

/// The same for a single row, where each weight is fetched for one multiply–add alone and each
/// takes several times as long.
pub(super) const PARALLEL_ROW: usize = 1 << 17;

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
        match weights.strips() {
            Strips::Single(strips) => self.product(x, rows, strips, out),
            Strips::F16(strips) => self.product(x, rows, strips, out),
            Strips::Bf16(strips) => self.product(x, rows, strips, out),
        }
    }

    fn product<W: Weights + Send + Sync>(
        self,
        x: &[f32],
        rows: usize,
        weights: W,
        out: &mut [f32],
    ) {
        let (inputs, outputs) = (weights.depth(), out.len() / rows);
        let product = |x, out, width, weights| {
            self.enter(Product {
                x,
                weights,
                width,
                out,
            });
        };
        let enough = if rows == 1 {
            PARALLEL_ROW
        } else {
            PARALLEL_WORK
        };
        let small = rows * outputs * inputs < enough;
        if small || rayon::current_num_threads() == 1 {
            product(x, out, outputs, weights);
        } else if rows == 1 {
            out.par_chunks_mut(PANEL)
                .enumerate()
                .for_each(|(task, out)| {
                    let vectors = out.len().div_ceil(LANES);
                    let weights = weights.part(task * (PANEL / LANES), vectors);
                    let width = out.len();
                    product(x, out, width, weights);
                });
        } else {
            let rows = rows_per_task(rows);
            out.par_chunks_mut(rows * outputs)
                .zip(x.par_chunks(rows * inputs))
                .for_each(|(out, x)| product(x, out, outputs, weights));
        }
    }
}

/// Rows that one task takes when `rows` are shared out: a multiple of every path's
/// tile, more where there are enough for all threads.
pub(super) fn rows_per_task(rows: usize) -> usize {
    if rows < 96 { 12 } else { 24 }
}

/// Rows that go through all weights together: they stay in a small cache while the weights
/// pass by, and pass by weights seldom.
const ROWS: usize = 48;

/// Some outputs for some rows.
struct Product<'a, W> {
    x: &'a [f32],
    weights: W,
    /// Outputs wanted: those of `weights`, which may end in lanes that are none.
    width: usize,
    /// Row-major, `width` values per row.
    out: &'a mut [f32],
}

impl<W: Weights> Kernel for Product<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let rows = self.out.len() / self.width;
        let mut room = W::room();
        for first in (0..rows).step_by(ROWS) {
            let rows = first..rows.min(first + ROWS);
            let whole = rows.end - rows.len() % L::TILE_ROWS;
            // Weights that are read once need not stay in a cache.
            let depth = match rows.len() > L::TILE_ROWS {
                true => L::TILE_DEPTH,
                false => usize::MAX,
            };
            let depth = depth.min(W::DEPTH.unwrap_or(usize::MAX));
            let parts = self.weights.depth().div_ceil(depth).max(1);
            for part in 0..parts {
                let depth = |part: usize| part * self.weights.depth() / parts;
                let inputs = depth(part)..depth(part + 1);
                self.part(
                    lanes,
                    (inputs.clone(), &mut room),
                    first..whole,
                    L::TILE_ROWS,
                );
                self.part(
                    lanes,
                    (inputs, &mut room),
                    whole..rows.end,
                    rows.end - whole,
                );
            }
        }
    }
}

impl<W: Weights> Product<'_, W> {
    /// Goes on with the chains of `rows` over `inputs`, `at_once` rows at a time.
    #[inline(always)]
    fn part<L: Lanes>(
        &mut self,
        lanes: L,
        (inputs, room): (Range<usize>, &mut W::Room),
        rows: Range<usize>,
        at_once: usize,
    ) {
        if rows.is_empty() {
            return;
        }
        let stride = self.weights.depth();
        let most = L::tile_vectors(at_once);
        for vector in (0..self.weights.vectors()).step_by(most) {
            let count = most.min(self.weights.vectors() - vector);
            let weights = self.weights.tile(inputs.clone(), [vector, count], room);
            let column = vector * LANES;
            for row in rows.clone().step_by(at_once) {
                let tile = Tile {
                    a: &self.x[row * stride + inputs.start..],
                    a_stride: stride,
                    b: weights,
                    out: &mut self.out[row * self.width + column..],
                    out_stride: self.width,
                    columns: (weights.vectors() * LANES).min(self.width - column),
                    resume: inputs.start > 0,
                };
                tile.compute(lanes, at_once);
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
            2 if R <= L::TILE_ROWS && L::tile_vectors(R) >= 2 => self.exactly::<L, R, 2>(lanes),
            3 if R <= L::TILE_ROWS && L::tile_vectors(R) >= 3 => self.exactly::<L, R, 3>(lanes),
            4 if R <= L::TILE_ROWS && L::tile_vectors(R) >= 4 => self.exactly::<L, R, 4>(lanes),
            5 if R <= L::TILE_ROWS && L::tile_vectors(R) >= 5 => self.exactly::<L, R, 5>(lanes),
            6 if R <= L::TILE_ROWS && L::tile_vectors(R) >= 6 => self.exactly::<L, R, 6>(lanes),
            _ => unreachable!("a tile has one to {} vectors", L::tile_vectors(R)),
        }
    }

    #[inline(always)]
    fn exactly<L: Lanes, const R: usize, const V: usize>(self, lanes: L) {
        // A function of its own, or every place that computes tiles held all of them.
        lanes.enter(ExactTile::<R, V>(self));
    }
}

/// A [`Tile`] of `R` rows and `V` vectors.
struct ExactTile<'a, const R: usize, const V: usize>(Tile<'a>);

impl<const R: usize, const V: usize> Kernel for ExactTile<'_, R, V> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Tile {
            a,
            a_stride,
            b,
            out,
            out_stride,
            columns,
            resume,
        } = self.0;
        let operands = Operands::new(a, a_stride, b);
        let mut acc = [[lanes.splat(0.0); V]; R];
        if resume {
            for (r, vectors) in acc.iter_mut().enumerate() {
                let row = &out[r * out_stride..][..columns];
                for (vector, from) in vectors.iter_mut().zip(row.chunks(LANES)) {
                    *vector = lanes.load_or(from, 0.0);
                }
            }
        }
        lanes.tile(operands, &mut acc);
        for (r, vectors) in acc.into_iter().enumerate() {
            let row = &mut out[r * out_stride..][..columns];
            for (vector, to) in vectors.into_iter().zip(row.chunks_mut(LANES)) {
                lanes.store_up_to(lanes.canonical(vector), to);
            }
        }
    }
}
