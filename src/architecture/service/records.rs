//! What is written down of passes, requests and devices, and charged to whom.

use super::Service;
use crate::architecture::account::{Account, idle_j, sum};
use crate::architecture::measurement::{NodeRecord, TimeSplit};
use crate::architecture::{ArchitectureError, Node};
use crate::units::{Duration, Instant};

impl Service {
    /// Compute, uplink and downlink of the pass being run, as means over the devices.
    pub(in crate::architecture) fn mean_split(&self) -> TimeSplit {
        let devices = &self.accounts.devices;
        let mean = |part: fn(&Account) -> Duration| {
            let total: Duration = devices.iter().map(part).sum();
            total.as_seconds() / devices.len() as f64
        };
        TimeSplit {
            compute_s: mean(|a| a.compute),
            uplink_s: mean(|a| a.uplink),
            downlink_s: mean(|a| a.downlink),
            wait_s: 0.0,
        }
    }

    /// Writes down the request being served, which is answered at `now`.
    pub(super) fn answer(&mut self, now: Instant) -> Result<(), ArchitectureError> {
        let serving = self.serving.as_ref().expect("a request is being answered");
        let span = now.since(serving.start);
        let spent = |account: &Account, node: &Node| {
            sum(
                sum(account.compute_j, account.radio_j),
                idle_j(span, node.idle_watts()),
            )
        };
        let devices = self.request.devices.iter().zip(&self.devices);
        let energy_j = devices
            .map(|(account, node)| spent(account, node))
            .fold(spent(&self.request.server, &self.server), sum);
        let record = serving.outcome.record(
            serving.number as u32,
            &self.requests[serving.number].task,
            [serving.arrival, serving.start, now],
            energy_j,
            self.words.as_ref().map(|words| &words.tokenizer),
        )?;
        self.measured.requests.push(record);
        self.served += span;
        self.total.absorb(&mut self.request);
        Ok(())
    }

    /// What a run that lasted `span` says of a device, or with `None` of the server,
    /// without what it holds. `occupied` is how long it computed or used the radio.
    pub(in crate::architecture) fn device_record(
        &self,
        device: Option<usize>,
        span: Duration,
        occupied: impl FnOnce(&Account) -> Duration,
    ) -> NodeRecord {
        let (node, account) = match device {
            Some(device) => (&self.devices[device], &self.total.devices[device]),
            None => (&self.server, &self.total.server),
        };
        NodeRecord {
            node: device.unwrap_or(self.server_number()) as u32,
            profile: node.name.clone(),
            share: None,
            heads: 0,
            ffn_columns: 0,
            weight_bytes: 0,
            kv_cache_bytes: 0,
            kv_token_bytes: 0,
            activation_bytes: 0,
            memory_bytes: node.profile.memory.0 as u64,
            flops: account.flops,
            uplink_bits: account.uplink_bits,
            compute: account.compute,
            uplink: account.uplink,
            downlink: account.downlink,
            wait: self.served - occupied(account),
            no_request: span - self.served,
            compute_j: account.compute_j,
            radio_j: account.radio_j,
            idle_j: idle_j(span, node.idle_watts()),
        }
    }
}
