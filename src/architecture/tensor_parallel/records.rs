//! Where a pass's time went, and what a device held and did.

use super::TensorParallel;
use crate::architecture::measurement::{NodeRecord, TimeSplit};
use crate::units::Instant;

impl TensorParallel<'_> {
    /// Where the time of the pass went that ends at `now`.
    pub(super) fn split(&self, now: Instant) -> TimeSplit {
        let length = now.since(self.service.running().start);
        let split = self.service.mean_split();
        TimeSplit {
            wait_s: length.as_seconds() - split.compute_s - split.uplink_s - split.downlink_s,
            ..split
        }
    }

    pub(super) fn record_devices(&mut self, makespan: Instant) {
        let span = makespan.since(Instant::ZERO);
        let record = |device: Option<usize>| {
            self.service.device_record(device, span, |account| {
                account.compute + account.uplink + account.downlink
            })
        };
        let held = self.footprints.iter().zip(self.plan.shards());
        let devices = held.zip(self.plan.realised()).enumerate();
        let mut records: Vec<NodeRecord> = devices
            .map(|(device, ((footprint, shard), realised))| NodeRecord {
                share: Some(realised.asked),
                heads: shard.heads.len() as u64,
                ffn_columns: shard.columns.len() as u64,
                weight_bytes: footprint.weights,
                kv_cache_bytes: footprint.kv_cache,
                kv_token_bytes: self.plan.kv_cache_bytes(device, 1),
                activation_bytes: footprint.activations,
                ..record(Some(device))
            })
            .collect();
        records.push(NodeRecord {
            weight_bytes: self.plan.shape().embedding_bytes(),
            ..record(None)
        });
        self.service.measured.per_node = records;
    }
}
