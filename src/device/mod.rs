//! Devices: how long a task computes, what it draws, and whether it fits.
//!
//! A [`DeviceProfile`] is a roofline with an energy model and a memory; it may also
//! hold the fit of a measured machine ([`Measured`]), which then replaces the memory
//! roof. [`Profile`] is what a scenario writes: a preset's name or a profile in full.
//! What a task costs ([`Work`](crate::model::Work)) is counted by the model room from
//! shapes; nothing here may know a tensor or a clock.

mod error;
mod memory;
mod preset;
mod profile;

pub use error::DeviceError;
pub use memory::Footprint;
pub use preset::{PRESETS, Preset, Profile};
pub use profile::{Computation, DeviceProfile, Group, Measured};
