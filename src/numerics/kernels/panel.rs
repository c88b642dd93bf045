//! The right-hand side of a product, as a [`tile`](super::lanes::Lanes::tile)
//! reads it.
//!
//! Matrices stand in panels some vectors wide, one after the other in memory, and a
//! path's registers hold tiles of a width of their own. What a tile reads is therefore
//! only ever cut out of **one** panel, by [`Panel::tiles`] or [`Panel::part`]: both are
//! bounded by the panel's width, and a row of [`Columns`] is as long as its vectors
//! say. So no choice of tile widths can make a tile read across a panel's edge.

use super::lanes::LANES;

/// Rows of a multiple of sixteen values: row k starts at `data[k · stride]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel<'a> {
    data: &'a [f32],
    stride: usize,
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
    pub fn new(
        data: &'a [f32],
        stride: usize,
        vectors: usize,
        depth: usize,
        magnitudes: Magnitudes,
    ) -> Self {
        assert!(vectors * LANES <= stride, "rows must not overlap");
        let last = depth.checked_sub(1);
        let end = last.map_or(0, |last| last * stride + vectors * LANES);
        Self {
            data: &data[..end],
            stride,
            vectors,
            depth,
            magnitudes,
        }
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
        let data = self.data.get(first * LANES..).unwrap_or_default();
        Self::new(data, self.stride, count, self.depth, self.magnitudes)
    }

    /// The panel cut into tiles of at most `most` vectors, each with the vector at
    /// which it starts.
    pub fn tiles(self, most: usize) -> impl Iterator<Item = (usize, Self)> {
        (0..self.vectors)
            .step_by(most)
            .map(move |first| (first, self.part(first, most.min(self.vectors - first))))
    }

    /// The panel as columns of exactly `V` vectors.
    ///
    /// # Panics
    /// If it has another width.
    #[inline(always)]
    pub fn columns<const V: usize>(self) -> Columns<'a, V> {
        assert_eq!(self.vectors, V, "the panel must be as wide as the tile");
        Columns(self)
    }
}

/// A [`Panel`] of `V` vectors per row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a, const V: usize>(Panel<'a>);

impl<'a, const V: usize> Columns<'a, V> {
    /// Number of rows.
    #[inline(always)]
    pub fn depth(self) -> usize {
        self.0.depth
    }

    /// Bounds that all values keep.
    pub fn magnitudes(self) -> Magnitudes {
        self.0.magnitudes
    }

    /// Row `k`.
    #[inline(always)]
    pub fn row(self, k: usize) -> &'a [[f32; LANES]; V] {
        let row = &self.0.data[k * self.0.stride..][..V * LANES];
        let (vectors, _) = row.as_chunks();
        vectors.first_chunk().expect("V vectors")
    }

    /// What lies `ahead` values after row `k` starts, to be fetched early.
    pub fn beyond(self, k: usize, ahead: usize) -> &'a [f32] {
        let start = k * self.0.stride + ahead;
        self.0.data.get(start..).unwrap_or_default()
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
            let panel = Panel::new(&data, stride, vectors, 3, Magnitudes::NONE);
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
        Panel::new(&data, 4 * LANES, 4, 2, Magnitudes::NONE).part(3, 2);
    }

    #[test]
    #[should_panic = "as wide as the tile"]
    fn columns_are_as_wide_as_the_panel() {
        let data = numbered(2, 4 * LANES);
        let panel = Panel::new(&data, 4 * LANES, 4, 2, Magnitudes::NONE);
        panel.columns::<3>();
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
