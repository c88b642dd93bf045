//! Keys and values of attention heads, laid out for
//! [`attention`](super::Kernels::attention).
//!
//! Keys stand in panels like weights: 64 positions side by side for each element of the head, so
//! that scores are computed lane by position. Values stand row by row,
//! padded to whole vectors. A head's keys come first, then its values; one head
//! follows the other.
//!
//! Keys and values of fewer bits stand as [`rounded_cache`](super::rounded_cache) says.
//!
//! The memory belongs to the caller; what is said here of it holds as long as only
//! [`Cache::push`] writes to it.

use super::lanes::LANES;
use super::packed::PANEL;
use super::panel::{Magnitudes, Panel};
use super::rounded_cache::{CacheFormat, Layout};

/// What is known of the memory in which some heads keep their keys and values.
#[derive(Debug, Clone, PartialEq)]
pub struct Cache {
    format: CacheFormat,
    head_dim: usize,
    value_dim: usize,
    capacity: usize,
    positions: usize,
    heads: Vec<Bounds>,
}

/// The bounds of one head's entries.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    keys: Magnitudes,
    values: Magnitudes,
}

const EMPTY: Bounds = Bounds {
    keys: Magnitudes::NONE,
    values: Magnitudes::NONE,
};

impl Cache {
    /// No positions yet of `heads` heads of `head_dim` elements, with room for `capacity`.
    pub fn new(heads: usize, head_dim: usize, capacity: usize) -> Self {
        Self::divided(heads, head_dim, head_dim, capacity)
    }

    /// [`Cache::new`] of heads that keep only `value_dim` elements of each value: attention
    /// then makes those columns of its output, with the same bits.
    pub fn divided(heads: usize, head_dim: usize, value_dim: usize, capacity: usize) -> Self {
        Self {
            format: CacheFormat::Full,
            head_dim,
            value_dim,
            capacity,
            positions: 0,
            heads: vec![EMPTY; heads],
        }
    }

    /// The same without positions, keeping keys and values as `format` says. A value of which
    /// only some elements are held is rounded by the greatest of those.
    pub fn in_format(mut self, format: CacheFormat) -> Self {
        self.format = format;
        self.clear();
        self
    }

    /// How it keeps keys and values.
    pub fn format(&self) -> CacheFormat {
        self.format
    }

    /// Sizes of what is rounded, if anything is.
    fn rounded(&self) -> Option<Layout> {
        let per_byte = match self.format {
            CacheFormat::Full => return None,
            CacheFormat::Int8 => 1,
            CacheFormat::Int4 => 2,
        };
        Some(Layout {
            per_byte,
            head_dim: self.head_dim,
            value_dim: self.value_dim,
            capacity: self.capacity,
        })
    }

    /// Values that a task of attention unpacks at a time.
    pub(super) fn unpacked_len(&self) -> usize {
        match self.format {
            CacheFormat::Full => 0,
            _ => PANEL * self.head_dim.max(self.value_stride()),
        }
    }

    /// The number of values of memory that one head needs.
    pub fn head_memory(&self) -> usize {
        match self.rounded() {
            Some(layout) => layout.words(),
            None => self.keys_len() + self.capacity * self.value_stride(),
        }
    }

    /// The number of values of memory that all heads need.
    pub fn memory(&self) -> usize {
        self.heads.len() * self.head_memory()
    }

    /// Appends one position to every head: `keys` hold one row of `head_dim` after the other
    /// by head, `values` one of `value_dim`.
    ///
    /// # Panics
    /// If the cache is full, or a slice has another length.
    pub fn push(&mut self, memory: &mut [f32], keys: &[f32], values: &[f32]) {
        let (heads, dim, value_dim) = (self.heads.len(), self.head_dim, self.value_dim);
        assert!(self.positions < self.capacity, "the cache is full");
        assert_eq!(memory.len(), self.memory(), "memory of another cache");
        assert_eq!(keys.len(), heads * dim, "keys are heads × head size");
        assert_eq!(
            values.len(),
            heads * value_dim,
            "values are heads × value size"
        );
        let (panel, lane) = (self.positions / PANEL, self.positions % PANEL);
        let (keys_len, stride) = (self.keys_len(), self.value_stride());
        let rows = keys.chunks_exact(dim).zip(values.chunks_exact(value_dim));
        let layout = self.rounded();
        let places = memory.chunks_exact_mut(self.head_memory());
        for ((bounds, place), (key, value)) in self.heads.iter_mut().zip(places).zip(rows) {
            if let Some(layout) = layout {
                layout.write(place, self.positions, key, value);
                for (bounds, x) in [(&mut bounds.keys, key), (&mut bounds.values, value)] {
                    let scale = layout.scale(x);
                    for &x in x {
                        let held = scale * layout.code(x, scale);
                        *bounds = bounds.union(Magnitudes::of(&[held]));
                    }
                }
                continue;
            }
            let (all_keys, all_values) = place.split_at_mut(keys_len);
            let panel = &mut all_keys[panel * PANEL * dim..][..PANEL * dim];
            if lane == 0 {
                panel.fill(0.0);
            }
            for (row, &element) in panel.chunks_exact_mut(PANEL).zip(key) {
                row[lane] = element;
            }
            let row = &mut all_values[self.positions * stride..][..stride];
            row[..value_dim].copy_from_slice(value);
            row[value_dim..].fill(0.0);
            bounds.keys = bounds.keys.union(Magnitudes::of(key));
            bounds.values = bounds.values.union(Magnitudes::of(value));
        }
        self.positions += 1;
    }

    /// Forgets all positions; the memory may stay as it is.
    pub fn clear(&mut self) {
        self.positions = 0;
        self.heads.fill(EMPTY);
    }

    /// Forgets all positions from `positions` on; nothing if there are no more.
    ///
    /// # Panics
    /// If `memory` is another cache's.
    pub fn truncate(&mut self, memory: &mut [f32], positions: usize) {
        assert_eq!(memory.len(), self.memory(), "memory of another cache");
        if positions >= self.positions {
            return;
        }
        self.positions = positions;
        // A panel's empty lanes are zero; the next panel is filled when its first key comes.
        let (panel, used) = (positions / PANEL, positions % PANEL);
        if used == 0 || self.rounded().is_some() {
            return;
        }
        let dim = self.head_dim;
        for place in memory.chunks_exact_mut(self.head_memory()) {
            let panel = &mut place[panel * PANEL * dim..][..PANEL * dim];
            for row in panel.chunks_exact_mut(PANEL) {
                row[used..].fill(0.0);
            }
        }
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.positions
    }

    /// Whether there is no position.
    pub fn is_empty(&self) -> bool {
        self.positions == 0
    }

    /// Number of heads.
    pub fn heads(&self) -> usize {
        self.heads.len()
    }

    /// Elements per key.
    pub fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Elements per value.
    pub fn value_dim(&self) -> usize {
        self.value_dim
    }

    /// Values in all panels of one head's keys.
    fn keys_len(&self) -> usize {
        self.capacity.next_multiple_of(PANEL) * self.head_dim
    }

    /// Distance between the rows of values.
    fn value_stride(&self) -> usize {
        self.value_dim.next_multiple_of(LANES)
    }

    /// What head `head` holds in `memory`.
    pub(super) fn head<'a>(&self, memory: &'a [f32], head: usize) -> CachedHead<'a> {
        let len = self.head_memory();
        let memory = &memory[head * len..(head + 1) * len];
        CachedHead {
            head_dim: self.head_dim,
            value_stride: self.value_stride(),
            positions: self.positions,
            memory,
            keys_len: self.keys_len(),
            rounded: self.rounded(),
            bounds: self.heads[head],
        }
    }
}

/// The keys and values of one head.
#[derive(Debug, Clone, Copy)]
pub(super) struct CachedHead<'a> {
    head_dim: usize,
    value_stride: usize,
    positions: usize,
    /// Panels of `head_dim` × [`PANEL`], then rows of values, padded to a multiple of [`LANES`]
    /// with zeros; or what is rounded.
    memory: &'a [f32],
    keys_len: usize,
    rounded: Option<Layout>,
    bounds: Bounds,
}

impl CachedHead<'_> {
    /// Positions whose values are read at a time, so that what is unpacked has room.
    pub(super) fn values_at_once(self) -> usize {
        match self.rounded {
            Some(_) => PANEL,
            None => self.positions,
        }
    }

    /// The keys of positions 64 `panel` to 64 `panel` + 63: row i holds element i.
    #[inline(always)]
    pub(super) fn keys<'b>(&'b self, panel: usize, room: &'b mut [f32]) -> Panel<'b> {
        let len = PANEL * self.head_dim;
        let data = match self.rounded {
            Some(layout) => {
                layout.unpack_keys(self.memory, panel, self.positions, room);
                &room[..len]
            }
            None => &self.memory[panel * len..(panel + 1) * len],
        };
        let vectors = PANEL / LANES;
        Panel::rows(data, PANEL, vectors, self.head_dim, self.bounds.keys)
    }

    /// The values of `depth` positions from `first` on: row j holds position `first` + j.
    #[inline(always)]
    pub(super) fn values<'b>(
        &'b self,
        first: usize,
        depth: usize,
        room: &'b mut [f32],
    ) -> Panel<'b> {
        let stride = self.value_stride;
        let data = match self.rounded {
            Some(layout) => {
                let room = &mut room[..depth * stride];
                layout.unpack_values(self.memory, first, stride, room);
                &*room
            }
            None => &self.memory[self.keys_len..][first * stride..(first + depth) * stride],
        };
        Panel::rows(data, stride, stride / LANES, depth, self.bounds.values)
    }
}
