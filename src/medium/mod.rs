//! Links as a system uses them.

mod config;

pub use config::{Link, Wire, WireSharing};
