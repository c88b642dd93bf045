//! Which heads, columns and rows each device holds, and what they cost there.

use super::cut::{attention, contiguous};
use super::parameters::{bytes, saturate};
use super::work::Counter;
use super::{ModelShape, Parts, ShapeError, Shares, Work};
use std::ops::Range;

/// One device's part of every layer that a plan covers, and of the LM head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceShard {
    /// Columns of the attention's output before W_O, \[heads · head_dim\] in all: whole heads,
    /// or parts of heads where there are more devices than heads.
    pub context: Range<usize>,
    /// Query heads that those columns are of; their scores are computed whole.
    pub heads: Range<usize>,
    /// Key–value heads that those query heads need. Where the border between two
    /// devices splits a group, both hold its key–value head.
    pub kv_heads: Range<usize>,
    /// Columns of each of their values that are needed: a part of a head where the device has
    /// but part of one.
    pub values: Range<usize>,
    /// Columns of the feed-forward network (of each expert).
    pub columns: Range<usize>,
    /// Vocabulary rows of the LM head; none where the plan does not cover it.
    pub rows: Range<usize>,
}

impl DeviceShard {
    fn new(
        shape: &ModelShape,
        context: Range<usize>,
        columns: Range<usize>,
        rows: Range<usize>,
    ) -> Self {
        let (dim, group) = (shape.head_dim, shape.group());
        let first = context.start / dim;
        let [heads, kv_heads] = match context.is_empty() {
            true => [first..first, first / group..first / group],
            false => {
                let heads = first..context.end.div_ceil(dim);
                let kv_heads = first / group..heads.end.div_ceil(group);
                [heads, kv_heads]
            }
        };
        let values = match heads.len() {
            0 => 0..0,
            1 => context.start - first * dim..context.end - first * dim,
            _ => 0..dim,
        };
        Self {
            context,
            heads,
            kv_heads,
            values,
            columns,
            rows,
        }
    }
}

/// What became of a requested share after rounding to whole parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Realised {
    /// The share asked for, m_n.
    pub asked: f64,
    /// The device's share of the query heads: of their columns.
    pub heads: f64,
    /// Its share of the feed-forward columns.
    pub columns: f64,
    /// Its share of the vocabulary rows.
    pub rows: f64,
    /// Its weights over all that the plan covers (without the embedding table); with
    /// replicated norms, routers, keys and values these sum to more than 1.
    pub weights: f64,
}

/// A division of a model, or of some parts of it, over devices by heads, columns and rows.
///
/// Each kind of part is rounded on its own by largest remainder
/// ([`Shares::apportion`]) and dealt out as contiguous ranges in device order. Heads stay whole
/// unless there are more devices than heads; then they are cut into columns, and devices that
/// hold parts of one head each compute its scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardPlan {
    shape: ModelShape,
    shares: Shares,
    parts: Parts,
    shards: Vec<DeviceShard>,
}

impl ShardPlan {
    /// Divides `shape` by `shares`.
    ///
    /// # Errors
    /// If the shape is not a model's ([`ModelShape::validate`]).
    pub fn new(shape: &ModelShape, shares: &Shares) -> Result<Self, ShapeError> {
        shape.validate()?;
        Ok(Self::divide(shape, shares, Parts::whole(shape)))
    }

    fn divide(shape: &ModelShape, shares: &Shares, parts: Parts) -> Self {
        let split = |total| contiguous(&shares.apportion(total));
        let shards = attention(shares, shape.heads, shape.head_dim)
            .into_iter()
            .zip(split(shape.ffn))
            .zip(split(if parts.head { shape.vocabulary } else { 0 }))
            .map(|((context, columns), rows)| DeviceShard::new(shape, context, columns, rows))
            .collect();
        Self {
            shape: shape.clone(),
            shares: shares.clone(),
            parts,
            shards,
        }
    }

    /// The same division of some parts of the model: what a stage of a pipeline holds.
    /// Costs of blocks are those of any layer; footprints count the parts alone.
    ///
    /// # Errors
    /// If the model does not have those layers.
    pub fn covering(&self, parts: Parts) -> Result<Self, ShapeError> {
        parts.check(&self.shape)?;
        Ok(Self::divide(&self.shape, &self.shares, parts))
    }

    /// The whole model on one device.
    ///
    /// # Errors
    /// If the shape is not a model's ([`ModelShape::validate`]).
    pub fn whole(shape: &ModelShape) -> Result<Self, ShapeError> {
        let one = Shares::equal(1).expect("one device divides anything");
        Self::new(shape, &one)
    }

    /// The model that is divided.
    pub fn shape(&self) -> &ModelShape {
        &self.shape
    }

    /// What it covers of the model.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Number of devices.
    pub fn devices(&self) -> usize {
        self.shards.len()
    }

    /// The devices' parts, in device order.
    pub fn shards(&self) -> &[DeviceShard] {
        &self.shards
    }

    /// What each device's share became.
    pub fn realised(&self) -> Vec<Realised> {
        let share = |part: &Range<usize>, total: usize| part.len() as f64 / total as f64;
        let layer =
            u128::from(self.shape.attention_parameters()) + u128::from(self.shape.mlp_parameters());
        let layers = layer * self.parts.layers.len() as u128;
        let head = u128::from(self.shape.embedding_parameters())
            + u128::from(self.shape.norm_parameters());
        let covered = layers + if self.parts.head { head } else { 0 };
        // Of nothing, a device holds nothing.
        let covered = covered.max(1) as f64;
        self.shards
            .iter()
            .enumerate()
            .map(|(device, shard)| Realised {
                asked: self.shares.as_slice()[device],
                heads: share(&shard.context, self.shape.heads * self.shape.head_dim),
                columns: share(&shard.columns, self.shape.ffn),
                rows: share(&shard.rows, self.shape.vocabulary),
                weights: self.weights(device) as f64 / covered,
            })
            .collect()
    }

    /// Copies of key–value heads per layer beyond the model's own, because the
    /// border between two devices splits their groups, or a head. Of a head in parts each
    /// copy has all keys and some columns of the values.
    pub fn replicated_kv_heads(&self) -> usize {
        let held: usize = self.shards.iter().map(|shard| shard.kv_heads.len()).sum();
        held - self.shape.kv_heads
    }

    pub(super) fn counter(&self, device: usize) -> Counter<'_> {
        Counter::new(&self.shape, &self.shards[device])
    }

    /// One layer's attention on `device` for `tokens` new tokens after `context`
    /// cached ones, with its norm and residual addition; nothing on a device
    /// without heads. With the symbols of [`Work`]'s module:
    ///
    /// - FLOPs: T(4h + 3 + h) + T·2h(d(H + G) + vG + o) + T·3d(H + G) + S·H(2d + 2v + 5)
    /// - weights: h(d(H + G) + vG + o) + h
    /// - bytes: weights·w/8 + T(7h + 2Hd + Hv + o)·a/8 + (d + v)G(C + 2T)·c/8
    ///
    /// With whole heads v is d and o is Hd. What a family adds to that, [`Work`] says; where some
    /// layers have a window and others none, this is the mean over the model's layers.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn attention(&self, device: usize, tokens: usize, context: usize) -> Work {
        self.attention_of(device, [(tokens, context)])
    }

    /// [`ShardPlan::attention`] of several sequences in one step, each given by its new tokens
    /// and those it has cached: weights are read once; FLOPs, activations and cache add up.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn attention_of(
        &self,
        device: usize,
        slices: impl IntoIterator<Item = (usize, usize)>,
    ) -> Work {
        self.counter(device).attention(slices.into_iter())
    }

    /// One layer's feed-forward network on `device` for `tokens` tokens, with its
    /// norm and residual addition; nothing on a device without columns.
    ///
    /// - FLOPs: T(4h + 3 + h) + T·k·f(6h + 9), and for a mixture
    ///   T(2hE + 4E + 2k − 1 + 2kh) for router, softmax and weighted sum
    /// - weights: 3hf·min(E, T·k) + h, and hE for a router. Which experts T
    ///   tokens visit depends on the data; this is the most it can be.
    /// - bytes: weights·w/8 + T(7h + 6kf)·a/8
    ///
    /// # Panics
    /// If there is no such device.
    pub fn mlp(&self, device: usize, tokens: usize) -> Work {
        self.counter(device).mlp(tokens)
    }

    /// Final norm and LM head on `device` for `tokens` rows of logits; nothing on
    /// a device without vocabulary rows.
    ///
    /// - FLOPs: T(4h + 3 + 2hV)
    /// - weights: h(V + 1)
    /// - bytes: weights·w/8 + T(3h + V)·a/8
    ///
    /// # Panics
    /// If there is no such device.
    pub fn lm_head(&self, device: usize, tokens: usize) -> Work {
        self.counter(device).lm_head(tokens)
    }

    /// Weights resident on `device`: its part of every covered layer with all experts,
    /// replicated norms and routers, and where the plan covers the head, its rows of it and
    /// the final norm. The embedding table is apart ([`ShardPlan::embedding_bytes`]).
    ///
    /// # Panics
    /// If there is no such device.
    pub fn weights(&self, device: usize) -> u64 {
        saturate(self.count_weights(device))
    }

    fn count_weights(&self, device: usize) -> u128 {
        let counter = self.counter(device);
        let experts = self.shape.expert_count() as u128;
        let layer = counter.attention_weights() + counter.mlp_weights(experts);
        self.parts.layers.len() as u128 * layer + counter.head_weights()
    }

    /// Bytes of [`ShardPlan::weights`] at w bits each, rounded up.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn weight_bytes(&self, device: usize) -> u64 {
        bytes(self.count_weights(device), self.shape.weight_bits)
    }

    /// What of that the LM head and the final norm take.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn head_bytes(&self, device: usize) -> u64 {
        bytes(self.counter(device).head_weights(), self.shape.weight_bits)
    }

    /// Bytes of the embedding table, which is not divided: the server holds it, or the
    /// first node of a pipeline. 0 where the plan does not cover it.
    pub fn embedding_bytes(&self) -> u64 {
        match self.parts.embedding {
            true => self.shape.embedding_bytes(),
            false => 0,
        }
    }

    /// Bytes of `device`'s key–value cache with `tokens` tokens in it:
    /// layers·G·(d + v)·T·c/8 for the covered layers, replicated heads included.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn kv_cache_bytes(&self, device: usize, tokens: usize) -> u64 {
        self.counter(device)
            .cache_bytes(self.parts.layers.len(), tokens)
    }

    /// Peak bytes of activations that live at once on `device` while `tokens`
    /// tokens pass through a layer: residual, normalised input and partial
    /// output 3h, beside the larger of q, k, v and attention output (d + v)(H + G)
    /// and gate, up and product 3kf, per token; or, if that is more, the
    /// residual of all tokens, one normalised row and its V logits. A plan without layers has
    /// the latter alone.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn activation_bytes(&self, device: usize, tokens: usize) -> u64 {
        let blocks = !self.parts.layers.is_empty();
        self.counter(device).activation_bytes(blocks, tokens)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
