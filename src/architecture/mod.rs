//! The programs: how a forward pass is spread over devices and radio.
//!
//! An architecture owns the loop over blocks. It steps the numerics, asks the
//! radio and the policies, and emits each block as a graph of tasks for the engine;
//! what it measures on the way is a [`measurement::Measurements`].

mod error;
pub mod measurement;
pub mod observer;
pub mod tensor_parallel;
pub mod workload;

pub use error::ArchitectureError;

/// Every architecture's name, as a scenario writes it, with a one-line summary.
pub const REGISTRY: &[(&str, &str)] = &[(
    "TensorParallel",
    "one model sharded over all devices by heads and columns, summed by an all-reduce",
)];
