//! Batches whose requests join and leave at every iteration.

use super::config::{Continuous, Prefill};
use super::filling::Filling;
use super::{Plan, Scheduler, feedback};
use crate::serving::cache_pool::CachePool;
use crate::serving::jobs::{Job, Jobs};
use crate::serving::order::Order;
use crate::units::Instant;

/// Continuous batching at work.
#[derive(Debug)]
pub(super) struct Continuously {
    rules: Continuous,
    /// Most requests that run.
    slots: usize,
    /// Whether ranks decide anew at every iteration.
    feedback: bool,
    /// Whether a better class goes on first.
    by_class: bool,
    /// Whose pass is longer than the budget and did not fit beside others last time.
    alone: Option<u32>,
    /// Who runs, while they are looked at one by one.
    candidates: Vec<u32>,
}

impl Continuously {
    pub(super) fn new(rules: Continuous, slots: usize, order: &Order) -> Self {
        Self {
            rules,
            slots,
            feedback: matches!(order, Order::FeedbackQueue(_)),
            by_class: matches!(order, Order::Priority),
            alone: None,
            candidates: Vec::new(),
        }
    }

    /// Adds slices of those who run and whose next pass `may` be in this batch, in the order in
    /// which they were admitted, under `Priority` class by class.
    fn go_on(&mut self, filling: &mut Filling<'_>, may: impl Fn(&Job) -> bool) {
        self.candidates.clear();
        self.candidates.extend_from_slice(filling.jobs.admitted());
        if self.by_class {
            let jobs = &filling.jobs;
            self.candidates
                .sort_by_key(|request| jobs.job(*request).priority);
        }
        for request in &self.candidates {
            if filling.slices == 0 {
                return;
            }
            // Who was preempted for another one of these is in no batch either.
            if filling.jobs.get(*request).is_some_and(&may) {
                filling.go_on(*request);
            }
        }
    }

    /// Fills the batch with the pass of `request` alone, if that can be now.
    fn go_alone(&self, request: u32, filling: &mut Filling<'_>) {
        if filling.jobs.runs(request) {
            filling.go_on(request);
            return;
        }
        let first = filling.jobs.first_waiting().map(|job| job.request);
        if first == Some(request) {
            let is_it = |job: &Job| job.request == request;
            filling.admit_waiting(self.slots, is_it);
        }
    }

    fn fill(&mut self, filling: &mut Filling<'_>) {
        if let Some(request) = self.alone.take() {
            self.go_alone(request, filling);
        }
        if !filling.plan.slices.is_empty() {
            return;
        }
        if self.feedback {
            feedback::fill(filling, self.slots, &mut self.candidates);
            return;
        }
        let (slots, any) = (self.slots, |_: &Job| true);
        match (self.rules.prefill, self.rules.chunk) {
            (Prefill::Apart, _) => {
                self.go_on(filling, Job::is_prompt);
                filling.admit_waiting(slots, Job::is_prompt);
                if filling.plan.slices.is_empty() {
                    self.go_on(filling, any);
                    filling.admit_waiting(slots, |job| job.decoding);
                }
            }
            (Prefill::Mixed, None) => {
                self.go_on(filling, any);
                filling.admit_waiting(slots, any);
            }
            (Prefill::Mixed, Some(_)) => {
                self.go_on(filling, |job| job.decoding);
                self.go_on(filling, Job::is_prompt);
                filling.admit_waiting(slots, any);
            }
        }
    }
}

impl Scheduler for Continuously {
    fn next(&mut self, jobs: &mut Jobs, pool: &mut CachePool, _: Instant, _: bool) -> Plan {
        let mut filling = Filling::new(&self.rules, jobs, pool);
        self.fill(&mut filling);
        let Filling { plan, alone, .. } = filling;
        self.alone = alone;
        plan
    }
}
