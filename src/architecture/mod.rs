//! The programs: how a forward pass is spread over devices and radio.
//!
//! An architecture owns the loop over blocks. It steps the numerics, asks the
//! radio and the policies, and emits each block as a graph of tasks for the engine;
//! what it measures on the way is a [`measurement::Measurements`].
//!
//! A new one is a folder with an [`Assembly`] and a [`Simulation`], a variant of the scenario's
//! [`Placement`](crate::placement::Placement), and what reads its inputs
//! (`simulation::prepare`).

mod account;
mod error;
pub mod measurement;
mod node;
pub mod observer;
mod outcome;
mod passes;
mod service;
mod task;
pub mod tensor_parallel;
pub mod wdmoe;
pub mod workload;

pub use error::ArchitectureError;
pub use node::Node;
pub use service::{Loaded, Words};

use crate::engine::{Program, Resources};
use crate::units::Instant;
use measurement::Measurements;
use observer::Observer;
use std::fmt;
use workload::Request;

/// Everything that a run is put together from, read and checked.
pub trait Assembly: fmt::Debug {
    /// The names of its stages, by their number in a task's key.
    fn stage_names(&self) -> &'static [&'static str];

    /// The names of the nodes, by their number in a task's key.
    fn node_names(&self) -> Vec<String>;

    /// What is to be served, in order.
    fn requests(&self) -> &[Request];

    /// Declares the resources and makes the program.
    ///
    /// # Errors
    /// If the parts cannot work together, such as a device that is too small.
    fn assemble<'a>(
        self: Box<Self>,
        observer: &'a mut dyn Observer,
        resources: &mut Resources,
    ) -> Result<Box<dyn Simulation + 'a>, ArchitectureError>;
}

/// A run in progress.
pub trait Simulation: Program<Error = ArchitectureError> {
    /// What was measured by a run that ended at `makespan`, and the BLAKE3 of all
    /// logits in the order in which they were computed.
    fn finish(self: Box<Self>, makespan: Instant) -> (Measurements, String);
}
