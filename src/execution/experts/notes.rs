//! A layer of an experts stage written down, as the engine measured it.

use crate::engine::Record;
use crate::execution::{Execution, ExecutionError, StageKind};
use crate::measurement::{BlockRecord, ExpertRecord, PairRecord, VisitRecord, is_together};
use crate::units::Duration;

impl Execution<'_> {
    /// The tokens of a layer are back.
    pub(in crate::execution) fn note_experts(
        &mut self,
        record: &Record<'_>,
    ) -> Result<(), ExecutionError> {
        let batch = record.key.batch;
        let meeting = self.meter.met(batch);
        let (state, group, ..) = self.expert_parts(batch);
        let layer = state.layer;
        let decision = state.dispatch.decision.as_ref();
        let decision = decision.expect("tokens return once they were sent");
        let lead = state.lead();
        let (request, step) = (lead.request, lead.step);
        let gathered = record.end;
        let start = meeting.start.unwrap_or(gathered);
        let span = gathered.since(start);
        let mut visits = Vec::new();
        let mut waiting = Duration::ZERO;
        for part in &meeting.parts {
            let Some(place) = group.members.iter().position(|node| *node == part.node) else {
                continue;
            };
            let Some(delivery) = decision.deliveries[place] else {
                continue;
            };
            let wait = gathered.since(part.end);
            let busy = part.end.since(start).as_seconds();
            group.history.enter(place, busy / delivery.tokens as f64);
            waiting += wait;
            let longest = part.downlink.max(part.compute).max(part.uplink);
            visits.push(VisitRecord {
                batch,
                request,
                step,
                layer: layer as u32,
                node: u32::from(part.node.0),
                tokens: delivery.tokens,
                bandwidth_hz: decision.bandwidth[place],
                downlink: part.downlink,
                compute: part.compute,
                uplink: part.uplink,
                start,
                end: part.end,
                wait,
                holds_barrier: is_together(wait, span),
                bottleneck: if part.uplink == longest {
                    "uplink"
                } else if part.downlink == longest {
                    "downlink"
                } else {
                    "compute"
                },
            });
        }
        let counts = decision.selection.counts().into_iter();
        let wishes = decision.wanted.iter().zip(&decision.lost);
        let holders = &group.holders[layer];
        let experts: Vec<ExpertRecord> = counts
            .zip(wishes)
            .enumerate()
            .map(|(expert, (visits, (wanted, lost)))| ExpertRecord {
                batch,
                request,
                step,
                layer: layer as u32,
                expert: expert as u32,
                node: u32::from(
                    holders[expert]
                        .map_or(group.hub, |place| group.members[place])
                        .0,
                ),
                wanted: *wanted,
                visits,
                lost: *lost,
            })
            .collect();
        let texts = self.requests[request as usize].task.texts();
        let (state, group, ..) = self.expert_parts(batch);
        if let Some(decision) = &state.dispatch.decision {
            group.pairs.enter(texts, layer, &decision.selection);
        }
        let block = BlockRecord {
            batch,
            request,
            step,
            layer: layer as u32,
            sublayer: "experts",
            start,
            gathered,
            reduced: gathered,
            slowest_node: meeting.last().map(|node| u32::from(node.0)),
            waiting,
            distortion: None,
            rounding_s: None,
            budget: None,
        };
        let observer = &mut *self.observer;
        let visits = visits.iter().try_for_each(|visit| observer.visit(visit));
        let experts = visits.and_then(|()| experts.iter().try_for_each(|e| observer.expert(e)));
        let told = experts.and_then(|()| observer.block(&block));
        told.map_err(ExecutionError::Observer)
    }

    /// Which experts tokens visited together.
    pub(in crate::execution) fn pair_records(&self) -> Vec<PairRecord> {
        let stages = self.replicas.iter().flat_map(|replica| &replica.stages);
        let pairs = stages.filter_map(|stage| match &stage.kind {
            StageKind::Experts(group) => Some(group.pairs.records()),
            _ => None,
        });
        pairs.flatten().collect()
    }
}
