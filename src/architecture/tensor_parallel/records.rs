//! Closes the accounts: where a pass's time went, what a request and a device cost.

use super::TensorParallel;
use crate::architecture::ArchitectureError;
use crate::architecture::account::{Account, sum};
use crate::architecture::measurement::{DeviceRecord, TimeSplit};
use crate::units::{Duration, Instant};

impl TensorParallel<'_> {
    /// Moves the pass's accounts to its request, and says where its time went.
    pub(super) fn close_pass(&mut self, length: Duration) -> TimeSplit {
        let accounts = &mut self.state.pass_accounts;
        let mean = |part: fn(&Account) -> Duration| {
            let total: Duration = accounts.devices.iter().map(part).sum();
            total.as_seconds() / accounts.devices.len() as f64
        };
        let (compute_s, uplink_s, downlink_s) = (
            mean(|a| a.compute),
            mean(|a| a.uplink),
            mean(|a| a.downlink),
        );
        self.state.request.absorb(accounts);
        TimeSplit {
            compute_s,
            uplink_s,
            downlink_s,
            wait_s: length.as_seconds() - compute_s - uplink_s - downlink_s,
        }
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
        let task = &self.requests[serving.number].task;
        let record = serving.outcome.record(
            serving.number as u32,
            task,
            [serving.arrival, serving.start, now],
            energy_j,
            Some(&self.tokenizer),
        )?;
        self.state.measured.requests.push(record);
        self.state.total.absorb(&mut self.state.request);
        Ok(())
    }

    pub(super) fn record_devices(&mut self, makespan: Instant) {
        let span = makespan.since(Instant::ZERO);
        let total = &self.state.total;
        let wait = |account: &Account| span - account.compute - account.uplink - account.downlink;
        let realised = self.model.plan().realised();
        let shards = self.model.plan().shards();
        let mut records: Vec<DeviceRecord> = (0..self.devices.len())
            .map(|device| {
                let account = &total.devices[device];
                let footprint = self.state.footprints[device];
                DeviceRecord {
                    device: Some(device as u32),
                    profile: self.devices[device].name.clone(),
                    share: Some(realised[device].asked),
                    heads: shards[device].heads.len() as u64,
                    ffn_columns: shards[device].columns.len() as u64,
                    weight_bytes: footprint.weights,
                    kv_cache_bytes: footprint.kv_cache,
                    activation_bytes: footprint.activations,
                    memory_bytes: self.devices[device].profile.memory.0 as u64,
                    flops: account.flops,
                    uplink_bits: account.uplink_bits,
                    compute: account.compute,
                    uplink: account.uplink,
                    downlink: account.downlink,
                    wait: wait(account),
                    compute_j: account.compute_j,
                    radio_j: account.radio_j,
                    idle_j: account.idle_j(span, self.idle_watts(device)),
                }
            })
            .collect();
        let account = &total.server;
        records.push(DeviceRecord {
            device: None,
            profile: self.server.name.clone(),
            share: None,
            heads: 0,
            ffn_columns: 0,
            weight_bytes: self.model.shape().embedding_bytes(),
            kv_cache_bytes: 0,
            activation_bytes: 0,
            memory_bytes: self.server.profile.memory.0 as u64,
            flops: account.flops,
            uplink_bits: account.uplink_bits,
            compute: account.compute,
            uplink: account.uplink,
            downlink: account.downlink,
            wait: wait(account),
            compute_j: account.compute_j,
            radio_j: account.radio_j,
            idle_j: account.idle_j(span, self.server_idle_watts()),
        });
        self.state.measured.devices = records;
    }
}
