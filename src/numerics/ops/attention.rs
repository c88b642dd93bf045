//! The operations between an attention's projections, each on the rows of one slice.

use super::super::kernels::{Cache, Kernels, Queries, RopeTable};
use super::{at, slice, slice_mut};
use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result};
use std::cell::RefCell;
use std::ops::Range;

/// Some heads of every row of dst ← their RMSNorm with the weights of the source.
pub(in crate::numerics) struct HeadNorm {
    pub(in crate::numerics) kernels: Kernels,
    pub(in crate::numerics) epsilon: f32,
    /// The value at which the first of them begins.
    pub(in crate::numerics) first: usize,
    pub(in crate::numerics) heads: usize,
}

impl InplaceOp2 for HeadNorm {
    fn name(&self) -> &'static str {
        "head-norm"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<()> {
        let stride = layout.dims()[1];
        let weight = slice(weight, weight_layout)?;
        let values = slice_mut(dst, layout)?;
        let heads = (self.first, self.heads);
        self.kernels
            .rms_norm_heads(values, stride, heads, weight, self.epsilon);
        Ok(())
    }
}

/// Turns the queries and keys in `rows` of q, k, v by their positions.
pub(in crate::numerics) struct Rotate<'a> {
    pub(in crate::numerics) kernels: Kernels,
    pub(in crate::numerics) table: &'a RopeTable,
    /// Query and key heads together; they stand first in a row.
    pub(in crate::numerics) heads: usize,
    pub(in crate::numerics) rows: Range<usize>,
    /// Position of the first of them.
    pub(in crate::numerics) position: usize,
}

impl InplaceOp1 for Rotate<'_> {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let stride = layout.dims()[1];
        let values = &mut slice_mut(dst, layout)?[at(&self.rows, stride)];
        self.kernels
            .rope(values, stride, self.heads, self.position, self.table);
        Ok(())
    }
}

/// Forgets what `cache`, whose memory is dst, holds from `positions` on.
pub(in crate::numerics) struct Forget<'a> {
    /// candle hands operations to their storage by shared reference.
    pub(in crate::numerics) cache: RefCell<&'a mut Cache>,
    pub(in crate::numerics) positions: usize,
}

impl InplaceOp1 for Forget<'_> {
    fn name(&self) -> &'static str {
        "forget"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let memory = slice_mut(dst, layout)?;
        let mut cache = self.cache.borrow_mut();
        cache.truncate(memory, self.positions);
        Ok(())
    }
}

/// Appends to dst, the memory of `cache`, the keys and values in `rows` of the source's q, k, v.
pub(in crate::numerics) struct Remember<'a> {
    /// candle hands operations to their storage by shared reference.
    pub(in crate::numerics) cache: RefCell<&'a mut Cache>,
    pub(in crate::numerics) rows: Range<usize>,
}

impl InplaceOp2 for Remember<'_> {
    fn name(&self) -> &'static str {
        "remember"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
    ) -> Result<()> {
        let mut cache = self.cache.borrow_mut();
        let memory = slice_mut(dst, layout)?;
        let stride = qkv_layout.dims()[1];
        let keys = cache.heads() * cache.head_dim();
        let both = keys + cache.heads() * cache.value_dim();
        let rows = &slice(qkv, qkv_layout)?[at(&self.rows, stride)];
        for row in rows.chunks_exact(stride) {
            let (keys, values) = row[stride - both..].split_at(keys);
            cache.push(memory, keys, values);
        }
        Ok(())
    }
}

/// `rows` of dst ← attention of the queries in those rows of source 0 over `cache`, whose
/// memory is source 1.
pub(in crate::numerics) struct Attend<'a> {
    pub(in crate::numerics) kernels: Kernels,
    /// For each query head, its key–value head.
    pub(in crate::numerics) heads: &'a [usize],
    pub(in crate::numerics) cache: &'a Cache,
    pub(in crate::numerics) rows: Range<usize>,
    pub(in crate::numerics) scale: f32,
    pub(in crate::numerics) cap: Option<f32>,
    pub(in crate::numerics) window: Option<usize>,
    /// For the kernel; see [`Remember::cache`].
    pub(in crate::numerics) scratch: RefCell<&'a mut [f32]>,
}

impl InplaceOp3 for Attend<'_> {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
        memory: &CpuStorage,
        memory_layout: &Layout,
    ) -> Result<()> {
        let stride = qkv_layout.dims()[1];
        let queries = Queries {
            data: &slice(qkv, qkv_layout)?[at(&self.rows, stride)],
            stride,
            rows: self.rows.len(),
            heads: self.heads,
            cache: self.cache,
            memory: slice(memory, memory_layout)?,
            scale: self.scale,
            cap: self.cap,
            window: self.window,
        };
        let mut scratch = self.scratch.borrow_mut();
        let out = &mut slice_mut(dst, layout)?[at(&self.rows, layout.dims()[1])];
        self.kernels.attention(queries, &mut scratch, out);
        Ok(())
    }
}

/// dst ← the source's columns from `first` on.
pub(in crate::numerics) struct Columns {
    pub(in crate::numerics) first: usize,
}

impl InplaceOp2 for Columns {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        all: &CpuStorage,
        all_layout: &Layout,
    ) -> Result<()> {
        let (columns, stride) = (layout.dims()[1], all_layout.dims()[1]);
        let rows = slice(all, all_layout)?.chunks_exact(stride);
        for (out, row) in slice_mut(dst, layout)?.chunks_exact_mut(columns).zip(rows) {
            out.copy_from_slice(&row[self.first..self.first + columns]);
        }
        Ok(())
    }
}
