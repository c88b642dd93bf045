//! What every node held and did, written down when the run is over.

use super::Execution;
use crate::measurement::NodeRecord;
use crate::topology::NodeId;
use crate::units::Instant;

impl Execution<'_> {
    /// Every node of a run that ended at `makespan`.
    pub(super) fn node_records(&self, makespan: Instant) -> Vec<NodeRecord> {
        let span = makespan.since(Instant::ZERO);
        let served = self.in_service.served();
        let nodes = self.topology.nodes.iter().zip(&self.held).enumerate();
        let records = nodes.map(|(number, (node, held))| {
            let id = NodeId(number as u16);
            let account = self.meter.account(id);
            let known = |joules: f64, unknown: &[bool]| (!unknown[number]).then_some(joules);
            NodeRecord {
                node: number as u32,
                profile: node.label.clone(),
                share: held.share,
                heads: held.heads,
                ffn_columns: held.columns,
                weight_bytes: held.footprint.weights,
                kv_cache_bytes: held.footprint.kv_cache,
                kv_token_bytes: held.cache_per_token,
                activation_bytes: held.footprint.activations,
                memory_bytes: node.profile.memory.0 as u64,
                flops: account.flops,
                uplink_bits: account.uplink_bits,
                compute: account.compute,
                uplink: account.uplink,
                downlink: account.downlink,
                wait: served - self.meter.occupied(id),
                no_request: span - served,
                compute_j: known(account.compute_j, &self.unknown_compute),
                radio_j: known(account.radio_j, &self.unknown_radio),
                idle_j: node.profile.idle().map(|power| power.0 * span.as_seconds()),
            }
        });
        records.collect()
    }
}
