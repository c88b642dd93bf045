//! A tensor stage as tasks: what each member computes, and the barriers at which they meet.

use super::Execution;
use super::error::ExecutionError;
use super::stage::{Stage, Sublayer};
use crate::device::{Computation, Group};
use crate::engine::{Cost, Graph, Kind, Task, TaskId, TaskKey};
use crate::model::Work;
use crate::topology::NodeId;

impl Execution<'_> {
    /// The state is at the hub after `arrived`: sends it to the members and begins with the
    /// first layer of the stage.
    pub(super) fn enter_tensor(
        &mut self,
        batch: u32,
        arrived: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch_mut(batch);
        state.planned = None;
        let (layer, stages) = match state.stage {
            0 => (None, [Stage::EmbedSend, Stage::EmbedReceive]),
            _ => (Some(state.layer), [Stage::CutSend, Stage::CutReceive]),
        };
        let group = self.tensor(batch);
        if group.exchange().is_some() {
            let inputs = self.emit_share(batch, layer, arrived, graph)?;
            return self.emit_sublayer(batch, Sublayer::Attention, &inputs, graph);
        }
        let members = group.members.len();
        let inputs = match group.link.filter(|_| group.air.answers()) {
            Some(link) => self.emit_multicast(batch, layer, stages, link, arrived, graph)?,
            None => vec![arrived; members],
        };
        self.emit_sublayer(batch, Sublayer::Attention, &inputs, graph)
    }

    /// Every member's part of a sublayer, and the barrier at which they meet.
    pub(super) fn emit_sublayer(
        &mut self,
        batch: u32,
        sublayer: Sublayer,
        inputs: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        self.batch_mut(batch).sublayer = sublayer;
        let stages = sublayer.stages();
        let state = self.batch(batch);
        let (layer, tokens) = (state.layer, state.active_tokens());
        let network = &self.replica(batch).network;
        let lag = network.lagging(batch, state.stage, layer);
        let group = self.tensor(batch);
        let shape = group.plan.shape();
        let weights = match sublayer {
            Sublayer::Attention => shape.attention_parameters(),
            Sublayer::Mlp => shape.mlp_parameters(),
        };
        let together = Group {
            devices: group.members.len(),
            weights,
        };
        let works: Vec<(NodeId, Work)> = group
            .members
            .iter()
            .enumerate()
            .map(|(place, member)| match sublayer {
                Sublayer::Attention => {
                    let skipped = group.plan.skipped(place, lag);
                    let attention = group.plan.attention_of(place, state.contexts());
                    (*member, attention + skipped)
                }
                Sublayer::Mlp => (*member, group.plan.mlp(place, tokens)),
            })
            .collect();
        let mut arrivals = Vec::with_capacity(works.len());
        for ((member, work), input) in works.iter().zip(inputs) {
            let key = self
                .batch(batch)
                .key(Some(layer), stages.compute, Some(*member));
            arrivals.push(self.emit_compute(key, *work, together, &[*input], graph)?);
        }
        let key = self.batch(batch).key(Some(layer), stages.gather, None);
        let gather =
            self.emit_gather(key, works.iter().map(|(node, _)| *node), &arrivals, graph)?;
        Ok(graph.notify(gather)?)
    }

    /// The members of a sublayer have met at `gather`.
    pub(super) fn gathered(
        &mut self,
        batch: u32,
        gather: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let (sublayer, layer) = (state.sublayer, state.layer);
        let replica = self.replica(batch);
        let last_layer = replica.stages[state.stage].layers.end == layer + 1;
        let leaves = sublayer == Sublayer::Mlp && last_layer;
        let is_last_stage = state.stage + 1 == replica.stages.len();
        let answers = !leaves || is_last_stage;
        let (inputs, summed) = self.emit_all_reduce(batch, gather, answers, graph)?;
        if sublayer == Sublayer::Mlp
            && let Some(rank) = self.exit_after(batch, layer + 1)
        {
            return self.ask_exit(batch, (layer + 1, rank), summed, inputs, graph);
        }
        match (sublayer, leaves) {
            (Sublayer::Attention, _) => self.emit_sublayer(batch, Sublayer::Mlp, &inputs, graph),
            (Sublayer::Mlp, false) => {
                self.batch_mut(batch).layer += 1;
                self.emit_sublayer(batch, Sublayer::Attention, &inputs, graph)
            }
            (Sublayer::Mlp, true) if is_last_stage => self.emit_head(batch, &inputs, graph),
            // The sum is the hub's; without the air it is there already.
            (Sublayer::Mlp, true) if summed == gather => self.leave(batch, gather, graph),
            (Sublayer::Mlp, true) => Ok(graph.notify(summed)?),
        }
    }

    /// The sharded LM head, and the hub's choice of a token.
    pub(super) fn emit_head(
        &mut self,
        batch: u32,
        inputs: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let rows = self.batch(batch).logit_rows();
        if rows == 0 {
            return self.end_without_logits(batch, inputs, graph);
        }
        let group = self.tensor(batch);
        let (hub, vocabulary) = (group.hub, group.plan.shape().vocabulary);
        let together = Group {
            devices: group.members.len(),
            weights: group.plan.shape().embedding_parameters(),
        };
        let works: Vec<(NodeId, Work)> = group
            .members
            .iter()
            .enumerate()
            .map(|(place, member)| (*member, group.plan.lm_head(place, rows)))
            .collect();
        let mut arrivals = Vec::with_capacity(works.len());
        for ((member, work), input) in works.iter().zip(inputs) {
            let key = self.batch(batch).key(None, Stage::LmHead, Some(*member));
            arrivals.push(self.emit_compute(key, *work, together, &[*input], graph)?);
        }
        let key = self.batch(batch).key(None, Stage::LmHeadGather, None);
        let gather =
            self.emit_gather(key, works.iter().map(|(node, _)| *node), &arrivals, graph)?;
        self.emit_sample(batch, hub, rows, vocabulary, gather, graph)
    }

    /// A token is chosen on `node`: one pass over the logits, as f32, for the maximum, the
    /// exponentials and their sum.
    pub(super) fn emit_sample(
        &mut self,
        batch: u32,
        node: NodeId,
        rows: usize,
        vocabulary: usize,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let logits = (rows * vocabulary) as u64;
        let work = Work {
            flops: 4 * logits,
            bytes: 4 * logits,
            ..Work::default()
        };
        let key = self.batch(batch).key(None, Stage::Sample, Some(node));
        let profile = self.topology.nodes[node.index()].profile;
        let computation = profile.choose_at(&work, rows, 1.0)?;
        let sample = self.emit_timed(key, work, computation, &[after], graph)?;
        let alone = Group {
            devices: 1,
            weights: 0,
        };
        self.if_hot(sample, node, (work, alone, rows), graph)?;
        Ok(graph.notify(sample)?)
    }

    /// A barrier at which `nodes` meet, whose compute waits for it meanwhile.
    pub(super) fn emit_gather(
        &self,
        key: TaskKey,
        nodes: impl Iterator<Item = NodeId>,
        arrivals: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let gather = graph.barrier(key, arrivals)?;
        for node in nodes {
            graph.hold(self.resources.compute(node), gather)?;
        }
        Ok(gather)
    }

    /// `work` on the node of `key`, which shares weights with nobody.
    pub(super) fn emit_alone(
        &mut self,
        key: TaskKey,
        work: Work,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let alone = Group {
            devices: 1,
            weights: work.weights,
        };
        self.emit_compute(key, work, alone, after, graph)
    }

    /// `work` on the node of `key`, one of `together`.
    pub(super) fn emit_compute(
        &mut self,
        key: TaskKey,
        work: Work,
        together: Group,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let node = NodeId(key.node);
        let profile = &self.topology.nodes[node.index()].profile;
        let computation = profile.compute(&work, together)?;
        let id = self.emit_timed(key, work, computation, after, graph)?;
        self.if_hot(id, node, (work, together, 0), graph)?;
        Ok(id)
    }

    /// `work` on the node of `key`, which takes and costs what `computation` says.
    pub(super) fn emit_timed(
        &mut self,
        key: TaskKey,
        work: Work,
        computation: Computation,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let node = NodeId(key.node);
        let task = Task {
            key,
            kind: Kind::Compute,
            resource: Some(self.resources.compute(node)),
            duration: computation.duration,
            cost: Cost {
                flops: work.flops,
                bytes: work.bytes,
                bits: 0,
                joules: self.joules(node, computation.joules),
            },
        };
        Ok(graph.add(task, after)?)
    }
}
