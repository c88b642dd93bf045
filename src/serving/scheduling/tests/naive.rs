//! Continuous batching without a thought for speed: everything is sorted, copied and counted anew.

use super::super::{Continuous, Piece, Plan, Preempted, Prefill, Reason};
use crate::serving::{Job, Jobs, Order};
use std::collections::BTreeMap;

/// The memory of a naive scheduler.
#[derive(Debug, Clone, Copy)]
pub(super) enum Memory {
    Endless,
    Reserved {
        total: usize,
        longest: Option<usize>,
    },
    Paged {
        total: usize,
        block: usize,
        watermark: usize,
        swap: bool,
    },
}

/// Decides as [`Continuous`] does, under any order but feedback, without shared prefixes.
#[derive(Debug)]
pub(super) struct Naive {
    pub(super) rules: Continuous,
    pub(super) order: Order,
    pub(super) slots: usize,
    pub(super) memory: Memory,
    pub(super) alone: Option<u32>,
}

/// Somebody who runs.
#[derive(Debug, Clone)]
struct Runner {
    job: Job,
    /// Tokens that there is room for in its cache.
    holds: usize,
}

struct Day {
    running: Vec<Runner>,
    waiting: Vec<Job>,
    plan: Plan,
    alone: Option<u32>,
}

impl Naive {
    pub(super) fn plan(&mut self, jobs: &Jobs, flying: &BTreeMap<u32, usize>) -> Plan {
        let runner = |job: &Job| Runner {
            job: job.clone(),
            holds: job.context + flying.get(&job.request).copied().unwrap_or(0),
        };
        let mut waiting = jobs.waiting().cloned().collect::<Vec<_>>();
        waiting.sort_by_key(|job| (self.rank(job), job.arrival, job.request));
        let mut day = Day {
            running: jobs.running().map(runner).collect(),
            waiting,
            plan: Plan::default(),
            alone: None,
        };
        if let Some(request) = self.alone.take() {
            if day
                .running
                .iter()
                .any(|runner| runner.job.request == request)
            {
                self.go_on(&mut day, |job| job.request == request);
            } else {
                self.admit(&mut day, |job| job.request == request);
            }
        }
        if day.plan.slices.is_empty() {
            match (self.rules.prefill, self.rules.chunk) {
                (Prefill::Apart, _) => {
                    self.go_on(&mut day, |job| !job.decoding);
                    self.admit(&mut day, |job| !job.decoding);
                    if day.plan.slices.is_empty() {
                        self.go_on(&mut day, |_| true);
                        self.admit(&mut day, |job| job.decoding);
                    }
                }
                (_, None) => {
                    self.go_on(&mut day, |_| true);
                    self.admit(&mut day, |_| true);
                }
                (_, Some(_)) => {
                    self.go_on(&mut day, |job| job.decoding);
                    self.go_on(&mut day, |job| !job.decoding);
                    self.admit(&mut day, |_| true);
                }
            }
        }
        self.alone = day.alone;
        day.plan
    }

    fn rank(&self, job: &Job) -> (usize, usize) {
        match self.order {
            Order::Priority => (job.priority as usize, 0),
            Order::ShortestFirst => (job.output.unwrap() as usize - job.generated, job.pending),
            _ => (0, 0),
        }
    }

    /// The tokens of the next slice of `job` beside those that are planned.
    fn piece(&self, day: &mut Day, job: &Job) -> Option<usize> {
        let planned = |prompts: bool| {
            let slices = day.plan.slices.iter();
            let counts = slices.filter(|piece| {
                let mut running = day.running.iter();
                let runner = running.find(|runner| runner.job.request == piece.request);
                !prompts || !runner.unwrap().job.decoding
            });
            counts.map(|piece| piece.tokens).sum::<usize>()
        };
        if day.plan.slices.len() >= self.rules.batch {
            return None;
        }
        let left = self.rules.tokens.saturating_sub(planned(false));
        let tokens = match self.rules.chunk {
            Some(chunk) if !job.decoding => job.pending.min(chunk - planned(true)).min(left),
            _ => job.pending,
        };
        if tokens <= left {
            return (tokens > 0).then_some(tokens);
        }
        if day.plan.slices.is_empty() {
            return Some(tokens);
        }
        // A batch that is too long already leaves nobody a budget to be too long for.
        let over = planned(false) > self.rules.tokens;
        if tokens > self.rules.tokens && !over && day.alone.is_none() {
            day.alone = Some(job.request);
        }
        None
    }

    /// Whether there is room for `runner`s.
    fn fits(&self, running: &[Runner], spare: bool) -> bool {
        match self.memory {
            Memory::Endless => true,
            Memory::Reserved { total, longest } => {
                let room = |runner: &Runner| longest.unwrap_or(runner.job.longest);
                running.iter().map(room).sum::<usize>() <= total
            }
            Memory::Paged {
                total,
                block,
                watermark,
                ..
            } => {
                let blocks = running.iter().map(|runner| runner.holds.div_ceil(block));
                let spare = if spare { watermark } else { 0 };
                blocks.sum::<usize>() + spare <= total / block
            }
        }
    }

    fn go_on(&self, day: &mut Day, may: impl Fn(&Job) -> bool) {
        let mut order = day
            .running
            .iter()
            .map(|runner| &runner.job)
            .collect::<Vec<_>>();
        if let Order::Priority = self.order {
            order.sort_by_key(|job| job.priority);
        }
        let order = order.iter().map(|job| job.request);
        for request in order.collect::<Vec<_>>() {
            let is_it = |runner: &Runner| runner.job.request == request;
            let Some(runner) = day.running.iter().find(|runner| is_it(runner)).cloned() else {
                continue;
            };
            if !may(&runner.job) || !runner.job.is_ready() {
                continue;
            }
            let Some(tokens) = self.piece(day, &runner.job) else {
                continue;
            };
            loop {
                let mut grown = day.running.clone();
                let mut place = grown.iter_mut().filter(|runner| is_it(runner));
                place.next().unwrap().holds = runner.job.context + tokens;
                if self.fits(&grown, false) {
                    day.running = grown;
                    let mut place = day.running.iter_mut().filter(|runner| is_it(runner));
                    place.next().unwrap().job.busy = true;
                    day.plan.slices.push(Piece { request, tokens });
                    break;
                }
                match self.victim(&day.running, request) {
                    Some(victim) => self.preempt(day, victim),
                    None => break,
                }
                if !day.running.iter().any(is_it) {
                    break;
                }
            }
        }
    }

    fn victim(&self, running: &[Runner], grower: u32) -> Option<u32> {
        let class = |job: &Job| match self.order {
            Order::Priority => job.priority,
            _ => 0,
        };
        let key = |place: usize| (class(&running[place].job), place);
        let idle = |place: &usize| !running[*place].job.busy;
        let places = 0..running.len();
        let worst = places
            .clone()
            .filter(idle)
            .max_by_key(|place| key(*place))?;
        let worst_of_all = places.max_by_key(|place| key(*place))?;
        let request = running[worst].job.request;
        let itself = request == grower;
        (!itself || worst == worst_of_all && running.len() > 1).then_some(request)
    }

    fn preempt(&self, day: &mut Day, request: u32) {
        let mut running = day.running.iter();
        let place = running.position(|runner| runner.job.request == request);
        let runner = day.running.remove(place.unwrap());
        let swaps = matches!(self.memory, Memory::Paged { swap: true, .. });
        day.plan.preempted.push(Preempted {
            request,
            swap: swaps && runner.job.context > 0,
            tokens: runner.job.context,
        });
    }

    fn admit(&self, day: &mut Day, may: impl Fn(&Job) -> bool) {
        while day.plan.preempted.is_empty() && day.running.len() < self.slots {
            let Some(job) = day.waiting.first().filter(|job| may(job)).cloned() else {
                return;
            };
            let has = match self.memory {
                Memory::Endless => usize::MAX,
                Memory::Reserved { total, longest } => longest.unwrap_or(total).min(total),
                Memory::Paged { total, block, .. } => total / block * block,
            };
            let needs = job.longest;
            if day.plan.slices.len() >= self.rules.batch
                || self.rules.tokens < day.plan.slices.iter().map(|piece| piece.tokens).sum()
            {
                return;
            }
            if needs > has {
                day.waiting.remove(0);
                let reason = Reason::CacheTooSmall { needs, has };
                day.plan.rejected.push((job.request, reason));
                continue;
            }
            let Some(tokens) = self.piece(day, &job) else {
                return;
            };
            let mut joined = day.running.clone();
            joined.push(Runner {
                job: Job {
                    busy: true,
                    ..job.clone()
                },
                holds: job.context + tokens,
            });
            if !self.fits(&joined, !day.running.is_empty()) {
                return;
            }
            day.running = joined;
            day.waiting.remove(0);
            match job.swapped {
                true => day.plan.resumed.push((job.request, job.context)),
                false => day.plan.admitted.push(job.request),
            }
            let request = job.request;
            day.plan.slices.push(Piece { request, tokens });
        }
    }
}
