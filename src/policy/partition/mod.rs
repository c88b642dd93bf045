//! Contiguous partitions: which layers each stage of a pipeline holds.
//!
//! Stages stand in a fixed order and every one holds a run of neighbouring layers, so a
//! partition is a place for each cut between two stages. A planner gets what every layer costs
//! on every stage, what crossing each cut costs and what fits, and gives one range of layers
//! per stage. Seconds are compared as whole picoseconds, rounded up once each, so that equal
//! costs are equal and the best partition does not hang on the last bit of a sum.
//!
//! **Crossing.** A cut is crossed where layers lie on both sides of it. A stage without layers
//! between two that have some passes on what it gets: both of its cuts are crossed. Before the
//! first layer and after the last nothing is.
//!
//! **What else a stage holds.** An embedding on the first stage or a head on the last is the
//! caller's: as a layer of its own, or taken off that stage's capacity.

mod best;
mod closed_form;
mod error;
mod problem;

pub use best::{Latency, Throughput};
pub use closed_form::{Even, Fixed, Proportional};
pub use error::PartitionError;
pub use problem::PartitionProblem;

use crate::registry::registry;
use crate::units::FieldFault;
use std::fmt;
use std::ops::Range;

/// A planner of contiguous partitions.
pub trait Partitioner: fmt::Debug {
    /// Checks its own fields for a pipeline of `stages`.
    ///
    /// # Errors
    /// The first impossible one.
    fn validate(&self, stages: usize) -> Result<(), FieldFault> {
        let _ = stages;
        Ok(())
    }

    /// The layers of each stage, in their order: ranges that follow one another from the first
    /// layer to the last.
    ///
    /// # Errors
    /// If no partition of its kind fits, naming the stage that lacks memory and how much.
    fn divide(&self, problem: &PartitionProblem<'_>) -> Result<Vec<Range<usize>>, PartitionError>;
}

registry! {
    /// How a pipeline's layers are divided among its stages, as a scenario states it.
    #[derive(Default)]
    enum Partition;
    /// The planner itself.
    fn planner -> Partitioner;
    without fields {
        #[default]
        Even, "as many layers on every stage; what is left over goes to the first ones";
        Proportional, "layers in proportion to each stage's speed: all take about as long";
        Latency, "the least time of one pass through all stages and cuts";
        Throughput, "the least time of the slowest stage or cut, which a full pipeline goes by";
    }
    with fields {
        Fixed, "as many layers as listed, in the order of stages";
    }
}

/// Neighbouring ranges of `counts` layers each.
fn ranges(counts: &[usize]) -> Vec<Range<usize>> {
    let mut next = 0;
    let mut range = |count: &usize| {
        let first = next;
        next += count;
        first..next
    };
    counts.iter().map(&mut range).collect()
}
