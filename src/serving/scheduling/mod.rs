//! Who is in the next batch.
//!
//! A scheduler looks at the [jobs](super::Jobs) and the [cache](super::CachePool) of a replica and
//! says who is admitted, who is preempted, and which slices make up the next batch: a piece of a
//! prompt, a whole one, or a decode step each. It decides; it schedules no events and records
//! nothing. Whoever serves asks it again and again, while fewer batches are on their way than may
//! be and the last plan had slices.
//!
//! **Continuous** batching with batch B and budget T goes by vLLM's rules: those who run come
//! first, in the order in which they were admitted, under `Priority` class by class; then those
//! who wait, in their order, nobody passing another, while a batch has fewer than B slices and T
//! tokens. With k batches in flight at most B·k requests run. Prompts are read whole; one of more
//! than T tokens goes alone, in the iteration after the one whose rest it did not fit into. Nobody
//! is admitted in a plan that preempts.
//!
//! **Apart** reads prompts alone as soon as somebody can be admitted; decode steps follow when
//! nobody can.
//!
//! **Chunks** of at most C prompt tokens per iteration go beside decode steps (Sarathi): decode
//! steps first, then the rest of prompts that were begun, then new ones.
//!
//! **Preemption.** Every slice needs cache for what it adds. Where there is no room, the last in
//! the order is preempted who is in no batch: the youngest, under `Priority` that of the lowest
//! class. That may be who asks. The oldest is never preempted, so it comes to its end, and so does
//! everybody after it.
//!
//! **Feedback.** Under `FeedbackQueue` every iteration takes the best ranked of all who wait or
//! run. Who is not among them keeps the cache; it is given up when somebody of better rank needs
//! the room.
//!
//! **Static** batches begin when B wait, or when nobody else is known to come; **dynamic** ones
//! also when one of them has waited for a window. Room for the longest sequence of each is taken
//! at once, and given back together.

mod config;
mod continuous;
mod feedback;
mod filling;
mod groups;
#[cfg(test)]
mod tests;

pub use config::{Continuous, DynamicBatches, Prefill, Scheduling, StaticBatches};

use super::cache_pool::{CachePool, Reuse};
use super::jobs::Jobs;
use crate::units::Instant;
use std::fmt;

/// A slice of a batch: the next tokens of a request's pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Whose.
    pub request: u32,
    /// How many; all that are pending unless a prompt is read in pieces.
    pub tokens: usize,
}

/// A request that ran and waits again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preempted {
    /// Who.
    pub request: u32,
    /// Whether its cache is moved elsewhere rather than given up.
    pub swap: bool,
    /// Tokens in its cache: to be sent, or to be read again.
    pub tokens: usize,
}

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It comes to more tokens than the cache can ever hold for it.
    #[error("its {needs} tokens do not fit into a cache of {has}")]
    CacheTooSmall {
        /// Tokens to which it comes.
        needs: usize,
        /// Tokens to which one request may come.
        has: usize,
    },
    /// As many wait as may.
    #[error("{limit} wait already")]
    QueueFull {
        /// How many may wait.
        limit: usize,
    },
}

/// What is to happen now at a replica.
///
/// First caches are moved and copied: those of `preempted` ones leave, those of `resumed` ones
/// come back, and `reused` tokens are taken over; then the batch of `slices` begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The next batch; empty if none begins now.
    pub slices: Vec<Piece>,
    /// Who runs from now on with an empty cache, or one that came with it; also again after its
    /// cache was given up.
    pub admitted: Vec<u32>,
    /// Who waits again.
    pub preempted: Vec<Preempted>,
    /// Who runs again with the cache that was moved away, and the tokens in it.
    pub resumed: Vec<(u32, usize)>,
    /// What of prompts need not be read; who reuses it is among `admitted`.
    pub reused: Vec<Reuse>,
    /// Who is not served, and has left.
    pub rejected: Vec<(u32, Reason)>,
    /// If no batch begins now, when to ask again even if nothing happens until then.
    pub wake: Option<Instant>,
}

/// Decides who is in the next batch.
pub trait Scheduler: fmt::Debug {
    /// The next batch at `now`, and what goes before it. Its slices are `busy` until
    /// [`advance`](Jobs::advance). `more_to_come` says whether a request is known to arrive
    /// without anybody here being answered before.
    fn next(
        &mut self,
        jobs: &mut Jobs,
        pool: &mut CachePool,
        now: Instant,
        more_to_come: bool,
    ) -> Plan;

    /// Notes that `request`, which runs and is in no batch, has its answer. Those who leave with
    /// that, with nothing in the cache any more: itself, or all of its batch with the last of it.
    fn finish(&mut self, request: u32, jobs: &mut Jobs, pool: &mut CachePool) -> Vec<u32> {
        leave(request, jobs, pool);
        vec![request]
    }
}

/// Takes `request` and what it holds away.
fn leave(request: u32, jobs: &mut Jobs, pool: &mut CachePool) {
    if let Some(job) = jobs.leave(request) {
        pool.release(&job);
    }
}
