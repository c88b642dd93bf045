//! Emits a pass as tasks: computes, transmissions and barriers with their times,
//! costs and predecessors, and enters them in the accounts.

use super::TensorParallel;
use super::stage::{Half, HalfStages, Stage};
use crate::architecture::ArchitectureError;
use crate::architecture::account::sum;
use crate::architecture::measurement::{BudgetUse, Distortion};
use crate::architecture::task::{compute, transmit};
use crate::device::{Computation, Group};
use crate::engine::{Graph, Kind, TaskId, TaskKey};
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
    /// The error to be expected, where the air was used.
    pub(super) expected: Option<Distortion>,
    /// How much of its energy the device used that used most, where that is known.
    pub(super) budget: Option<BudgetUse>,
}

impl TensorParallel<'_> {
    fn key(&self, layer: Option<usize>, stage: Stage, device: Option<usize>) -> TaskKey {
        self.service.key(layer, stage.code(), device)
    }

    /// The server looks the tokens up and broadcasts their embeddings. Returns what
    /// each device's first compute waits for.
    pub(super) fn emit_embedding(
        &mut self,
        after: Option<TaskId>,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ArchitectureError> {
        let tokens = self.service.running().tokens();
        let shape = self.plan.shape();
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
            .round(self.rounds, sent)?
            .plan(tokens * self.plan.shape().hidden)?;
        let Some(downlink) = plan.downlink else {
            self.progress.half_start = sent;
            return Ok(vec![id; self.service.devices.len()]);
        };
        self.progress.half_start = sent + downlink.duration;
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
        let running = self.service.running();
        let (layer, tokens, context) = (self.progress.layer, running.tokens(), running.context);
        let shape = self.plan.shape();
        let weights = match half {
            Half::Attention => shape.attention_parameters(),
            Half::Mlp => shape.mlp_parameters(),
        };
        let stages = half.stages();
        let mut arrivals = Vec::with_capacity(inputs.len());
        let mut computations = Vec::with_capacity(inputs.len());
        for (device, input) in inputs.iter().enumerate() {
            let plan = &self.plan;
            let work = match half {
                Half::Attention => plan.attention(device, tokens, context),
                Half::Mlp => plan.mlp(device, tokens),
            };
            let key = self.key(Some(layer), stages.compute, Some(device));
            let (id, computation) = self.emit_compute(key, work, weights, *input, graph)?;
            arrivals.push(id);
            computations.push(computation);
        }
        self.progress.compute = computations;
        let key = self.key(Some(layer), stages.gather, None);
        self.meet(key, &arrivals, graph)
    }

    /// The sharded LM head, and the server's choice of a token.
    pub(super) fn emit_head(
        &mut self,
        inputs: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let running = self.service.running();
        let rows = match running.pass.targets.len() {
            0 => 1,
            targets => targets,
        };
        let weights = self.plan.shape().embedding_parameters();
        let mut arrivals = Vec::with_capacity(inputs.len());
        for (device, input) in inputs.iter().enumerate() {
            let work = self.plan.lm_head(device, rows);
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
        let logits = (rows * self.plan.shape().vocabulary) as u64;
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
        let (layer, tokens) = (self.progress.layer, self.service.running().tokens());
        let entries = tokens * self.plan.shape().hidden;
        let used = self.air.is_used();
        let round = self.air.round(self.rounds, now)?;
        let plan = round.plan(entries)?;
        let expected = round.expected(entries);
        self.rounds += 1;
        let HalfStages {
            uplink,
            reduced,
            send,
            receive,
            ..
        } = half.stages();
        if !used {
            return Ok(Reduced {
                inputs: vec![gather; self.service.devices.len()],
                at: now,
                delivered_at: now,
                rounding_s: None,
                expected: None,
                budget: None,
            });
        }
        let expected = Some(Distortion {
            felt: None,
            analytic_mse: expected.map(|expected| expected.error),
            quantiser_mse: None,
            entries: expected.map_or(0, |expected| expected.symbols),
        });
        let rounding_s = plan.uplink.rounding_s;
        let budget = self.budget_use(&plan.uplink.transmissions, tokens);
        let mut arrivals = Vec::with_capacity(self.service.devices.len());
        let mut longest = Duration::ZERO;
        for (device, transmission) in plan.uplink.transmissions.iter().enumerate() {
            let key = self
                .service
                .key_to_server(Some(layer), uplink.code(), device);
            let lane = self.lanes.uplink[device];
            let account = &mut self.service.accounts.devices[device];
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
                inputs: vec![summed; self.service.devices.len()],
                at,
                delivered_at: at,
                rounding_s,
                expected,
                budget,
            });
        };
        let inputs = self.emit_broadcast(Some(layer), [send, receive], downlink, summed, graph)?;
        Ok(Reduced {
            inputs,
            at,
            delivered_at: at + downlink.duration,
            rounding_s,
            expected,
            budget,
        })
    }

    /// The largest fraction of its P_n that a device draws for each of `tokens` vectors, in
    /// the half that it has just computed and in sending.
    fn budget_use(&self, sent: &[Transmission], tokens: usize) -> Option<BudgetUse> {
        let spent = self.progress.compute.iter().zip(sent);
        let mut most: Option<BudgetUse> = None;
        for (device, ((computed, sent), budget)) in spent.zip(self.budgets.as_ref()?).enumerate() {
            let ratio = (computed.joules? + sent.joules?) / tokens as f64 / budget;
            if most.is_none_or(|most| ratio > most.ratio) {
                most = Some(BudgetUse {
                    node: device as u32,
                    ratio,
                });
            }
        }
        most
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
        let key = self.key(layer, send, Some(self.service.server_number()));
        let server = &mut self.service.accounts.server;
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
        (0..self.service.devices.len())
            .map(|device| {
                let key = self.service.key_to_server(layer, receive.code(), device);
                self.service.accounts.devices[device].downlink += downlink.duration;
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
    ) -> Result<(TaskId, Computation), ArchitectureError> {
        let device = usize::from(key.node);
        let group = Group {
            devices: self.service.devices.len(),
            weights: block_weights,
        };
        let computation = self.service.devices[device].profile.compute(&work, group)?;
        let account = &mut self.service.accounts.devices[device];
        account.compute += computation.duration;
        account.compute_j = sum(account.compute_j, computation.joules);
        account.flops += work.flops;
        let task = compute(key, self.lanes.compute[device], work, computation);
        Ok((graph.add(task, &[input])?, computation))
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
        let computation = self.service.server.profile.compute(&work, group)?;
        let account = &mut self.service.accounts.server;
        account.compute += computation.duration;
        account.compute_j = sum(account.compute_j, computation.joules);
        account.flops += work.flops;
        let key = self.key(layer, stage, Some(self.service.server_number()));
        let task = compute(key, self.lanes.server_compute, work, computation);
        Ok((graph.add(task, after)?, computation.duration))
    }
}
