//! The requests at one replica: those that wait, by rank, and those that run, in the order in
//! which they were admitted.
//!
//! A job runs from its admission, with which it has a cache, until it leaves, or is preempted and
//! waits again. Whoever serves it keeps three counts: `context` tokens are in its cache, `pending`
//! ones of its next pass are still to be read, `generated` ones are its own.
//!
//! ```text
//! join ─▶ waiting ──admit─▶ running ─▶ plan (busy) ─▶ advance ─▶ next_pass ─▶ … ─▶ leave
//!            ▲                 │
//!            └─────preempt─────┘
//! ```
//!
//! No step looks at all who wait: with w waiting and r running ones, joining, admitting and
//! preempting take O(log w), leaving O(r), everything else is found at once.

mod choice;

use super::numbered::Numbered;
use super::order::{Order, Rank};
use crate::units::Instant;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A request at a replica.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub request: u32,
    /// When it began to wait here.
    pub arrival: Instant,
    /// Its class, the smaller the better.
    pub priority: u32,
    /// Tokens that it will generate, where the workload tells.
    pub output: Option<u32>,
    /// Tokens in its cache.
    pub context: usize,
    /// Tokens of its next pass that are not read yet: the rest of a prompt, or 1 while it decodes.
    /// At 0 it waits for whoever serves it to say what comes next.
    pub pending: usize,
    /// Whether its next pass is a decode step rather than (a part of) a prompt.
    pub decoding: bool,
    /// The most tokens that its cache comes to.
    pub longest: usize,
    /// Tokens that it has generated.
    pub generated: usize,
    /// A hash for each full block of its prompt, see [`block_hashes`](super::block_hashes): what
    /// two requests can share. `None` where prompts are not compared, and for who reads several
    /// sequences one after another.
    pub blocks: Option<Arc<[u64]>>,
    /// Whether it is in a batch on its way.
    pub busy: bool,
    /// Whether it is in no batch any more, and keeps its cache for another replica to take.
    pub held: bool,
    /// Whether it has its answer, and keeps its place until others have theirs.
    pub done: bool,
    /// Whether its cache was moved away and must come back before it runs.
    pub swapped: bool,
}

impl Job {
    /// Whether a pass of it can be planned now.
    pub fn is_ready(&self) -> bool {
        !self.busy && !self.done && self.pending > 0
    }

    /// Whether its next pass, or what is left of it, is a prompt.
    pub(super) fn is_prompt(&self) -> bool {
        !self.decoding
    }
}

/// A job with its place in the order.
#[derive(Debug)]
struct Entry {
    job: Job,
    running: bool,
    /// Under feedback.
    level: u32,
    /// Tokens read at this level.
    used: usize,
    rank: Rank,
}

/// The requests at a replica.
#[derive(Debug)]
pub struct Jobs {
    order: Order,
    entries: Numbered<Entry>,
    waiting: BTreeSet<Rank>,
    /// In order of admission.
    running: Vec<u32>,
    /// Those that run, by rank; only under feedback, whose ranks change.
    ranked: BTreeSet<Rank>,
    /// How many times a job came to a level.
    turns: u64,
    /// Of all jobs.
    pending_tokens: usize,
}

impl Jobs {
    /// Nobody yet.
    pub fn new(order: Order) -> Self {
        Self {
            order,
            entries: Numbered::default(),
            waiting: BTreeSet::new(),
            running: Vec::new(),
            ranked: BTreeSet::new(),
            turns: 0,
            pending_tokens: 0,
        }
    }

    /// Lets `job` wait.
    ///
    /// # Panics
    /// If it is here already.
    pub fn join(&mut self, job: Job) {
        let request = job.request;
        assert!(self.get(request).is_none(), "request {request} joins twice");
        let level = match &self.order {
            Order::FeedbackQueue(queue) => queue.entry(job.pending),
            _ => 0,
        };
        self.turns += 1;
        let rank = Rank::of(&self.order, &job, level, self.turns);
        self.waiting.insert(rank);
        self.pending_tokens += job.pending;
        let entry = Entry {
            job,
            running: false,
            level,
            used: 0,
            rank,
        };
        self.entries.insert(request, entry);
    }

    /// Those that wait, the next to be served first.
    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.waiting.iter().map(|rank| self.job(rank.request))
    }

    /// Those that run, in the order in which they were admitted.
    pub fn running(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.running.iter().map(|request| self.job(*request))
    }

    /// How many wait.
    pub fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    /// How many run.
    pub fn running_len(&self) -> usize {
        self.running.len()
    }

    /// Tokens that are known and not read yet, of all jobs.
    pub fn pending_tokens(&self) -> usize {
        self.pending_tokens
    }

    /// The job of `request`, if it is here.
    pub fn get(&self, request: u32) -> Option<&Job> {
        self.entries.get(request).map(|entry| &entry.job)
    }

    /// Notes that `request`, which runs, has generated one more token.
    pub fn generate(&mut self, request: u32) {
        if let Some(job) = self.running_mut(request) {
            job.generated += 1;
        }
    }

    fn running_mut(&mut self, request: u32) -> Option<&mut Job> {
        let entry = self.entries.get_mut(request)?;
        entry.running.then_some(&mut entry.job)
    }

    /// Notes that a slice of `tokens` tokens of `request` was read: they are in its cache, and it
    /// is in no batch any more.
    ///
    /// # Panics
    /// If it does not run, or has fewer tokens pending.
    pub fn advance(&mut self, request: u32, tokens: usize) {
        let entry = self.entries.get_mut(request);
        let entry = entry.filter(|entry| entry.running);
        let entry = entry.expect("a slice belongs to a job that runs");
        let job = &mut entry.job;
        let pending = job.pending.checked_sub(tokens);
        job.pending = pending.expect("a slice reads what is pending");
        job.context += tokens;
        job.busy = false;
        self.pending_tokens -= tokens;
        let Order::FeedbackQueue(queue) = &self.order else {
            return;
        };
        entry.used = entry.used.saturating_add(tokens);
        if entry.level >= queue.last() || entry.used < queue.quantum(entry.level) {
            return;
        }
        entry.level += 1;
        entry.used = 0;
        self.turns += 1;
        self.ranked.remove(&entry.rank);
        entry.rank = Rank::of(&self.order, &entry.job, entry.level, self.turns);
        self.ranked.insert(entry.rank);
    }

    /// Gives `request` its next pass, of `pending` tokens, a decode step or a prompt; `fresh` if
    /// its cache starts empty.
    ///
    /// # Panics
    /// If it does not run.
    pub fn next_pass(&mut self, request: u32, pending: usize, decoding: bool, fresh: bool) {
        let job = self.running_mut(request);
        let job = job.expect("the next pass belongs to a job that runs");
        let before = std::mem::replace(&mut job.pending, pending);
        job.decoding = decoding;
        if fresh {
            job.context = 0;
        }
        self.pending_tokens = self.pending_tokens - before + pending;
    }

    /// Gives `request` `tokens` more to read in its next pass.
    ///
    /// # Panics
    /// If it is not here.
    pub fn extend(&mut self, request: u32, tokens: usize) {
        let entry = self.entries.get_mut(request);
        entry.expect("who reads more is here").job.pending += tokens;
        self.pending_tokens += tokens;
    }

    /// Takes the last `tokens` tokens out of the cache of `request`, which runs.
    ///
    /// # Panics
    /// If it does not run, or has fewer.
    pub fn rewind(&mut self, request: u32, tokens: usize) {
        let job = self.running_mut(request);
        job.expect("who has a cache runs").context -= tokens;
    }

    /// Keeps `request` out of batches until it leaves: its cache is on its way elsewhere.
    ///
    /// # Panics
    /// If it does not run.
    pub fn hold(&mut self, request: u32) {
        let job = self.running_mut(request).expect("who holds a cache runs");
        (job.busy, job.held) = (true, true);
    }

    /// The job of `request`, which is here.
    pub(super) fn job(&self, request: u32) -> &Job {
        self.get(request).expect("the job is here")
    }

    /// Who is served next of those that wait.
    pub(super) fn first_waiting(&self) -> Option<&Job> {
        self.waiting.first().map(|rank| self.job(rank.request))
    }

    /// Whether `request` runs.
    pub(super) fn runs(&self, request: u32) -> bool {
        self.entries.get(request).is_some_and(|entry| entry.running)
    }

    /// The numbers of those that run, in the order in which they were admitted.
    pub(super) fn admitted(&self) -> &[u32] {
        &self.running
    }

    /// Lets `request` run, of whose prompt `reused` tokens need not be read.
    pub(super) fn admit(&mut self, request: u32, reused: usize) {
        let entry = self.entries.get_mut(request);
        let entry = entry.expect("who is admitted waits");
        self.waiting.remove(&entry.rank);
        entry.running = true;
        entry.job.swapped = false;
        entry.job.context += reused;
        entry.job.pending -= reused;
        self.pending_tokens -= reused;
        self.running.push(request);
        if let Order::FeedbackQueue(_) = self.order {
            self.ranked.insert(entry.rank);
        }
    }

    /// Notes that `request` is in a batch on its way.
    pub(super) fn occupy(&mut self, request: u32) {
        if let Some(job) = self.running_mut(request) {
            job.busy = true;
        }
    }

    /// Notes that `request` has its answer but keeps its place.
    pub(super) fn complete(&mut self, request: u32) {
        if let Some(job) = self.running_mut(request) {
            job.done = true;
            job.busy = false;
        }
    }

    /// Lets `request`, which runs, wait again: its cache is kept elsewhere if it is `swapped`,
    /// else all of its tokens are to be read again.
    pub(super) fn preempt(&mut self, request: u32, swapped: bool) {
        let entry = self.entries.get_mut(request);
        let entry = entry.expect("who is preempted runs");
        let job = &mut entry.job;
        if swapped {
            job.swapped = true;
        } else if job.context > 0 {
            self.pending_tokens += job.context;
            job.pending += job.context;
            job.context = 0;
            job.decoding = false;
        }
        entry.running = false;
        self.ranked.remove(&entry.rank);
        // Lengths and levels may have changed since it came; a level keeps its turn.
        if let Order::ShortestFirst = self.order {
            entry.rank = Rank::of(&self.order, &entry.job, 0, 0);
        }
        self.waiting.insert(entry.rank);
        self.running.retain(|other| *other != request);
    }

    /// Takes `request` out, whether it waits or runs.
    pub(super) fn leave(&mut self, request: u32) -> Option<Job> {
        let entry = self.entries.remove(request)?;
        self.pending_tokens -= entry.job.pending;
        if entry.running {
            self.running.retain(|other| *other != request);
            self.ranked.remove(&entry.rank);
        } else {
            self.waiting.remove(&entry.rank);
        }
        Some(entry.job)
    }
}
