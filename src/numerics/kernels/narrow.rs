//! Weights of 16 bits, which become f32 on their way into a product.
//!
//! f16 and bf16 become f32 exactly, so a product has the bits that it has with weights of 32 bits. A
//! tile's weights are widened into a place that a first-level cache holds, some inputs at a time;
//! of a large model, whose weights come from memory, half as much comes.

use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::lanes::LANES;
use super::panel::{Magnitudes, Panel};

/// Inputs that are widened at a time.
pub(super) const DEPTH: usize = 64;

/// Vectors of a tile, at most.
const VECTORS: usize = 6;

/// A number that becomes f32 exactly.
pub(super) trait Widen: Copy {
    fn widen(from: &[Self], to: &mut [f32]);
}

impl Widen for f16 {
    fn widen(from: &[Self], to: &mut [f32]) {
        from.convert_to_f32_slice(to);
    }
}

impl Widen for bf16 {
    #[inline(always)]
    fn widen(from: &[Self], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = f32::from_bits(u32::from(from.to_bits()) << 16);
        }
    }
}

/// Strips of one vector, each of `depth` rows, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Narrow<'a, T> {
    data: &'a [T],
    vectors: usize,
    depth: usize,
    magnitudes: Magnitudes,
}

impl<'a, T: Widen> Narrow<'a, T> {
    /// # Panics
    /// If `data` holds more or less than `vectors` strips.
    pub fn new(data: &'a [T], vectors: usize, depth: usize, magnitudes: Magnitudes) -> Self {
        assert_eq!(data.len(), vectors * depth * LANES, "strips must be whole");
        Self {
            data,
            vectors,
            depth,
            magnitudes,
        }
    }
}

/// What a product multiplies by, in strips of vectors.
pub(super) trait Weights: Copy {
    /// Most rows of a tile, if there is a bound.
    const DEPTH: Option<usize>;

    /// Where a tile is widened.
    type Room;

    /// Such a place.
    fn room() -> Self::Room;

    /// Rows.
    fn depth(self) -> usize;

    /// Vectors per row.
    fn vectors(self) -> usize;

    /// `count` strips from `first` on.
    fn part(self, first: usize, count: usize) -> Self;

    /// The rows `rows` of `count` strips from `first` on, in f32.
    fn tile<'t>(
        self,
        rows: Range<usize>,
        strips: [usize; 2],
        room: &'t mut Self::Room,
    ) -> Panel<'t>
    where
        Self: 't;
}

impl Weights for Panel<'_> {
    const DEPTH: Option<usize> = None;

    type Room = ();

    fn room() -> Self::Room {}

    #[inline(always)]
    fn depth(self) -> usize {
        Panel::depth(self)
    }

    #[inline(always)]
    fn vectors(self) -> usize {
        Panel::vectors(self)
    }

    #[inline(always)]
    fn part(self, first: usize, count: usize) -> Self {
        Panel::part(self, first, count)
    }

    #[inline(always)]
    fn tile<'t>(
        self,
        rows: Range<usize>,
        [first, count]: [usize; 2],
        _: &'t mut Self::Room,
    ) -> Panel<'t>
    where
        Self: 't,
    {
        self.between(rows).part(first, count)
    }
}

impl<T: Widen> Weights for Narrow<'_, T> {
    const DEPTH: Option<usize> = Some(DEPTH);

    type Room = [f32; DEPTH * VECTORS * LANES];

    fn room() -> Self::Room {
        [0.0; DEPTH * VECTORS * LANES]
    }

    fn depth(self) -> usize {
        self.depth
    }

    fn vectors(self) -> usize {
        self.vectors
    }

    fn part(self, first: usize, count: usize) -> Self {
        let size = self.depth * LANES;
        Self {
            data: &self.data[first * size..][..count * size],
            vectors: count,
            ..self
        }
    }

    #[inline(always)]
    fn tile<'t>(
        self,
        rows: Range<usize>,
        [first, count]: [usize; 2],
        room: &'t mut Self::Room,
    ) -> Panel<'t>
    where
        Self: 't,
    {
        let size = rows.len() * LANES;
        let room = &mut room[..count * size];
        for (strip, to) in (first..first + count).zip(room.chunks_exact_mut(size.max(1))) {
            let from = &self.data[(strip * self.depth + rows.start) * LANES..][..size];
            T::widen(from, to);
        }
        Panel::strips(room, count, rows.len(), self.magnitudes)
    }
}
