//! A shape that is timed: nothing is computed; its gate, if it has one, is drawn or recorded.

use super::{Begins, Fed, GateSequence, GateSource, Journey, Mix, Network, Summed};
use crate::execution::error::ExecutionError;
use crate::execution::stage::Sublayer;
use crate::numerics::{CachedLayers, Rows, Values};
use crate::radio::{Payload, Round};
use std::collections::BTreeMap;
use std::ops::Range;

/// A shape at work.
#[derive(Debug)]
pub(super) struct Timed {
    gate: Option<Box<dyn GateSource>>,
    /// Of a shape whose gate is asked.
    sequences: BTreeMap<u32, Counted>,
    batches: BTreeMap<u32, Vec<Piece>>,
}

/// A sequence whose tokens are counted.
#[derive(Debug)]
struct Counted {
    /// Texts that began, one after the other.
    texts: u64,
    gate: Box<dyn GateSequence>,
}

/// A sequence's tokens in a batch.
#[derive(Debug, Clone, Copy)]
struct Piece {
    sequence: u32,
    context: usize,
    tokens: usize,
}

impl Timed {
    pub(super) fn new(gate: Option<Box<dyn GateSource>>) -> Self {
        Self {
            gate,
            sequences: BTreeMap::new(),
            batches: BTreeMap::new(),
        }
    }
}

impl Network for Timed {
    fn begin(&mut self, batch: u32, fed: &[Fed<'_>]) -> Result<(), ExecutionError> {
        let Some(gate) = &self.gate else {
            return Ok(());
        };
        for fed in fed {
            let known = self.sequences.get(&fed.sequence);
            let begun = known.map_or(0, |counted| counted.texts);
            let texts = match fed.begins {
                Begins::Not if known.is_some() => continue,
                Begins::Again if begun > 0 => begun,
                Begins::Not | Begins::Again | Begins::Anew => begun + 1,
            };
            let counted = Counted {
                gate: gate.sequence(fed.identity.draw(texts - 1)),
                texts,
            };
            self.sequences.insert(fed.sequence, counted);
        }
        let pieces = fed.iter().map(|fed| Piece {
            sequence: fed.sequence,
            context: fed.context,
            tokens: fed.count,
        });
        self.batches.insert(batch, pieces.collect());
        Ok(())
    }

    fn layers(&mut self, _: u32, _: usize, _: Range<usize>) -> Result<(), ExecutionError> {
        Ok(())
    }

    fn sublayer(
        &mut self,
        _: u32,
        _: (usize, Sublayer, usize),
        _: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ExecutionError> {
        Ok(None)
    }

    fn gate(&mut self, batch: u32, layer: usize) -> Result<Vec<f32>, ExecutionError> {
        let mut weights = Vec::new();
        for piece in &self.batches[&batch] {
            let counted = self.sequences.get_mut(&piece.sequence);
            let gate = &mut counted.expect("a piece belongs to a sequence").gate;
            weights.extend(gate.weights(layer, piece.context, piece.tokens)?);
        }
        Ok(weights)
    }

    fn foresee(&self, batch: u32, layer: usize) -> Result<Option<Vec<f32>>, ExecutionError> {
        let Some(pieces) = self.batches.get(&batch) else {
            return Ok(None);
        };
        let mut weights = Vec::new();
        for piece in pieces {
            let gate = &self.sequences[&piece.sequence].gate;
            weights.extend(gate.foresee(layer, piece.context, piece.tokens)?);
        }
        Ok(Some(weights))
    }

    fn mix(&mut self, _: u32, _: &Mix<'_>) -> Result<Vec<Journey>, ExecutionError> {
        Ok(Vec::new())
    }

    fn cross(&mut self, _: u32, _: Payload) -> Result<usize, ExecutionError> {
        Ok(0)
    }

    fn logits(&mut self, _: u32, _: &[Rows]) -> Result<Option<Values<'_>>, ExecutionError> {
        Ok(None)
    }

    fn end(&mut self, batch: u32) {
        self.batches.remove(&batch);
    }

    fn reuse(&mut self, _: u32, _: u32, _: usize) -> Result<(), ExecutionError> {
        Ok(())
    }

    fn rewind(&mut self, _: u32, _: usize) -> Result<(), ExecutionError> {
        Ok(())
    }

    fn hand_over(&mut self, _: u32) -> Result<Option<CachedLayers>, ExecutionError> {
        Ok(None)
    }

    fn take_over(&mut self, _: u32, _: CachedLayers) -> Result<(), ExecutionError> {
        Ok(())
    }

    fn close(&mut self, sequence: u32) {
        self.sequences.remove(&sequence);
    }
}
