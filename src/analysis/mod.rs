//! Explains a run from its folder: where its time went along the critical path, what
//! held every barrier, and what a faster part would be worth.
//!
//! Works on `events.csv` alone (and `requests.csv` for arrivals), so it explains
//! runs of any architecture, also runs made long ago.

mod explanation;
mod replay;
mod words;

pub use explanation::{ExplainError, Explanation, explain};
pub use replay::{Arrivals, ExecutedGraph, ReplayError};
