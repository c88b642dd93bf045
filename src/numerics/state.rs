//! What lives between and within steps: hidden states, a request's key–value
//! cache, and a workspace of buffers that steps reuse.
//!
//! Lifecycle: a [`KvCache`] belongs to one request and holds every device's
//! share of it; a [`Workspace`] may serve any number of requests, one step at a
//! time; a [`Hidden`] lives for one step. None of them may be mixed between
//! sharded models; they know whose they are and steps refuse strangers.
//!
//! All of them hold candle tensors ([`Matrix`]); what leaves them for a network or a reader
//! is borrowed as a slice ([`Values`]).

use super::error::StepError;
use super::kernels::{Cache, Kernels, RopeTable, attention_scratch_len};
use super::matrix::{Matrix, Values};
use super::ops::{Add, AddValues, MapRows};
use super::swiglu::SwiGluBuffers;
use crate::model::ShardPlan;
use std::sync::Arc;

/// The residual stream of one step: \[tokens × hidden\] in f32.
///
/// Every device holds the same one, so there is one.
#[derive(Debug)]
pub struct Hidden {
    pub(super) states: Matrix,
    pub(super) position: usize,
    pub(super) kernels: Kernels,
}

impl Hidden {
    /// Tokens in the step.
    pub fn tokens(&self) -> usize {
        self.states.rows()
    }

    /// Entries per token.
    pub fn width(&self) -> usize {
        self.states.columns()
    }

    /// Position of the first token in its sequence.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The values, row-major.
    pub fn values(&self) -> Values<'_> {
        self.states.values()
    }

    /// Adds what an all-reduce returned, \[tokens × hidden\] row-major.
    ///
    /// # Errors
    /// If `sum` has another length.
    pub fn add(&mut self, sum: &[f32]) -> Result<(), StepError> {
        check_length(
            "the all-reduced sum",
            sum.len(),
            self.tokens(),
            self.width(),
        )?;
        let kernels = self.kernels;
        let values = sum;
        Ok(self.states.apply1(&AddValues { kernels, values })?)
    }

    /// Adds a sum that no network carried.
    /// Replaces every token's state by what `map` makes of it: by what arrives of it where it
    /// crosses a network.
    ///
    /// # Errors
    /// If the states cannot be written.
    pub fn map_rows(&mut self, map: &dyn Fn(&mut [f32])) -> Result<(), StepError> {
        Ok(self.states.apply1(&MapRows { map })?)
    }

    pub(super) fn add_matrix(&mut self, sum: &Matrix) -> Result<(), StepError> {
        let kernels = self.kernels;
        Ok(self.states.apply2(sum.tensor(), &Add { kernels })?)
    }
}

/// Refuses `what`, \[tokens × width\], if it has another length.
pub(super) fn check_length(
    what: &'static str,
    found: usize,
    tokens: usize,
    width: usize,
) -> Result<(), StepError> {
    let expected = tokens * width;
    if found == expected {
        return Ok(());
    }
    Err(StepError::Length {
        what,
        found,
        expected,
        tokens,
        width,
    })
}

/// Keys and values of one request, with each device's share apart.
#[derive(Debug, Clone)]
pub struct KvCache {
    pub(super) plan: Arc<ShardPlan>,
    pub(super) rope: Arc<RopeTable>,
    pub(super) capacity: usize,
    pub(super) devices: Vec<DeviceCache>,
}

/// One device's share of a cache, by layer.
#[derive(Debug, Clone)]
pub(super) struct DeviceCache {
    pub(super) layers: Vec<LayerCache>,
}

/// One layer of it: the key–value heads held there.
#[derive(Debug)]
pub(super) struct LayerCache {
    pub(super) heads: Cache,
    /// Their keys and values.
    pub(super) memory: Matrix,
    /// Tokens seen; counted here because a device may hold no head.
    pub(super) seen: usize,
}

/// A cache of its own: no memory is shared.
impl Clone for LayerCache {
    fn clone(&self) -> Self {
        Self {
            heads: self.heads.clone(),
            memory: self.memory.copy().expect("tensors on the CPU are copied"),
            seen: self.seen,
        }
    }
}

impl KvCache {
    pub(super) fn new(
        plan: &Arc<ShardPlan>,
        rope: Arc<RopeTable>,
        capacity: usize,
    ) -> Result<Self, StepError> {
        let shape = plan.shape();
        let layer = |kv_heads: usize| -> Result<LayerCache, StepError> {
            let heads = Cache::new(kv_heads, shape.head_dim, capacity);
            Ok(LayerCache {
                memory: Matrix::zeros(kv_heads, heads.head_memory())?,
                heads,
                seen: 0,
            })
        };
        let devices = plan.shards().iter().map(|shard| {
            let layers = (0..shape.layers).map(|_| layer(shard.kv_heads.len()));
            let layers = layers.collect::<Result<_, StepError>>()?;
            Ok(DeviceCache { layers })
        });
        Ok(Self {
            devices: devices.collect::<Result<_, StepError>>()?,
            plan: plan.clone(),
            rope,
            capacity,
        })
    }

    /// Tokens that all layers on all devices have seen: the position of the next.
    pub fn tokens(&self) -> usize {
        let layers = self.devices.iter().flat_map(|device| &device.layers);
        layers.map(|layer| layer.seen).min().unwrap_or(0)
    }

    /// Tokens it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all tokens and keeps the memory, for the next request.
    pub fn clear(&mut self) {
        for layer in self
            .devices
            .iter_mut()
            .flat_map(|device| &mut device.layers)
        {
            layer.heads.clear();
            layer.seen = 0;
        }
    }
}

/// Buffers that steps write to. Their sizes follow the number of tokens in a
/// step: as long as that stays, nothing is allocated.
#[derive(Debug)]
pub struct Workspace {
    pub(super) plan: Arc<ShardPlan>,
    pub(super) devices: Vec<DeviceBuffers>,
    pub(super) logits: Matrix,
    /// What whole steps keep between one and the next.
    pub(super) whole: Option<WholeStep>,
}

/// The states of a whole step, and what its all-reduces returned.
#[derive(Debug)]
pub(super) struct WholeStep {
    pub(super) hidden: Hidden,
    pub(super) sum: Matrix,
}

impl Workspace {
    pub(super) fn new(plan: &Arc<ShardPlan>) -> Self {
        Self {
            plan: plan.clone(),
            devices: plan
                .shards()
                .iter()
                .map(|_| DeviceBuffers::default())
                .collect(),
            logits: Matrix::default(),
            whole: None,
        }
    }

    /// The partial output that `device` made last, \[tokens × hidden\] row-major.
    ///
    /// # Errors
    /// If there is no such device, or it has made none yet.
    pub fn partial(&self, device: usize) -> Result<Values<'_>, StepError> {
        let count = self.devices.len();
        let buffers = self.devices.get(device).ok_or(StepError::Index {
            what: "device",
            index: device,
            count,
        })?;
        made(&buffers.partial)
    }

    /// The partial outputs of all devices, in device order.
    ///
    /// # Errors
    /// If a device has made none yet.
    pub fn partials(&self) -> Result<Vec<Values<'_>>, StepError> {
        let devices = self.devices.iter();
        devices.map(|device| made(&device.partial)).collect()
    }

    /// The logits made last, \[rows × vocabulary\] row-major.
    ///
    /// # Errors
    /// If none have been made yet.
    pub fn logits(&self) -> Result<Values<'_>, StepError> {
        made(&self.logits)
    }
}

fn made(matrix: &Matrix) -> Result<Values<'_>, StepError> {
    let values = matrix.values();
    if values.is_empty() {
        return Err(StepError::NothingYet);
    }
    Ok(values)
}

/// One device's buffers.
#[derive(Debug, Default)]
pub(super) struct DeviceBuffers {
    /// Normalised input of a block.
    pub(super) normed: Matrix,
    /// Queries, keys and values.
    pub(super) qkv: Matrix,
    /// Attention output of the device's heads.
    pub(super) context: Matrix,
    /// Between the products of a feed-forward network.
    pub(super) feed_forward: SwiGluBuffers,
    /// The block's partial output.
    pub(super) partial: Matrix,
    /// Logits of the device's vocabulary rows.
    pub(super) logits: Matrix,
    /// Scores of an attention, for its kernel.
    pub(super) scratch: Vec<f32>,
}

impl DeviceBuffers {
    /// Makes the partial output zero, for a device that has no part in a block.
    pub(super) fn no_partial(&mut self, hidden: &Hidden) -> Result<(), StepError> {
        let partial = self.partial.fit(hidden.tokens(), hidden.width())?;
        Ok(partial.clear()?)
    }

    /// Scratch for `rows` queries of `heads` heads over `positions`; grown for the
    /// whole `capacity` at once, so that decode steps find it large enough.
    pub(super) fn scratch(&mut self, rows: usize, heads: usize, capacity: usize) -> &mut [f32] {
        let length = attention_scratch_len(rows, heads, capacity);
        if self.scratch.len() < length {
            self.scratch.resize(length, 0.0);
        }
        &mut self.scratch
    }
}
