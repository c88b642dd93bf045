//! A LLaMA that computes, stage by stage of its pipeline, each divided over its group.

use super::{Journey, Mix, Network, Summed};
use crate::execution::error::ExecutionError;
use crate::execution::stage::Sublayer;
use crate::numerics::{Hidden, KvCache, Rows, ShardedLlama, Values, Workspace};
use crate::radio::{Payload, Round};
use crate::serving::Identity;
use crate::serving::passes::Pass;
use std::collections::BTreeMap;
use std::ops::Range;

/// A model at work.
#[derive(Debug)]
pub struct Dense {
    stages: Vec<Divided>,
    capacity: usize,
    sequences: BTreeMap<u32, Vec<KvCache>>,
    batches: BTreeMap<u32, Step>,
    /// Caches and states of those who have left, for those who come.
    free_caches: Vec<Vec<KvCache>>,
    free_states: Vec<Hidden>,
    sum: Vec<f32>,
}

/// One stage's layers, divided over those who hold them.
#[derive(Debug)]
struct Divided {
    layers: Range<usize>,
    model: ShardedLlama,
    workspace: Workspace,
}

#[derive(Debug)]
struct Step {
    sequence: u32,
    hidden: Hidden,
}

impl Dense {
    /// A model whose `stages` hold its layers in order; the first embeds and the last has the LM
    /// head.
    pub fn new(stages: Vec<(Range<usize>, ShardedLlama)>) -> Self {
        let stages = stages.into_iter().map(|(layers, model)| Divided {
            workspace: model.workspace(),
            layers,
            model,
        });
        Self {
            stages: stages.collect(),
            capacity: 0,
            sequences: BTreeMap::new(),
            batches: BTreeMap::new(),
            free_caches: Vec::new(),
            free_states: Vec::new(),
            sum: Vec::new(),
        }
    }

    /// For requests of up to `capacity` tokens.
    pub(super) fn hold(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    fn caches(&mut self) -> Result<Vec<KvCache>, ExecutionError> {
        if let Some(mut caches) = self.free_caches.pop() {
            caches.iter_mut().for_each(KvCache::clear);
            return Ok(caches);
        }
        let caches = self.stages.iter();
        let caches = caches.map(|stage| Ok(stage.model.cache(self.capacity)?));
        caches.collect()
    }
}

impl Network for Dense {
    fn begin(
        &mut self,
        batch: u32,
        sequence: u32,
        _: Identity,
        pass: &Pass,
    ) -> Result<usize, ExecutionError> {
        if !self.sequences.contains_key(&sequence) {
            let caches = self.caches()?;
            self.sequences.insert(sequence, caches);
        }
        let caches = self.sequences.get_mut(&sequence);
        let caches = caches.expect("a sequence has caches");
        if pass.fresh {
            caches.iter_mut().for_each(KvCache::clear);
        }
        let layers = self
            .stages
            .iter()
            .position(|stage| !stage.layers.is_empty());
        let context = caches[layers.unwrap_or(0)].tokens();
        let first = &self.stages[0].model;
        let hidden = match self.free_states.pop() {
            Some(mut hidden) => {
                first.embed_into(&pass.tokens, context, &mut hidden)?;
                hidden
            }
            None => first.embed(&pass.tokens, context)?,
        };
        self.batches.insert(batch, Step { sequence, hidden });
        Ok(context)
    }

    fn layers(
        &mut self,
        batch: u32,
        stage: usize,
        layers: Range<usize>,
    ) -> Result<(), ExecutionError> {
        let Step { sequence, hidden } = self.batches.get_mut(&batch).expect("a batch in flight");
        let caches = self.sequences.get_mut(sequence);
        let cache = &mut caches.expect("a sequence has caches")[stage];
        let Divided {
            model, workspace, ..
        } = &mut self.stages[stage];
        for layer in layers {
            model.attention_on_all(layer, hidden, cache, workspace)?;
            hidden.add(&workspace.partial(0)?)?;
            model.mlp_on_all(layer, hidden, workspace)?;
            hidden.add(&workspace.partial(0)?)?;
        }
        Ok(())
    }

    fn sublayer(
        &mut self,
        batch: u32,
        (stage, sublayer, layer): (usize, Sublayer, usize),
        round: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ExecutionError> {
        let Step { sequence, hidden } = self.batches.get_mut(&batch).expect("a batch in flight");
        let caches = self.sequences.get_mut(sequence);
        let cache = &mut caches.expect("a sequence has caches")[stage];
        let Divided {
            model, workspace, ..
        } = &mut self.stages[stage];
        match sublayer {
            Sublayer::Attention => model.attention_on_all(layer, hidden, cache, workspace)?,
            Sublayer::Mlp => model.mlp_on_all(layer, hidden, workspace)?,
        }
        self.sum.resize(hidden.tokens() * hidden.width(), 0.0);
        let parts = workspace.partials()?;
        let sent: Vec<&[f32]> = parts.iter().map(|part| &**part).collect();
        let distortion = round.reduce(&sent, &mut self.sum)?;
        hidden.add(&self.sum)?;
        Ok(Some(Summed {
            parts,
            sum: &self.sum,
            columns: hidden.width(),
            distortion,
        }))
    }

    fn gate(&mut self, _: u32, _: usize) -> Result<Vec<f32>, ExecutionError> {
        unreachable!("a model without experts has no gate")
    }

    fn foresee(&self, _: u32, _: usize) -> Result<Option<Vec<f32>>, ExecutionError> {
        Ok(None)
    }

    fn mix(&mut self, _: u32, _: &Mix<'_>) -> Result<Vec<Journey>, ExecutionError> {
        unreachable!("a model without experts has nothing to mix")
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
        let last = self.stages.last_mut().expect("a pipeline has a stage");
        last.model.logits(hidden, rows, &mut last.workspace)?;
        Ok(Some(last.workspace.logits()?))
    }

    fn end(&mut self, batch: u32) {
        let step = self.batches.remove(&batch);
        self.free_states.extend(step.map(|step| step.hidden));
    }

    fn close(&mut self, sequence: u32) {
        let caches = self.sequences.remove(&sequence);
        self.free_caches.extend(caches);
    }
}
