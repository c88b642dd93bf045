//! The parts of a model on nodes.

mod config;
mod experts;
mod holders;
mod resolve;

pub use config::{Partition, Pipeline, Placement, Single, TensorParallel};
pub use experts::{ExpertCompute, Experts, OnOutage, Pipelining, ServerCompute};
pub use holders::{Holder, Holders};
pub use resolve::{Placed, place};
