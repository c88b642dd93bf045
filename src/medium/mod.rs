//! Links as a system uses them: what a message takes on a radio cell and on a wire.

mod cell;
pub mod config;
mod wire;

pub use cell::{Cell, Direction};
pub use wire::{Wire, WireTerms};
