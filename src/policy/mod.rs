//! Decisions on plain slices: which share of the model a device holds, and how
//! transceivers are designed.
//!
//! A policy gets numbers and gives numbers: no simulated time, no tensors, no files.

mod assignment;
mod designs;
mod dominant;

pub use assignment::Assignment;
pub use designs::Design;
pub use dominant::DominantEigenvectors;
