//! An all-reduce from its gather to the sum: emitted when the last member has computed, planned
//! when the band is free, with the tensors as they are and the channel as it is then.

use super::Execution;
use super::error::ExecutionError;
use super::network::Summed;
use super::stage::{Around, Stage, Sublayer};
use crate::engine::{Cost, Graph, Kind, Occupancy, Task, TaskId, TaskKey};
use crate::measurement::{AllReduceMse, Felt};
use crate::observer::{Observer, Travelling};
use crate::radio::Transmission;
use crate::topology::{LinkId, NodeId};
use crate::units::{Duration, Instant};

/// What the air does for a batch: an all-reduce, or the multicast of a state.
#[derive(Debug)]
pub(super) struct Planned {
    /// What members send, in their order; nothing in a multicast.
    pub(super) uplinks: Vec<Transmission>,
    pub(super) downlink: Option<Transmission>,
    /// What whole sub-channels add to the uplink, in seconds.
    pub(super) rounding_s: Option<f64>,
    /// What the radio did to the sum, felt or to be expected.
    pub(super) distortion: Option<AllReduceMse>,
}

/// A transmission whose time and cost are asked when it starts.
pub(super) fn on_air(key: TaskKey, kind: Kind, lane: crate::engine::ResourceId) -> Task {
    Task {
        key,
        kind,
        resource: Some(lane),
        duration: Duration::ZERO,
        cost: Cost::default(),
    }
}

/// Its time and cost.
pub(super) fn occupancy(sent: &Transmission) -> Occupancy {
    Occupancy {
        duration: sent.duration,
        cost: Cost {
            bits: sent.bits,
            joules: sent.joules.unwrap_or(0.0),
            ..Cost::default()
        },
    }
}

impl Execution<'_> {
    /// Sums a sublayer of `batch` whose members have met at `gather`. Returns what each member's
    /// next compute waits for, and when the hub has the sum.
    pub(super) fn emit_all_reduce(
        &mut self,
        batch: u32,
        gather: TaskId,
        answers: bool,
        graph: &mut Graph,
    ) -> Result<(Vec<TaskId>, TaskId), ExecutionError> {
        let now = graph.now();
        self.batch_mut(batch).planned = None;
        let group = self.tensor(batch);
        let (members, hub) = (group.members.clone(), group.hub);
        if let Some(exchange) = group.exchange() {
            let state = self.batch(batch);
            let place = (state.layer, state.sublayer);
            self.plan_all_reduce(batch, place, now)?;
            return self.emit_exchange(batch, exchange, gather, answers, graph);
        }
        let link = group.link.filter(|_| group.air.is_used());
        let answers = answers && group.air.answers();
        let Some(link) = link else {
            let state = self.batch(batch);
            let place = (state.layer, state.sublayer);
            self.plan_all_reduce(batch, place, now)?;
            return Ok((vec![gather; members.len()], gather));
        };
        let state = self.batch(batch);
        let layer = Some(state.layer);
        let Around {
            uplink,
            reduced,
            send,
            receive,
            ..
        } = state.sublayer.stages();
        let before = self.turns[link.index()].after(&[gather], graph)?;
        let before = self.emit_levels(batch, link, before, graph)?;
        let senders = self.tensor(batch).air.senders().to_vec();
        let mut arrivals = Vec::with_capacity(senders.len());
        for member in senders.into_iter().map(|sender| members[sender]) {
            let key = self.batch(batch).sent(layer, uplink, member, hub);
            let lane = self.resources.uplink(link, member);
            let id = graph.add(on_air(key, Kind::Uplink, lane), &before)?;
            graph.defer(id)?;
            arrivals.push(id);
        }
        let key = self.batch(batch).key(layer, reduced, None);
        let summed = graph.barrier(key, &arrivals)?;
        if !answers {
            self.turns[link.index()].occupy(vec![summed]);
            return Ok((vec![summed; members.len()], summed));
        }
        let inputs = self.emit_multicast(batch, layer, [send, receive], link, summed, graph)?;
        Ok((inputs, summed))
    }

    /// A state that the hub sends to all members.
    pub(super) fn emit_multicast(
        &mut self,
        batch: u32,
        layer: Option<usize>,
        [send, receive]: [Stage; 2],
        link: LinkId,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let state = self.batch(batch);
        let group = self.tensor(batch);
        let hub = group.hub;
        let lane = self.resources.downlink(link, hub);
        let task = on_air(state.key(layer, send, Some(hub)), Kind::Downlink, lane);
        let before = self.turns[link.index()].after(&[after], graph)?;
        let sending = graph.add(task, &before)?;
        graph.defer(sending)?;
        let mut inputs = Vec::with_capacity(group.members.len());
        for member in &group.members {
            let key = state.sent(layer, receive, *member, hub);
            let lane = self.resources.downlink(link, *member);
            let id = graph.add(on_air(key, Kind::Downlink, lane), &before)?;
            graph.defer(id)?;
            inputs.push(id);
        }
        let ends = inputs.iter().copied().chain([sending]).collect();
        self.turns[link.index()].occupy(ends);
        Ok(inputs)
    }

    /// What a transmission of an all-reduce or a multicast of `batch` takes that starts `now`.
    pub(super) fn on_band(
        &mut self,
        key: TaskKey,
        now: Instant,
    ) -> Result<Occupancy, ExecutionError> {
        match Stage::of(key.stage) {
            stage @ (Stage::AttentionUplink | Stage::MlpUplink) => {
                let sublayer = match stage {
                    Stage::AttentionUplink => Sublayer::Attention,
                    _ => Sublayer::Mlp,
                };
                // By now the batch may have been told of what comes after.
                let place = (usize::from(key.layer), sublayer);
                self.plan_all_reduce(key.batch, place, now)?;
                let group = self.tensor(key.batch);
                let member = group.place(NodeId(key.node));
                let planned = self.batch(key.batch).planned.as_ref();
                let sent = planned.expect("planned just above").uplinks[member];
                self.unknown_radio[usize::from(key.node)] |= sent.joules.is_none();
                Ok(occupancy(&sent))
            }
            stage => {
                if matches!(
                    stage,
                    Stage::EmbedSend | Stage::EmbedReceive | Stage::CutSend | Stage::CutReceive
                ) {
                    self.plan_multicast(key.batch, now)?;
                }
                let planned = self.batch(key.batch).planned.as_ref();
                let downlink = planned.and_then(|planned| planned.downlink);
                let downlink = downlink.expect("nothing is sent where nothing takes time");
                // The energy is the sender's, and each member receives every bit.
                let sends = key.peer == TaskKey::NO_PEER;
                self.unknown_radio[usize::from(key.node)] |= sends && downlink.joules.is_none();
                let joules = downlink.joules.filter(|_| sends);
                Ok(occupancy(&Transmission { joules, ..downlink }))
            }
        }
    }

    fn plan_multicast(&mut self, batch: u32, now: Instant) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        let index = self.draw(batch, (state.layer, state.sublayer));
        let entries = self.entries(batch);
        let (state, group, _) = self.parts(batch);
        if state.planned.is_some() {
            return Ok(());
        }
        let plan = group.air.round(index, now)?.plan(entries)?;
        state.planned = Some(Planned {
            uplinks: Vec::new(),
            downlink: plan.downlink,
            rounding_s: None,
            distortion: None,
        });
        Ok(())
    }

    /// Computes and sums the sublayer's tensors, if any are computed, and says what the air
    /// takes for it.
    fn plan_all_reduce(
        &mut self,
        batch: u32,
        (layer, sublayer): (usize, Sublayer),
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let index = self.draw(batch, (layer, sublayer));
        let entries = self.entries(batch);
        let (state, group, network, observer) = self.parts_observed(batch);
        if state.planned.is_some() {
            return Ok(());
        }
        let used = group.air.is_used();
        let exchange = group.exchange().is_some();
        let place = (state.stage, sublayer, layer);
        let round = group.air.round(index, now)?;
        let mut felt = None;
        if let Some(summed) = network.sublayer(batch, place, &round)? {
            let lead = state.lead();
            let pass = (lead.request, lead.step);
            note_tensors(&summed, pass, sublayer, layer, &group.members, observer)?;
            let outcome = summed.distortion;
            felt = Some(AllReduceMse {
                felt: Some(Felt {
                    mse: outcome.error,
                    noise_mse: outcome.noise,
                    nmse: outcome.nmse,
                }),
                analytic_mse: (!outcome.quantised).then_some(outcome.analytic),
                quantiser_mse: outcome.quantised.then_some(outcome.analytic),
                entries: outcome.symbols,
            });
        }
        if exchange {
            state.planned = Some(Planned {
                uplinks: Vec::new(),
                downlink: None,
                rounding_s: None,
                distortion: felt,
            });
        }
        if !used {
            return Ok(());
        }
        let plan = round.plan(entries)?;
        let expected = round.expected(entries);
        state.planned = Some(Planned {
            uplinks: plan.uplink.transmissions,
            downlink: plan.downlink,
            rounding_s: plan.uplink.rounding_s,
            distortion: felt.or(Some(AllReduceMse {
                felt: None,
                analytic_mse: expected.map(|expected| expected.error),
                quantiser_mse: None,
                entries: expected.map_or(0, |expected| expected.symbols),
            })),
        });
        Ok(())
    }
}

/// Tells the observer what the members sent and what came of it.
fn note_tensors(
    summed: &Summed<'_>,
    (request, step): (u32, u32),
    sublayer: Sublayer,
    layer: usize,
    members: &[NodeId],
    observer: &mut dyn Observer,
) -> Result<(), ExecutionError> {
    let Around {
        compute, reduced, ..
    } = sublayer.stages();
    let whole = Travelling {
        request,
        step,
        layer: Some(layer as u32),
        stage: reduced.name(),
        node: None,
        row: None,
        columns: summed.columns,
        values: summed.sum,
    };
    let parts = summed.parts.iter().zip(members);
    let parts = parts.map(|(values, member)| Travelling {
        stage: compute.name(),
        node: Some(u32::from(member.0)),
        values,
        ..whole
    });
    let tensors: Vec<Travelling<'_>> = parts.chain([whole]).collect();
    let noted = observer.tensors(&tensors);
    noted.map_err(ExecutionError::Observer)
}
