//! What is written down: blocks with who held their barrier, passes, requests, devices.

use super::Run;
use super::decide::Decision;
use crate::architecture::measurement::{
    BlockRecord, ExpertRecord, NodeRecord, TimeSplit, VisitRecord, is_together,
};
use crate::units::{Duration, Instant};

impl Run<'_> {
    /// Enters a block that began at `now`: `spans` is how long each device is busy with
    /// it, `server_span` the base station.
    pub(super) fn record_block(
        &mut self,
        decision: &Decision,
        spans: &[Option<Duration>],
        server_span: Option<Duration>,
        now: Instant,
    ) {
        let (request, step) = self.service.place();
        let layer = self.state.pass.layer;
        let busy = || spans.iter().flatten().chain(&server_span);
        let longest = busy().copied().max().unwrap_or_default();
        let holder = spans.iter().position(|span| *span == Some(longest));
        for (device, delivery) in decision.deliveries.iter().enumerate() {
            let Some(delivery) = delivery else { continue };
            self.service.measured.visits.push(VisitRecord {
                request,
                step,
                layer: layer as u32,
                node: device as u32,
                tokens: delivery.tokens,
                bandwidth_hz: decision.bandwidth[device],
                downlink: delivery.all(delivery.downlink),
                compute: delivery.all(delivery.compute),
                uplink: delivery.all(delivery.uplink),
                start: now,
                end: now + delivery.span(),
                wait: longest - delivery.span(),
                holds_barrier: is_together(longest - delivery.span(), longest),
                bottleneck: delivery.bottleneck(),
            });
        }
        let counts = decision.selection.counts().into_iter();
        let wishes = decision.wanted.iter().zip(&decision.lost);
        for (expert, (visits, (wanted, lost))) in counts.zip(wishes).enumerate() {
            let holder = self.placement[layer][expert];
            let node = holder.unwrap_or(self.service.server_number()) as u32;
            self.service.measured.experts.push(ExpertRecord {
                request,
                step,
                layer: layer as u32,
                expert: expert as u32,
                node,
                wanted: *wanted,
                visits,
                lost: *lost,
            });
        }
        let texts = self.service.texts();
        self.state.pairs.enter(texts, layer, &decision.selection);
        self.service.measured.blocks.push(BlockRecord {
            request,
            step,
            layer: layer as u32,
            half: "experts",
            start: now,
            gathered: now + longest,
            reduced: now + longest,
            slowest_node: Some(holder.unwrap_or(self.service.server_number()) as u32),
            waiting: spans.iter().flatten().map(|span| longest - *span).sum(),
            distortion: None,
            rounding_s: None,
            budget: None,
        });
    }

    /// Where the time of the pass went that ends at `now`.
    pub(super) fn close_pass(&mut self, now: Instant) -> TimeSplit {
        let length = now.since(self.service.running().start);
        let occupied = self.state.occupied.iter();
        let waited: f64 = occupied.map(|own| (length - *own).as_seconds()).sum();
        let split = TimeSplit {
            wait_s: waited / self.service.devices.len() as f64,
            ..self.service.mean_split()
        };
        let run = self.state.occupied_in_run.iter_mut();
        for (total, occupied) in run.zip(&mut self.state.occupied) {
            *total += std::mem::take(occupied);
        }
        split
    }

    pub(super) fn record_devices(&mut self, makespan: Instant) {
        let span = makespan.since(Instant::ZERO);
        let held = self.footprints.iter().zip(&self.state.occupied_in_run);
        let mut records: Vec<NodeRecord> = held
            .enumerate()
            .map(|(device, (footprint, occupied))| NodeRecord {
                weight_bytes: footprint.weights,
                activation_bytes: footprint.activations,
                ..self
                    .service
                    .device_record(Some(device), span, |_| *occupied)
            })
            .collect();
        let held: u64 = records.iter().map(|record| record.weight_bytes).sum();
        let parameters = self.shape.parameters() as f64;
        let all = (parameters * self.shape.weight_bits / 8.0).ceil() as u64;
        let context = self.service.longest_context();
        let server = self
            .service
            .device_record(None, span, |account| account.compute);
        records.push(NodeRecord {
            weight_bytes: all.saturating_sub(held),
            kv_cache_bytes: self.whole.kv_cache_bytes(0, context),
            kv_token_bytes: self.whole.kv_cache_bytes(0, 1),
            ..server
        });
        self.service.measured.per_node = records;
    }
}
