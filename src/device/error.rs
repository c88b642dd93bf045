//! What a device cannot do.

use super::memory::Footprint;
use crate::units::{Bytes, DurationError};

/// A task or a shard that a device cannot take.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeviceError {
    /// A shard with its cache and activations exceeds the device's memory.
    #[error(
        "{device} needs {needs} ({footprint}) but has {has}; give it a smaller share, use more devices, fewer bits per weight or a shorter context"
    )]
    OutOfMemory {
        /// The device's name.
        device: String,
        /// All it must hold.
        needs: Bytes,
        /// Its parts.
        footprint: Footprint,
        /// Its memory.
        has: Bytes,
    },
    /// A computation too long for the clock.
    #[error("a task on a device of this profile lasts too long: {0}")]
    TooLong(#[from] DurationError),
}
