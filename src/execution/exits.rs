//! Exits as tasks: the root of a stage asks a head about the tokens whose logits are wanted, and
//! who is sure enough leaves; a batch of which nobody is left is over there.
//!
//! A batch is one pass: of one in which some leave, those have their tokens when all have.

use super::error::ExecutionError;
use super::stage::{Stage, Sublayer};
use super::{Execution, StageKind};
use crate::engine::{Graph, TaskId};
use crate::measurement::ExitRecord;
use crate::topology::NodeId;
use std::ops::Range;

impl Execution<'_> {
    /// The layers from `first` on that `batch` goes through before an exit is asked, or to the end
    /// of its stage.
    pub(super) fn segment(&self, batch: u32, first: usize) -> Range<usize> {
        let end = self.stage(batch).layers.end;
        let exits = self.replica(batch).exits.iter();
        let mut exits = exits.map(|(after, _)| *after);
        let next = exits.find(|after| *after > first && *after <= end);
        match self.asking(batch) {
            0 => first..end,
            _ => first..next.unwrap_or(end),
        }
    }

    /// How many tokens of `batch` may leave.
    fn asking(&self, batch: u32) -> usize {
        self.batch(batch).may_leave().count()
    }

    /// The rank of the exit after `done` layers that `batch` asks, if there is one.
    pub(super) fn exit_after(&self, batch: u32, done: usize) -> Option<usize> {
        let exits = &self.replica(batch).exits;
        let (_, rank) = exits.iter().find(|(after, _)| *after == done)?;
        (self.asking(batch) > 0).then_some(*rank)
    }

    /// Asks the exit of `rank` after `done` layers once `last` is over, at the root of the stage;
    /// who stays goes on after `others` too.
    pub(super) fn ask_exit(
        &mut self,
        batch: u32,
        (done, rank): (usize, usize),
        last: TaskId,
        others: Vec<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let rows = self.asking(batch);
        let stage = self.stage(batch);
        let root = stage.root();
        let shape = match &stage.kind {
            StageKind::Whole { plan, .. } => plan.shape(),
            StageKind::Tensor(group) => group.plan.shape(),
            StageKind::Experts(_) => unreachable!("only LLaMAs have exits"),
        };
        let work = shape.exit_work(rank, rows);
        let key = self
            .batch(batch)
            .key(Some(done - 1), Stage::ExitHead, Some(root));
        let state = self.batch_mut(batch);
        state.done = done;
        state.resumes = others;
        let asked = self.emit_alone(key, work, &[last], graph)?;
        Ok(graph.notify(asked)?)
    }

    /// The exit has spoken at `asked`.
    pub(super) fn exit_asked(
        &mut self,
        batch: u32,
        asked: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let (done, stage) = (state.done, state.stage);
        let may: Vec<usize> = state.may_leave().collect();
        let replica = state.replica;
        let network = &mut self.replicas[replica].network;
        let left = network.exit(batch, stage, done, &may)?;
        let state = self.batch_mut(batch);
        for left in &left {
            state.left[left.slice] = Some(stage);
        }
        let resumes = std::mem::take(&mut state.resumes);
        if state.active_tokens() == 0 {
            let root = self.stage(batch).root();
            let key = self.batch(batch).key(None, Stage::Sample, Some(root));
            let end = graph.barrier(key, &[asked])?;
            return Ok(graph.notify(end)?);
        }
        let whole = matches!(self.stage(batch).kind, StageKind::Whole { .. });
        if done == self.stage(batch).layers.end {
            return self.leave(batch, asked, graph);
        }
        let state = self.batch_mut(batch);
        state.layer = done;
        state.sublayer = Sublayer::Attention;
        if whole {
            return self.emit_layers(batch, asked, graph);
        }
        let members = self.tensor(batch).members.clone();
        let mut inputs = Vec::with_capacity(members.len());
        for (place, member) in members.iter().enumerate() {
            let arrived = resumes.get(place).copied().unwrap_or(asked);
            let key = self
                .batch(batch)
                .key(Some(done), Stage::ExitAnswered, Some(*member));
            inputs.push(graph.barrier(key, &[arrived, asked])?);
        }
        self.emit_sublayer(batch, Sublayer::Attention, &inputs, graph)
    }

    /// Where the token of `slice` of a batch that ended is known, if not at the last stage.
    pub(super) fn left_at(&self, replica: usize, left: Option<usize>) -> Option<NodeId> {
        Some(self.replicas[replica].stages[left?].root())
    }

    /// Notes how deep each token of `batch` went that could have left.
    pub(super) fn note_exits(
        &mut self,
        state: &super::Batch,
        nats: &[Option<f64>],
    ) -> Result<(), ExecutionError> {
        let replica = &self.replicas[state.replica];
        if replica.exits.is_empty() {
            return Ok(());
        }
        let layers = replica.layers as u32;
        let left = replica.network.left(state.id).to_vec();
        for (place, slice) in state.slices.iter().enumerate() {
            let Some(nats) = nats[place].filter(|_| slice.decides()) else {
                continue;
            };
            let own = left.iter().find(|left| left.slice == place);
            let record = ExitRecord {
                request: slice.request,
                step: slice.step,
                layers: own.map_or(layers, |left| left.after as u32),
                of_layers: layers,
                margin: own.map(|left| left.margin),
                agrees: own.is_none_or(|left| {
                    crate::numerics::greedy(&left.logits).is_ok_and(|token| token == left.whole.0)
                }),
                nats,
                whole_nats: own.map_or(nats, |left| left.whole.1),
            };
            let noted = self.observer.exit(&record);
            noted.map_err(ExecutionError::Observer)?;
        }
        Ok(())
    }
}
