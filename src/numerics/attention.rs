//! One device's part of a layer's attention, with the norm before it.
//!
//! Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245) with rotary
//! embeddings. Its weights are packed when a model is sharded; a device that
//! holds no head has no such part.

use super::error::StepError;
use super::kernels::{Kernels, attention_scratch_len};
use super::kv_cache::LayerShares;
use super::ops::{Attend, Columns, Project, Remember, RmsNorm, Rotate};
use super::packing::{PackedMatrix, single};
use super::state::{DeviceBuffers, Hidden, scratch};
use super::weights::LayerWeights;
use crate::model::{DeviceShard, ModelShape};
use candle_core::Tensor;
use std::cell::RefCell;
use std::iter;
use std::ops::Range;

/// The weights of some of a layer's heads, or of a part of one.
#[derive(Debug)]
pub(super) struct AttentionPart {
    norm: Tensor,
    /// Rows of q, k and v one below the other: one product makes all three.
    qkv: PackedMatrix,
    output: PackedMatrix,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    /// Columns of each value that are held.
    value_dim: usize,
    /// Columns of the heads' output that W_O's rows are held of.
    context: Range<usize>,
    /// For each query head held, its key–value head among those held.
    cache_of: Vec<usize>,
    scale: f32,
}

impl AttentionPart {
    /// Packs the heads of `shard`, or nothing if it has none.
    pub(super) fn pack(
        weights: &LayerWeights,
        shape: &ModelShape,
        shard: &DeviceShard,
    ) -> Result<Option<Self>, StepError> {
        if shard.heads.is_empty() {
            return Ok(None);
        }
        let dim = shape.head_dim;
        let entries = |heads: &Range<usize>| heads.start * dim..heads.end * dim;
        let (queries, keys) = (entries(&shard.heads), entries(&shard.kv_heads));
        let all = 0..shape.hidden;
        // Several heads' values are held whole: the columns that are not are those of one.
        let missing = dim - shard.values.len() - shard.values.start;
        let values = keys.start + shard.values.start..keys.end - missing;
        let first = queries.start + shard.values.start;
        Ok(Some(Self {
            norm: single(&weights.attention_norm)?,
            qkv: PackedMatrix::pack(&[
                (&weights.query, queries, all.clone()),
                (&weights.key, keys, all.clone()),
                (&weights.value, values, all.clone()),
            ])?,
            output: PackedMatrix::pack(&[(&weights.output, all, shard.context.clone())])?,
            heads: shard.heads.len(),
            kv_heads: shard.kv_heads.len(),
            head_dim: dim,
            value_dim: shard.values.len(),
            context: shard.context.start - first..shard.context.end - first,
            cache_of: shard
                .heads
                .clone()
                .map(|head| head / shape.group() - shard.kv_heads.start)
                .collect(),
            scale: (1.0 / (dim as f64).sqrt()) as f32,
        }))
    }

    /// Norm, projections, rotation, attention over each slice's cache grown by its
    /// tokens, and this device's slice of the output projection.
    ///
    /// Every weight is read once for all rows; only the attention itself goes slice by slice.
    pub(super) fn step(
        &self,
        kernels: Kernels,
        epsilon: f32,
        hidden: &Hidden,
        shares: LayerShares<'_>,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        let (tokens, dim) = (hidden.tokens(), self.head_dim);
        let rotated = (self.heads + self.kv_heads) * dim;
        let width = self.heads * self.value_dim;
        let normed = buffers.normed.fit(tokens, hidden.width())?;
        let norm = RmsNorm {
            kernels,
            epsilon,
            rows: iter::once(0..tokens),
        };
        normed.apply3(hidden.states.tensor(), &self.norm, &norm)?;
        let qkv = buffers
            .qkv
            .fit(tokens, rotated + self.kv_heads * self.value_dim)?;
        Project::with(kernels, &self.qkv).apply(normed.tensor(), qkv)?;
        let context = buffers.context.fit(tokens, width)?;
        for (index, slice) in hidden.slices.iter().enumerate() {
            let (rows, table) = (slice.rows.clone(), shares.rope(index));
            let scratch = scratch(
                &mut buffers.scratch,
                attention_scratch_len(rows.len(), self.heads, table.positions()),
            );
            qkv.apply1(&Rotate {
                kernels,
                table,
                heads: self.heads + self.kv_heads,
                rows: rows.clone(),
                position: slice.position,
            })?;
            shares.with(index, |cache| {
                let remember = Remember {
                    cache: RefCell::new(&mut cache.heads),
                    rows: rows.clone(),
                };
                cache.memory.apply2(qkv.tensor(), &remember)?;
                let attend = Attend {
                    kernels,
                    heads: &self.cache_of,
                    cache: &cache.heads,
                    rows,
                    scale: self.scale,
                    scratch: RefCell::new(scratch),
                };
                context.apply3(qkv.tensor(), cache.memory.tensor(), &attend)
            })?;
        }
        let context = match self.context.len() == width {
            true => context,
            false => {
                let cut = buffers.cut.fit(tokens, self.context.len())?;
                let first = self.context.start;
                cut.apply2(context.tensor(), &Columns { first })?;
                cut
            }
        };
        let partial = buffers.partial.fit(tokens, hidden.width())?;
        Project::with(kernels, &self.output).apply(context.tensor(), partial)?;
        Ok(())
    }
}
