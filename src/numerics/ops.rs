//! The kernels as candle operations.
//!
//! Storage is candle's, sums are ours: each operation here hands the plain slices
//! of contiguous f32 matrices to one kernel. All write to what exists already, so
//! that a decode step allocates nothing. None has a gradient; training uses
//! operations of its own.

use super::kernels::{HeadCache, Kernels, Packed, Queries, RopeTable, gather};
use candle_core::{CpuStorage, Error, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result};
use std::cell::RefCell;
use std::ops::Range;

fn range(layout: &Layout) -> Result<Range<usize>> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::Msg("a kernel needs a contiguous tensor".into()))?;
    Ok(start..end)
}

fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    Ok(&storage.as_slice::<f32>()?[range(layout)?])
}

fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let range = range(layout)?;
    match storage {
        CpuStorage::F32(values) => Ok(&mut values[range]),
        _ => Err(Error::Msg("a kernel needs an f32 tensor".into())),
    }
}

/// dst\[i\] ← row `tokens[i]` of the source.
pub(super) struct Embed<'a> {
    pub(super) tokens: &'a [u32],
}

impl InplaceOp2 for Embed<'_> {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        gather(
            slice(table, table_layout)?,
            columns,
            self.tokens,
            slice_mut(dst, layout)?,
        )
        .map_err(Error::wrap)
    }
}

/// dst ← RMSNorm(rows of source 0 from `first` on) with the weights of source 1.
pub(super) struct RmsNorm {
    pub(super) kernels: Kernels,
    pub(super) epsilon: f32,
    pub(super) first: usize,
}

impl InplaceOp3 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<()> {
        let start = self.first * layout.dims()[1];
        let out = slice_mut(dst, layout)?;
        let x = &slice(x, x_layout)?[start..start + out.len()];
        let weight = slice(weight, weight_layout)?;
        self.kernels.rms_norm(x, weight, self.epsilon, out);
        Ok(())
    }
}

/// dst ← source · weightsᵀ.
pub(super) struct Project<'a> {
    pub(super) kernels: Kernels,
    pub(super) weights: &'a Packed,
}

impl InplaceOp2 for Project<'_> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> Result<()> {
        let rows = layout.dims()[0];
        self.kernels.matmul(
            slice(x, x_layout)?,
            rows,
            self.weights,
            slice_mut(dst, layout)?,
        );
        Ok(())
    }
}

/// Turns the queries and keys in rows of q, k, v by their positions.
pub(super) struct Rotate<'a> {
    pub(super) kernels: Kernels,
    pub(super) table: &'a RopeTable,
    /// Query and key heads together; they stand first in a row.
    pub(super) heads: usize,
    /// Position of the first row.
    pub(super) position: usize,
}

impl InplaceOp1 for Rotate<'_> {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let stride = layout.dims()[1];
        let values = slice_mut(dst, layout)?;
        self.kernels
            .rope(values, stride, self.heads, self.position, self.table);
        Ok(())
    }
}

/// dst ← attention of the queries in the source's rows over the caches.
pub(super) struct Attend<'a> {
    pub(super) kernels: Kernels,
    /// For each query head, its cache.
    pub(super) heads: &'a [usize],
    pub(super) caches: &'a [HeadCache],
    pub(super) scale: f32,
    /// For the kernel; candle hands operations to it by shared reference.
    pub(super) scratch: RefCell<&'a mut [f32]>,
}

impl InplaceOp2 for Attend<'_> {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
    ) -> Result<()> {
        let [rows, stride] = [qkv_layout.dims()[0], qkv_layout.dims()[1]];
        let queries = Queries {
            data: slice(qkv, qkv_layout)?,
            stride,
            rows,
            heads: self.heads,
            caches: self.caches,
            scale: self.scale,
        };
        let mut scratch = self.scratch.borrow_mut();
        self.kernels
            .attention(queries, &mut scratch, slice_mut(dst, layout)?);
        Ok(())
    }
}

/// dst ← SiLU(gate) · up, both in the source's rows, gate first.
pub(super) struct SiluMul {
    pub(super) kernels: Kernels,
}

impl InplaceOp2 for SiluMul {
    fn name(&self) -> &'static str {
        "silu-mul"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        gate_up: &CpuStorage,
        gate_up_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        self.kernels.silu_mul_joined(
            slice(gate_up, gate_up_layout)?,
            columns,
            slice_mut(dst, layout)?,
        );
        Ok(())
    }
}

/// Each row of dst ← its softmax.
pub(super) struct Softmax {
    pub(super) kernels: Kernels,
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let columns = layout.dims()[1];
        self.kernels.softmax(slice_mut(dst, layout)?, columns);
        Ok(())
    }
}

/// dst ← dst + values.
pub(super) struct AddValues<'a> {
    pub(super) kernels: Kernels,
    pub(super) values: &'a [f32],
}

impl InplaceOp1 for AddValues<'_> {
    fn name(&self) -> &'static str {
        "add-values"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        self.kernels.add(slice_mut(dst, layout)?, self.values);
        Ok(())
    }
}

/// Columns of dst from `first` on ← the source, row by row.
pub(super) struct PlaceColumns {
    pub(super) first: usize,
}

impl InplaceOp2 for PlaceColumns {
    fn name(&self) -> &'static str {
        "place-columns"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        part: &CpuStorage,
        part_layout: &Layout,
    ) -> Result<()> {
        let (stride, columns) = (layout.dims()[1], part_layout.dims()[1]);
        let rows = slice_mut(dst, layout)?.chunks_exact_mut(stride);
        for (row, part) in rows.zip(slice(part, part_layout)?.chunks_exact(columns)) {
            row[self.first..self.first + columns].copy_from_slice(part);
        }
        Ok(())
    }
}
