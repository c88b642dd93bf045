//! A Mixtral that computes, whose experts get their tokens over the air.

use super::network::{Journey, Mix, Network};
use crate::architecture::ArchitectureError;
use crate::architecture::passes::Pass;
use crate::numerics::{Contribution, Hidden, KvCache, Mixtral, Routing, Rows, Values, Workspace};
use crate::radio::Payload;

/// A model at work. Attention, gate and the sum are the base station's, in f32; what goes
/// to a device and what returns is quantised.
#[derive(Debug)]
pub(super) struct Computed {
    model: Mixtral,
    payload: Payload,
    cache: KvCache,
    workspace: Workspace,
    routing: Routing,
    hidden: Option<Hidden>,
}

impl Computed {
    /// `model` for requests of up to `capacity` tokens, with `payload` bits on the air.
    pub(super) fn new(
        model: Mixtral,
        payload: Payload,
        capacity: usize,
    ) -> Result<Self, ArchitectureError> {
        Ok(Self {
            cache: model.cache(capacity)?,
            workspace: model.workspace(),
            routing: Routing::default(),
            hidden: None,
            model,
            payload,
        })
    }

    fn hidden(hidden: &mut Option<Hidden>) -> &mut Hidden {
        hidden.as_mut().expect("a pass has begun")
    }

    /// What arrives of `tokens`.
    fn carry(&self, tokens: &mut [f32]) {
        for token in tokens.chunks_exact_mut(self.model.shape().hidden) {
            self.payload.carry(token);
        }
    }
}

impl Network for Computed {
    fn begin(&mut self, pass: &Pass) -> Result<usize, ArchitectureError> {
        if pass.fresh {
            self.cache.clear();
        }
        let context = self.cache.tokens();
        self.hidden = Some(self.model.embed(&pass.tokens, context)?);
        Ok(context)
    }

    fn gate(&mut self, layer: usize) -> Result<Vec<f32>, ArchitectureError> {
        let hidden = Self::hidden(&mut self.hidden);
        self.model
            .attend(layer, hidden, &mut self.cache, &mut self.workspace)?;
        self.model.route(layer, hidden, &mut self.routing)?;
        Ok(self.routing.weights().to_vec())
    }

    fn foresee(&self, _: usize) -> Result<Option<Vec<f32>>, ArchitectureError> {
        Ok(None)
    }

    fn mix(&mut self, mix: &Mix<'_>) -> Result<Vec<Journey>, ArchitectureError> {
        let experts = mix.selection.experts();
        let mut journeys = Vec::with_capacity(experts);
        let mut visits = Vec::with_capacity(experts);
        for expert in 0..experts {
            let tokens: Vec<usize> = mix.selection.visitors(expert).collect();
            if tokens.is_empty() {
                continue;
            }
            let mut sent = Vec::with_capacity(tokens.len() * self.model.shape().hidden);
            for &token in &tokens {
                sent.extend_from_slice(&self.routing.input(token)?);
            }
            let device = mix.device[expert];
            if device.is_some() {
                self.carry(&mut sent);
            }
            let mut returned = vec![0.0; sent.len()];
            self.model.expert(mix.layer, expert, &sent, &mut returned)?;
            if device.is_some() {
                self.carry(&mut returned);
            }
            let weight = |token: &usize| mix.weights[token * experts + expert];
            let weights: Vec<f32> = tokens.iter().map(weight).collect();
            visits.push((tokens, weights));
            journeys.push(Journey {
                expert,
                device,
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
        let hidden = Self::hidden(&mut self.hidden);
        self.model.combine(hidden, &contributions)?;
        Ok(journeys)
    }

    fn logits(&mut self, rows: Rows) -> Result<Option<Values<'_>>, ArchitectureError> {
        let hidden = Self::hidden(&mut self.hidden);
        self.model.logits(hidden, rows, &mut self.workspace)?;
        Ok(Some(self.workspace.logits()?))
    }
}
