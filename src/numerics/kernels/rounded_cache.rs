//! Keys and values in 8 or 4 bits, one scale for each head and token.
//!
//! With b = 127 for 8 bits and 7 for 4, the elements x of one key, or of the part of one value that
//! is held, become
//!
//! σ = max |x| / b, rounded once; q = x / σ, rounded once, then to the nearest integer, halves to
//! even, and clamped to ±b; zeros where σ is zero; σ is NaN where an element is not finite.
//!
//! Attention reads σ q, rounded once, in the place of x: it has the bits that it has over a full
//! cache of those numbers. It unpacks a panel of 64 positions at a time.
//!
//! Codes stand as bytes in the caller's memory of f32, which no arithmetic touches. A head has
//! the scales of its keys, those of its values, the codes of its keys, in panels as full keys stand,
//! and those of its values, row by row. Of 4 bits, two elements of one position share a byte, the
//! first in its lower half, each 8 greater than it is.

use super::packed::PANEL;

/// How a cache keeps keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CacheFormat {
    /// As they are.
    #[default]
    Full,
    /// In 8 bits.
    Int8,
    /// In 4 bits.
    Int4,
}

/// Sizes of one head's memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    /// Elements that share a byte: 1 or 2.
    pub per_byte: usize,
    pub head_dim: usize,
    pub value_dim: usize,
    pub capacity: usize,
}

/// One head's memory.
pub(super) struct Parts<T> {
    pub key_scales: T,
    pub value_scales: T,
    pub keys: T,
    pub values: T,
}

impl Layout {
    fn panels(self) -> usize {
        self.capacity.div_ceil(PANEL)
    }

    /// Bytes of a panel of keys.
    pub fn key_panel(self) -> usize {
        PANEL * self.head_dim.div_ceil(self.per_byte)
    }

    /// Bytes of a row of values, in whole words.
    pub fn value_row(self) -> usize {
        self.value_dim.div_ceil(self.per_byte).next_multiple_of(4)
    }

    /// Values of f32 that the scales of keys, or of values, take.
    fn scales(self) -> usize {
        self.panels() * PANEL
    }

    /// Values of f32 that a head takes.
    pub fn words(self) -> usize {
        let codes = self.panels() * self.key_panel() + self.capacity * self.value_row();
        2 * self.scales() + codes / 4
    }

    /// The parts of a head's memory.
    pub fn parts(self, memory: &[f32]) -> Parts<&[f32]> {
        let (key_scales, rest) = memory.split_at(self.scales());
        let (value_scales, rest) = rest.split_at(self.scales());
        let (keys, values) = rest.split_at(self.panels() * self.key_panel() / 4);
        Parts {
            key_scales,
            value_scales,
            keys,
            values,
        }
    }

    /// The parts of a head's memory, to be written.
    pub fn parts_mut(self, memory: &mut [f32]) -> Parts<&mut [f32]> {
        let (key_scales, rest) = memory.split_at_mut(self.scales());
        let (value_scales, rest) = rest.split_at_mut(self.scales());
        let (keys, values) = rest.split_at_mut(self.panels() * self.key_panel() / 4);
        Parts {
            key_scales,
            value_scales,
            keys,
            values,
        }
    }

    /// The greatest code.
    fn greatest(self) -> f32 {
        if self.per_byte == 1 { 127.0 } else { 7.0 }
    }

    /// Writes a key and a value at `position`.
    pub fn write(self, memory: &mut [f32], position: usize, key: &[f32], value: &[f32]) {
        let parts = self.parts_mut(memory);
        let (panel, lane) = (position / PANEL, position % PANEL);
        let scale = self.scale(key);
        parts.key_scales[position] = scale;
        let keys: &mut [u8] = bytemuck::cast_slice_mut(parts.keys);
        let keys = &mut keys[panel * self.key_panel()..][..self.key_panel()];
        for (row, elements) in keys.chunks_exact_mut(PANEL).zip(key.chunks(self.per_byte)) {
            row[lane] = self.byte(elements, scale);
        }
        let scale = self.scale(value);
        parts.value_scales[position] = scale;
        let values: &mut [u8] = bytemuck::cast_slice_mut(parts.values);
        let row = &mut values[position * self.value_row()..];
        for (byte, elements) in row.iter_mut().zip(value.chunks(self.per_byte)) {
            *byte = self.byte(elements, scale);
        }
    }

    /// σ.
    pub fn scale(self, x: &[f32]) -> f32 {
        match x.iter().all(|x| x.is_finite()) {
            true => x.iter().fold(0.0f32, |most, x| most.max(x.abs())) / self.greatest(),
            false => f32::NAN,
        }
    }

    /// q.
    pub fn code(self, x: f32, scale: f32) -> f32 {
        match scale > 0.0 {
            true => (x / scale)
                .round_ties_even()
                .clamp(-self.greatest(), self.greatest()),
            false => 0.0,
        }
    }

    fn byte(self, elements: &[f32], scale: f32) -> u8 {
        let code = |at: usize| elements.get(at).map_or(0, |&x| self.code(x, scale) as i8);
        match self.per_byte {
            1 => code(0).cast_unsigned(),
            _ => (code(0) + 8).cast_unsigned() | (code(1) + 8).cast_unsigned() << 4,
        }
    }

    /// Unpacks the keys of a panel to rows of [`PANEL`] positions, zeros from `positions` on.
    #[inline(always)]
    pub fn unpack_keys(self, memory: &[f32], panel: usize, positions: usize, to: &mut [f32]) {
        let parts = self.parts(memory);
        let mut scales = [0.0; PANEL];
        let used = (positions - panel * PANEL).min(PANEL);
        scales[..used].copy_from_slice(&parts.key_scales[panel * PANEL..][..used]);
        let keys: &[u8] = bytemuck::cast_slice(parts.keys);
        let keys = &keys[panel * self.key_panel()..][..self.key_panel()];
        for (i, row) in to[..PANEL * self.head_dim]
            .chunks_exact_mut(PANEL)
            .enumerate()
        {
            let codes = keys[i / self.per_byte * PANEL..][..PANEL].iter();
            let values = row.iter_mut().zip(scales).zip(codes);
            match (self.per_byte, i % 2) {
                (1, _) => {
                    values.for_each(|((to, scale), &q)| *to = scale * f32::from(q.cast_signed()));
                }
                (_, 0) => values.for_each(|((to, scale), &q)| *to = scale * nibble(q & 15)),
                _ => values.for_each(|((to, scale), &q)| *to = scale * nibble(q >> 4)),
            }
            // What memory held before is no number of anybody's.
            row[used..].fill(0.0);
        }
    }

    /// Unpacks the values of as many positions from `first` on as `to` has rows of `stride`.
    #[inline(always)]
    pub fn unpack_values(self, memory: &[f32], first: usize, stride: usize, to: &mut [f32]) {
        let parts = self.parts(memory);
        let values: &[u8] = bytemuck::cast_slice(parts.values);
        let rows = values[first * self.value_row()..].chunks_exact(self.value_row());
        let scales = &parts.value_scales[first..];
        for ((to, row), &scale) in to.chunks_exact_mut(stride).zip(rows).zip(scales) {
            let (to, padding) = to.split_at_mut(self.value_dim);
            padding.fill(0.0);
            if self.per_byte == 1 {
                for (to, &q) in to.iter_mut().zip(row) {
                    *to = scale * f32::from(q.cast_signed());
                }
            } else {
                for (to, &q) in to.chunks_mut(2).zip(row) {
                    for (to, q) in to.iter_mut().zip([q & 15, q >> 4]) {
                        *to = scale * nibble(q);
                    }
                }
            }
        }
    }
}

/// A code of 4 bits.
#[inline(always)]
fn nibble(q: u8) -> f32 {
    f32::from(q) - 8.0
}
