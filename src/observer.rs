//! Who watches a run: passes as they end, and tensors as they travel.

use crate::measurement::PassRecord;
use std::io;

/// A tensor that was transmitted, all-reduced, or came out of the model.
#[derive(Debug, Clone, Copy)]
pub struct Travelling<'a> {
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer; `None` for logits.
    pub layer: Option<u32>,
    /// What it is: the stage that made it.
    pub stage: &'static str,
    /// The node whose partial output it is; `None` for sums and logits.
    pub node: Option<u32>,
    /// The token's place in the pass; `None` if it holds all of them.
    pub row: Option<u32>,
    /// Entries per token.
    pub columns: usize,
    /// The entries, row by row.
    pub values: &'a [f32],
}

/// Watches a run without changing it.
pub trait Observer {
    /// A forward pass is over.
    fn pass(&mut self, pass: &PassRecord);

    /// A tensor was sent, summed or computed.
    ///
    /// # Errors
    /// If it cannot be noted; ends the run.
    fn tensor(&mut self, tensor: &Travelling<'_>) -> io::Result<()>;
}

/// Nobody watches.
impl Observer for () {
    fn pass(&mut self, _: &PassRecord) {}

    fn tensor(&mut self, _: &Travelling<'_>) -> io::Result<()> {
        Ok(())
    }
}
