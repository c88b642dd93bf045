//! Symbols as products read them: those of one use, or of several whose sums are formed side by
//! side.

use super::columns::{SIDE, Side};

/// Uses whose sums are formed side by side.
pub(super) const BESIDE: usize = 4;

/// The symbols of many uses.
pub(super) trait Symbols {
    /// Entry `c` of s_u for u = `channel_use`: real and imaginary part.
    fn at(&self, channel_use: usize, c: usize) -> (f64, f64);

    /// Of [`SIDE`]/2 streams, the symbols of use [`BESIDE`]·`block` and of those behind it.
    fn beside(&self, block: usize) -> impl Beside;
}

/// The symbols of [`BESIDE`] uses and [`SIDE`]/2 streams. Their number is known where they are
/// compiled, so that no place needs to be checked.
pub(super) trait Beside {
    /// Entry `c` of the `k`th of them.
    fn at(&self, k: usize, c: usize) -> (f64, f64);
}

/// What a device sends, the numbers of a use side by side.
pub(super) struct Sent<'a> {
    pub parts: &'a [f64],
    pub streams: usize,
}

impl Symbols for Sent<'_> {
    #[inline(always)]
    fn at(&self, channel_use: usize, c: usize) -> (f64, f64) {
        let first = 2 * (channel_use * self.streams + c);
        (self.parts[first], self.parts[first + 1])
    }

    #[inline(always)]
    fn beside(&self, block: usize) -> impl Beside {
        let (uses, _) = self.parts.as_chunks::<SIDE>();
        let (blocks, _) = uses.as_chunks::<BESIDE>();
        &blocks[block]
    }
}

impl Beside for &[Side; BESIDE] {
    #[inline(always)]
    fn at(&self, k: usize, c: usize) -> (f64, f64) {
        (self[k][2 * c], self[k][2 * c + 1])
    }
}

/// White noise, stream by stream, real parts before imaginary ones.
pub(super) struct White<'a> {
    pub parts: &'a [f64],
    pub uses: usize,
}

impl Symbols for White<'_> {
    #[inline(always)]
    fn at(&self, channel_use: usize, c: usize) -> (f64, f64) {
        let first = 2 * c * self.uses + channel_use;
        (self.parts[first], self.parts[first + self.uses])
    }

    #[inline(always)]
    fn beside(&self, block: usize) -> impl Beside {
        let part = |number: usize| -> &[f64; BESIDE] {
            let uses = &self.parts[number * self.uses + block * BESIDE..];
            uses.first_chunk().expect("a whole block of uses")
        };
        let parts: [_; SIDE] = std::array::from_fn(part);
        parts
    }
}

impl Beside for [&[f64; BESIDE]; SIDE] {
    #[inline(always)]
    fn at(&self, k: usize, c: usize) -> (f64, f64) {
        (self[2 * c][k], self[2 * c + 1][k])
    }
}
