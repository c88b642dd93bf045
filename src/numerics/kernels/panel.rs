//! The right-hand side of a product, as a [`tile`](super::lanes::Lanes::tile)
//! reads it.

/// Rows of sixteen or more values: row k starts at `data[k · stride]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel<'a> {
    /// The rows, from the first value read.
    pub data: &'a [f32],
    /// Distance between rows.
    pub stride: usize,
    /// Number of rows.
    pub depth: usize,
    /// Bounds that all values keep.
    pub magnitudes: Magnitudes,
}

impl<'a> Panel<'a> {
    /// The rows; all but the last are `stride` long.
    #[inline(always)]
    pub fn rows(self) -> impl Iterator<Item = &'a [f32]> {
        self.data.chunks(self.stride).take(self.depth)
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
