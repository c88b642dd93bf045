//! A batch while it is filled: what room it has left, and what one more slice needs.

use super::config::Continuous;
use super::{Piece, Plan, Preempted};
use crate::serving::cache_pool::{CachePool, Reuse};
use crate::serving::jobs::{Job, Jobs};

/// The first slice of a request that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    reuse: Option<Reuse>,
    /// Tokens in its cache before.
    context: usize,
    tokens: usize,
}

/// A plan in the making.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    pub(super) jobs: &'a mut Jobs,
    pub(super) pool: &'a mut CachePool,
    pub(super) plan: Plan,
    /// Slices that the batch has room for.
    pub(super) slices: usize,
    /// Tokens that are left of its budget.
    tokens: usize,
    /// Prompt tokens that are left; `None` where prompts are read whole.
    chunk: Option<usize>,
    /// The budget.
    most: usize,
    /// Who needs a batch for itself, and did not get this one.
    pub(super) alone: Option<u32>,
}

impl<'a> Filling<'a> {
    pub(super) fn new(rules: &Continuous, jobs: &'a mut Jobs, pool: &'a mut CachePool) -> Self {
        Self {
            jobs,
            pool,
            plan: Plan::default(),
            slices: rules.batch,
            tokens: rules.tokens,
            chunk: rules.chunk,
            most: rules.tokens,
            alone: None,
        }
    }

    /// How many of `pending` tokens `request` can read in this batch, if any.
    fn piece(&mut self, request: u32, pending: usize, decoding: bool) -> Option<usize> {
        let whole = match self.chunk {
            Some(chunk) if !decoding => pending.min(chunk).min(self.tokens),
            _ => pending,
        };
        if whole > self.tokens {
            if self.plan.slices.is_empty() {
                return Some(whole);
            }
            if whole > self.most && self.alone.is_none() {
                self.alone = Some(request);
            }
            return None;
        }
        (whole > 0).then_some(whole)
    }

    fn push(&mut self, request: u32, tokens: usize, decoding: bool) {
        self.jobs.occupy(request);
        self.plan.slices.push(Piece { request, tokens });
        self.slices = if tokens > self.tokens {
            0
        } else {
            self.slices - 1
        };
        self.tokens = self.tokens.saturating_sub(tokens);
        if let Some(chunk) = self.chunk.as_mut().filter(|_| !decoding) {
            *chunk -= tokens;
        }
    }

    /// Adds a slice of `request`, if it runs, is ready, and there is room for it, which may be
    /// made by preempting others.
    pub(super) fn go_on(&mut self, request: u32) {
        if self.slices == 0 || !self.jobs.runs(request) {
            return;
        }
        let job = self.jobs.job(request);
        if !job.is_ready() {
            return;
        }
        let (context, decoding) = (job.context, job.decoding);
        let Some(tokens) = self.piece(request, job.pending, decoding) else {
            return;
        };
        if self.grow(request, context + tokens) {
            self.push(request, tokens, decoding);
        }
    }

    /// Whether there is room for `tokens` tokens of `request`, after preempting whom it takes.
    fn grow(&mut self, request: u32, tokens: usize) -> bool {
        while !self.pool.grow(self.jobs.job(request), tokens) {
            let Some(victim) = self.jobs.victim(request) else {
                return false;
            };
            self.preempt(victim);
            if victim == request {
                return false;
            }
        }
        true
    }

    /// Lets `request`, which runs and is in no batch, wait again.
    pub(super) fn preempt(&mut self, request: u32) {
        let job = self.jobs.job(request);
        let tokens = job.context;
        let swap = self.pool.swaps() && tokens > 0;
        if swap {
            self.pool.swap_out(job);
        } else {
            self.pool.release(job);
        }
        self.jobs.preempt(request, swap);
        self.plan.preempted.push(Preempted {
            request,
            swap,
            tokens,
        });
    }

    /// Turns `request`, which waits, away if it can never be served.
    pub(super) fn reject(&mut self, request: u32) -> bool {
        let Some(reason) = self.pool.refuses(self.jobs.job(request).longest) else {
            return false;
        };
        self.jobs.leave(request);
        self.plan.rejected.push((request, reason));
        true
    }

    /// What `request`, which waits, would read first, and what it need not read.
    pub(super) fn first_slice(&mut self, request: u32) -> Option<First> {
        let job = self.jobs.job(request);
        let reuse = self.pool.reusable(job);
        let reused = reuse.map_or(0, |reuse| reuse.tokens);
        let context = job.context + reused;
        let (pending, decoding) = (job.pending - reused, job.decoding);
        let tokens = self.piece(request, pending, decoding)?;
        Some(First {
            reuse,
            context,
            tokens,
        })
    }

    /// Preempts as many of worse rank than `request`, which waits, as it takes to admit it with
    /// its `first` slice; nobody if they would not be enough. Only under feedback.
    pub(super) fn make_room(&mut self, request: u32, first: First) -> bool {
        let tokens = first.context + first.tokens;
        let lacking = self.pool.lacking(self.jobs.job(request), tokens);
        let mut found = 0;
        let mut victims = Vec::new();
        for victim in self.jobs.worse_than(request) {
            if found >= lacking {
                break;
            }
            found += self.pool.frees(victim);
            victims.push(victim);
        }
        if found < lacking {
            return false;
        }
        victims.into_iter().for_each(|victim| self.preempt(victim));
        true
    }

    /// Admits `request`, which waits, with its first slice, if there is room for that.
    pub(super) fn admit(&mut self, request: u32) -> bool {
        let Some(first) = self.first_slice(request) else {
            return false;
        };
        let First {
            reuse,
            context,
            tokens,
        } = first;
        let job = self.jobs.job(request);
        if !self.pool.admit(job, context + tokens, 0) {
            return false;
        }
        let (swapped, decoding) = (job.swapped, job.decoding);
        if swapped {
            self.plan.resumed.push((request, context));
        } else {
            self.plan.admitted.push(request);
            self.plan.reused.extend(reuse);
        }
        self.jobs
            .admit(request, reuse.map_or(0, |reuse| reuse.tokens));
        self.push(request, tokens, decoding);
        true
    }

    /// Admits those who wait in their order, while fewer than `slots` run and the next of them
    /// `may` be.
    pub(super) fn admit_waiting(&mut self, slots: usize, may: impl Fn(&Job) -> bool) {
        if !self.plan.preempted.is_empty() {
            return;
        }
        while self.slices > 0 && self.jobs.running_len() < slots {
            let Some(job) = self.jobs.first_waiting().filter(|job| may(job)) else {
                return;
            };
            let request = job.request;
            if !self.reject(request) && !self.admit(request) {
                return;
            }
        }
    }
}
