//! Tokens that leave a model at an exit: who leaves, and what of them is caught up with later.
//!
//! A token that leaves after e layers has no keys and values in the layers after them. They are made
//! of its state at the exit, as if that state had come out of every layer that it skipped (CALM,
//! Schuster et al. 2022, arXiv:2207.07061, section 3.1), and not before a later token of its
//! sequence enters such a layer: until then they are *owed*, and where none does they are never
//! made. So the bits of a text do not depend on when they are made, and in a pipeline the states
//! that later stages are owed cross together with the next one that does.
//!
//! A sequence whose cache was taken from it reads its text again with every token leaving where it
//! left before.

use super::shelf::Caches;
use crate::execution::error::ExecutionError;
use crate::numerics::{
    ExitHeads, Hidden, KvCache, Rows, ShardedLlama, StepError, Sublayer, Workspace, greedy, score,
};
use crate::policy::early_exit;
use crate::radio::Payload;
use std::collections::BTreeMap;

/// The exits of a model at work.
#[derive(Debug)]
pub struct Exits {
    heads: ExitHeads,
    rule: early_exit::Rule,
    sequences: BTreeMap<u32, Kept>,
}

/// What is known of a sequence.
#[derive(Debug, Default)]
struct Kept {
    /// After how many layers the token of a position left.
    depths: BTreeMap<usize, usize>,
    /// Of positions one after the other, up to the last that was read.
    owed: Vec<Owed>,
}

/// A token whose keys and values some layers are owed.
#[derive(Debug)]
struct Owed {
    position: usize,
    /// The stage that has its state.
    stage: usize,
    state: Vec<f32>,
}

/// A token that left a batch.
#[derive(Debug, Clone)]
pub(in crate::execution) struct Left {
    /// The place of its sequence in the batch.
    pub(in crate::execution) slice: usize,
    /// Layers before its exit.
    pub(in crate::execution) after: usize,
    /// What the exit said.
    pub(in crate::execution) logits: Vec<f32>,
    /// The difference of its two greatest probabilities.
    pub(in crate::execution) margin: f64,
    /// What the layers that it skipped would have chosen, and −ln p of what the exit chose.
    pub(in crate::execution) whole: (u32, f64),
}

/// What a batch's exits have done so far.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// By slice of the states, the place of its sequence in the batch.
    present: Vec<usize>,
    pub(super) left: Vec<Left>,
    /// Rows of a text that is read again, by slice of the states: they left here before.
    frozen: Vec<Frozen>,
}

#[derive(Debug, Clone)]
struct Frozen {
    slice: usize,
    row: usize,
    state: Vec<f32>,
}

/// A stage of a model, and where it computes.
pub(super) struct Stage<'a> {
    pub(super) number: usize,
    pub(super) model: &'a ShardedLlama,
    pub(super) workspace: &'a mut Workspace,
}

/// A batch at a stage.
pub(super) struct At<'a> {
    pub(super) sequences: &'a [u32],
    pub(super) caches: &'a mut [Caches],
    pub(super) hidden: &'a mut Hidden,
    pub(super) leaving: &'a mut Leaving,
}

impl Leaving {
    /// Everybody of `sequences` is there.
    pub(super) fn begin(sequences: usize) -> Self {
        Self {
            present: (0..sequences).collect(),
            ..Self::default()
        }
    }
}

impl Exits {
    /// A model's exits, of which tokens take the first that `rule` lets them.
    pub fn new(heads: ExitHeads, rule: early_exit::Rule) -> Self {
        Self {
            heads,
            rule,
            sequences: BTreeMap::new(),
        }
    }

    /// After how many layers exits are, with their ranks.
    pub(in crate::execution) fn places(&self) -> Vec<(usize, usize)> {
        let places = self.heads.after().into_iter();
        places
            .filter_map(|after| Some((after, self.heads.rank(after)?)))
            .collect()
    }

    /// Forgets what `sequence` is owed, for it begins its text, `again` or anew.
    pub(super) fn afresh(&mut self, sequence: u32, again: bool) {
        if let Some(kept) = self.sequences.get_mut(&sequence) {
            kept.owed.clear();
            if !again {
                kept.depths.clear();
            }
        }
    }

    /// Forgets `sequence`.
    pub(super) fn close(&mut self, sequence: u32) {
        self.sequences.remove(&sequence);
    }

    /// The states that are owed to `layer`, of a sequence with this cache: none to one that has yet to
    /// read what comes before them.
    fn owed(&self, sequence: u32, cache: &KvCache, layer: usize) -> &[Owed] {
        let Some(kept) = self.sequences.get(&sequence) else {
            return &[];
        };
        let first = cache.tokens_in(layer);
        let cached = kept.owed.iter().take_while(|owed| owed.position < first);
        let owed = &kept.owed[cached.count()..];
        match owed.first() {
            Some(next) if next.position == first => owed,
            _ => &[],
        }
    }

    /// How many tokens' keys and values a batch has to make up for in `layer`.
    pub(super) fn lagging(
        &self,
        (sequences, caches): (&[u32], &[Caches]),
        leaving: &Leaving,
        (stage, layer): (usize, usize),
    ) -> usize {
        let present = leaving.present.iter();
        present
            .map(|&place| {
                self.owed(sequences[place], &caches[place][stage], layer)
                    .len()
            })
            .sum()
    }

    /// Attention of `layer`, after what it is owed.
    pub(super) fn attention(
        &self,
        stage: &mut Stage<'_>,
        at: &mut At<'_>,
        layer: usize,
    ) -> Result<(), ExecutionError> {
        let Stage {
            number,
            model,
            workspace,
        } = stage;
        let (mut states, mut slices, mut owing) = (Vec::new(), Vec::new(), Vec::new());
        for &place in &at.leaving.present {
            let owed = self.owed(at.sequences[place], &at.caches[place][*number], layer);
            if let Some(first) = owed.first() {
                slices.push((owed.len(), first.position));
                owing.push(place);
                states.extend(owed.iter().flat_map(|owed| &owed.state));
            }
        }
        if !slices.is_empty() {
            let hidden = model.states(&states, &slices)?;
            let mut caches = some(at.caches, &owing, *number);
            model.attention_slices_on_all(layer, &hidden, &mut caches, workspace)?;
        }
        let mut caches = some(at.caches, &at.leaving.present, *number);
        Ok(model.attention_slices_on_all(layer, at.hidden, &mut caches, workspace)?)
    }

    /// `layer` is over: tokens that left before it have their states back, and those of a text that
    /// is read again leave where they left.
    pub(super) fn after_layer(&self, at: &mut At<'_>, layer: usize) -> Result<(), ExecutionError> {
        let width = at.hidden.width();
        let slices = at.hidden.slices().to_vec();
        let mut states: Option<Vec<f32>> = None;
        for frozen in &at.leaving.frozen {
            let states = states.get_or_insert_with(|| at.hidden.values().to_vec());
            let row = slices[frozen.slice].rows.start + frozen.row;
            states[row * width..][..width].copy_from_slice(&frozen.state);
        }
        if let Some(states) = &states {
            at.hidden.replace(states)?;
        }
        for (number, slice) in slices.iter().enumerate() {
            let sequence = at.sequences[at.leaving.present[number]];
            let Some(kept) = self.sequences.get(&sequence) else {
                continue;
            };
            let positions = slice.position..slice.position + slice.rows.len();
            let here = kept
                .depths
                .range(positions)
                .filter(|(_, after)| **after == layer + 1);
            for (position, _) in here {
                let row = position - slice.position;
                let values = at.hidden.values();
                at.leaving.frozen.push(Frozen {
                    slice: number,
                    row,
                    state: values[(slice.rows.start + row) * width..][..width].to_vec(),
                });
            }
        }
        Ok(())
    }

    /// Asks the exit after `after` layers about the last tokens of the slices `asked`, places in the
    /// batch; who leaves is not among the states any more. `stages` are the model's, of which this
    /// is the number `stage`.
    pub(super) fn ask(
        &mut self,
        stages: &mut [(&ShardedLlama, &mut Workspace)],
        at: &mut At<'_>,
        (stage, after): (usize, usize),
        asked: &[usize],
    ) -> Result<Vec<Left>, ExecutionError> {
        let width = at.hidden.width();
        let slices = at.hidden.slices().to_vec();
        let values = at.hidden.values().to_vec();
        let last_state = |number: usize| &values[(slices[number].rows.end - 1) * width..][..width];
        let asked: Vec<usize> = (0..slices.len())
            .filter(|number| asked.contains(&at.leaving.present[*number]))
            .collect();
        let states: Vec<f32> = asked
            .iter()
            .flat_map(|number| last_state(*number))
            .copied()
            .collect();
        let logits = self.heads.logits(after, &states)?;
        let vocabulary = logits.len() / asked.len().max(1);
        let mut gone = Vec::new();
        for (number, told) in asked.iter().zip(logits.chunks_exact(vocabulary.max(1))) {
            // Logits that are not finite are told as such, and decide nothing.
            let chosen = greedy(told)?;
            let margin = early_exit::margin(told);
            if !self.rule.leaves(margin) {
                continue;
            }
            let place = at.leaving.present[*number];
            let sequence = at.sequences[place];
            let position = slices[*number].position + slices[*number].rows.len() - 1;
            let state = last_state(*number).to_vec();
            let slice = &slices[*number];
            let own = &values[slice.rows.start * width..slice.rows.end * width];
            let hidden = stages[stage]
                .0
                .states(own, &[(slice.rows.len(), slice.position)])?;
            let frozen = at.leaving.frozen.iter();
            let frozen = frozen.filter(|frozen| frozen.slice == *number);
            let frozen = frozen.map(|frozen| Frozen {
                slice: 0,
                ..frozen.clone()
            });
            let states = (hidden, frozen.collect());
            let caches = (sequence, &at.caches[place]);
            let whole = self.finish(stages, (stage, after), caches, states, chosen)?;
            let kept = self.sequences.entry(sequence).or_default();
            kept.depths.insert(position, after);
            // What every layer has by now is owed to none.
            let through = at.caches[place].iter().map(KvCache::tokens).min();
            kept.owed
                .retain(|owed| owed.position >= through.unwrap_or(0));
            kept.owed.push(Owed {
                position,
                stage,
                state,
            });
            gone.push(*number);
            at.leaving.left.push(Left {
                slice: place,
                after,
                logits: told.to_vec(),
                margin,
                whole,
            });
        }
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let (mut rest, mut kept, mut present) = (Vec::new(), Vec::new(), Vec::new());
        let mut renumbered = vec![None; slices.len()];
        for (number, slice) in slices.iter().enumerate() {
            let rows = slice.rows.len() - usize::from(gone.contains(&number));
            if rows == 0 {
                continue;
            }
            renumbered[number] = Some(kept.len());
            present.push(at.leaving.present[number]);
            kept.push((rows, slice.position));
            rest.extend_from_slice(&values[slice.rows.start * width..][..rows * width]);
        }
        if !kept.is_empty() {
            *at.hidden = stages[stage].0.states(&rest, &kept)?;
        }
        at.leaving.present = present;
        at.leaving
            .frozen
            .retain_mut(|frozen| match renumbered[frozen.slice] {
                Some(slice) if frozen.row < kept[slice].0 => {
                    frozen.slice = slice;
                    true
                }
                _ => false,
            });
        let first = at.leaving.left.len() - gone.len();
        Ok(at.leaving.left[first..].to_vec())
    }

    /// What the layers that the last token of a slice skips would choose, with the slice's states
    /// after `after` layers and caches of its own, and −ln p that they give to `chosen`: measured
    /// beside the run, at no simulated cost.
    fn finish(
        &self,
        stages: &mut [(&ShardedLlama, &mut Workspace)],
        (stage, after): (usize, usize),
        (sequence, caches): (u32, &Caches),
        (mut hidden, frozen): (Hidden, Vec<Frozen>),
        chosen: u32,
    ) -> Result<(u32, f64), ExecutionError> {
        let mut caches = [caches.clone()];
        let mut leaving = Leaving {
            frozen,
            ..Leaving::begin(1)
        };
        for (number, (model, workspace)) in stages.iter_mut().enumerate().skip(stage) {
            for layer in model.plan().parts().layers.clone() {
                if layer < after {
                    continue;
                }
                let mut at = At {
                    sequences: &[sequence],
                    caches: &mut caches,
                    hidden: &mut hidden,
                    leaving: &mut leaving,
                };
                let mut stage = Stage {
                    number,
                    model,
                    workspace,
                };
                self.attention(&mut stage, &mut at, layer)?;
                let sum = ideal(workspace)?;
                model.add(layer, Sublayer::Attention, at.hidden, &sum)?;
                model.mlp_on_all(layer, at.hidden, workspace)?;
                let sum = ideal(workspace)?;
                model.add(layer, Sublayer::Mlp, at.hidden, &sum)?;
                self.after_layer(&mut at, layer)?;
            }
            if model.plan().parts().head {
                model.logits(&hidden, Rows::Last, workspace)?;
                let logits = workspace.logits()?;
                let nats = score(&logits, logits.len(), &[chosen])?;
                return Ok((greedy(&logits)?, nats[0]));
            }
        }
        unreachable!("the last stage has the LM head")
    }

    /// The states that are owed to later stages go on with the batch from stage `from`, over a
    /// link with such a payload if there is one: how many they are.
    pub(super) fn cross(
        &mut self,
        (sequences, leaving): (&[u32], &Leaving),
        from: usize,
        payload: Option<Payload>,
    ) -> usize {
        let mut crossed = 0;
        for &place in &leaving.present {
            let kept = self.sequences.get_mut(&sequences[place]);
            let owed = kept.into_iter().flat_map(|kept| &mut kept.owed);
            for owed in owed.filter(|owed| owed.stage == from) {
                if let Some(payload) = payload {
                    payload.carry(&mut owed.state);
                }
                owed.stage = from + 1;
                crossed += 1;
            }
        }
        crossed
    }

    /// Who is left of a batch of `sequences` has been through the model: nothing is owed to it.
    pub(super) fn end(&mut self, sequences: &[u32], caches: &[Caches]) {
        for (sequence, caches) in sequences.iter().zip(caches) {
            if let Some(kept) = self.sequences.get_mut(sequence) {
                let through = caches.iter().map(KvCache::tokens).min().unwrap_or(0);
                kept.owed.retain(|owed| owed.position >= through);
            }
        }
    }
}

/// The rows of logits that are wanted of the states that are left, of those `wanted` of all.
pub(super) fn still_wanted(leaving: &Leaving, wanted: &[Rows]) -> Vec<Rows> {
    let present = leaving.present.iter();
    present
        .map(
            |&place| match leaving.left.iter().any(|left| left.slice == place) {
                true => Rows::None,
                false => wanted[place],
            },
        )
        .collect()
}

/// The caches of `stage` of some sequences of a batch, in order.
fn some<'a>(caches: &'a mut [Caches], places: &[usize], stage: usize) -> Vec<&'a mut KvCache> {
    let all = caches.iter_mut().enumerate();
    all.filter(|(place, _)| places.contains(place))
        .map(|(_, caches)| &mut caches[stage])
        .collect()
}

/// The partial outputs made last, summed in the devices' order.
fn ideal(workspace: &Workspace) -> Result<Vec<f32>, StepError> {
    let partials = workspace.partials()?;
    let mut sum = partials[0].to_vec();
    for partial in &partials[1..] {
        for (sum, part) in sum.iter_mut().zip(partial.iter()) {
            *sum += part;
        }
    }
    Ok(sum)
}
