//! Emits a pass as tasks: computes, transmissions and barriers with their times, costs
//! and predecessors, and enters them in the accounts.

use super::Run;
use super::decide::Decision;
use super::delivery::Delivery;
use super::stage::Stage;
use crate::architecture::ArchitectureError;
use crate::architecture::account::sum;
use crate::architecture::task::compute;
use crate::device::{Computation, Group};
use crate::engine::{Cost, Graph, Kind, Task, TaskId, TaskKey};
use crate::model::Work;
use crate::placement::ServerCompute;
use crate::units::{Duration, Instant};

impl Run<'_> {
    fn key(&self, layer: Option<usize>, stage: Stage, device: Option<usize>) -> TaskKey {
        self.service.key(layer, stage.code(), device)
    }

    /// Attention, norms and gate of the layer, at the base station.
    pub(super) fn emit_attention(
        &mut self,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let running = self.service.running();
        let (layer, tokens, context) = (self.state.pass.layer, running.tokens(), running.context);
        let work = self.whole.attention(0, tokens, context) + self.shape.router_work(tokens);
        let id = self.emit_server(Some(layer), Stage::Attend, work, after.as_slice(), graph)?;
        Ok(graph.notify(id)?)
    }

    /// The LM head and the choice of a token, at the base station.
    pub(super) fn emit_head(
        &mut self,
        gather: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let rows = self.service.running().pass.targets.len().max(1);
        let work = self.whole.lm_head(0, rows);
        let id = self.emit_server(None, Stage::Sample, work, &[gather], graph)?;
        Ok(graph.notify(id)?)
    }

    /// A block's tokens on their way, and the barrier at which they meet.
    pub(super) fn emit_block(
        &mut self,
        decision: &Decision,
        attended: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let layer = self.state.pass.layer;
        let counts = decision.selection.counts();
        let mut arrivals = Vec::new();
        let mut spans = vec![None; self.service.devices.len()];
        for (device, delivery) in decision.deliveries.iter().enumerate() {
            let Some(delivery) = delivery else { continue };
            let work = self.work_of(layer, Some(device), &counts);
            let last = self.emit_delivery(layer, device, delivery, work, attended, graph)?;
            spans[device] = Some(delivery.span());
            arrivals.extend(last);
        }
        let at_server = self.work_of(layer, None, &counts);
        let mut server_span = None;
        if at_server != Work::default() {
            let before = self.service.accounts.server.compute;
            let id = self.emit_server(Some(layer), Stage::Expert, at_server, &[attended], graph)?;
            server_span = Some(self.service.accounts.server.compute - before);
            arrivals.push(id);
        }
        let key = self.key(Some(layer), Stage::Gather, None);
        let gather = graph.barrier(key, &arrivals)?;
        for lane in &self.lanes.compute {
            graph.hold(*lane, gather)?;
        }
        graph.notify(gather)?;
        self.record_block(decision, &spans, server_span, now);
        Ok(())
    }

    /// One device's queue: down, compute, up; as a whole or token by token.
    fn emit_delivery(
        &mut self,
        layer: usize,
        device: usize,
        delivery: &Delivery,
        work: Work,
        attended: TaskId,
        graph: &mut Graph,
    ) -> Result<Option<TaskId>, ArchitectureError> {
        let joules = self.service.devices[device].profile.joules(&work);
        let bits = delivery.tokens * self.cell.bits as u64;
        let (down, up) = (
            delivery.all(delivery.downlink),
            delivery.all(delivery.uplink),
        );
        let radiated = up.as_seconds() * self.cell.device_power;
        let received = down.as_seconds() * self.cell.server_power;
        let account = &mut self.service.accounts.devices[device];
        account.downlink += down;
        account.uplink += up;
        account.compute += delivery.all(delivery.compute);
        account.compute_j = sum(account.compute_j, joules);
        account.radio_j = sum(account.radio_j, Some(radiated));
        account.flops += work.flops;
        account.uplink_bits += bits;
        let server = &mut self.service.accounts.server;
        server.radio_j = sum(server.radio_j, Some(received));
        self.state.occupied[device] += delivery.span();
        let seconds = delivery.span().as_seconds() / delivery.tokens as f64;
        self.state.history.enter(device, seconds);

        let pieces = delivery.pieces();
        let share = |whole: u64, piece: u32| {
            let (whole, pieces) = (u128::from(whole), u128::from(pieces));
            // Whole numbers that add up: the remainder goes to the first pieces.
            let piece = u128::from(piece);
            (whole / pieces + u128::from(piece < whole % pieces)) as u64
        };
        let stages = [
            (
                Stage::Downlink,
                Kind::Downlink,
                self.lanes.downlink[device],
                delivery.downlink,
            ),
            (
                Stage::Expert,
                Kind::Compute,
                self.lanes.compute[device],
                delivery.compute,
            ),
            (
                Stage::Uplink,
                Kind::Uplink,
                self.lanes.uplink[device],
                delivery.uplink,
            ),
        ];
        let mut last = None;
        for piece in 0..pieces {
            let mut before = attended;
            for (stage, kind, resource, duration) in stages {
                let cost = match kind {
                    Kind::Compute => Cost {
                        flops: share(work.flops, piece),
                        bytes: share(work.bytes, piece),
                        bits: 0,
                        joules: joules.unwrap_or(0.0) / f64::from(pieces),
                    },
                    _ => Cost {
                        bits: share(bits, piece),
                        joules: match kind {
                            Kind::Downlink => received,
                            _ => radiated,
                        } / f64::from(pieces),
                        ..Cost::default()
                    },
                };
                let key = match kind {
                    Kind::Compute => self.key(Some(layer), stage, Some(device)),
                    _ => self
                        .service
                        .key_to_server(Some(layer), stage.code(), device),
                };
                let key = TaskKey {
                    sequence: piece,
                    ..key
                };
                let task = Task {
                    key,
                    kind,
                    resource: Some(resource),
                    duration,
                    cost,
                };
                before = graph.add(task, &[before])?;
            }
            last = Some(before);
        }
        Ok(last)
    }

    /// Work of the base station, in no time unless the scenario times it.
    fn emit_server(
        &mut self,
        layer: Option<usize>,
        stage: Stage,
        work: Work,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ArchitectureError> {
        let key = self.key(layer, stage, Some(self.service.server_number()));
        let computation = match self.fields.server_compute {
            ServerCompute::Negligible => Computation {
                duration: Duration::ZERO,
                joules: Some(0.0),
            },
            ServerCompute::Timed => {
                let group = Group {
                    devices: 1,
                    weights: work.weights,
                };
                self.service.server.profile.compute(&work, group)?
            }
        };
        let account = &mut self.service.accounts.server;
        account.compute += computation.duration;
        account.compute_j = sum(account.compute_j, computation.joules);
        account.flops += work.flops;
        let task = compute(key, self.lanes.server, work, computation);
        Ok(graph.add(task, after)?)
    }
}
