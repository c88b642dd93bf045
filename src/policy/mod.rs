//! Decisions on plain slices: which share of the model a device holds, and how
//! transceivers are designed.
//!
//! A policy gets numbers and gives numbers: no simulated time, no tensors, no files.

mod alternating;
mod antenna_selection;
mod assignment;
mod bound;
mod descent;
mod designs;
mod dominant;
mod jacobi;
mod lanes;
mod lbfgs;
mod multiplier;
mod relaxation;
mod span;
mod sum_error;
mod weakest;

pub use alternating::AlternatingMmse;
pub use antenna_selection::AntennaSelection;
pub use assignment::Assignment;
pub use bound::{least_error_bound, zero_forcing_bound};
pub use descent::Descent;
pub use designs::Design;
pub use dominant::DominantEigenvectors;
pub use relaxation::{Randomisation, Relaxation, RelaxedOptimum, relax};
