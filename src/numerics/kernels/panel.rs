//! The right-hand side of a product, as a [`tile`](super::lanes::Lanes::tile)
//! reads it.
//!
//! Whatever lies in memory, a tile reads whole vectors of sixteen, each going down the rows
//! at a stride of its own panel: weights stand in strips one vector wide, keys and values in
//! rows of several. A path's registers hold tiles of a width of their own, and what a tile
//! reads is only ever cut out of **one** panel, by [`Panel::tiles`] or [`Panel::part`]: both
//! are bounded by the panel's vectors. So no choice of tile widths can make a tile read
//! across a panel's edge.

mod operands;

use std::ops::Range;

pub(super) use operands::{Operands, Step};

use super::lanes::LANES;

/// Rows of some vectors: vector v of row k starts at `data[k · stride + v · step]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel<'a> {
    data: &'a [f32],
    stride: usize,
    step: usize,
    vectors: usize,
    depth: usize,
    magnitudes: Magnitudes,
}

impl<'a> Panel<'a> {
    /// `depth` rows of `vectors` vectors in `data`, `stride` values apart;
    /// `magnitudes` bound all of them.
    ///
    /// # Panics
    /// If rows overlap or `data` ends before the last one does.
    pub fn rows(
        data: &'a [f32],
        stride: usize,
        vectors: usize,
        depth: usize,
        magnitudes: Magnitudes,
    ) -> Self {
        assert!(vectors * LANES <= stride, "rows must not overlap");
        Self {
            data,
            stride,
            step: LANES,
            vectors,
            depth,
            magnitudes,
        }
        .bounded()
    }

    /// `vectors` strips of `depth` vectors each, one strip after the other in `data`;
    /// `magnitudes` bound all of them.
    ///
    /// # Panics
    /// If `data` ends before the last strip does.
    pub fn strips(data: &'a [f32], vectors: usize, depth: usize, magnitudes: Magnitudes) -> Self {
        Self {
            data,
            stride: LANES,
            step: depth * LANES,
            vectors,
            depth,
            magnitudes,
        }
        .bounded()
    }

    /// The same with `data` cut to what is read.
    ///
    /// # Panics
    /// If there is less.
    fn bounded(self) -> Self {
        let last = self.depth.checked_sub(1).zip(self.vectors.checked_sub(1));
        let end = last.map_or(0, |(k, v)| k * self.stride + v * self.step + LANES);
        Self {
            data: &self.data[..end],
            ..self
        }
    }

    /// Number of rows.
    pub fn depth(self) -> usize {
        self.depth
    }

    /// Vectors per row.
    pub fn vectors(self) -> usize {
        self.vectors
    }

    /// `count` vectors of every row, from vector `first` on.
    ///
    /// # Panics
    /// If a row has fewer.
    pub fn part(self, first: usize, count: usize) -> Self {
        assert!(
            first + count <= self.vectors,
            "vectors {first}..{} reach beyond a panel of {}",
            first + count,
            self.vectors
        );
        Self {
            data: self.data.get(first * self.step..).unwrap_or_default(),
            vectors: count,
            ..self
        }
        .bounded()
    }

    /// The rows `rows`.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn between(self, rows: Range<usize>) -> Self {
        assert!(rows.end <= self.depth, "row {} of {}", rows.end, self.depth);
        Self {
            data: self
                .data
                .get(rows.start * self.stride..)
                .unwrap_or_default(),
            depth: rows.len(),
            ..self
        }
        .bounded()
    }

    /// The panel cut into tiles of at most `most` vectors, each with the vector at
    /// which it starts.
    pub fn tiles(self, most: usize) -> impl Iterator<Item = (usize, Self)> {
        (0..self.vectors)
            .step_by(most)
            .map(move |first| (first, self.part(first, most.min(self.vectors - first))))
    }
}

/// Between which magnitudes values lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Magnitudes {
    /// No value that is not zero is smaller; +∞ where all are zero.
    pub smallest: f32,
    /// No value is larger; +∞ where there is a NaN.
    pub largest: f32,
}

impl Magnitudes {
    /// The bounds of no values at all.
    pub const NONE: Self = Self {
        smallest: f32::INFINITY,
        largest: 0.0,
    };

    /// The bounds of `values`.
    pub fn of(values: &[f32]) -> Self {
        // Without their sign, the bits of floats are ordered as their magnitudes
        // are, with NaN on top; less one, zero comes after all of them.
        let (mut smallest, mut largest) = (u32::MAX, 0);
        for value in values {
            let bits = value.to_bits() & !(1 << 31);
            smallest = smallest.min(bits.wrapping_sub(1));
            largest = largest.max(bits);
        }
        let infinity = f32::INFINITY.to_bits();
        Self {
            smallest: f32::from_bits(smallest.saturating_add(1).clamp(1, infinity)),
            largest: f32::from_bits(largest.min(infinity)),
        }
    }

    /// The bounds of both sets of values.
    pub fn union(self, other: Self) -> Self {
        Self {
            smallest: self.smallest.min(other.smallest),
            largest: self.largest.max(other.largest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of which every value tells where it stands: 100 k + column.
    fn numbered(depth: usize, stride: usize) -> Vec<f32> {
        let places = (0..depth).flat_map(|k| (0..stride).map(move |column| (k, column)));
        places.map(|(k, c)| (1000 * k + c) as f32).collect()
    }

    #[test]
    fn tiles_of_any_width_cover_a_panel_once_and_stay_inside() {
        for vectors in 1..=5 {
            let stride = (vectors + 1) * LANES;
            let data = numbered(3, stride);
            let panel = Panel::rows(&data, stride, vectors, 3, Magnitudes::NONE);
            for most in 1..=6 {
                let mut seen = Vec::new();
                for (first, tile) in panel.tiles(most) {
                    assert!(tile.vectors() <= most);
                    let rows: Vec<&[f32]> = tile.data.chunks(stride).collect();
                    assert_eq!(rows.len(), 3);
                    for (k, row) in rows.into_iter().enumerate() {
                        let start = (1000 * k + first * LANES) as f32;
                        assert_eq!(row[0], start);
                        let end = first + tile.vectors();
                        assert!(end <= vectors, "a tile ends at {end} of {vectors}");
                    }
                    seen.extend(first..first + tile.vectors());
                }
                assert!(seen.into_iter().eq(0..vectors));
            }
        }
    }

    #[test]
    #[should_panic = "vectors 3..5 reach beyond a panel of 4"]
    fn a_part_across_the_edge_is_refused() {
        let data = numbered(2, 4 * LANES);
        Panel::rows(&data, 4 * LANES, 4, 2, Magnitudes::NONE).part(3, 2);
    }

    #[test]
    fn rows_between_are_those_of_the_panel() {
        let data = numbered(5, 2 * LANES);
        let part = Panel::rows(&data, 2 * LANES, 2, 5, Magnitudes::NONE).between(2..4);
        let starts = |v: usize| {
            [
                part.data[v * part.step],
                part.data[part.stride + v * part.step],
            ]
        };
        assert_eq!((part.depth(), starts(1)), (2, [2016.0, 3016.0]));
        let strips = Panel::strips(&data, 2, 5, Magnitudes::NONE).between(2..4);
        assert_eq!(strips.data[0], data[2 * LANES]);
        assert_eq!(strips.data[strips.step + strips.stride], data[8 * LANES]);
    }

    #[test]
    #[should_panic = "row 6 of 5"]
    fn rows_beyond_the_last_are_refused() {
        let data = numbered(5, LANES);
        Panel::rows(&data, LANES, 1, 5, Magnitudes::NONE).between(4..6);
    }

    #[test]
    fn bounds_hold_all_values_but_zero() {
        let bounds = |smallest, largest| Magnitudes { smallest, largest };
        let subnormal = f32::from_bits(1);
        for (values, expected) in [
            (&[][..], Magnitudes::NONE),
            (&[0.0, -0.0], Magnitudes::NONE),
            (&[0.0, -2.0, 1.0], bounds(1.0, 2.0)),
            (&[3.0, -subnormal], bounds(subnormal, 3.0)),
            (&[1.0, f32::NEG_INFINITY], bounds(1.0, f32::INFINITY)),
            (&[1.0, -f32::NAN], bounds(1.0, f32::INFINITY)),
            (&[f32::NAN], bounds(f32::INFINITY, f32::INFINITY)),
        ] {
            assert_eq!(Magnitudes::of(values), expected, "{values:?}");
        }
    }
}
