//! A Mixtral that computes, whose experts may get their tokens over the air.

use super::shelf::{Caches, Shelf, fork, of_stage};
use super::{Begins, Fed, Journey, Mix, Network, Summed};
use crate::execution::error::ExecutionError;
use crate::execution::stage::Sublayer;
use crate::numerics::{
    CachedLayers, Contribution, Hidden, Mixtral, Routing, Rows, Values, Workspace,
};
use crate::radio::{Payload, Round};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A model at work. Attention, gate and the sum are the hub's, in f32; what goes to another
/// node and what returns is quantised.
#[derive(Debug)]
pub(super) struct Sparse {
    model: Arc<Mixtral>,
    payload: Payload,
    workspace: Workspace,
    shelf: Shelf,
    batches: BTreeMap<u32, Step>,
}

#[derive(Debug)]
struct Step {
    sequences: Vec<u32>,
    /// In the order of the sequences, one of each.
    caches: Vec<Caches>,
    hidden: Hidden,
    routing: Routing,
}

impl Step {
    /// The caches of `sequence`, if it is one of the batch's.
    fn caches_of(&self, sequence: u32) -> Option<&Caches> {
        let place = self.sequences.iter().position(|own| *own == sequence)?;
        self.caches.get(place)
    }
}

impl Sparse {
    /// `model` for requests of up to `capacity` tokens, with `payload` bits on the air.
    pub(super) fn new(model: Arc<Mixtral>, payload: Payload, capacity: usize) -> Self {
        Self {
            workspace: model.workspace(),
            model,
            payload,
            shelf: Shelf::of(capacity),
            batches: BTreeMap::new(),
        }
    }
}

/// Attention of `layer` over what the sequences of `step` have read.
fn attend(
    model: &Mixtral,
    layer: usize,
    step: &mut Step,
    workspace: &mut Workspace,
) -> Result<(), ExecutionError> {
    let Step { caches, hidden, .. } = step;
    let attended = of_stage(caches, 0, |caches| {
        model.attend_slices(layer, hidden, caches, workspace)
    });
    Ok(attended?)
}

/// What arrives of `tokens` of `width` entries.
fn carry(payload: Payload, width: usize, tokens: &mut [f32]) {
    for token in tokens.chunks_exact_mut(width) {
        payload.carry(token);
    }
}

impl Network for Sparse {
    fn begin(&mut self, batch: u32, fed: &[Fed<'_>]) -> Result<(), ExecutionError> {
        let slices = fed.iter().map(|fed| (fed.tokens, fed.context));
        let slices: Vec<(&[u32], usize)> = slices.collect();
        let hidden = self.model.embed_slices(&slices)?;
        let mut caches = Vec::with_capacity(fed.len());
        for fed in fed {
            let afresh = fed.begins != Begins::Not && fed.context == 0;
            let make = |capacity| Ok(vec![self.model.cache(capacity)?]);
            caches.push(self.shelf.take(fed.sequence, afresh, make)?);
        }
        let step = Step {
            sequences: fed.iter().map(|fed| fed.sequence).collect(),
            caches,
            hidden,
            routing: Routing::default(),
        };
        self.batches.insert(batch, step);
        Ok(())
    }

    fn layers(&mut self, batch: u32, _: usize, layers: Range<usize>) -> Result<(), ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        for layer in layers {
            attend(&self.model, layer, step, &mut self.workspace)?;
            let Step {
                hidden, routing, ..
            } = &mut *step;
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
        attend(&self.model, layer, step, &mut self.workspace)?;
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
        self.model.add_shared(&mut step.hidden, &step.routing)?;
        Ok(journeys)
    }

    fn cross(&mut self, batch: u32, payload: Payload) -> Result<usize, ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let mut states = step.hidden.values().to_vec();
        let width = step.hidden.width();
        states
            .chunks_exact_mut(width)
            .for_each(|state| payload.carry(state));
        step.hidden.replace(&states)?;
        Ok(0)
    }

    fn logits(&mut self, batch: u32, rows: &[Rows]) -> Result<Option<Values<'_>>, ExecutionError> {
        let hidden = &self.batches[&batch].hidden;
        self.model
            .logits_slices(hidden, rows, &mut self.workspace)?;
        Ok(Some(self.workspace.logits()?))
    }

    fn end(&mut self, batch: u32) {
        let Some(step) = self.batches.remove(&batch) else {
            return;
        };
        for (sequence, caches) in step.sequences.into_iter().zip(step.caches) {
            self.shelf.rest(sequence, caches);
        }
    }

    fn reuse(&mut self, sequence: u32, from: u32, tokens: usize) -> Result<(), ExecutionError> {
        let known = self.shelf.resting(from);
        let in_flight = || self.batches.values().find_map(|step| step.caches_of(from));
        let known = known.or_else(in_flight);
        let caches = fork(known.expect("a prefix has a cache"), tokens)?;
        self.shelf.rest(sequence, caches);
        Ok(())
    }

    fn rewind(&mut self, sequence: u32, tokens: usize) -> Result<(), ExecutionError> {
        self.shelf.rewind(sequence, tokens)
    }

    fn hand_over(&mut self, sequence: u32) -> Result<Option<CachedLayers>, ExecutionError> {
        self.shelf.hand_over(sequence)
    }

    fn take_over(&mut self, sequence: u32, layers: CachedLayers) -> Result<(), ExecutionError> {
        let make = |capacity| Ok(vec![self.model.cache(capacity)?]);
        self.shelf.take_over(sequence, layers, make)
    }

    fn close(&mut self, sequence: u32) {
        self.shelf.close(sequence);
    }
}
