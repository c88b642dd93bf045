//! What lives within steps: hidden states, and a workspace of buffers that steps reuse.
//!
//! Lifecycle: a [`KvCache`](super::KvCache) belongs to one request and holds every device's
//! share of it; a [`Workspace`] may serve any number of requests, one step at a
//! time; a [`Hidden`] lives for one step, of one request's tokens or of several requests'.
//! Caches and workspaces may not be mixed between sharded models; they know whose they are
//! and steps refuse strangers. States may: the next stage of a pipeline goes on with them.
//!
//! All of them hold candle tensors ([`Matrix`]); what leaves them for a network or a reader
//! is borrowed as a slice ([`Values`]).

use super::error::StepError;
use super::feed_forward::FeedForwardBuffers;
use super::kernels::Kernels;
use super::matrix::{Matrix, Values};
use super::ops::{Add, AddValues, Replace};
use crate::model::ShardPlan;
use std::ops::Range;
use std::sync::Arc;

/// The residual stream of one step: \[tokens × hidden\] in f32, the rows of one slice after
/// those of the other.
///
/// Every device holds the same one, so there is one.
#[derive(Debug)]
pub struct Hidden {
    pub(super) states: Matrix,
    pub(super) slices: Vec<Slice>,
    pub(super) kernels: Kernels,
}

/// The tokens of one sequence in a step: a prompt or a piece of it, or one that was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Their rows in the step.
    pub rows: Range<usize>,
    /// Position of the first in its sequence.
    pub position: usize,
}

impl Hidden {
    /// No slice yet.
    pub(super) fn empty(kernels: Kernels) -> Self {
        Self {
            states: Matrix::default(),
            slices: Vec::new(),
            kernels,
        }
    }

    /// Tokens in the step.
    pub fn tokens(&self) -> usize {
        self.states.rows()
    }

    /// Entries per token.
    pub fn width(&self) -> usize {
        self.states.columns()
    }

    /// The slices, in the order of their rows.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
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

    /// Puts in their place the states as they came through a network, \[tokens × hidden\]
    /// row-major: what the next stage of a pipeline goes on with.
    ///
    /// # Errors
    /// If `values` have another length.
    pub fn replace(&mut self, values: &[f32]) -> Result<(), StepError> {
        let (tokens, width) = (self.tokens(), self.width());
        check_length("the states", values.len(), tokens, width)?;
        Ok(self.states.apply1(&Replace { values })?)
    }

    /// Adds a sum that no network carried.
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
    pub(super) feed_forward: FeedForwardBuffers,
    /// Those columns of it that the device multiplies by its rows of W_O, where it is not all.
    pub(super) cut: Matrix,
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
}

/// `memory`, grown to `length` at least. Asked for a cache's whole capacity at once, decode
/// steps find it large enough.
pub(super) fn scratch(memory: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if memory.len() < length {
        memory.resize(length, 0.0);
    }
    memory
}
