//! Who gives the weights of a gate that nobody computes.

use crate::execution::experts::TraceError;
use std::fmt;

/// Gives the weights of tokens that nobody computes.
pub(in crate::execution) trait GateSource: fmt::Debug {
    /// A new sequence, the `number`th of its kind.
    fn sequence(&self, number: u64) -> Box<dyn GateSequence>;
}

/// The weights of one sequence.
pub(in crate::execution) trait GateSequence: fmt::Debug {
    /// The softmax over experts of the next `tokens` tokens of the sequence in `layer`, of
    /// which `position` came before: J × n.
    ///
    /// # Errors
    /// If they are not known.
    fn weights(
        &mut self,
        layer: usize,
        position: usize,
        tokens: usize,
    ) -> Result<Vec<f32>, TraceError>;

    /// What [`weights`](Self::weights) will say, without going on.
    ///
    /// # Errors
    /// If they are not known.
    fn foresee(&self, layer: usize, position: usize, tokens: usize)
    -> Result<Vec<f32>, TraceError>;
}
