//! Explains a run from its folder: the critical path, what held every barrier, and
//! what a faster part would be worth.
//!
//! Works on `events.csv` alone (and `requests.csv` for arrivals), so it explains
//! runs of any architecture, also runs made long ago.

mod critical_path;
mod explanation;
mod inputs;
mod replay;

pub use critical_path::{Barriers, CriticalPath, Held, Holder, Part};
pub use explanation::{ExplainError, Explanation, explain};
pub use replay::{Arrivals, ExecutedGraph, ReplayError};
