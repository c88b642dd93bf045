//! Devices: how long a task computes, what it draws, and whether it fits.
//!
//! A [`DeviceProfile`] is a roofline with an energy model and a memory; it may also
//! hold the fit of a measured machine ([`Measured`]), which then replaces the memory
//! roof. [`Profile`] is what a scenario writes: a preset's name or a profile in full.
//! What a task costs ([`Work`](crate::model::Work)) is counted by the model room from
//! shapes; nothing here may know a tensor or a clock.

pub mod basis;
mod boards;
mod calibrated;
mod cost;
mod error;
mod few;
mod measured;
mod memory;
mod messages;
mod power;
mod preset;
mod profile;
mod reference;

pub use basis::Basis;
pub use calibrated::Calibrated;
pub use cost::Computation;
pub use error::DeviceError;
pub use few::Few;
pub use measured::{Measured, WeightRate};
pub use memory::Footprint;
pub use messages::MessageCost;
pub use power::{Frequency, Heat, MeasuredAt, Power};
pub use preset::{PRESETS, Preset};
pub use profile::{DeviceProfile, Group};
pub use reference::Profile;
