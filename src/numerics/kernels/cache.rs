//! Keys and values of one attention head, laid out for
//! [`attention`](super::Kernels::attention).
//!
//! Keys stand in panels like weights: 64 positions side by side for each element of the head, so
//! that scores are computed lane by position. Values stand row by row,
//! padded to whole vectors.

use super::lanes::LANES;
use super::packed::PANEL;
use super::panel::{Magnitudes, Panel};

/// The keys and values of the positions that one key–value head has seen.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadCache {
    head_dim: usize,
    positions: usize,
    /// Panels of `head_dim` × [`PANEL`].
    keys: Vec<f32>,
    /// Rows of `head_dim`, padded to a multiple of [`LANES`] with zeros.
    values: Vec<f32>,
    key_magnitudes: Magnitudes,
    value_magnitudes: Magnitudes,
}

impl HeadCache {
    /// An empty cache for heads of `head_dim` elements, with room for `positions`:
    /// until they are full, [`push`](Self::push) allocates nothing.
    pub fn with_capacity(head_dim: usize, positions: usize) -> Self {
        let rows = positions * head_dim.next_multiple_of(LANES);
        Self {
            head_dim,
            positions: 0,
            keys: Vec::with_capacity(positions.next_multiple_of(PANEL) * head_dim),
            values: Vec::with_capacity(rows),
            key_magnitudes: Magnitudes::NONE,
            value_magnitudes: Magnitudes::NONE,
        }
    }

    /// Appends one position.
    ///
    /// # Panics
    /// If `key` or `value` is not `head_dim` long.
    pub fn push(&mut self, key: &[f32], value: &[f32]) {
        assert_eq!(key.len(), self.head_dim, "a key has head_dim elements");
        assert_eq!(value.len(), self.head_dim, "a value has head_dim elements");
        let lane = self.positions % PANEL;
        if lane == 0 {
            self.keys
                .resize(self.keys.len() + PANEL * self.head_dim, 0.0);
        }
        let panel = self.positions / PANEL * PANEL * self.head_dim;
        for (i, &element) in key.iter().enumerate() {
            self.keys[panel + i * PANEL + lane] = element;
        }
        self.values.extend_from_slice(value);
        self.values
            .resize((self.positions + 1) * self.value_stride(), 0.0);
        self.key_magnitudes = self.key_magnitudes.union(Magnitudes::of(key));
        self.value_magnitudes = self.value_magnitudes.union(Magnitudes::of(value));
        self.positions += 1;
    }

    /// Forgets all positions, keeping the memory.
    pub fn clear(&mut self) {
        self.positions = 0;
        self.keys.clear();
        self.values.clear();
        self.key_magnitudes = Magnitudes::NONE;
        self.value_magnitudes = Magnitudes::NONE;
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.positions
    }

    /// Whether there is no position.
    pub fn is_empty(&self) -> bool {
        self.positions == 0
    }

    /// Elements per key and per value.
    pub fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Distance between the rows of values.
    fn value_stride(&self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }

    /// The keys of positions 64 `panel` to 64 `panel` + 63: row i holds element i.
    pub(super) fn keys(&self, panel: usize) -> Panel<'_> {
        let len = PANEL * self.head_dim;
        let data = &self.keys[panel * len..(panel + 1) * len];
        let vectors = PANEL / LANES;
        Panel::new(data, PANEL, vectors, self.head_dim, self.key_magnitudes)
    }

    /// The values of `depth` positions from `first` on: row j holds position `first` + j.
    pub(super) fn values(&self, first: usize, depth: usize) -> Panel<'_> {
        let stride = self.value_stride();
        let data = &self.values[first * stride..(first + depth) * stride];
        let vectors = stride / LANES;
        Panel::new(data, stride, vectors, depth, self.value_magnitudes)
    }
}
