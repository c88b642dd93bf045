//! Memory: what must be resident on a device at once.

use super::error::DeviceError;
use super::profile::DeviceProfile;
use crate::units::Bytes;
use std::fmt;

/// What a device must hold at the same time, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Its shard of the weights.
    pub weights: u64,
    /// Keys and values of every request that is served at once.
    pub kv_cache: u64,
    /// Inputs and outputs of the largest step.
    pub activations: u64,
}

impl Footprint {
    /// The sum of the parts.
    pub fn total(self) -> u64 {
        self.weights
            .saturating_add(self.kv_cache)
            .saturating_add(self.activations)
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [weights, cache, activations] =
            [self.weights, self.kv_cache, self.activations].map(readable);
        write!(
            f,
            "weights {weights}, KV cache {cache}, activations {activations}"
        )
    }
}

/// Bytes to three digits, for messages.
fn readable(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.3} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.3} MB", bytes as f64 / 1e6),
        _ => format!("{:.3} GB", bytes as f64 / 1e9),
    }
}

impl DeviceProfile {
    /// Checks that `footprint` fits the memory of the device called `name`.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`], which says what it needs, for what, and what it has.
    pub fn check_memory(&self, name: &str, footprint: Footprint) -> Result<(), DeviceError> {
        let needs = footprint.total() as f64;
        if needs <= self.memory.0 {
            return Ok(());
        }
        Err(DeviceError::OutOfMemory {
            device: name.to_owned(),
            needs: Bytes(needs),
            footprint,
            has: self.memory,
        })
    }
}
