//! One device's part of a layer's attention, with the norm before it.
//!
//! Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245) with rotary
//! embeddings. Its weights are packed when a model is sharded; a device that
//! holds no head has no such part.

use super::error::StepError;
use super::kernels::{Kernels, attention_scratch_len};
use super::kv_cache::LayerShares;
use super::ops::{Attend, Project, Remember, RmsNorm, Rotate};
use super::packing::{PackedMatrix, single};
use super::state::{DeviceBuffers, Hidden, scratch};
use super::weights::LayerWeights;
use crate::model::{DeviceShard, ModelShape};
use candle_core::Tensor;
use std::cell::RefCell;
use std::iter;
use std::ops::Range;

/// The weights of some of a layer's heads.
#[derive(Debug)]
pub(super) struct AttentionPart {
    norm: Tensor,
    /// Rows of q, k and v one below the other: one product makes all three.
    qkv: PackedMatrix,
    output: PackedMatrix,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
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
        Ok(Some(Self {
            norm: single(&weights.attention_norm)?,
            qkv: PackedMatrix::pack(&[
                (&weights.query, queries.clone(), all.clone()),
                (&weights.key, keys.clone(), all.clone()),
                (&weights.value, keys, all.clone()),
            ])?,
            output: PackedMatrix::pack(&[(&weights.output, all, queries)])?,
            heads: shard.heads.len(),
            kv_heads: shard.kv_heads.len(),
            head_dim: dim,
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
        let (queries, keys) = (self.heads * dim, self.kv_heads * dim);
        let normed = buffers.normed.fit(tokens, hidden.width())?;
        let norm = RmsNorm {
            kernels,
            epsilon,
            rows: iter::once(0..tokens),
        };
        normed.apply3(hidden.states.tensor(), &self.norm, &norm)?;
        let qkv = buffers.qkv.fit(tokens, queries + 2 * keys)?;
        Project::with(kernels, &self.qkv).apply(normed.tensor(), qkv)?;
        let context = buffers.context.fit(tokens, queries)?;
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
        let partial = buffers.partial.fit(tokens, hidden.width())?;
        Project::with(kernels, &self.output).apply(context.tensor(), partial)?;
        Ok(())
    }
}
