//! A shape that is timed: nothing is computed; its gate, if it has one, is drawn or recorded.

use super::{GateSequence, GateSource, Journey, Mix, Network, Summed};
use crate::execution::error::ExecutionError;
use crate::execution::stage::Sublayer;
use crate::numerics::{Rows, Values};
use crate::radio::{Payload, Round};
use crate::serving::Identity;
use crate::serving::passes::Pass;
use std::collections::BTreeMap;
use std::ops::Range;

/// A shape at work.
#[derive(Debug)]
pub(super) struct Timed {
    gate: Option<Box<dyn GateSource>>,
    sequences: BTreeMap<u32, Counted>,
    /// The sequence of every batch in flight.
    batches: BTreeMap<u32, u32>,
}

/// A sequence whose tokens are counted.
#[derive(Debug, Default)]
struct Counted {
    /// Tokens before the last pass, and of it.
    context: usize,
    tokens: usize,
    /// Texts that began, one after the other.
    texts: u64,
    gate: Option<Box<dyn GateSequence>>,
}

impl Timed {
    pub(super) fn new(gate: Option<Box<dyn GateSource>>) -> Self {
        Self {
            gate,
            sequences: BTreeMap::new(),
            batches: BTreeMap::new(),
        }
    }

    fn sequence(&self, batch: u32) -> &Counted {
        &self.sequences[&self.batches[&batch]]
    }
}

impl Network for Timed {
    fn begin(
        &mut self,
        batch: u32,
        sequence: u32,
        identity: Identity,
        pass: &Pass,
    ) -> Result<usize, ExecutionError> {
        self.batches.insert(batch, sequence);
        let counted = self.sequences.entry(sequence).or_default();
        if pass.fresh {
            let gate = self.gate.as_ref();
            counted.gate = gate.map(|gate| gate.sequence(identity.draw(counted.texts)));
            counted.texts += 1;
        }
        let before = counted.context + counted.tokens;
        counted.context = if pass.fresh { 0 } else { before };
        counted.tokens = pass.tokens.len();
        Ok(counted.context)
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
        let sequence = self.batches[&batch];
        let counted = self.sequences.get_mut(&sequence);
        let counted = counted.expect("a batch belongs to a sequence");
        let (context, tokens) = (counted.context, counted.tokens);
        let gate = counted.gate.as_mut();
        let gate = gate.expect("experts are dispatched by a gate");
        Ok(gate.weights(layer, context, tokens)?)
    }

    fn foresee(&self, batch: u32, layer: usize) -> Result<Option<Vec<f32>>, ExecutionError> {
        let counted = self.sequence(batch);
        let gate = counted.gate.as_ref();
        let weights = gate.map(|gate| gate.foresee(layer, counted.context, counted.tokens));
        Ok(weights.transpose()?)
    }

    fn mix(&mut self, _: u32, _: &Mix<'_>) -> Result<Vec<Journey>, ExecutionError> {
        Ok(Vec::new())
    }

    fn cross(&mut self, _: u32, _: Payload) -> Result<(), ExecutionError> {
        Ok(())
    }

    fn logits(&mut self, _: u32, _: Rows) -> Result<Option<Values<'_>>, ExecutionError> {
        Ok(None)
    }

    fn end(&mut self, batch: u32) {
        self.batches.remove(&batch);
    }

    fn close(&mut self, sequence: u32) {
        self.sequences.remove(&sequence);
    }
}
