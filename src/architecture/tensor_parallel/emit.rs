//! Emits a pass as tasks: computes, transmissions and barriers with their times,
//! costs and predecessors, and enters them in the accounts.

use super::TensorParallel;
use super::stage::{Half, HalfStages, Stage};
use crate::architecture::ArchitectureError;
use crate::architecture::account::sum;
use crate::device::{Computation, Group};
use crate::engine::{Cost, Graph, Kind, ResourceId, Task, TaskId, TaskKey};
use crate::model::Work;
use crate::radio::Transmission;
use crate::units::{Duration, Instant};

/// An all-reduce that has been emitted.
pub(super) struct Reduced {
    /// What each device's next compute waits for, in device order.
    pub(super) inputs: Vec<TaskId>,
    /// When the sum is known at the server.
    pub(super) at: Instant,
    /// When every device has it.
    pub(super) delivered_at: Instant,
    /// What whole sub-channels add to the uplink, in seconds.
    pub(super) rounding_s: Option<f64>,
}

impl TensorParallel<'_> {
    fn key(&mut self, layer: Option<usize>, stage: Stage, device: Option<usize>) -> TaskKey {
        let serving = self.state.serving();
        TaskKey {
            request: serving.number as u32,
            step: serving.step,
            layer: layer.map_or(TaskKey::NO_LAYER, |layer| layer as u16),
            stage: stage.code(),
            device: device.map_or(TaskKey::NO_DEVICE, |device| device as u16),
            sequence: 0,
        }
    }

    /// A delay until the request arrives.
    pub(super) fn emit_arrival(
        &mut self,
        delay: Duration,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let task = Task {
            key: self.key(None, Stage::Arrival, None),
            kind: Kind::Overhead,
            resource: None,
            duration: delay,
            cost: Cost::default(),
        };
        let id = graph.add(task, after.as_slice())?;
        Ok(graph.notify(id)?)
    }

    /// The server looks the tokens up and broadcasts their embeddings. Returns what
    /// each device's first compute waits for.
    pub(super) fn emit_embedding(
        &mut self,
        after: Option<TaskId>,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ArchitectureError> {
        let tokens = self.state.running().pass.tokens.len();
        let shape = self.model.shape();
        let entries = (tokens * shape.hidden) as f64;
        let work = Work {
            flops: 0,
            bytes: (entries * (shape.weight_bits + shape.activation_bits) / 8.0).ceil() as u64,
            weights: entries as u64,
        };
        let (id, duration) = self.emit_server(None, Stage::Embed, work, after.as_slice(), graph)?;
        let sent = now + duration;
        let plan = self
            .air
            .round(self.state.rounds, sent)?
            .plan(tokens * self.model.shape().hidden)?;
        let Some(downlink) = plan.downlink else {
            self.state.running().half_start = sent;
            return Ok(vec![id; self.devices.len()]);
        };
        self.state.running().half_start = sent + downlink.duration;
        self.emit_broadcast(
            None,
            [Stage::EmbedSend, Stage::EmbedReceive],
            downlink,
            id,
            graph,
        )
    }

    /// Every device's part of a half, and the barrier at which they meet.
    pub(super) fn emit_half(
        &mut self,
        half: Half,
        inputs: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let running = self.state.running();
        let (layer, tokens, context) = (running.layer, running.pass.tokens.len(), running.context);
        let shape = self.model.shape();
        let weights = match half {
            Half::Attention => shape.attention_parameters(),
            Half::Mlp => shape.mlp_parameters(),
        };
        let stages = half.stages();
        let mut arrivals = Vec::with_capacity(inputs.len());
        let mut durations = Vec::with_capacity(inputs.len());
        for (device, input) in inputs.iter().enumerate() {
            let plan = self.model.plan();
            let work = match half {
                Half::Attention => plan.attention(device, tokens, context),
                Half::Mlp => plan.mlp(device, tokens),
            };
            let key = self.key(Some(layer), stages.compute, Some(device));
            let (id, duration) = self.emit_compute(key, work, weights, *input, graph)?;
            arrivals.push(id);
            durations.push(duration);
        }
        self.state.running().compute = durations;
        let key = self.key(Some(layer), stages.gather, None);
        self.meet(key, &arrivals, graph)
    }

    /// The sharded LM head, and the server's choice of a token.
    pub(super) fn emit_head(
        &mut self,
        inputs: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let running = self.state.running();
        let rows = match running.pass.targets.len() {
            0 => 1,
            targets => targets,
        };
        let weights = self.model.shape().embedding_parameters();
        let mut arrivals = Vec::with_capacity(inputs.len());
        for (device, input) in inputs.iter().enumerate() {
            let work = self.model.plan().lm_head(device, rows);
            let key = self.key(None, Stage::LmHead, Some(device));
            let (id, _) = self.emit_compute(key, work, weights, *input, graph)?;
            arrivals.push(id);
        }
        let key = self.key(None, Stage::LmHeadGather, None);
        let gather = graph.barrier(key, &arrivals)?;
        for lane in &self.lanes.compute {
            graph.hold(*lane, gather)?;
        }
        // One pass over the logits, as f32: maximum, exponentials and their sum.
        let logits = (rows * self.model.shape().vocabulary) as u64;
        let work = Work {
            flops: 4 * logits,
            bytes: 4 * logits,
            weights: 0,
        };
        let (sample, _) = self.emit_server(None, Stage::Sample, work, &[gather], graph)?;
        Ok(graph.notify(sample)?)
    }

    fn meet(
        &mut self,
        key: TaskKey,
        arrivals: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let gather = graph.barrier(key, arrivals)?;
        for lane in &self.lanes.compute {
            graph.hold(*lane, gather)?;
        }
        Ok(graph.notify(gather)?)
    }

    /// One all-reduce on the air, and the way back.
    pub(super) fn emit_round(
        &mut self,
        half: Half,
        gather: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<Reduced, ArchitectureError> {
        let running = self.state.running();
        let (layer, tokens) = (running.layer, running.pass.tokens.len());
        let entries = tokens * self.model.shape().hidden;
        let plan = self.air.round(self.state.rounds, now)?.plan(entries)?;
        let used = self.air.is_used();
        self.state.rounds += 1;
        let HalfStages {
            uplink,
            reduced,
            send,
            receive,
            ..
        } = half.stages();
        if !used {
            return Ok(Reduced {
                inputs: vec![gather; self.devices.len()],
                at: now,
                delivered_at: now,
                rounding_s: None,
            });
        }
        let rounding_s = plan.uplink.rounding_s;
        let mut arrivals = Vec::with_capacity(self.devices.len());
        let mut longest = Duration::ZERO;
        for (device, transmission) in plan.uplink.transmissions.iter().enumerate() {
            let key = self.key(Some(layer), uplink, Some(device));
            let lane = self.lanes.uplink[device];
            let account = &mut self.state.pass_accounts.devices[device];
            account.uplink += transmission.duration;
            account.uplink_bits += transmission.bits;
            account.radio_j = sum(account.radio_j, transmission.joules);
            let task = transmit(key, Kind::Uplink, lane, *transmission);
            arrivals.push(graph.add(task, &[gather])?);
            longest = longest.max(transmission.duration);
        }
        let key = self.key(Some(layer), reduced, None);
        let summed = graph.barrier(key, &arrivals)?;
        let at = now + longest;
        let Some(downlink) = plan.downlink else {
            return Ok(Reduced {
                inputs: vec![summed; self.devices.len()],
                at,
                delivered_at: at,
                rounding_s,
            });
        };
        let inputs = self.emit_broadcast(Some(layer), [send, receive], downlink, summed, graph)?;
        Ok(Reduced {
            inputs,
            at,
            delivered_at: at + downlink.duration,
            rounding_s,
        })
    }

    /// The server's multicast and its reception by every device. The energy is the
    /// server's, and each device receives every bit.
    fn emit_broadcast(
        &mut self,
        layer: Option<usize>,
        [send, receive]: [Stage; 2],
        downlink: Transmission,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ArchitectureError> {
        let key = self.key(layer, send, None);
        let server = &mut self.state.pass_accounts.server;
        server.downlink += downlink.duration;
        server.radio_j = sum(server.radio_j, downlink.joules);
        graph.add(
            transmit(key, Kind::Downlink, self.lanes.server_send, downlink),
            &[after],
        )?;
        let reception = Transmission {
            joules: None,
            ..downlink
        };
        (0..self.devices.len())
            .map(|device| {
                let key = self.key(layer, receive, Some(device));
                self.state.pass_accounts.devices[device].downlink += downlink.duration;
                let lane = self.lanes.downlink[device];
                Ok(graph.add(transmit(key, Kind::Downlink, lane, reception), &[after])?)
            })
            .collect()
    }

    fn emit_compute(
        &mut self,
        key: TaskKey,
        work: Work,
        block_weights: u64,
        input: TaskId,
        graph: &mut Graph,
    ) -> Result<(TaskId, Duration), ArchitectureError> {
        let device = usize::from(key.device);
        let group = Group {
            devices: self.devices.len(),
            weights: block_weights,
        };
        let computation = self.devices[device].profile.compute(&work, group)?;
        let account = &mut self.state.pass_accounts.devices[device];
        account.compute += computation.duration;
        account.compute_j = sum(account.compute_j, computation.joules);
        account.flops += work.flops;
        let task = compute(key, self.lanes.compute[device], work, computation);
        Ok((graph.add(task, &[input])?, computation.duration))
    }

    fn emit_server(
        &mut self,
        layer: Option<usize>,
        stage: Stage,
        work: Work,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(TaskId, Duration), ArchitectureError> {
        let group = Group {
            devices: 1,
            weights: work.weights,
        };
        let computation = self.server.profile.compute(&work, group)?;
        let account = &mut self.state.pass_accounts.server;
        account.compute += computation.duration;
        account.compute_j = sum(account.compute_j, computation.joules);
        account.flops += work.flops;
        let key = self.key(layer, stage, None);
        let task = compute(key, self.lanes.server_compute, work, computation);
        Ok((graph.add(task, after)?, computation.duration))
    }
}

fn compute(key: TaskKey, lane: ResourceId, work: Work, computation: Computation) -> Task {
    Task {
        key,
        kind: Kind::Compute,
        resource: Some(lane),
        duration: computation.duration,
        cost: Cost {
            flops: work.flops,
            bytes: work.bytes,
            bits: 0,
            joules: computation.joules.unwrap_or(0.0),
        },
    }
}

fn transmit(key: TaskKey, kind: Kind, lane: ResourceId, transmission: Transmission) -> Task {
    Task {
        key,
        kind,
        resource: Some(lane),
        duration: transmission.duration,
        cost: Cost {
            flops: 0,
            bytes: 0,
            bits: transmission.bits,
            joules: transmission.joules.unwrap_or(0.0),
        },
    }
}
