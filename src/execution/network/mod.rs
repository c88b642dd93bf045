//! Where a replica's tensors come from: a model that computes, or nothing where a shape is only
//! timed. Many sequences at once, each with its own cache; many batches, each with its own state.

mod dense;
mod exits;
mod gate;
mod shelf;
mod sparse;
mod timed;

pub use dense::Dense;
pub use exits::Exits;
pub(super) use exits::Left;
pub(super) use gate::{GateSequence, GateSource};

use super::error::ExecutionError;
use super::experts::{self, GateTrace};
use super::stage::Sublayer;
use crate::model::ModelShape;
use crate::numerics::{CachedLayers, Mixtral, Rows, Values};
use crate::placement::Synthetic;
use crate::policy::Selection;
use crate::radio::{Distortion, Payload, Round};
use crate::rng::Streams;
use crate::serving::Identity;
use sparse::Sparse;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use timed::Timed;

/// Where a replica's tensors come from.
#[derive(Debug)]
pub enum Source {
    /// Nothing is computed: a shape without experts, or whose experts nobody asks for.
    Timed,
    /// Nothing is computed: the gate is drawn.
    Drawn(Synthetic),
    /// Nothing is computed: the gate was recorded.
    Recorded(GateTrace),
    /// A LLaMA computes.
    Dense(Box<Dense>),
    /// A Mixtral computes; what crosses to experts on other nodes has these bits.
    Sparse(Arc<Mixtral>, Payload),
}

impl Source {
    /// The network of a model of `shape` for requests of up to `capacity` tokens.
    pub(super) fn network(
        self,
        shape: &ModelShape,
        capacity: usize,
        streams: Streams,
    ) -> Result<Box<dyn Network>, ExecutionError> {
        Ok(match self {
            Self::Timed => Box::new(Timed::new(None)),
            Self::Drawn(synthetic) => {
                let drawn = experts::router(synthetic, streams, shape.layers, shape.expert_count());
                Box::new(Timed::new(Some(Box::new(drawn))))
            }
            Self::Recorded(trace) => Box::new(Timed::new(Some(Box::new(trace)))),
            Self::Dense(mut dense) => {
                dense.hold(capacity);
                dense
            }
            Self::Sparse(model, payload) => Box::new(Sparse::new(model, payload, capacity)),
        })
    }
}

/// Where a piece of a sequence stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// After what was read before.
    Not,
    /// At the beginning of a new text.
    Anew,
    /// At the beginning of a text that was read before and forgotten.
    Again,
}

/// One sequence's tokens in a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fed<'a> {
    pub(super) sequence: u32,
    pub(super) identity: Identity,
    pub(super) begins: Begins,
    /// Tokens before these.
    pub(super) context: usize,
    /// Empty where tokens are only counted.
    pub(super) tokens: &'a [u32],
    pub(super) count: usize,
}

/// A model as the program steps it.
pub(super) trait Network: fmt::Debug {
    /// Begins `batch`, which reads the tokens of several sequences, each in one place.
    ///
    /// # Errors
    /// If the model cannot take the tokens.
    fn begin(&mut self, batch: u32, fed: &[Fed<'_>]) -> Result<(), ExecutionError>;

    /// All `layers` of the pipeline's `stage`, whole.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn layers(
        &mut self,
        batch: u32,
        stage: usize,
        layers: Range<usize>,
    ) -> Result<(), ExecutionError>;

    /// Every member's part of a sublayer at (stage, sublayer, layer), summed by `round` and added
    /// to the residual stream; `None` if nothing is computed.
    ///
    /// # Errors
    /// If the forward pass or the all-reduce fails.
    fn sublayer(
        &mut self,
        batch: u32,
        place: (usize, Sublayer, usize),
        round: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ExecutionError>;

    /// Attention of `layer`, and what its gate says: J × n, the softmax over all experts.
    ///
    /// # Errors
    /// If the forward pass fails or the weights are not known.
    fn gate(&mut self, batch: u32, layer: usize) -> Result<Vec<f32>, ExecutionError>;

    /// What the gate of `layer` will say in this pass; `None` if that takes computing.
    ///
    /// # Errors
    /// If the weights are not known.
    fn foresee(&self, batch: u32, layer: usize) -> Result<Option<Vec<f32>>, ExecutionError>;

    /// Σ_k w_jk y_jk, (1), with every token and output as it arrives over the air where the
    /// mix says that its expert is on another node.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn mix(&mut self, batch: u32, mix: &Mix<'_>) -> Result<Vec<Journey>, ExecutionError>;

    /// What arrives of the state of `batch` after it crossed to the next stage with so many bits;
    /// how many states of tokens that left before cross beside it.
    ///
    /// # Errors
    /// If the state cannot be written.
    fn cross(&mut self, batch: u32, payload: Payload) -> Result<usize, ExecutionError>;

    /// The next stage of `batch` is on the same node: nothing crosses.
    fn move_on(&mut self, batch: u32) {
        let _ = batch;
    }

    /// How many tokens that left before need keys and values in `layer` of the pipeline's `stage`
    /// before `batch` may go through it.
    fn lagging(&self, batch: u32, stage: usize, layer: usize) -> usize {
        let _ = (batch, stage, layer);
        0
    }

    /// Asks the exit after `after` layers, the last in `stage` so far, about the last tokens of
    /// `asked`, places in the batch: who leaves.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn exit(
        &mut self,
        batch: u32,
        stage: usize,
        after: usize,
        asked: &[usize],
    ) -> Result<Vec<Left>, ExecutionError> {
        let _ = (batch, stage, after, asked);
        unreachable!("a model without exits is not asked")
    }

    /// Who has left `batch`.
    fn left(&self, batch: u32) -> &[Left] {
        let _ = batch;
        &[]
    }

    /// The logits of `batch`, with the rows wanted of each of its sequences; `None` if nothing is
    /// computed.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn logits(&mut self, batch: u32, rows: &[Rows]) -> Result<Option<Values<'_>>, ExecutionError>;

    /// Forgets the state of `batch`.
    fn end(&mut self, batch: u32);

    /// Lets `sequence`, which has read nothing, go on from the first `tokens` of what `from` has
    /// read.
    ///
    /// # Errors
    /// If that cannot be copied.
    fn reuse(&mut self, sequence: u32, from: u32, tokens: usize) -> Result<(), ExecutionError>;

    /// Lets `sequence`, which no batch reads, forget all but the first `tokens` of what it has
    /// read.
    ///
    /// # Errors
    /// If its cache cannot be written.
    fn rewind(&mut self, sequence: u32, tokens: usize) -> Result<(), ExecutionError>;

    /// Takes out what `sequence` has read, to go on with it in another replica; `None` if nothing
    /// is computed.
    ///
    /// # Errors
    /// If its layers are shared by several nodes.
    fn hand_over(&mut self, sequence: u32) -> Result<Option<CachedLayers>, ExecutionError>;

    /// Goes on with `sequence` from what it has read in another replica.
    ///
    /// # Errors
    /// If its layers are shared by several nodes here.
    fn take_over(&mut self, sequence: u32, layers: CachedLayers) -> Result<(), ExecutionError>;

    /// Forgets the cache of `sequence`, which may have none.
    fn close(&mut self, sequence: u32);
}

/// What an all-reduce made of its tensors.
#[derive(Debug)]
pub(super) struct Summed<'a> {
    /// The partial outputs, in the members' order.
    pub(super) parts: Vec<Values<'a>>,
    /// What every member goes on with.
    pub(super) sum: &'a [f32],
    /// Entries per token.
    pub(super) columns: usize,
    pub(super) distortion: Distortion,
}

/// What went to one expert of a layer and what came back, as it arrived.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) expert: usize,
    /// The place of the member that holds it; `None` for the hub.
    pub(super) holder: Option<usize>,
    /// Tokens \[visitors × hidden\].
    pub(super) sent: Vec<f32>,
    pub(super) returned: Vec<f32>,
}

/// Whose outputs are added up in a layer, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mix<'a> {
    pub(super) layer: usize,
    pub(super) selection: &'a Selection,
    /// J × n, zero where a token does not visit.
    pub(super) weights: &'a [f32],
    pub(super) holders: &'a [Option<usize>],
}
