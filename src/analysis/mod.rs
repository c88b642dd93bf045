//! Explains a run from its folder: where its time went along the critical path, what
//! held every barrier, and what a faster part would be worth.
//!
//! Works on `events.csv` with `nodes.csv` and `batches.csv` (and `requests.csv` for
//! arrivals), so it explains runs of any system.

mod explanation;
mod replay;
mod words;

pub use explanation::{ExplainError, Explanation, explain};
pub use replay::{Arrivals, ExecutedGraph};
