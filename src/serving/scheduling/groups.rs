//! Batches that begin together and leave together.

use super::{Piece, Plan, Scheduler, leave};
use crate::serving::cache_pool::CachePool;
use crate::serving::jobs::{Job, Jobs};
use crate::units::{Duration, Instant, Seconds};

/// Static and dynamic batching at work.
#[derive(Debug)]
pub(super) struct InGroups {
    /// Requests of a full batch.
    full: usize,
    /// Most requests that run.
    slots: usize,
    /// How long one waits at most for others; `None` if without end.
    window: Option<Duration>,
    /// Who began together, as long as one of them has no answer.
    groups: Vec<Vec<u32>>,
}

impl InGroups {
    pub(super) fn new(batch: usize, slots: usize, window: Option<Seconds>) -> Self {
        // A window longer than the clock can show never ends.
        let window = window.and_then(|window| Duration::from_seconds(window.0).ok());
        Self {
            full: batch.min(slots),
            slots,
            window,
            groups: Vec::new(),
        }
    }

    /// The next pass of the first group that is all there.
    fn go_on(&self, jobs: &mut Jobs, pool: &mut CachePool) -> Vec<Piece> {
        let open = |request: &&u32| jobs.get(**request).is_some_and(|job| !job.done);
        let ready = |request: &u32| jobs.get(*request).is_some_and(Job::is_ready);
        let is_ready = |group: &&Vec<u32>| group.iter().filter(open).all(ready);
        let Some(group) = self.groups.iter().find(is_ready) else {
            return Vec::new();
        };
        let members = group.iter().filter(open).copied().collect::<Vec<_>>();
        let mut slice = |request: u32| {
            let job = jobs.job(request);
            let tokens = job.pending;
            // Its room was taken when it was admitted.
            pool.grow(job, job.context + tokens);
            jobs.occupy(request);
            Piece { request, tokens }
        };
        members.into_iter().map(&mut slice).collect()
    }

    /// Turns away those of the next batch who can never be served.
    fn reject(&self, jobs: &mut Jobs, pool: &CachePool, plan: &mut Plan) {
        loop {
            let next = jobs.waiting().take(self.full);
            let refused = next.filter_map(|job| Some((job.request, pool.refuses(job.longest)?)));
            let refused = refused.collect::<Vec<_>>();
            if refused.is_empty() {
                return;
            }
            for (request, _) in &refused {
                jobs.leave(*request);
            }
            plan.rejected.extend(refused);
        }
    }

    /// Whether those who wait begin now, and otherwise when they do, if that is known.
    fn is_due(&self, jobs: &Jobs, now: Instant, more_to_come: bool) -> Result<(), Option<Instant>> {
        if jobs.waiting_len() >= self.full || !more_to_come {
            return Ok(());
        }
        let arrivals = jobs.waiting().map(|job| job.arrival);
        let due = self.window.zip(arrivals.min());
        match due.map(|(window, oldest)| oldest + window) {
            Some(due) if due <= now => Ok(()),
            due => Err(due),
        }
    }

    /// Admits the next batch, or as much of it as there is room for.
    fn begin(&mut self, jobs: &mut Jobs, pool: &mut CachePool, plan: &mut Plan) {
        let mut group = Vec::new();
        while group.len() < self.full {
            let Some(job) = jobs.first_waiting() else {
                break;
            };
            let request = job.request;
            let reuse = pool.reusable(job);
            let reused = reuse.map_or(0, |reuse| reuse.tokens);
            if !pool.admit(job, job.context + job.pending, job.longest) {
                break;
            }
            let tokens = job.pending - reused;
            jobs.admit(request, reused);
            jobs.occupy(request);
            plan.admitted.push(request);
            plan.reused.extend(reuse);
            plan.slices.push(Piece { request, tokens });
            group.push(request);
        }
        if !group.is_empty() {
            self.groups.push(group);
        }
    }
}

impl Scheduler for InGroups {
    fn next(
        &mut self,
        jobs: &mut Jobs,
        pool: &mut CachePool,
        now: Instant,
        more_to_come: bool,
    ) -> Plan {
        let mut plan = Plan::default();
        if !self.groups.is_empty() {
            plan.slices = self.go_on(jobs, pool);
        }
        if !plan.slices.is_empty() {
            return plan;
        }
        self.reject(jobs, pool, &mut plan);
        let is_room = jobs.running_len().saturating_add(self.full) <= self.slots;
        if jobs.waiting_len() == 0 || !is_room {
            return plan;
        }
        match self.is_due(jobs, now, more_to_come) {
            Ok(()) => self.begin(jobs, pool, &mut plan),
            Err(wake) => plan.wake = wake,
        }
        plan
    }

    fn finish(&mut self, request: u32, jobs: &mut Jobs, pool: &mut CachePool) -> Vec<u32> {
        jobs.complete(request);
        let is_done = |request: &u32| jobs.get(*request).is_none_or(|job| job.done);
        let position = self
            .groups
            .iter()
            .position(|group| group.contains(&request));
        let done = position.filter(|position| self.groups[*position].iter().all(is_done));
        let group = done.map_or_else(Vec::new, |position| self.groups.remove(position));
        for member in &group {
            leave(*member, jobs, pool);
        }
        group
    }
}
