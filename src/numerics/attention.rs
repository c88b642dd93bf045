//! One device's part of a layer's attention, with the norm before it.
//!
//! Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245) with rotary
//! embeddings. Its weights are packed when a model is sharded; a device that
//! holds no head has no such part.

use super::config::ModelConfig;
use super::error::StepError;
use super::kernels::Kernels;
use super::kv_cache::LayerShares;
use super::norm::{Norm, offset};
use super::ops::{Attend, Columns, HeadNorm, Remember, Rotate};
use super::packing::Projection;
use super::state::{DeviceBuffers, Hidden, scratch};
use super::weights::LayerWeights;
use crate::model::{DeviceShard, Positions};
use candle_core::Tensor;
use std::cell::RefCell;
use std::iter;
use std::ops::Range;

/// The weights of some of a layer's heads, or of a part of one.
#[derive(Debug)]
pub(super) struct AttentionPart {
    norm: Norm,
    /// Rows of q, k and v one below the other: one product makes all three.
    qkv: Projection,
    /// Of each head of queries and of keys.
    head_norms: Option<[Tensor; 2]>,
    /// Whether queries and keys are turned.
    rotary: bool,
    output: Projection,
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
    epsilon: f32,
    /// The soft cap of scores.
    cap: Option<f32>,
    /// How many positions this layer sees.
    window: Option<usize>,
}

impl AttentionPart {
    /// Packs the heads of `shard` of layer `layer`, or nothing if it has none.
    pub(super) fn pack(
        weights: &LayerWeights,
        layer: usize,
        config: &ModelConfig,
        shard: &DeviceShard,
    ) -> Result<Option<Self>, StepError> {
        let (shape, design) = (&config.shape, &config.shape.design);
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
        // Whoever holds the first column adds the bias to the sum over devices.
        let bias = weights.output.bias.as_ref();
        Ok(Some(Self {
            norm: Norm::pack(&weights.attention_norm, config)?,
            qkv: Projection::rows(
                &[
                    (&weights.query, queries),
                    (&weights.key, keys),
                    (&weights.value, values),
                ],
                all.clone(),
            )?,
            head_norms: match &weights.head_norms {
                Some([query, key]) => Some([offset(query, config)?, offset(key, config)?]),
                None => None,
            },
            rotary: design.positions == Positions::Rotary,
            output: Projection::columns(
                &weights.output.weight,
                bias.filter(|_| shard.context.start == 0),
                all,
                shard.context.clone(),
            )?,
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
            scale: match config.score_scale {
                Some(scale) => scale,
                None => (1.0 / (dim as f64).sqrt()) as f32,
            },
            epsilon: config.norm_epsilon,
            cap: design.score_cap,
            window: design.window.and_then(|window| window.of(layer)),
        }))
    }

    /// Norm, projections, rotation, attention over each slice's cache grown by its
    /// tokens, and this device's slice of the output projection.
    ///
    /// Every weight is read once for all rows; only the attention itself goes slice by slice.
    pub(super) fn step(
        &self,
        kernels: Kernels,
        hidden: &Hidden,
        shares: LayerShares<'_>,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        let (tokens, dim) = (hidden.tokens(), self.head_dim);
        let rotated = (self.heads + self.kv_heads) * dim;
        let width = self.heads * self.value_dim;
        let normed = buffers.normed.fit(tokens, hidden.width())?;
        let rows = iter::once(0..tokens);
        self.norm
            .apply(kernels, hidden.states.tensor(), rows, normed)?;
        let qkv = buffers
            .qkv
            .fit(tokens, rotated + self.kv_heads * self.value_dim)?;
        self.qkv.apply(kernels, normed.tensor(), qkv)?;
        if let Some([query, key]) = &self.head_norms {
            let norm = |first, heads| HeadNorm {
                kernels,
                epsilon: self.epsilon,
                first,
                heads,
            };
            qkv.apply2(query, &norm(0, self.heads))?;
            qkv.apply2(key, &norm(self.heads * dim, self.kv_heads))?;
        }
        let context = buffers.context.fit(tokens, width)?;
        for (index, slice) in hidden.slices.iter().enumerate() {
            let (rows, table) = (slice.rows.clone(), shares.rope(index));
            let needed = shares.with(index, |cache| {
                let positions = table.positions();
                cache.heads.scratch_len(rows.len(), self.heads, positions)
            });
            let scratch = scratch(&mut buffers.scratch, needed);
            if self.rotary {
                qkv.apply1(&Rotate {
                    kernels,
                    table,
                    heads: self.heads + self.kv_heads,
                    rows: rows.clone(),
                    position: slice.position,
                })?;
            }
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
                    cap: self.cap,
                    window: self.window,
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
        self.output.apply(kernels, context.tensor(), partial)?;
        Ok(())
    }
}
