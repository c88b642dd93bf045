//! `devices.csv`, written and read back.

use super::{SERVER, TableError, TableFile, not_negative, not_negative_if_any, write_rows};
use crate::architecture::measurement::DeviceRecord;
use crate::results::folder::{FolderError, Staging};
use crate::units::Duration;
use serde::{Deserialize, Serialize};
use std::path::Path;

const DEVICES: &str = "devices.csv";

#[derive(Serialize, Deserialize)]
struct DeviceRow {
    device: String,
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

/// Writes `devices.csv`.
pub(super) fn write(staging: &mut Staging, devices: &[DeviceRecord]) -> Result<(), FolderError> {
    let rows = devices.iter().map(|device| DeviceRow {
        device: device
            .device
            .map_or(SERVER.to_owned(), |number| number.to_string()),
        profile: device.profile.clone(),
        share: device.share,
        heads: device.heads,
        ffn_columns: device.ffn_columns,
        weight_bytes: device.weight_bytes,
        kv_cache_bytes: device.kv_cache_bytes,
        kv_token_bytes: device.kv_token_bytes,
        activation_bytes: device.activation_bytes,
        memory_bytes: device.memory_bytes,
        flops: device.flops,
        uplink_bits: device.uplink_bits,
        compute_s: device.compute.as_seconds(),
        uplink_s: device.uplink.as_seconds(),
        downlink_s: device.downlink.as_seconds(),
        wait_s: device.wait.as_seconds(),
        no_request_s: device.no_request.as_seconds(),
        energy_compute_j: device.compute_j,
        energy_radio_j: device.radio_j,
        energy_idle_j: device.idle_j,
    });
    write_rows(staging, DEVICES, rows)
}

/// What `devices.csv` in `folder` says. Lengths of time are exact up to 2.5 hours, beyond
/// to a few picoseconds.
///
/// # Errors
/// If it is missing or damaged.
pub fn read_devices(folder: &Path) -> Result<Vec<DeviceRecord>, TableError> {
    // A cell is a whole number of picoseconds over 10¹², and reads back as that.
    let length = |seconds: f64| Duration((seconds * 1e12).round() as u64);
    let path = folder.join(DEVICES);
    let rows = TableFile::open(&path)?.rows::<DeviceRow>();
    rows.map(|row| {
        let (line, row) = row?;
        let number = match row.device.as_str() {
            SERVER => None,
            number => Some(number.parse().map_err(|_| TableError {
                path: path.clone(),
                line: Some(line),
                fault: format!("device: `{number}` is no device and not the {SERVER}"),
            })?),
        };
        Ok(DeviceRecord {
            device: number,
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
        })
    })
    .collect()
}
