//! A Mixtral that computes, whose experts may get their tokens over the air.

use super::{Journey, Mix, Network, Summed};
use crate::execution::error::ExecutionError;
use crate::execution::stage::Sublayer;
use crate::numerics::{Contribution, Hidden, KvCache, Mixtral, Routing, Rows, Values, Workspace};
use crate::radio::{Payload, Round};
use crate::serving::Identity;
use crate::serving::passes::Pass;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A model at work. Attention, gate and the sum are the hub's, in f32; what goes to another
/// node and what returns is quantised.
#[derive(Debug)]
pub(super) struct Sparse {
    model: Arc<Mixtral>,
    payload: Payload,
    capacity: usize,
    workspace: Workspace,
    sequences: BTreeMap<u32, KvCache>,
    batches: BTreeMap<u32, Step>,
}

#[derive(Debug)]
struct Step {
    sequence: u32,
    hidden: Hidden,
    routing: Routing,
}

impl Sparse {
    /// `model` for requests of up to `capacity` tokens, with `payload` bits on the air.
    pub(super) fn new(model: Arc<Mixtral>, payload: Payload, capacity: usize) -> Self {
        Self {
            workspace: model.workspace(),
            model,
            payload,
            capacity,
            sequences: BTreeMap::new(),
            batches: BTreeMap::new(),
        }
    }
}

/// What arrives of `tokens` of `width` entries.
fn carry(payload: Payload, width: usize, tokens: &mut [f32]) {
    for token in tokens.chunks_exact_mut(width) {
        payload.carry(token);
    }
}

impl Network for Sparse {
    fn begin(
        &mut self,
        batch: u32,
        sequence: u32,
        _: Identity,
        pass: &Pass,
    ) -> Result<usize, ExecutionError> {
        if !self.sequences.contains_key(&sequence) {
            let cache = self.model.cache(self.capacity)?;
            self.sequences.insert(sequence, cache);
        }
        let cache = self.sequences.get_mut(&sequence);
        let cache = cache.expect("a sequence has a cache");
        if pass.fresh {
            cache.clear();
        }
        let context = cache.tokens();
        let step = Step {
            sequence,
            hidden: self.model.embed(&pass.tokens, context)?,
            routing: Routing::default(),
        };
        self.batches.insert(batch, step);
        Ok(context)
    }

    fn layers(&mut self, batch: u32, _: usize, layers: Range<usize>) -> Result<(), ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let cache = self.sequences.get_mut(&step.sequence);
        let cache = cache.expect("a sequence has a cache");
        let Step {
            hidden, routing, ..
        } = step;
        for layer in layers {
            self.model
                .attend(layer, hidden, cache, &mut self.workspace)?;
            self.model.route(layer, hidden, routing)?;
            self.model.mix(layer, hidden, routing)?;
        }
        Ok(())
    }

    fn sublayer(
        &mut self,
        _: u32,
        _: (usize, Sublayer, usize),
        _: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ExecutionError> {
        unreachable!("a Mixtral with weights is not divided by heads and columns")
    }

    fn gate(&mut self, batch: u32, layer: usize) -> Result<Vec<f32>, ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let cache = self.sequences.get_mut(&step.sequence);
        let cache = cache.expect("a sequence has a cache");
        self.model
            .attend(layer, &mut step.hidden, cache, &mut self.workspace)?;
        self.model.route(layer, &step.hidden, &mut step.routing)?;
        Ok(step.routing.weights().to_vec())
    }

    fn foresee(&self, _: u32, _: usize) -> Result<Option<Vec<f32>>, ExecutionError> {
        Ok(None)
    }

    fn mix(&mut self, batch: u32, mix: &Mix<'_>) -> Result<Vec<Journey>, ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let experts = mix.selection.experts();
        let width = self.model.shape().hidden;
        let mut journeys = Vec::with_capacity(experts);
        let mut visits = Vec::with_capacity(experts);
        for expert in 0..experts {
            let tokens: Vec<usize> = mix.selection.visitors(expert).collect();
            if tokens.is_empty() {
                continue;
            }
            let mut sent = Vec::with_capacity(tokens.len() * width);
            for &token in &tokens {
                sent.extend_from_slice(&step.routing.input(token)?);
            }
            let holder = mix.holders[expert];
            if holder.is_some() {
                carry(self.payload, width, &mut sent);
            }
            let mut returned = vec![0.0; sent.len()];
            self.model.expert(mix.layer, expert, &sent, &mut returned)?;
            if holder.is_some() {
                carry(self.payload, width, &mut returned);
            }
            let weight = |token: &usize| mix.weights[token * experts + expert];
            let weights: Vec<f32> = tokens.iter().map(weight).collect();
            visits.push((tokens, weights));
            journeys.push(Journey {
                expert,
                holder,
                sent,
                returned,
            });
        }
        let contributions: Vec<Contribution<'_>> = visits
            .iter()
            .zip(&journeys)
            .map(|((tokens, weights), journey)| Contribution {
                tokens,
                weights,
                outputs: &journey.returned,
            })
            .collect();
        self.model.combine(&mut step.hidden, &contributions)?;
        Ok(journeys)
    }

    fn cross(&mut self, batch: u32, payload: Payload) -> Result<(), ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let mut states = step.hidden.values().to_vec();
        let width = step.hidden.width();
        states
            .chunks_exact_mut(width)
            .for_each(|state| payload.carry(state));
        Ok(step.hidden.replace(&states)?)
    }

    fn logits(&mut self, batch: u32, rows: Rows) -> Result<Option<Values<'_>>, ExecutionError> {
        let hidden = &self.batches[&batch].hidden;
        self.model.logits(hidden, rows, &mut self.workspace)?;
        Ok(Some(self.workspace.logits()?))
    }

    fn end(&mut self, batch: u32) {
        self.batches.remove(&batch);
    }

    fn close(&mut self, sequence: u32) {
        self.sequences.remove(&sequence);
    }
}
