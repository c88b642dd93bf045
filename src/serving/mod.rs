//! Whom a system serves: requests as sequences of forward passes, when they arrive, who is next,
//! which replica, what the cache holds, and what logits yield.

pub mod arrivals;
mod cache_pool;
mod config;
mod decoding;
mod goals;
mod identity;
mod jobs;
pub mod lengths;
mod numbered;
mod order;
pub(crate) mod passes;
mod queue;
mod router;
mod scheduling;
pub mod trace;
pub mod workload;

pub use cache_pool::{
    Cache, CachePool, Paged, Preemption, Reserved, Reuse, Swap, Usage, block_hashes,
};
pub use config::{Admission, Replica, Role};
pub use decoding::{
    Adapted, Cascade, Decoding, Draft, DraftModel, Draws, EarlyExit, Length, Lookup, Sampling,
    Sends, Speculative,
};
pub use goals::Goals;
pub use identity::Identity;
pub use jobs::{Job, Jobs};
pub use order::{FeedbackQueue, Order};
pub use queue::{Queue, Waiting};
pub use router::{BestLink, LeastLoaded, MostFreeCache, ReplicaView, RoundRobin, Router, Routing};
pub use scheduling::{
    Continuous, DynamicBatches, Piece, Plan, Preempted, Prefill, Reason, Scheduler, Scheduling,
    StaticBatches,
};
