//! Causal attention over cached keys and values: Vaswani et al., "Attention Is
//! All You Need" (2017), equation (1), one head at a time; several heads may
//! share a cache (grouped queries).
//!
//! # The result, to the bit
//!
//! For a query q that sees positions 0..n:
//! 1. s_j = the chain acc ← fma(q_i, k_ji, acc) from +0 over i ascending;
//! 2. e_j = exp(c s_j − max_j c s_j) and Z = Σ_j e_j as in
//!    [`softmax`](Kernels::softmax), with c the scale and c s_j rounded;
//! 3. o_i = the chain acc ← fma(e_j, v_ji, acc) from +0 over j ascending;
//! 4. out_i = o_i · (1 / Z); a NaN is stored as `f32::NAN`.
//!
//! With a cap, c s_j goes through it ([`soft_cap`](Kernels::soft_cap)) before the softmax. With a
//! window of w positions, s_j = −∞ for j < n − w, so that e_j = +0: sums go on as if those
//! positions were not there (as long as their values are finite).
//!
//! Nothing here depends on the other queries, so a prompt in one pass has the
//! same bits as token by token.

use rayon::prelude::*;

use super::activation::capped;
use super::cache::{Cache, CachedHead};
use super::lanes::{Kernel, LANES, Lanes};
use super::matmul::{PARALLEL_WORK, Tile, rows_per_task};
use super::packed::PANEL;
use super::path::Kernels;
use super::softmax::exponentials;

/// Rows of scores that one task holds at a time: few, as each row after the first sees one
/// position more than its tile.
const SCORE_ROWS: usize = 6;

/// The queries of one pass and the cache they look into.
#[derive(Debug, Clone, Copy)]
pub struct Queries<'a> {
    /// Row r starts at r · `stride` with its heads' queries, one after the other.
    pub data: &'a [f32],
    /// Distance between rows: heads × head size, or more where other values follow.
    pub stride: usize,
    /// Number of rows. The cache already holds the keys and values of all of them:
    /// of n cached positions, row r sees the first n − rows + 1 + r.
    pub rows: usize,
    /// For each query head, the key–value head that it looks into.
    pub heads: &'a [usize],
    /// The key–value heads.
    pub cache: &'a Cache,
    /// Their keys and values.
    pub memory: &'a [f32],
    /// c: what scores are multiplied by, 1 / √(head size) in LLaMA.
    pub scale: f32,
    /// The soft cap that scaled scores go through, if any.
    pub cap: Option<f32>,
    /// How many positions a row sees at most: the last ones, its own among them.
    pub window: Option<usize>,
}

impl Queries<'_> {
    /// The number of values of scratch that [`Kernels::attention`] needs.
    pub fn scratch_len(&self) -> usize {
        self.cache
            .scratch_len(self.rows, self.heads.len(), self.cache.len())
    }
}

impl Cache {
    /// The number of values of scratch that [`Kernels::attention`] needs for `rows` queries of
    /// `heads` heads over `positions` positions of this cache.
    pub fn scratch_len(&self, rows: usize, heads: usize, positions: usize) -> usize {
        tasks(rows, heads) * self.unpacked_len() + attention_scratch_len(rows, heads, positions)
    }
}

/// [`Cache::scratch_len`] of a cache that keeps keys and values as they are.
pub fn attention_scratch_len(rows: usize, heads: usize, positions: usize) -> usize {
    tasks(rows, heads) * task_scratch_len(rows, positions)
}

/// Tasks that a pass falls into.
fn tasks(rows: usize, heads: usize) -> usize {
    if rows == 1 {
        heads
    } else {
        rows.div_ceil(rows_per_task(rows))
    }
}

/// Scratch of one task.
fn task_scratch_len(rows: usize, positions: usize) -> usize {
    rows.min(SCORE_ROWS) * positions.next_multiple_of(PANEL)
}

impl Kernels {
    /// For each query row and head, out = Σ_j softmax_j(c q·k_j) v_j over the
    /// positions that the row sees.
    ///
    /// `out` is rows × (heads · head size); `scratch` is at least
    /// [`Queries::scratch_len`] long and holds nothing of use afterwards.
    ///
    /// # Panics
    /// If a slice is too short, the cache holds fewer positions than there are rows, or
    /// `heads` names one that is not there.
    pub fn attention(self, queries: Queries<'_>, scratch: &mut [f32], out: &mut [f32]) {
        let Queries { rows, cache, .. } = queries;
        let (positions, value_dim) = (cache.len(), cache.value_dim());
        let heads = queries.heads.len();
        let width = heads * value_dim;
        assert_eq!(
            out.len(),
            rows * width,
            "out must be rows × heads × value size"
        );
        if out.is_empty() {
            return;
        }
        assert!(
            rows <= positions,
            "the cache must hold the rows' own positions"
        );
        assert!(
            queries.stride >= heads * cache.head_dim(),
            "a row must hold all its heads"
        );
        let part = task_scratch_len(rows, positions) + cache.unpacked_len();
        let scratch = &mut scratch[..queries.scratch_len()];

        let parallel = rows * positions * width >= PARALLEL_WORK;
        let task_width = if rows == 1 {
            value_dim
        } else {
            rows_per_task(rows) * width
        };
        let task = |(index, (out, scratch)): (usize, (&mut [f32], &mut [f32]))| {
            let (first_row, first_head) = if rows == 1 {
                (0, index)
            } else {
                (index * rows_per_task(rows), 0)
            };
            let task_heads = if rows == 1 { 1 } else { heads };
            self.enter(Attend {
                queries,
                first_row,
                heads: first_head..first_head + task_heads,
                scratch,
                out,
            });
        };
        if parallel && rayon::current_num_threads() > 1 {
            let outs = out.par_chunks_mut(task_width);
            outs.zip(scratch.par_chunks_mut(part))
                .with_max_len(1)
                .enumerate()
                .for_each(task);
        } else {
            let outs = out.chunks_mut(task_width);
            outs.zip(scratch.chunks_mut(part))
                .enumerate()
                .for_each(task);
        }
    }
}

/// Some rows for some heads.
struct Attend<'a> {
    queries: Queries<'a>,
    first_row: usize,
    heads: std::ops::Range<usize>,
    scratch: &'a mut [f32],
    /// Row-major; a row holds these heads only.
    out: &'a mut [f32],
}

impl Kernel for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { queries, heads, .. } = self;
        let (head_dim, value_dim) = (queries.cache.head_dim(), queries.cache.value_dim());
        let width = heads.len() * value_dim;
        let rows = self.out.len() / width;
        let (room, scores) = self.scratch.split_at_mut(queries.cache.unpacked_len());
        for (slot, head) in heads.enumerate() {
            let mut row = 0;
            while row < rows {
                let count = (rows - row).min(L::TILE_ROWS).min(SCORE_ROWS);
                let first = self.first_row + row;
                HeadRows {
                    q: &queries.data[first * queries.stride + head * head_dim..],
                    q_stride: queries.stride,
                    cache: queries.cache.head(queries.memory, queries.heads[head]),
                    value_dim,
                    seen: queries.cache.len() - queries.rows + 1 + first,
                    scale: queries.scale,
                    cap: queries.cap,
                    window: queries.window,
                    scores: &mut *scores,
                    room: &mut *room,
                    out: &mut self.out[row * width + slot * value_dim..],
                    out_stride: width,
                }
                .compute(lanes, count);
                row += count;
            }
        }
    }
}

/// Replaces each score by the cap of its product with `scale`.
#[inline(always)]
fn cap_scores<L: Lanes>(lanes: L, scores: &mut [f32], scale: f32, cap: f32) {
    let scale = lanes.splat(scale);
    for chunk in scores.chunks_mut(LANES) {
        let scaled = lanes.mul(lanes.load_or(chunk, 0.0), scale);
        lanes.store_up_to(capped(lanes, scaled, cap), chunk);
    }
}

/// A few consecutive rows of one head.
struct HeadRows<'a> {
    q: &'a [f32],
    q_stride: usize,
    cache: CachedHead<'a>,
    value_dim: usize,
    /// Positions that the first row sees; each further row sees one more.
    seen: usize,
    scale: f32,
    cap: Option<f32>,
    window: Option<usize>,
    scores: &'a mut [f32],
    /// For keys and values that are unpacked.
    room: &'a mut [f32],
    out: &'a mut [f32],
    out_stride: usize,
}

impl HeadRows<'_> {
    #[inline(always)]
    fn compute<L: Lanes>(self, lanes: L, rows: usize) {
        let positions = self.seen + rows - 1;
        let stride = positions.next_multiple_of(LANES);
        for (panel, scores) in (0..stride).step_by(PANEL).enumerate() {
            let vectors = (stride - scores).min(PANEL) / LANES;
            let keys = self.cache.keys(panel, self.room).part(0, vectors);
            for (vector, keys) in keys.tiles(L::tile_vectors(rows)) {
                let tile = Tile {
                    a: self.q,
                    a_stride: self.q_stride,
                    b: keys,
                    out: &mut self.scores[scores + vector * LANES..],
                    out_stride: stride,
                    columns: keys.vectors() * LANES,
                    resume: false,
                };
                tile.compute(lanes, rows);
            }
        }

        let mut inverse = [0.0; SCORE_ROWS];
        for (r, inverse) in inverse.iter_mut().enumerate().take(rows) {
            let row = &mut self.scores[r * stride..][..self.seen + r];
            let mut scale = self.scale;
            if let Some(cap) = self.cap {
                cap_scores(lanes, row, scale, cap);
                scale = 1.0;
            }
            if let Some(window) = self.window {
                let before = row.len().saturating_sub(window);
                row[..before].fill(f32::NEG_INFINITY);
            }
            *inverse = 1.0 / exponentials(lanes, row, scale);
        }

        let at_once = self.cache.values_at_once();
        for first in (0..self.seen).step_by(at_once) {
            let depth = at_once.min(self.seen - first);
            let common = self.cache.values(first, depth, self.room);
            for (vector, values) in common.tiles(L::tile_vectors(rows)) {
                let column = vector * LANES;
                let common = Tile {
                    a: &self.scores[first..],
                    a_stride: stride,
                    b: values,
                    out: &mut self.out[column..],
                    out_stride: self.out_stride,
                    columns: (values.vectors() * LANES).min(self.value_dim - column),
                    resume: first > 0,
                };
                common.compute(lanes, rows);
            }
        }
        for (r, inverse) in inverse.iter().enumerate().take(rows) {
            let out = &mut self.out[r * self.out_stride..][..self.value_dim];
            // The positions that this row sees and the first one does not.
            if r > 0 {
                let own = self.cache.values(self.seen, r, self.room);
                for (vector, values) in own.tiles(L::tile_vectors(1)) {
                    let column = vector * LANES;
                    let columns = (values.vectors() * LANES).min(self.value_dim - column);
                    let own = Tile {
                        a: &self.scores[r * stride + self.seen..],
                        a_stride: 0,
                        b: values,
                        out: &mut out[column..],
                        out_stride: 0,
                        columns,
                        resume: true,
                    };
                    own.compute(lanes, 1);
                }
            }
            for chunk in out.chunks_mut(LANES) {
                let scaled = lanes.mul(lanes.load_or(chunk, 0.0), lanes.splat(*inverse));
                lanes.store_up_to(lanes.canonical(scaled), chunk);
            }
        }
    }
}
