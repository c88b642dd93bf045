//! A whole stage as tasks: layer after layer on one node; and where passes begin and end there.

use super::error::ExecutionError;
use super::stage::{Stage, Sublayer};
use super::{Execution, StageKind};
use crate::engine::{Graph, TaskId};
use crate::model::Work;

impl Execution<'_> {
    /// The root looks the tokens of `batch` up, after `after`, and enters the first stage.
    pub(super) fn embed(
        &mut self,
        batch: u32,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let root = self.stage(batch).root();
        let shape = match &self.stage(batch).kind {
            // Whatever the base station does is part of its first layer's task.
            StageKind::Experts(_) => return self.enter_experts(batch, after, graph),
            StageKind::Whole { plan, .. } => plan.shape(),
            StageKind::Tensor(group) => group.plan.shape(),
        };
        let entries = self.entries(batch) as f64;
        let work = Work {
            flops: 0,
            bytes: (entries * (shape.weight_bits + shape.activation_bits) / 8.0).ceil() as u64,
            weights: entries as u64,
            weight_bytes: (entries * shape.weight_bits / 8.0).ceil() as u64,
            cache_bytes: 0,
        };
        let key = self.batch(batch).key(None, Stage::Embed, Some(root));
        let embedded = self.emit_alone(key, work, after, graph)?;
        self.enter(batch, embedded, graph)
    }

    /// The state of `batch` is at the root of its stage after `arrived`.
    pub(super) fn enter(
        &mut self,
        batch: u32,
        arrived: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let stage = self.stage(batch);
        let layers = stage.layers.clone();
        if layers.is_empty() {
            return self.leave(batch, arrived, graph);
        }
        let experts = matches!(stage.kind, StageKind::Experts(_));
        let whole = matches!(stage.kind, StageKind::Whole { .. });
        let state = self.batch_mut(batch);
        state.layer = layers.start;
        state.sublayer = Sublayer::Attention;
        match (whole, experts) {
            (true, _) => self.emit_layers(batch, arrived, graph),
            (_, true) => self.enter_experts(batch, &[arrived], graph),
            _ => self.enter_tensor(batch, arrived, graph),
        }
    }

    /// All layers of the stage, or those up to the next exit, one task for each sublayer: after those of the batch that came to
    /// the node before, so that one is on its way to the next stage while the other is computed.
    pub(super) fn emit_layers(
        &mut self,
        batch: u32,
        arrived: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let (state, stage) = (self.batch(batch), self.stage(batch));
        let StageKind::Whole { node, plan } = &stage.kind else {
            unreachable!("layers are whole in whole stages alone")
        };
        let (node, layers) = (*node, self.segment(batch, state.layer));
        let attention = plan.attention_of(0, state.contexts());
        let network = &self.replica(batch).network;
        let skipped: Vec<Work> = layers
            .clone()
            .map(|layer| plan.skipped(0, network.lagging(batch, state.stage, layer)))
            .collect();
        let mlp = plan.mlp(0, state.active_tokens());
        let mut before = vec![arrived];
        if let Some(earlier) = self.visits[node.index()]
            && !graph.is_finished(earlier)?
        {
            before.push(earlier);
        }
        let mut last = arrived;
        for (layer, skipped) in layers.clone().zip(skipped) {
            for (stage, work) in [(Stage::Attention, attention + skipped), (Stage::Mlp, mlp)] {
                let key = self.batch(batch).key(Some(layer), stage, Some(node));
                last = self.emit_alone(key, work, &before, graph)?;
                before.clear();
                before.push(last);
                if stage == Stage::Attention {
                    self.stream_cache(batch, layer, node, last, graph)?;
                }
            }
        }
        self.visits[node.index()] = Some(last);
        let state = self.batch_mut(batch);
        state.layer = layers.end - 1;
        state.segment = layers;
        Ok(graph.notify(last)?)
    }

    /// The node has computed its layers.
    pub(super) fn computed(
        &mut self,
        batch: u32,
        last: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let (stage, layers, done) = (state.stage, state.segment.clone(), state.segment.end);
        let replica = self.batch(batch).replica;
        let network = &mut self.replicas[replica].network;
        network.layers(batch, stage, layers)?;
        self.meter.met(batch);
        if let Some(rank) = self.exit_after(batch, done) {
            return self.ask_exit(batch, (done, rank), last, Vec::new(), graph);
        }
        self.leave(batch, last, graph)
    }

    /// The state of `batch` leaves its stage after `last`: for the next one, or for the LM head.
    pub(super) fn leave(
        &mut self,
        batch: u32,
        last: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        if state.stage + 1 < self.replica(batch).stages.len() {
            return self.cross(batch, last, graph);
        }
        let rows = state.logit_rows();
        if rows == 0 {
            return self.end_without_logits(batch, &[last], graph);
        }
        match &self.stage(batch).kind {
            StageKind::Experts(_) => self.emit_experts_head(batch, last, graph),
            StageKind::Tensor(group) => {
                let inputs = vec![last; group.members.len()];
                self.emit_head(batch, &inputs, graph)
            }
            StageKind::Whole { node, plan } => {
                let (node, vocabulary) = (*node, plan.shape().vocabulary);
                let work = plan.lm_head(0, rows);
                let key = self.batch(batch).key(None, Stage::LmHead, Some(node));
                let head = self.emit_alone(key, work, &[last], graph)?;
                self.emit_sample(batch, node, rows, vocabulary, head, graph)
            }
        }
    }

    /// A batch of which no logits are wanted, pieces of prompts alone, is over after `last`.
    pub(super) fn end_without_logits(
        &mut self,
        batch: u32,
        last: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let root = self.stage(batch).root();
        let key = self.batch(batch).key(None, Stage::Sample, Some(root));
        let end = graph.barrier(key, last)?;
        Ok(graph.notify(end)?)
    }
}
