//! What is written down: blocks with who held their barrier, passes, requests, devices.

use super::Run;
use super::decide::Decision;
use crate::architecture::ArchitectureError;
use crate::architecture::account::{Account, sum};
use crate::architecture::measurement::{
    BlockRecord, DeviceRecord, ExpertRecord, TimeSplit, VisitRecord,
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
        let serving = self.state.serving();
        let (request, step) = (serving.number as u32, serving.step);
        let layer = self.state.running().layer;
        let busy = || spans.iter().flatten().chain(&server_span);
        let longest = busy().copied().max().unwrap_or_default();
        let holder = spans.iter().position(|span| *span == Some(longest));
        for (device, delivery) in decision.deliveries.iter().enumerate() {
            let Some(delivery) = delivery else { continue };
            self.state.measured.visits.push(VisitRecord {
                request,
                step,
                layer: layer as u32,
                device: device as u32,
                tokens: delivery.tokens,
                bandwidth_hz: decision.bandwidth[device],
                downlink: delivery.all(delivery.downlink),
                compute: delivery.all(delivery.compute),
                uplink: delivery.all(delivery.uplink),
                start: now,
                end: now + delivery.span(),
                wait: longest - delivery.span(),
                holds_barrier: holder == Some(device),
                bottleneck: delivery.bottleneck(),
            });
        }
        let counts = decision.selection.counts().into_iter();
        let wishes = decision.wanted.iter().zip(&decision.lost);
        for (expert, (visits, (wanted, lost))) in counts.zip(wishes).enumerate() {
            let device = self.placement[layer][expert].map(|device| device as u32);
            self.state.measured.experts.push(ExpertRecord {
                request,
                step,
                layer: layer as u32,
                expert: expert as u32,
                device,
                wanted: *wanted,
                visits,
                lost: *lost,
            });
        }
        self.state.measured.blocks.push(BlockRecord {
            request,
            step,
            layer: layer as u32,
            half: "experts",
            start: now,
            gathered: now + longest,
            reduced: now + longest,
            slowest_device: holder.map(|device| device as u32),
            waiting: spans.iter().flatten().map(|span| longest - *span).sum(),
            distortion: None,
            rounding_s: None,
        });
    }

    /// Moves the pass's accounts to its request, and says where its time went.
    pub(super) fn close_pass(&mut self, length: Duration) -> TimeSplit {
        let accounts = &mut self.state.pass_accounts;
        let devices = accounts.devices.len() as f64;
        let mean = |part: fn(&Account) -> Duration| {
            let total: Duration = accounts.devices.iter().map(part).sum();
            total.as_seconds() / devices
        };
        let split = TimeSplit {
            compute_s: mean(|a| a.compute),
            uplink_s: mean(|a| a.uplink),
            downlink_s: mean(|a| a.downlink),
            wait_s: self
                .state
                .occupied
                .iter()
                .map(|occupied| (length - *occupied).as_seconds())
                .sum::<f64>()
                / devices,
        };
        let run = self.state.occupied_in_run.iter_mut();
        for (total, occupied) in run.zip(&mut self.state.occupied) {
            *total += std::mem::take(occupied);
        }
        self.state.request.absorb(&mut self.state.pass_accounts);
        split
    }

    fn idle_watts(&self, device: usize) -> Option<f64> {
        self.devices[device].profile.idle_power.map(|power| power.0)
    }

    fn server_idle_watts(&self) -> Option<f64> {
        self.server.profile.idle_power.map(|power| power.0)
    }

    pub(super) fn record_request(&mut self, now: Instant) -> Result<(), ArchitectureError> {
        let serving = self
            .state
            .serving
            .as_ref()
            .expect("a request is being answered");
        let span = now.since(serving.start);
        let spent = |account: &Account, idle: Option<f64>| {
            sum(
                sum(account.compute_j, account.radio_j),
                account.idle_j(span, idle),
            )
        };
        let accounts = &self.state.request;
        let devices = accounts.devices.iter().enumerate();
        let energy_j = devices
            .map(|(device, account)| spent(account, self.idle_watts(device)))
            .fold(spent(&accounts.server, self.server_idle_watts()), sum);
        let record = serving.outcome.record(
            serving.number as u32,
            &self.requests[serving.number].task,
            [serving.arrival, serving.start, now],
            energy_j,
            self.words.as_ref().map(|words| &words.tokenizer),
        )?;
        self.state.measured.requests.push(record);
        self.state.total.absorb(&mut self.state.request);
        Ok(())
    }

    pub(super) fn record_devices(&mut self, makespan: Instant) {
        let span = makespan.since(Instant::ZERO);
        let total = &self.state.total;
        let mut records: Vec<DeviceRecord> = (0..self.devices.len())
            .map(|device| {
                let footprint = self.footprints[device];
                let node = &self.devices[device];
                DeviceRecord {
                    weight_bytes: footprint.weights,
                    activation_bytes: footprint.activations,
                    wait: span - self.state.occupied_in_run[device],
                    ..record(
                        Some(device as u32),
                        node,
                        &total.devices[device],
                        span,
                        self.idle_watts(device),
                    )
                }
            })
            .collect();
        let server = record(
            None,
            &self.server,
            &total.server,
            span,
            self.server_idle_watts(),
        );
        let held: u64 = records.iter().map(|record| record.weight_bytes).sum();
        let parameters = self.shape.parameters() as f64;
        let all = (parameters * self.shape.weight_bits / 8.0).ceil() as u64;
        let contexts = self.requests.iter().map(|r| r.task.longest_context());
        let context = contexts.max().unwrap_or(0) as usize;
        records.push(DeviceRecord {
            weight_bytes: all.saturating_sub(held),
            kv_cache_bytes: self.whole.kv_cache_bytes(0, context),
            wait: span - total.server.compute,
            ..server
        });
        self.state.measured.devices = records;
    }
}

fn record(
    device: Option<u32>,
    node: &crate::architecture::Node,
    account: &Account,
    span: Duration,
    idle_watts: Option<f64>,
) -> DeviceRecord {
    DeviceRecord {
        device,
        profile: node.name.clone(),
        share: None,
        heads: 0,
        ffn_columns: 0,
        weight_bytes: 0,
        kv_cache_bytes: 0,
        activation_bytes: 0,
        memory_bytes: node.profile.memory.0 as u64,
        flops: account.flops,
        uplink_bits: account.uplink_bits,
        compute: account.compute,
        uplink: account.uplink,
        downlink: account.downlink,
        wait: Duration::ZERO,
        compute_j: account.compute_j,
        radio_j: account.radio_j,
        idle_j: account.idle_j(span, idle_watts),
    }
}
