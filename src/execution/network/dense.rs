//! A LLaMA that computes, stage by stage of its pipeline, each divided over its group.

use super::exits::{At, Exits, Leaving, Left, Stage, still_wanted};
use super::shelf::{Caches, Shelf, fork, of_stage};
use super::{Begins, Fed, Journey, Mix, Network, Summed};
use crate::execution::error::ExecutionError;
use crate::execution::stage::Sublayer;
use crate::numerics::{CachedLayers, Hidden, Rows, ShardedLlama, StepError, Values, Workspace};
use crate::radio::{Payload, Round};
use std::collections::BTreeMap;
use std::ops::Range;

/// A model at work.
#[derive(Debug)]
pub struct Dense {
    stages: Vec<Divided>,
    shelf: Shelf,
    batches: BTreeMap<u32, Step>,
    /// Steps that are over, for those who come.
    free: Vec<Step>,
    sum: Vec<f32>,
    exits: Option<Exits>,
}

/// One stage's layers, divided over those who hold them.
#[derive(Debug)]
struct Divided {
    model: ShardedLlama,
    workspace: Workspace,
}

#[derive(Debug)]
struct Step {
    sequences: Vec<u32>,
    /// In the order of the sequences.
    caches: Vec<Caches>,
    hidden: Hidden,
    leaving: Leaving,
    /// The stage that it is in, where there are exits.
    stage: usize,
}

impl Step {
    fn at(&mut self) -> At<'_> {
        At {
            sequences: &self.sequences,
            caches: &mut self.caches,
            hidden: &mut self.hidden,
            leaving: &mut self.leaving,
        }
    }

    /// The caches of `sequence`, if it is one of the batch's.
    fn caches_of(&self, sequence: u32) -> Option<&Caches> {
        let place = self.sequences.iter().position(|own| *own == sequence)?;
        self.caches.get(place)
    }
}

impl Dense {
    /// A model whose `stages` hold its layers in order; the first embeds and the last has the LM
    /// head.
    pub fn new(stages: Vec<ShardedLlama>) -> Self {
        let stages = stages.into_iter().map(|model| Divided {
            workspace: model.workspace(),
            model,
        });
        Self {
            stages: stages.collect(),
            shelf: Shelf::default(),
            batches: BTreeMap::new(),
            free: Vec::new(),
            sum: Vec::new(),
            exits: None,
        }
    }

    /// The same model with exits.
    #[must_use]
    pub fn with_exits(self, exits: Exits) -> Self {
        Self {
            exits: Some(exits),
            ..self
        }
    }

    /// After how many layers it has exits, with their ranks.
    pub(in crate::execution) fn exits(&self) -> Vec<(usize, usize)> {
        self.exits.as_ref().map_or_else(Vec::new, Exits::places)
    }

    /// Attention of `layer` for the states of a batch in `stage`.
    fn attend(&mut self, batch: u32, stage: usize, layer: usize) -> Result<(), ExecutionError> {
        let Self {
            stages,
            batches,
            exits,
            ..
        } = self;
        let step = batches.get_mut(&batch).expect("a batch in flight");
        let Divided { model, workspace } = &mut stages[stage];
        if let Some(exits) = exits {
            let number = stage;
            let mut stage = Stage {
                number,
                model,
                workspace,
            };
            return exits.attention(&mut stage, &mut step.at(), layer);
        }
        let Step { caches, hidden, .. } = step;
        of_stage(caches, stage, |caches| {
            model.attention_slices_on_all(layer, hidden, caches, workspace)
        })?;
        Ok(())
    }

    /// What `batch` is owed goes on with it to its next stage, over a link with such a payload if
    /// there is one: how many states.
    fn go_on(&mut self, batch: u32, payload: Option<Payload>) -> usize {
        let Some(exits) = &mut self.exits else {
            return 0;
        };
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let from = step.stage;
        step.stage += 1;
        exits.cross((&step.sequences, &step.leaving), from, payload)
    }

    /// `layer` of `batch` is over.
    fn after_layer(&mut self, batch: u32, layer: usize) -> Result<(), ExecutionError> {
        let Some(exits) = &self.exits else {
            return Ok(());
        };
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        exits.after_layer(&mut step.at(), layer)
    }

    /// For requests of up to `capacity` tokens.
    pub(super) fn hold(&mut self, capacity: usize) {
        self.shelf = Shelf::of(capacity);
    }
}

/// Caches of a sequence of up to `capacity` tokens.
fn make_caches(stages: &[Divided], capacity: usize) -> Result<Caches, StepError> {
    let caches = stages.iter().map(|stage| stage.model.cache(capacity));
    caches.collect()
}

impl Network for Dense {
    fn begin(&mut self, batch: u32, fed: &[Fed<'_>]) -> Result<(), ExecutionError> {
        let first = &self.stages[0].model;
        let mut step = match self.free.pop() {
            Some(step) => step,
            None => Step {
                sequences: Vec::new(),
                caches: Vec::new(),
                hidden: first.embed(&fed[0].tokens[..1], 0)?,
                leaving: Leaving::default(),
                stage: 0,
            },
        };
        match fed {
            [only] => first.embed_into(only.tokens, only.context, &mut step.hidden)?,
            several => {
                let slices = several.iter().map(|fed| (fed.tokens, fed.context));
                let slices: Vec<(&[u32], usize)> = slices.collect();
                first.embed_slices_into(&slices, &mut step.hidden)?;
            }
        }
        for fed in fed {
            let stages = &self.stages;
            let make = |capacity| make_caches(stages, capacity);
            let afresh = fed.begins != Begins::Not && fed.context == 0;
            if let Some(exits) = self.exits.as_mut().filter(|_| afresh) {
                exits.afresh(fed.sequence, fed.begins == Begins::Again);
            }
            step.sequences.push(fed.sequence);
            step.caches
                .push(self.shelf.take(fed.sequence, afresh, make)?);
        }
        if self.exits.is_some() {
            (step.leaving, step.stage) = (Leaving::begin(fed.len()), 0);
        }
        self.batches.insert(batch, step);
        Ok(())
    }

    fn layers(
        &mut self,
        batch: u32,
        stage: usize,
        layers: Range<usize>,
    ) -> Result<(), ExecutionError> {
        for layer in layers {
            self.attend(batch, stage, layer)?;
            let Step { hidden, .. } = self.batches.get_mut(&batch).expect("a batch in flight");
            let Divided { model, workspace } = &mut self.stages[stage];
            model.add(layer, Sublayer::Attention, hidden, &workspace.partial(0)?)?;
            model.mlp_on_all(layer, hidden, workspace)?;
            model.add(layer, Sublayer::Mlp, hidden, &workspace.partial(0)?)?;
            self.after_layer(batch, layer)?;
        }
        Ok(())
    }

    fn sublayer(
        &mut self,
        batch: u32,
        (stage, sublayer, layer): (usize, Sublayer, usize),
        round: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ExecutionError> {
        if sublayer == Sublayer::Attention {
            self.attend(batch, stage, layer)?;
        }
        let Step {
            sequences,
            caches,
            hidden,
            leaving,
            ..
        } = self.batches.get_mut(&batch).expect("a batch in flight");
        let Divided { model, workspace } = &mut self.stages[stage];
        if sublayer == Sublayer::Mlp {
            model.mlp_on_all(layer, hidden, workspace)?;
        }
        self.sum.resize(hidden.tokens() * hidden.width(), 0.0);
        let parts = workspace.partials()?;
        let sent: Vec<&[f32]> = parts.iter().map(|part| &**part).collect();
        let distortion = round.reduce(&sent, &mut self.sum)?;
        model.add(layer, sublayer, hidden, &self.sum)?;
        let columns = hidden.width();
        if let Some(exits) = self.exits.as_ref().filter(|_| sublayer == Sublayer::Mlp) {
            let mut at = At {
                sequences,
                caches,
                hidden,
                leaving,
            };
            exits.after_layer(&mut at, layer)?;
        }
        Ok(Some(Summed {
            parts,
            sum: &self.sum,
            columns,
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

    fn cross(&mut self, batch: u32, payload: Payload) -> Result<usize, ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let mut states = step.hidden.values().to_vec();
        let width = step.hidden.width();
        states
            .chunks_exact_mut(width)
            .for_each(|state| payload.carry(state));
        step.hidden.replace(&states)?;
        Ok(self.go_on(batch, Some(payload)))
    }

    fn move_on(&mut self, batch: u32) {
        self.go_on(batch, None);
    }

    fn lagging(&self, batch: u32, stage: usize, layer: usize) -> usize {
        let Some(exits) = &self.exits else {
            return 0;
        };
        let step = &self.batches[&batch];
        let own = (&*step.sequences, &*step.caches);
        exits.lagging(own, &step.leaving, (stage, layer))
    }

    fn exit(
        &mut self,
        batch: u32,
        stage: usize,
        after: usize,
        asked: &[usize],
    ) -> Result<Vec<Left>, ExecutionError> {
        let step = self.batches.get_mut(&batch).expect("a batch in flight");
        let exits = self
            .exits
            .as_mut()
            .expect("only a model with exits is asked");
        let stages = self.stages.iter_mut();
        let mut stages: Vec<_> = stages
            .map(|stage| (&stage.model, &mut stage.workspace))
            .collect();
        exits.ask(&mut stages, &mut step.at(), (stage, after), asked)
    }

    fn left(&self, batch: u32) -> &[Left] {
        let step = self.batches.get(&batch);
        step.map_or(&[], |step| &step.leaving.left)
    }

    fn logits(&mut self, batch: u32, rows: &[Rows]) -> Result<Option<Values<'_>>, ExecutionError> {
        let step = &self.batches[&batch];
        let hidden = &step.hidden;
        let staying = self
            .exits
            .as_ref()
            .map(|_| still_wanted(&step.leaving, rows));
        let rows = staying.as_deref().unwrap_or(rows);
        let last = self.stages.last_mut().expect("a pipeline has a stage");
        last.model
            .logits_slices(hidden, rows, &mut last.workspace)?;
        Ok(Some(last.workspace.logits()?))
    }

    fn end(&mut self, batch: u32) {
        let Some(mut step) = self.batches.remove(&batch) else {
            return;
        };
        if let Some(exits) = &mut self.exits {
            exits.end(&step.sequences, &step.caches);
        }
        step.leaving = Leaving::default();
        for (sequence, caches) in step.sequences.drain(..).zip(step.caches.drain(..)) {
            self.shelf.rest(sequence, caches);
        }
        self.free.push(step);
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
        let stages = &self.stages;
        let make = |capacity| make_caches(stages, capacity);
        self.shelf.take_over(sequence, layers, make)
    }

    fn close(&mut self, sequence: u32) {
        if let Some(exits) = &mut self.exits {
            exits.close(sequence);
        }
        self.shelf.close(sequence);
    }
}
