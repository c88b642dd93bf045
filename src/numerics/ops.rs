//! The kernels as candle operations: all that a forward pass computes.
//!
//! Tensors, their memory, layouts and locks are candle's, sums are ours: each operation here
//! hands the plain slices of contiguous f32 tensors to one kernel. All are in-place
//! operations and write to what exists already, so that a decode step allocates nothing.
//! None has a gradient; training uses operations of its own.
//!
//! What only moves values (a part's columns to their place, the rows of an expert, zeros)
//! is candle's own and not here.

use super::kernels::{Cache, Kernels, Packing, Queries, RopeTable, gather};
use super::matrix::Matrix;
use super::packing::PackedMatrix;
use candle_core::{CpuStorage, Error, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result, Tensor};
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

/// dst ← source 0 · weightsᵀ, the weights' panels being source 1.
pub(super) struct Project<'a> {
    kernels: Kernels,
    packing: &'a Packing,
    panels: &'a Tensor,
}

impl<'a> Project<'a> {
    pub(super) fn with(kernels: Kernels, weights: &'a PackedMatrix) -> Self {
        Self {
            kernels,
            packing: &weights.packing,
            panels: &weights.panels,
        }
    }

    /// `out` ← `x` · weightsᵀ.
    pub(super) fn apply(&self, x: &Tensor, out: &mut Matrix) -> Result<()> {
        out.apply3(x, self.panels, self)
    }
}

impl InplaceOp3 for Project<'_> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
        panels: &CpuStorage,
        panels_layout: &Layout,
    ) -> Result<()> {
        let rows = layout.dims()[0];
        let weights = self.packing.view(slice(panels, panels_layout)?);
        self.kernels
            .matmul(slice(x, x_layout)?, rows, weights, slice_mut(dst, layout)?);
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

/// Appends to dst, the memory of `cache`, the keys and values in the source's rows of q, k, v.
pub(super) struct Remember<'a> {
    /// candle hands operations to their storage by shared reference.
    pub(super) cache: RefCell<&'a mut Cache>,
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
        for row in slice(qkv, qkv_layout)?.chunks_exact(stride) {
            let (keys, values) = row[stride - 2 * keys..].split_at(keys);
            cache.push(memory, keys, values);
        }
        Ok(())
    }
}

/// dst ← attention of the queries in the rows of source 0 over `cache`, whose memory is
/// source 1.
pub(super) struct Attend<'a> {
    pub(super) kernels: Kernels,
    /// For each query head, its key–value head.
    pub(super) heads: &'a [usize],
    pub(super) cache: &'a Cache,
    pub(super) scale: f32,
    /// For the kernel; see [`Remember::cache`].
    pub(super) scratch: RefCell<&'a mut [f32]>,
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
        let queries = Queries {
            data: slice(qkv, qkv_layout)?,
            stride: qkv_layout.dims()[1],
            rows: qkv_layout.dims()[0],
            heads: self.heads,
            cache: self.cache,
            memory: slice(memory, memory_layout)?,
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

/// dst ← dst + source.
pub(super) struct Add {
    pub(super) kernels: Kernels,
}

impl InplaceOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        term: &CpuStorage,
        term_layout: &Layout,
    ) -> Result<()> {
        let term = slice(term, term_layout)?;
        self.kernels.add(slice_mut(dst, layout)?, term);
        Ok(())
    }
}

/// dst ← dst + values, which came from elsewhere: out of a network.
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

/// Row `tokens[i]` of dst ← itself + `weights[i]` · row i of the source.
pub(super) struct AddWeighted<'a> {
    pub(super) kernels: Kernels,
    pub(super) tokens: &'a [usize],
    pub(super) weights: &'a [f32],
}

impl InplaceOp2 for AddWeighted<'_> {
    fn name(&self) -> &'static str {
        "add-weighted"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        outputs: &CpuStorage,
        outputs_layout: &Layout,
    ) -> Result<()> {
        let width = layout.dims()[1];
        let sums = slice_mut(dst, layout)?;
        let outputs = slice(outputs, outputs_layout)?.chunks_exact(width);
        for ((&token, &weight), output) in self.tokens.iter().zip(self.weights).zip(outputs) {
            let row = &mut sums[token * width..(token + 1) * width];
            self.kernels.add_scaled(row, weight, output);
        }
        Ok(())
    }
}

/// Every row of dst ← what a function makes of it: what arrives of it, over a network.
pub(super) struct MapRows<'a> {
    pub(super) map: &'a dyn Fn(&mut [f32]),
}

impl InplaceOp1 for MapRows<'_> {
    fn name(&self) -> &'static str {
        "map-rows"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let columns = layout.dims()[1];
        let rows = slice_mut(dst, layout)?.chunks_exact_mut(columns);
        rows.for_each(self.map);
        Ok(())
    }
}
