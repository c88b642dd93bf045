//! The parts of a model on nodes.

mod config;
mod experts;
mod gate;
mod holders;
mod placed;
mod resolve;

pub use config::{Pipeline, Placement, Single, TensorParallel};
pub use experts::{ExpertCompute, Experts, OnOutage, Pipelining, ServerCompute};
pub use gate::{Router, Synthetic};
pub use holders::{Holder, Holders};
pub use placed::Placed;
pub use resolve::place;
