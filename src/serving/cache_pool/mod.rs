//! The memory for keys and values at a replica: who holds how much of it, counted in tokens.
//!
//! A pool says whether there is room, and whose blocks hold the same; which numbers are in it is
//! not its concern. Room is asked for before a slice is planned: for all tokens that are in the
//! cache by the end of that slice.
//!
//! | pool | room of a request | when there is none |
//! | --- | --- | --- |
//! | without end | what it holds | never |
//! | [`Reserved`] | its longest sequence, from admission on | it waits |
//! | [`Paged`] | blocks for what it holds | it waits, or somebody is preempted |
//!
//! **Usage.** Of `total` tokens some are allocated, of those some are held; what is allocated and
//! not held is fragmentation, 1 − held/allocated. Blocks that several requests use are counted
//! once; blocks kept for others' prompts, and used by nobody, are not counted, since they give way.
//!
//! **Watermark.** A request is admitted only if `watermark` · total blocks, rounded up, are left
//! after that, for those who run to grow into; whoever is alone may take all.
//!
//! **Prefixes.** With `prefix` a request that is admitted anew takes over the blocks of the
//! longest beginning of its prompt that is known, but never its last token, which is read in any
//! case. One other request's cache holds all of that, see [`Reuse`].

mod chain;
mod config;
mod known;
mod paged;
mod reserved;
#[cfg(test)]
mod tests;

pub use chain::block_hashes;
pub use config::{Cache, Paged, Preemption, Reserved, Swap};

use super::jobs::Job;
use super::scheduling::Reason;
use paged::Blocks;
use reserved::Reservations;

/// A beginning of a prompt that need not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Who need not read it.
    pub request: u32,
    /// Whose cache holds it: one that runs, or one whose cache was kept when it left or was
    /// preempted; it may be the request itself.
    pub from: u32,
    /// Its first tokens of that cache.
    pub tokens: usize,
}

/// How much of a pool is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens that there is room for in what requests were given.
    pub allocated_tokens: usize,
    /// Tokens that are in it, or being read into it.
    pub held_tokens: usize,
    /// Tokens that there is room for in all; `None` if without end.
    pub total_tokens: Option<usize>,
}

/// The memory for keys and values at a replica.
#[derive(Debug)]
pub struct CachePool {
    room: Room,
    swaps: bool,
}

#[derive(Debug)]
enum Room {
    Reserved(Reservations),
    Paged(Box<Blocks>),
}

impl CachePool {
    /// A pool without end.
    pub fn unlimited() -> Self {
        Self::of(Room::Reserved(Reservations::default()))
    }

    /// A pool of `tokens` tokens, of which every request gets room for `longest`, or else for as
    /// many as it comes to.
    pub fn reserved(tokens: usize, longest: Option<usize>) -> Self {
        Self::of(Room::Reserved(Reservations::new(tokens, longest)))
    }

    /// A pool of as many blocks as `tokens` tokens fill, with the fields of `paged` but its
    /// `tokens`. Blocks of 0 tokens count as of 1.
    pub fn paged(tokens: usize, paged: &Paged) -> Self {
        let block = paged.block.max(1);
        let blocks = Blocks::new(tokens, block, paged.watermark, paged.prefix);
        Self {
            swaps: matches!(paged.preemption, Preemption::Swap(_)),
            ..Self::of(Room::Paged(Box::new(blocks)))
        }
    }

    fn of(room: Room) -> Self {
        Self { room, swaps: false }
    }

    /// Whether a request that comes to `longest` tokens fits when it is alone.
    pub fn fits_ever(&self, longest: usize) -> bool {
        self.most().is_none_or(|most| longest <= most)
    }

    /// Tokens to which one request may come; `None` if to any number.
    pub fn most(&self) -> Option<usize> {
        match &self.room {
            Room::Reserved(pool) => pool.most(),
            Room::Paged(pool) => Some(pool.most()),
        }
    }

    /// Why no request that comes to `longest` tokens is served, if none is.
    pub fn refuses(&self, longest: usize) -> Option<Reason> {
        let has = self.most().filter(|most| longest > *most)?;
        let needs = longest;
        Some(Reason::CacheTooSmall { needs, has })
    }

    /// Tokens of a block, where prompts that begin alike share them.
    pub fn prefix_block(&self) -> Option<usize> {
        match &self.room {
            Room::Reserved(_) => None,
            Room::Paged(pool) => pool.prefix_block(),
        }
    }

    /// What `job`, which is about to be admitted, need not read of its prompt. O(blocks of it).
    pub fn reusable(&self, job: &Job) -> Option<Reuse> {
        match &self.room {
            Room::Reserved(_) => None,
            Room::Paged(pool) => pool.reusable(job),
        }
    }

    /// Gives `job`, which has nothing here, a cache for `tokens` tokens, [reused](Self::reusable)
    /// ones among them, with room for `room` from the beginning; `false` and nothing if there is
    /// no room. One whose cache comes back from elsewhere is admitted likewise.
    pub fn admit(&mut self, job: &Job, tokens: usize, room: usize) -> bool {
        match &mut self.room {
            Room::Reserved(pool) => pool.admit(job, tokens),
            Room::Paged(pool) => pool.admit(job, tokens, room),
        }
    }

    /// How many tokens of room lack to [`admit`](Self::admit) `job` with `tokens` tokens.
    /// `usize::MAX` where nobody can be preempted for it.
    pub(super) fn lacking(&self, job: &Job, tokens: usize) -> usize {
        match &self.room {
            Room::Reserved(pool) if pool.can_admit(job, tokens) => 0,
            Room::Reserved(_) => usize::MAX,
            Room::Paged(pool) => pool.lacking(job, tokens),
        }
    }

    /// How many tokens of room there would be more, at least, without what `request` holds.
    pub(super) fn frees(&self, request: u32) -> usize {
        match &self.room {
            Room::Reserved(_) => 0,
            Room::Paged(pool) => pool.frees(request),
        }
    }

    /// Makes the cache of `job` one for `tokens` tokens: more than before, or those of its next
    /// sequence; `false` and nothing more than before if there is no room.
    pub fn grow(&mut self, job: &Job, tokens: usize) -> bool {
        match &mut self.room {
            Room::Reserved(pool) => pool.grow(job.request, tokens),
            Room::Paged(pool) => pool.grow(job, tokens),
        }
    }

    /// Takes the last `tokens` tokens out of the cache of `request`, which keeps its room.
    pub fn rewind(&mut self, request: u32, tokens: usize) {
        match &mut self.room {
            Room::Reserved(pool) => pool.rewind(request, tokens),
            Room::Paged(pool) => pool.rewind(request, tokens),
        }
    }

    /// Takes back all that `job` holds. Blocks of its prompt may stay known; then
    /// [`keeps`](Self::keeps) says so.
    pub fn release(&mut self, job: &Job) {
        match &mut self.room {
            Room::Reserved(pool) => pool.release(job.request),
            Room::Paged(pool) => pool.release(job),
        }
    }

    /// Takes back all that `job` holds, whose cache is moved elsewhere.
    pub fn swap_out(&mut self, job: &Job) {
        match &mut self.room {
            Room::Reserved(pool) => pool.release(job.request),
            Room::Paged(pool) => pool.swap_out(job),
        }
    }

    /// Whether the cache of who is preempted is moved elsewhere rather than given up.
    pub fn swaps(&self) -> bool {
        self.swaps
    }

    /// Whether the cache of `request`, which holds nothing any more, must be kept for others.
    pub fn keeps(&self, request: u32) -> bool {
        match &self.room {
            Room::Reserved(_) => false,
            Room::Paged(pool) => pool.keeps(request),
        }
    }

    /// Those whose caches were kept and need not be any more, each once. To be asked after what a
    /// plan reuses was taken over.
    pub fn take_evicted(&mut self) -> Vec<u32> {
        match &mut self.room {
            Room::Reserved(_) => Vec::new(),
            Room::Paged(pool) => pool.take_evicted(),
        }
    }

    /// How much is in use.
    pub fn usage(&self) -> Usage {
        match &self.room {
            Room::Reserved(pool) => pool.usage(),
            Room::Paged(pool) => pool.usage(),
        }
    }

    /// Tokens that there is room for beside what is allocated; `None` if without end.
    pub fn free_tokens(&self) -> Option<usize> {
        match &self.room {
            Room::Reserved(pool) => pool.free_tokens(),
            Room::Paged(pool) => Some(pool.free_tokens()),
        }
    }
}
