//! Where a state crosses from one stage to the next, and where chosen tokens return to the first.

use super::Execution;
use super::batch::Slice;
use super::error::ExecutionError;
use super::messages::{Carried, Then};
use super::stage::{Stage, Sublayer};
use crate::engine::{Graph, TaskId, TaskKey};
use crate::topology::NodeId;

/// Bits of a token's number.
pub(super) const TOKEN_BITS: u64 = 32;

impl Execution<'_> {
    /// The state of `batch` crosses to the next stage.
    pub(super) fn cross(
        &mut self,
        batch: u32,
        last: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let from = self.stage(batch).root();
        let state = self.batch_mut(batch);
        state.stage += 1;
        let next = self.stage(batch);
        let (to, first) = (next.root(), next.layers.start);
        let state = self.batch_mut(batch);
        (state.layer, state.sublayer) = (first, Sublayer::Attention);
        let replica = self.batch(batch).replica;
        let replica = &mut self.replicas[replica];
        if from == to {
            replica.network.move_on(batch);
            return self.enter(batch, last, graph);
        }
        let owed = replica.network.cross(batch, replica.payload)?;
        self.batch_mut(batch).owed = owed;
        self.send_state(batch, Stage::Cut, [from, to], &[last], graph)
    }

    /// The tokens that passes before `batch` chose return to where they are embedded, if there
    /// are any and that is elsewhere.
    pub(super) fn return_tokens(
        &mut self,
        batch: u32,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<bool, ExecutionError> {
        let stages = &self.replica(batch).stages;
        let (first, last) = (stages[0].root(), stages[stages.len() - 1].root());
        if first == last || self.returning(batch) == 0 {
            return Ok(false);
        }
        self.send_state(batch, Stage::TokenReturn, [last, first], after, graph)?;
        Ok(true)
    }

    /// How many of its tokens were chosen by passes before.
    fn returning(&self, batch: u32) -> u64 {
        let first = self.replica(batch).stages[0].root();
        let slices = self.batch(batch).slices.iter();
        let elsewhere = |slice: &&Slice| slice.chosen_at != Some(first);
        let returning = slices.filter(|slice| slice.continues).filter(elsewhere);
        returning.count() as u64
    }

    fn send_state(
        &mut self,
        batch: u32,
        stage: Stage,
        ends: [NodeId; 2],
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let layer = (stage == Stage::Cut).then_some(state.layer);
        let plain = state.key(layer, stage, None);
        let of_hop = |number, from: NodeId, to: NodeId| TaskKey {
            node: from.0,
            peer: to.0,
            sequence: number,
            ..plain
        };
        let index = self.crossing(plain).index;
        let last = self.emit_route(stage, ends, of_hop, (index, Then::GoesOn), after, graph)?;
        self.batch_mut(batch).awaited = Some(last);
        Ok(())
    }

    /// Goes on with the batch of `key` if it waits for the task `id`.
    pub(super) fn crossed(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch_mut(key.batch);
        if state.awaited != Some(id) {
            return Ok(());
        }
        state.awaited = None;
        match Stage::of(key.stage).whole() {
            Stage::Cut => self.enter(key.batch, id, graph),
            _ => self.embed(key.batch, &[id], graph),
        }
    }

    /// What a state or tokens that return carry.
    pub(super) fn crossing(&self, key: TaskKey) -> Carried {
        let state = self.batch(key.batch);
        let replica = self.replica(key.batch);
        let layers = replica.layers as u64 + 1;
        let layer = u64::from(key.layer).min(layers - 1);
        let bits = match Stage::of(key.stage).whole() {
            Stage::Cut => {
                let states = (state.active_tokens() + state.owed) as u64;
                states * replica.payload.bits(replica.hidden) + state.draft_bits()
            }
            _ => TOKEN_BITS * self.returning(key.batch),
        };
        Carried {
            bits,
            index: state.lead().draw(layers, layer),
        }
    }
}
