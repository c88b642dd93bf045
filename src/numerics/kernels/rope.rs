//! Rotary position embedding: Su et al., "RoFormer: Enhanced Transformer with
//! Rotary Position Embedding" (2021), equation (34), in the half-split layout of
//! Hugging Face's LLaMA: element i pairs with element i + d/2.

use super::lanes::{Kernel, LANES, Lanes};
use super::path::Kernels;

/// Cosines and sines of every position's angles.
#[derive(Debug, Clone, PartialEq)]
pub struct RopeTable {
    half: usize,
    /// Position-major, d/2 values each.
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl RopeTable {
    /// The table of `positions` positions for heads of twice as many elements as
    /// there are `frequencies`: pair i turns by ω_i rad per position, θ^(−2i/d) with
    /// θ = 10 000 in LLaMA, where a model does not scale it. The angle p · ω_i is
    /// rounded to `f32`, as the reference implementation rounds it; its cosine and
    /// sine are `libm`'s in `f64`, rounded to `f32`.
    pub fn from_frequencies(frequencies: &[f32], positions: usize) -> Self {
        let angles = || {
            (0..positions).flat_map(|p| frequencies.iter().map(move |f| f64::from(p as f32 * f)))
        };
        Self {
            half: frequencies.len(),
            cos: angles().map(|angle| libm::cos(angle) as f32).collect(),
            sin: angles().map(|angle| libm::sin(angle) as f32).collect(),
        }
    }

    /// The same table with every cosine and sine multiplied by `factor`, rounded: queries and
    /// keys are then longer by it.
    #[must_use]
    pub fn times(mut self, factor: f32) -> Self {
        for value in self.cos.iter_mut().chain(&mut self.sin) {
            *value *= factor;
        }
        self
    }

    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.cos.len().checked_div(self.half).unwrap_or(usize::MAX)
    }

    /// Size of the heads.
    pub fn head_dim(&self) -> usize {
        2 * self.half
    }
}

impl Kernels {
    /// Rotates every head of every row: row r stands at position `first` + r.
    ///
    /// Each row is `stride` long and begins with whole heads, `heads` in number;
    /// what follows them in a row stays as it is. With (a, b) a
    /// pair and (c, s) its cosine and sine, the pair becomes a·c − b·s and
    /// b·c + a·s, each product, difference and sum rounded.
    ///
    /// # Panics
    /// If a row is too short for its heads, or a position lies beyond the table.
    pub fn rope(
        self,
        values: &mut [f32],
        stride: usize,
        heads: usize,
        first: usize,
        table: &RopeTable,
    ) {
        if values.is_empty() || heads == 0 {
            return;
        }
        assert!(
            stride >= heads * table.head_dim() && values.len().is_multiple_of(stride),
            "values must be rows of whole heads"
        );
        assert!(
            first + values.len() / stride <= table.positions(),
            "positions must lie within the rotary table"
        );
        self.enter(Rope {
            values,
            stride,
            heads,
            first,
            table,
        });
    }
}

struct Rope<'a> {
    values: &'a mut [f32],
    stride: usize,
    heads: usize,
    first: usize,
    table: &'a RopeTable,
}

impl Kernel for Rope<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let half = self.table.half;
        for (r, row) in self.values.chunks_mut(self.stride).enumerate() {
            let angles = (self.first + r) * half..(self.first + r + 1) * half;
            let (cos, sin) = (&self.table.cos[angles.clone()], &self.table.sin[angles]);
            for head in row.chunks_exact_mut(2 * half).take(self.heads) {
                let (a, b) = head.split_at_mut(half);
                let pairs = a.chunks_mut(LANES).zip(b.chunks_mut(LANES));
                let turns = cos.chunks(LANES).zip(sin.chunks(LANES));
                for ((to_a, to_b), (c, s)) in pairs.zip(turns) {
                    let (a, b) = (lanes.load_or(to_a, 0.0), lanes.load_or(to_b, 0.0));
                    let (c, s) = (lanes.load_or(c, 0.0), lanes.load_or(s, 0.0));
                    let turned_a = lanes.sub(lanes.mul(a, c), lanes.mul(b, s));
                    let turned_b = lanes.add(lanes.mul(b, c), lanes.mul(a, s));
                    lanes.store_up_to(lanes.canonical(turned_a), to_a);
                    lanes.store_up_to(lanes.canonical(turned_b), to_b);
                }
            }
        }
    }
}
