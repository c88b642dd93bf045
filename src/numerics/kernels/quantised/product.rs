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
use super::integers::{GROUPS, IntegerKernel, Integers, exact_groups};
use super::matrix::{BlockMatrix, Line, ScaleLayout};
use super::rows::{RoundedBlock, RoundedRows};
use crate::numerics::kernels::Kernels;
use crate::numerics::kernels::lanes::{LANES, Lanes};
use crate::numerics::kernels::matmul::{PARALLEL_WORK, rows_per_task};
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
    /// the [module](self) defines; other columns of `out` stay as they are.
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
        let small = rows * outputs * weights.columns() < PARALLEL_WORK;
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

/// Scales d of whole blocks.
const PLAIN: u8 = 0;
/// Scales d s and minima d′ m of whole blocks.
const MINIMUM: u8 = 1;
/// Scales d s of half blocks.
const HALVES: u8 = 2;

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

/// Sixteen outputs' weights.
struct Panel<'a> {
    codes: &'a [Line],
    scales: &'a [u8],
    layout: ScaleLayout,
    cut: usize,
    span_blocks: usize,
}

/// A few rows of sixteen outputs.
struct Tile<'a> {
    x: &'a RoundedRows,
    first_row: usize,
    out: &'a mut [f32],
    width: usize,
    columns: usize,
}

impl Tile<'_> {
    #[inline(always)]
    fn compute<I: Integers, const R: usize, const BITS: usize, const SCALES: u8>(
        self,
        integers: I,
        panel: &Panel<'_>,
    ) {
        let lanes = integers.floats();
        let zero = lanes.splat(0.0);
        let mut acc = [zero; R];
        let blocks = panel.codes.len() / BITS;
        let x: [&[RoundedBlock]; R] =
            std::array::from_fn(|r| &self.x.row(self.first_row + r)[..blocks]);
        let (shared, own) = panel
            .scales
            .split_at(panel.layout.spans * panel.layout.shared);
        let mut spans = shared.chunks_exact(panel.layout.shared);
        let mut left = 0;
        let (mut d, mut least) = (zero, zero);
        let own_len = panel.layout.own;
        for (index, codes) in panel.codes.chunks_exact(BITS).enumerate() {
            if left == 0 {
                left = match index {
                    0 => panel.span_blocks - panel.cut,
                    _ => panel.span_blocks,
                };
                let span = spans.next().expect("a span per so many blocks");
                d = integers.halves(span.first_chunk().expect("sixteen d"));
                if SCALES == MINIMUM {
                    least = integers.halves(span[32..].first_chunk().expect("sixteen d′"));
                }
            }
            left -= 1;
            let own = &own[index * own_len..(index + 1) * own_len];
            let x: [&RoundedBlock; R] = std::array::from_fn(|r| &x[r][index]);
            let codes: &[Line; BITS] = codes.try_into().expect("as many lines as bits");
            match SCALES {
                HALVES => {
                    for half in 0..2 {
                        let s = own[16 * half..].first_chunk().expect("sixteen s");
                        let scale = lanes.mul(d, integers.small_signed(s));
                        let sums = std::array::from_fn(|r| x[r].negative_sums[half]);
                        let words = dots::<I, R, BITS>(
                            integers,
                            codes,
                            4 * half..4 * half + 4,
                            x,
                            sums,
                            true,
                        );
                        add_scaled(integers, &mut acc, scale, words, x);
                    }
                }
                _ => {
                    let biased = if BITS == 8 {
                        I::BIASED
                    } else {
                        SCALES == PLAIN
                    };
                    let mut scale = d;
                    let mut minimum = zero;
                    if SCALES == MINIMUM {
                        let (s, m) = six_bits(own.first_chunk().expect("sixteen s and m"));
                        scale = lanes.mul(d, integers.small(&s));
                        minimum = lanes.mul(least, integers.small(&m));
                    }
                    let sums = std::array::from_fn(|r| x[r].negative_whole);
                    let words = dots::<I, R, BITS>(integers, codes, 0..GROUPS, x, sums, biased);
                    add_scaled(integers, &mut acc, scale, words, x);
                    if SCALES == MINIMUM {
                        for (acc, x) in acc.iter_mut().zip(x) {
                            *acc = lanes.mul_add(minimum, lanes.splat(x.negative_sum), *acc);
                        }
                    }
                }
            }
        }
        for (r, acc) in acc.into_iter().enumerate() {
            let row = &mut self.out[r * self.width..][..self.columns];
            lanes.store_up_to(lanes.canonical(acc), row);
        }
    }
}

/// acc ← fma(scale, words · σ, acc).
#[inline(always)]
fn add_scaled<I: Integers, const R: usize>(
    integers: I,
    acc: &mut [<I::Floats as Lanes>::Vector; R],
    scale: <I::Floats as Lanes>::Vector,
    words: [I::Words; R],
    x: [&RoundedBlock; R],
) {
    let lanes = integers.floats();
    for r in 0..R {
        let products = lanes.mul(integers.to_floats(words[r]), lanes.splat(x[r].scale));
        acc[r] = lanes.mul_add(scale, products, acc[r]);
    }
}

/// I of every row: Σ (q − o) x̂ over some groups of a block.
#[inline(always)]
fn dots<I: Integers, const R: usize, const BITS: usize>(
    integers: I,
    lines: &[Line; BITS],
    groups: std::ops::Range<usize>,
    x: [&RoundedBlock; R],
    negative_sums: [i32; R],
    biased: bool,
) -> [I::Words; R] {
    let mut words = [integers.start(0, 0); R];
    if biased {
        // No closure: the library's code that would call it has none of the path's instructions.
        for r in 0..R {
            words[r] = integers.start(negative_sums[r], BITS as u32 - 1);
        }
    }
    let together = match I::WIDE {
        true => groups.len(),
        false => exact_groups(BITS).min(groups.len()),
    };
    let mut first = groups.start;
    while first < groups.end {
        let mut parts = [integers.none(); R];
        for g in first..first + together {
            let codes = group::<I, BITS>(integers, lines, g);
            let unsigned = integers.unsigned(codes);
            for r in 0..R {
                let x = x[r].codes[g];
                parts[r] = match BITS {
                    8 => integers.add_signed(parts[r], codes, unsigned, x),
                    _ => integers.add(parts[r], codes, x),
                };
            }
        }
        for r in 0..R {
            words[r] = integers.add_part(words[r], parts[r]);
        }
        first += together;
    }
    words
}

/// The codes of group `g`, put together from their planes.
#[inline(always)]
fn group<I: Integers, const BITS: usize>(integers: I, lines: &[Line; BITS], g: usize) -> I::Bytes {
    if BITS == 8 {
        return integers.bytes(&lines[g].0);
    }
    let plane = |first: usize, width: usize, mask: u8| {
        let line = integers.bytes(&lines[first + g % width].0);
        integers.bits(line, (g / width * width) as u32, mask)
    };
    match BITS {
        2 => plane(0, 2, 3),
        3 => integers.above(plane(0, 2, 3), plane(2, 1, 1), 2),
        4 => plane(0, 4, 15),
        5 => integers.above(plane(0, 4, 15), plane(4, 1, 1), 4),
        6 => integers.above(plane(0, 4, 15), plane(4, 2, 3), 4),
        _ => {
            let lower = integers.above(plane(0, 4, 15), plane(4, 2, 3), 4);
            integers.above(lower, plane(6, 1, 1), 6)
        }
    }
}

/// s and m of sixteen outputs.
#[inline(always)]
fn six_bits(own: &[u8; 24]) -> ([u8; LANES], [u8; LANES]) {
    let mut s = [0; LANES];
    let mut m = [0; LANES];
    for lane in 0..8 {
        let upper = own[LANES + lane];
        s[lane] = own[lane] & 63;
        s[lane + 8] = own[lane + 8] & 63;
        m[lane] = own[lane] >> 6 | (upper & 15) << 2;
        m[lane + 8] = own[lane + 8] >> 6 | upper >> 4 << 2;
    }
    (s, m)
}
