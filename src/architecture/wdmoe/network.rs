//! What stands behind the gate: a model that computes, or a shape that is only timed.

use super::router::GateSource;
use crate::architecture::ArchitectureError;
use crate::architecture::passes::{Pass, Sequence};
use crate::numerics::{Rows, Values};
use crate::policy::Selection;
use std::fmt;

/// A Mixtral as the program steps it: gate and mix, layer by layer.
pub(super) trait Network: fmt::Debug {
    /// Begins a pass; returns how many tokens its sequence has already.
    ///
    /// # Errors
    /// If the model cannot take the tokens.
    fn begin(&mut self, pass: &Pass) -> Result<usize, ArchitectureError>;

    /// Attention of `layer`, and what its gate says: J × n, the softmax over all experts.
    ///
    /// # Errors
    /// If the forward pass fails or the weights are not known.
    fn gate(&mut self, layer: usize) -> Result<Vec<f32>, ArchitectureError>;

    /// What the gate of `layer` will say in this pass; `None` if that takes computing.
    ///
    /// # Errors
    /// If the weights are not known.
    fn foresee(&self, layer: usize) -> Result<Option<Vec<f32>>, ArchitectureError>;

    /// Σ_k w_jk y_jk, (1), with every token and output as it arrives over the air where
    /// `device` says that its expert is on one.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn mix(&mut self, mix: &Mix<'_>) -> Result<Vec<Journey>, ArchitectureError>;

    /// The logits of the pass; `None` if nothing is computed.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn logits(&mut self, rows: Rows) -> Result<Option<Values<'_>>, ArchitectureError>;
}

/// What went to one expert of a layer and what came back, as it arrived.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) expert: usize,
    /// The device that holds it; `None` for the server.
    pub(super) device: Option<usize>,
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
    pub(super) device: &'a [Option<usize>],
}

/// A shape that is timed: its gate is drawn or recorded, and nothing is computed.
#[derive(Debug)]
pub(super) struct Timed {
    gate: Box<dyn GateSource>,
    sequences: u64,
    sequence: Sequence,
}

impl Timed {
    pub(super) fn new(gate: Box<dyn GateSource>) -> Self {
        Self {
            gate,
            sequences: 0,
            sequence: Sequence::default(),
        }
    }
}

impl Network for Timed {
    fn begin(&mut self, pass: &Pass) -> Result<usize, ArchitectureError> {
        if pass.fresh {
            self.gate.restart(self.sequences);
            self.sequences += 1;
        }
        Ok(self.sequence.extend(pass))
    }

    fn gate(&mut self, layer: usize) -> Result<Vec<f32>, ArchitectureError> {
        let Sequence { context, tokens } = self.sequence;
        Ok(self.gate.weights(layer, context, tokens)?)
    }

    fn foresee(&self, layer: usize) -> Result<Option<Vec<f32>>, ArchitectureError> {
        let Sequence { context, tokens } = self.sequence;
        let weights = self.gate.foresee(layer, context, tokens)?;
        Ok(Some(weights))
    }

    fn mix(&mut self, _: &Mix<'_>) -> Result<Vec<Journey>, ArchitectureError> {
        Ok(Vec::new())
    }

    fn logits(&mut self, _: Rows) -> Result<Option<Values<'_>>, ArchitectureError> {
        Ok(None)
    }
}
