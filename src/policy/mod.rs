//! Decisions on plain slices: which share of the model a device holds, how transceivers
//! are designed, which experts a token visits, and how the band is divided.
//!
//! A policy gets numbers and gives numbers: no simulated time, no tensors, no files.

mod alternating;
mod antenna_selection;
mod assignment;
mod bandwidth;
mod bound;
mod crowd;
mod descent;
mod designs;
mod dominant;
pub mod early_exit;
mod error;
mod experts;
mod jacobi;
mod lanes;
mod lbfgs;
mod multiplier;
pub mod partition;
mod relaxation;
mod shortfall;
mod small;
mod span;
mod sum_error;
pub mod tokens;
mod weakest;

pub use alternating::AlternatingMmse;
pub use antenna_selection::AntennaSelection;
pub use assignment::{
    Affine, Assign, Assigned, Assignment, AssignmentError, AssignmentProblem, Combining, Equal,
    EqualHeadroom, Estimate, Fixed, Iterate, ProportionalToCompute, ProportionalToEnergy, Setting,
    StochasticSca, project_to_capped_simplex,
};
pub use bandwidth::{
    Bandwidth, BandwidthPolicy, Horizon, MaxMinRate, MinMax, PassAllocation, PassLoads, PerPass,
    Proportional, TokenLink, Uniform,
};
pub use bound::{least_error_bound, zero_forcing_bound};
pub use descent::Descent;
pub use designs::Design;
pub use dominant::DominantEigenvectors;
pub use error::PolicyError;
pub use experts::{
    DroppedWeight, ExpertPolicy, ExpertSelection, FinalDrop, Gate, LatencyHistory, Selection,
    Similarity, TopK, WeightToLatency,
};
pub use partition::Partition;
pub use relaxation::{Randomisation, Relaxation, RelaxedOptimum, relax};
