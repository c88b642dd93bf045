//! Links as a system uses them: what a message takes on a radio cell and on a wire.

mod cell;
mod config;
mod wire;

pub use config::{Link, WireSharing, Wire as WireConfig};
pub use cell::{Cell, Direction};
pub use wire::{Wire, WireTerms};
