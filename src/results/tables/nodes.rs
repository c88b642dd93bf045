//! `nodes.csv`, written and read back.

use super::{TableError, not_negative, not_negative_if_any, read_rows, written};
use crate::measurement::{NodeRecord, Totals};
use crate::results::folder::{FileDigest, FolderError, Staging};
use crate::units::Duration;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A row per node.
pub const NODES: &str = "nodes.csv";

#[derive(Serialize, Deserialize)]
struct NodeRow {
    node: String,
    profile: String,
    #[serde(deserialize_with = "not_negative_if_any")]
    share: Option<f64>,
    heads: u64,
    ffn_columns: u64,
    weight_bytes: u64,
    kv_cache_bytes: u64,
    kv_token_bytes: u64,
    activation_bytes: u64,
    memory_bytes: u64,
    flops: u64,
    uplink_bits: u64,
    #[serde(deserialize_with = "not_negative")]
    compute_s: f64,
    #[serde(deserialize_with = "not_negative")]
    uplink_s: f64,
    #[serde(deserialize_with = "not_negative")]
    downlink_s: f64,
    #[serde(deserialize_with = "not_negative")]
    wait_s: f64,
    #[serde(deserialize_with = "not_negative")]
    no_request_s: f64,
    #[serde(deserialize_with = "not_negative_if_any")]
    energy_compute_j: Option<f64>,
    #[serde(deserialize_with = "not_negative_if_any")]
    energy_radio_j: Option<f64>,
    #[serde(deserialize_with = "not_negative_if_any")]
    energy_idle_j: Option<f64>,
}

/// Writes `nodes.csv`.
pub(super) fn write(staging: &Staging, totals: &Totals) -> Result<FileDigest, FolderError> {
    let rows = totals.per_node.iter().map(|node| NodeRow {
        node: totals.nodes[node.node as usize].clone(),
        profile: node.profile.clone(),
        share: node.share,
        heads: node.heads,
        ffn_columns: node.ffn_columns,
        weight_bytes: node.weight_bytes,
        kv_cache_bytes: node.kv_cache_bytes,
        kv_token_bytes: node.kv_token_bytes,
        activation_bytes: node.activation_bytes,
        memory_bytes: node.memory_bytes,
        flops: node.flops,
        uplink_bits: node.uplink_bits,
        compute_s: node.compute.as_seconds(),
        uplink_s: node.uplink.as_seconds(),
        downlink_s: node.downlink.as_seconds(),
        wait_s: node.wait.as_seconds(),
        no_request_s: node.no_request.as_seconds(),
        energy_compute_j: node.compute_j,
        energy_radio_j: node.radio_j,
        energy_idle_j: node.idle_j,
    });
    written(staging, NODES, rows)
}

/// What `nodes.csv` in `folder` says: the names of the nodes, and the rest. Lengths of time are exact up to 2.5 hours, beyond
/// to a few picoseconds.
///
/// # Errors
/// If it is missing or damaged.
pub fn read_nodes(folder: &Path) -> Result<(Vec<String>, Vec<NodeRecord>), TableError> {
    // A cell is a whole number of picoseconds over 10¹², and reads back as that.
    let length = |seconds: f64| Duration((seconds * 1e12).round() as u64);
    let mut names = Vec::new();
    let mut records = Vec::new();
    for row in read_rows::<NodeRow>(folder, NODES)? {
        let row = row?;
        records.push(NodeRecord {
            node: names.len() as u32,
            profile: row.profile,
            share: row.share,
            heads: row.heads,
            ffn_columns: row.ffn_columns,
            weight_bytes: row.weight_bytes,
            kv_cache_bytes: row.kv_cache_bytes,
            kv_token_bytes: row.kv_token_bytes,
            activation_bytes: row.activation_bytes,
            memory_bytes: row.memory_bytes,
            flops: row.flops,
            uplink_bits: row.uplink_bits,
            compute: length(row.compute_s),
            uplink: length(row.uplink_s),
            downlink: length(row.downlink_s),
            wait: length(row.wait_s),
            no_request: length(row.no_request_s),
            compute_j: row.energy_compute_j,
            radio_j: row.energy_radio_j,
            idle_j: row.energy_idle_j,
        });
        names.push(row.node);
    }
    Ok((names, records))
}
