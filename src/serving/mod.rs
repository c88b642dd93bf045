//! Whom a system serves: requests as sequences of forward passes, the queue, who is next, which
//! replica, and what logits yield.

pub mod arrivals;
mod config;
mod goals;
mod identity;
pub mod lengths;
pub(crate) mod passes;
mod queue;
mod router;
mod scheduler;
pub mod trace;
pub mod workload;

pub use config::{Replica, Router};
pub use goals::Goals;
pub use identity::Identity;
pub use queue::{Queue, Waiting};
pub use router::{RoundRobin, Routing};
pub use scheduler::{FirstComeFirstServed, Scheduler};
