//! Whom a system serves: requests as sequences of forward passes, the queue, who is next, which
//! replica, and what logits yield.

mod cache_pool;
mod config;
mod identity;
mod jobs;
mod numbered;
mod order;
pub(crate) mod passes;
mod queue;
mod router;
mod scheduler;
pub mod scheduling;
pub mod workload;

pub use cache_pool::{
    Cache, CachePool, Paged, Preemption, Reserved, Reuse, Swap, Usage, block_hashes,
};
pub use config::{Admission, Replica, Role};
pub use identity::Identity;
pub use jobs::{Job, Jobs};
pub use order::{FeedbackQueue, Order};
pub use queue::{Queue, Waiting};
pub use router::{BestLink, LeastLoaded, MostFreeCache, ReplicaView, RoundRobin, Router, Routing};
pub use scheduler::{FirstComeFirstServed, Scheduler};
