//! Whom a system serves: requests as sequences of forward passes, the queue, who is next, which
//! replica, and what logits yield.

mod config;
mod identity;
pub(crate) mod passes;
mod queue;
mod router;
mod scheduler;
pub mod workload;

pub use config::{Replica, Router};
pub use identity::Identity;
pub use queue::{Queue, Waiting};
pub use router::{RoundRobin, Routing};
pub use scheduler::{FirstComeFirstServed, Scheduler};
