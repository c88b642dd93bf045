//! A layer of an experts stage as tasks: attention and gate, tokens out, experts, tokens back.

use super::decide::Decision;
use super::delivery::Delivery;
use super::group::ExpertGroup;
use crate::device::Computation;
use crate::engine::{Cost, Graph, Kind, Occupancy, Task, TaskId, TaskKey};
use crate::execution::batch::Batch;
use crate::execution::error::ExecutionError;
use crate::execution::network::{Journey, Mix, Network};
use crate::execution::stage::Stage;
use crate::execution::{Execution, StageKind};
use crate::model::Work;
use crate::observer::{Observer, Travelling};
use crate::placement::ServerCompute;
use crate::topology::NodeId;
use crate::units::{Duration, Instant};

impl Execution<'_> {
    /// The expert group of the stage that `batch` is in.
    pub(in crate::execution) fn experts(&self, batch: u32) -> &ExpertGroup {
        match &self.stage(batch).kind {
            StageKind::Experts(group) => group,
            _ => unreachable!("tokens are dispatched in expert stages alone"),
        }
    }

    pub(super) fn expert_parts(
        &mut self,
        batch: u32,
    ) -> (
        &mut Batch,
        &mut ExpertGroup,
        &mut dyn Network,
        &mut dyn Observer,
    ) {
        let state = self.batches.get_mut(&batch);
        let state = state.expect("a task belongs to a batch in flight");
        let replica = &mut self.replicas[state.replica];
        match &mut replica.stages[state.stage].kind {
            StageKind::Experts(group) => (state, group, replica.network.as_mut(), self.observer),
            _ => unreachable!("tokens are dispatched in expert stages alone"),
        }
    }

    /// What numbers the draws of `layer` for `batch`.
    fn layer_draw(&self, batch: u32, layer: usize) -> u64 {
        let state = self.batch(batch);
        let layers = self.replica(batch).layers as u64;
        state.lead().draw(layers, layer as u64)
    }

    /// The state is at the hub after `after`: begins with the first layer of the stage.
    pub(in crate::execution) fn enter_experts(
        &mut self,
        batch: u32,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let layers = self.stage(batch).layers.clone();
        let bandwidth = self.experts(batch).divide_for_pass(
            layers.clone(),
            &|layer| self.layer_draw(batch, layer),
            &|layer| self.replica(batch).network.foresee(batch, layer),
            graph.now(),
        )?;
        let state = self.batch_mut(batch);
        state.layer = layers.start;
        state.dispatch.bandwidth = bandwidth;
        self.emit_gate(batch, after, graph)
    }

    /// Attention, norms and gate of the layer, at the hub.
    fn emit_gate(
        &mut self,
        batch: u32,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let (layer, tokens) = (state.layer, state.tokens);
        let group = self.experts(batch);
        let work = group.whole.attention_of(0, state.contexts()) + group.shape.router_work(tokens);
        let key = state.key(Some(layer), Stage::Gate, Some(group.hub));
        let id = self.emit_at_hub(batch, key, work, after, graph)?;
        Ok(graph.notify(id)?)
    }

    /// The LM head and the choice of a token, at the hub.
    pub(in crate::execution) fn emit_experts_head(
        &mut self,
        batch: u32,
        last: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let group = self.experts(batch);
        let work = group.whole.lm_head(0, state.logit_rows());
        let key = state.key(None, Stage::Sample, Some(group.hub));
        let id = self.emit_at_hub(batch, key, work, &[last], graph)?;
        Ok(graph.notify(id)?)
    }

    /// Work of the hub, in no time unless the scenario times it.
    fn emit_at_hub(
        &mut self,
        batch: u32,
        key: TaskKey,
        work: Work,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        match self.experts(batch).fields.server_compute {
            ServerCompute::Timed => self.emit_alone(key, work, after, graph),
            ServerCompute::Negligible => {
                let nothing = Computation {
                    duration: Duration::ZERO,
                    joules: Some(0.0),
                };
                self.emit_timed(key, work, nothing, after, graph)
            }
        }
    }

    /// The gate has spoken: decides the layer and sends its tokens to their experts.
    pub(in crate::execution) fn dispatch(
        &mut self,
        batch: u32,
        attended: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let layer = self.batch(batch).layer;
        let index = self.layer_draw(batch, layer);
        let (state, group, network, _) = self.expert_parts(batch);
        let weights = network.gate(batch, layer)?;
        let links = group.cell.links(index, graph.now())?;
        let divided = state.dispatch.bandwidth.as_deref();
        let decision = group.decide(layer, &weights, &links, divided)?;
        for delivery in &decision.deliveries {
            let tokens = delivery.map_or(0, |delivery| delivery.tokens);
            state.dispatch.loads.push(tokens as f64);
        }
        self.emit_layer(batch, &decision, attended, graph)?;
        self.batch_mut(batch).dispatch.decision = Some(decision);
        Ok(())
    }

    /// A layer's tokens on their way, and the barrier at which they meet.
    fn emit_layer(
        &mut self,
        batch: u32,
        decision: &Decision,
        attended: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let layer = self.batch(batch).layer;
        let counts = decision.selection.counts();
        let (link, hub) = (self.experts(batch).link, self.experts(batch).hub);
        let before = self.turns[link.index()].after(&[attended], graph)?;
        let mut arrivals = Vec::new();
        for (place, delivery) in decision.deliveries.iter().enumerate() {
            let Some(delivery) = delivery else { continue };
            let work = self.experts(batch).work_of(layer, Some(place), &counts);
            let last = self.emit_delivery(batch, place, delivery, work, &before, graph)?;
            arrivals.extend(last);
        }
        if !arrivals.is_empty() {
            self.turns[link.index()].occupy(arrivals.clone());
        }
        let at_hub = self.experts(batch).work_of(layer, None, &counts);
        if at_hub != Work::default() {
            let key = self.batch(batch).key(Some(layer), Stage::Expert, Some(hub));
            arrivals.push(self.emit_at_hub(batch, key, at_hub, &[attended], graph)?);
        }
        if arrivals.is_empty() {
            arrivals.push(attended);
        }
        let key = self
            .batch(batch)
            .key(Some(layer), Stage::ExpertGather, None);
        let members = self.experts(batch).members.clone();
        let gather = self.emit_gather(key, members.into_iter(), &arrivals, graph)?;
        Ok(graph.notify(gather)?)
    }

    /// One member's queue: down, compute, up; as a whole or token by token.
    fn emit_delivery(
        &mut self,
        batch: u32,
        place: usize,
        delivery: &Delivery,
        work: Work,
        before: &[TaskId],
        graph: &mut Graph,
    ) -> Result<Option<TaskId>, ExecutionError> {
        let group = self.experts(batch);
        let (member, hub, link) = (group.members[place], group.hub, group.link);
        let pieces = delivery.pieces();
        let seconds = f64::from(pieces) * delivery.compute.as_seconds();
        let joules = group.profiles[place].joules_during(&work, seconds);
        let joules = self.joules(member, joules);
        let state = self.batch(batch);
        let layer = Some(state.layer);
        let mut last = None;
        for piece in 0..pieces {
            let sent = |stage| TaskKey {
                sequence: piece,
                ..state.sent(layer, stage, member, hub)
            };
            let on_air = |stage, kind, resource| Task {
                key: sent(stage),
                kind,
                resource: Some(resource),
                duration: Duration::ZERO,
                cost: Cost::default(),
            };
            let lane = self.resources.downlink(link, member);
            let down = on_air(Stage::TokenDownlink, Kind::Downlink, lane);
            let down = graph.add(down, before)?;
            graph.defer(down)?;
            let compute = Task {
                key: TaskKey {
                    sequence: piece,
                    ..state.key(layer, Stage::Expert, Some(member))
                },
                kind: Kind::Compute,
                resource: Some(self.resources.compute(member)),
                duration: delivery.compute,
                cost: Cost {
                    flops: delivery.share(work.flops, piece),
                    bytes: delivery.share(work.bytes, piece),
                    bits: 0,
                    joules: joules / f64::from(pieces),
                },
            };
            let compute = graph.add(compute, &[down])?;
            let lane = self.resources.uplink(link, member);
            let up = graph.add(on_air(Stage::TokenUplink, Kind::Uplink, lane), &[compute])?;
            graph.defer(up)?;
            last = Some(up);
        }
        Ok(last)
    }

    /// What tokens take on the air that start `now`.
    pub(in crate::execution) fn token_on_air(
        &mut self,
        key: TaskKey,
        now: Instant,
    ) -> Result<Occupancy, ExecutionError> {
        let batch = key.batch;
        let state = self.batch(batch);
        let group = self.experts(batch);
        let place = group.place(NodeId(key.node));
        let decision = state.dispatch.decision.as_ref();
        let decision = decision.expect("tokens are under way once it is decided where to");
        let delivery = decision.deliveries[place].expect("a member is sent what was decided");
        let links = group.cell.links(self.layer_draw(batch, state.layer), now)?;
        let (link, bandwidth) = (&links[place], decision.bandwidth[place]);
        let (seconds, power) = match Stage::of(key.stage) {
            Stage::TokenDownlink => (link.downlink_time(bandwidth), group.cell.server_power),
            _ => (link.uplink_time(bandwidth), group.cell.device_power),
        };
        let duration = delivery.on_air(place, seconds)?;
        let bits = delivery.tokens * group.cell.bits as u64;
        Ok(Occupancy {
            duration,
            cost: Cost {
                bits: delivery.share(bits, key.sequence),
                joules: duration.as_seconds() * power,
                ..Cost::default()
            },
        })
    }

    /// All tokens are back: adds them up and goes on to the next layer.
    pub(in crate::execution) fn mix(
        &mut self,
        batch: u32,
        gather: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let (state, group, network, observer) = self.expert_parts(batch);
        let layer = state.layer;
        let decision = state.dispatch.decision.take();
        let decision = decision.expect("tokens return once they were sent");
        let journeys = network.mix(
            batch,
            &Mix {
                layer,
                selection: &decision.selection,
                weights: &decision.weights,
                holders: &group.holders[layer],
            },
        )?;
        let lead = state.lead();
        let pass = (lead.request, lead.step);
        note_journeys(&journeys, pass, layer, group, observer)?;
        if layer + 1 < self.stage(batch).layers.end {
            self.batch_mut(batch).layer += 1;
            self.emit_gate(batch, &[gather], graph)
        } else {
            self.leave(batch, gather, graph)
        }
    }

    /// A pass is over: its loads are what the next one may expect.
    pub(in crate::execution) fn end_dispatch(&mut self, batch: &Batch) {
        let replica = &mut self.replicas[batch.replica];
        if let Some(StageKind::Experts(group)) = replica
            .stages
            .iter_mut()
            .map(|stage| &mut stage.kind)
            .find(|holders| matches!(holders, StageKind::Experts(_)))
        {
            group.last_loads.clone_from(&batch.dispatch.loads);
        }
    }
}

/// Tells the observer what arrived at experts and from them.
fn note_journeys(
    journeys: &[Journey],
    (request, step): (u32, u32),
    layer: usize,
    group: &ExpertGroup,
    observer: &mut dyn Observer,
) -> Result<(), ExecutionError> {
    let mut tensors = Vec::with_capacity(2 * journeys.len());
    for journey in journeys {
        for (stage, values) in [
            ("token_downlink", &journey.sent),
            ("token_uplink", &journey.returned),
        ] {
            tensors.push(Travelling {
                request,
                step,
                layer: Some(layer as u32),
                stage,
                node: journey
                    .holder
                    .map(|place| u32::from(group.members[place].0)),
                row: Some(journey.expert as u32),
                columns: group.shape.hidden,
                values,
            });
        }
    }
    let noted = observer.tensors(&tensors);
    noted.map_err(ExecutionError::Observer)
}
