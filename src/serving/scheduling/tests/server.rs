//! A server that serves by a scheduler's plans, with caches that hold numbered tokens, and checks
//! every plan and every token.

use super::super::{Piece, Plan, Scheduler};
use super::naive::Naive;
use crate::serving::{CachePool, Job, Jobs, Replica, block_hashes};
use crate::units::Instant;
use std::collections::BTreeMap;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) arrival: u64,
    pub(super) priority: u32,
    /// Prompts that are read one after the other, each from an empty cache.
    pub(super) prompts: Vec<Vec<u64>>,
    /// Tokens generated after the last of them; at least 1.
    pub(super) output: usize,
}

impl Ask {
    /// One prompt of `prompt` tokens that are like no others.
    pub(super) fn new(arrival: u64, prompt: usize, output: usize) -> Self {
        let unlike = |token: usize| (arrival << 32) + (output << 16) as u64 + token as u64;
        Self {
            arrival,
            priority: 0,
            prompts: vec![(0..prompt).map(unlike).collect()],
            output,
        }
    }

    pub(super) fn longest(&self) -> usize {
        let prompts = self.prompts.iter().map(Vec::len);
        let last = self.prompts.last().map_or(0, Vec::len);
        prompts.max().unwrap_or(0).max(last + self.output - 1)
    }
}

/// Who is served, and how far.
#[derive(Debug)]
struct Served {
    prompt: usize,
    /// The prompt and what was generated after it.
    sequence: Vec<u64>,
    generated: usize,
}

/// A replica that serves.
pub(super) struct Server {
    pub(super) scheduler: Box<dyn Scheduler>,
    pub(super) jobs: Jobs,
    pub(super) pool: CachePool,
    pub(super) asks: Vec<Ask>,
    block: usize,
    in_flight: usize,
    most: Limits,
    flying: Vec<(u64, Vec<Piece>)>,
    served: BTreeMap<u32, Served>,
    /// Tokens in caches, also in those kept for others.
    caches: BTreeMap<u32, Vec<u64>>,
    /// Every plan that did something, with its time.
    pub(super) plans: Vec<(u64, Plan)>,
    /// When each left with its answer.
    pub(super) answered: BTreeMap<u32, u64>,
    pub(super) naive: Option<Naive>,
}

/// What no plan may exceed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) batch: usize,
    pub(super) running: usize,
    pub(super) tokens: usize,
    pub(super) chunk: usize,
}

impl Server {
    /// The server of `replica`, for `asks`, with blocks of `block` tokens.
    pub(super) fn new(replica: &Replica, block: usize, limits: Limits, asks: Vec<Ask>) -> Self {
        assert_eq!(replica.validate(), Ok(()));
        let in_flight = replica.in_flight.unwrap_or(1);
        let most = replica.admission.most_in_service();
        let cache = replica.cache.as_ref();
        let scheduler = &replica.scheduler;
        Self {
            scheduler: scheduler.scheduler(&replica.order, in_flight, most),
            jobs: Jobs::new(replica.order),
            pool: cache.map_or_else(CachePool::unlimited, |cache| cache.pool(0)),
            asks,
            block,
            in_flight,
            most: limits,
            flying: Vec::new(),
            served: BTreeMap::new(),
            caches: BTreeMap::new(),
            plans: Vec::new(),
            answered: BTreeMap::new(),
            naive: None,
        }
    }

    /// Serves everybody; the end.
    pub(super) fn serve(&mut self) -> u64 {
        let mut coming = (0..self.asks.len()).collect::<Vec<_>>();
        coming.sort_by_key(|request| (self.asks[*request].arrival, *request));
        let mut coming = coming.into_iter().peekable();
        let mut now = 0;
        for _ in 0..200_000 {
            while let Some(next) = coming.next_if(|next| self.asks[*next].arrival <= now) {
                self.join(next);
            }
            let wake = self.begin(now, coming.peek().is_some());
            let ends = self.flying.iter().map(|(end, _)| *end);
            let arrival = coming.peek().map(|next| self.asks[*next].arrival);
            let Some(next) = ends.chain(arrival).chain(wake).min() else {
                self.check_end();
                return now;
            };
            assert!(next >= now, "nobody is asked to wake up in the past");
            now = next;
            let ended = self.flying.iter().position(|(end, _)| *end == now);
            if let Some(batch) = ended.map(|place| self.flying.remove(place).1) {
                self.end(&batch, now);
            }
        }
        panic!("it never ends: {:?}", self.jobs);
    }

    fn join(&mut self, number: usize) {
        let ask = &self.asks[number];
        let prompt = &ask.prompts[0];
        let blocks = block_hashes(prompt.iter().copied(), self.block);
        let single = ask.prompts.len() == 1;
        let job = Job {
            request: number as u32,
            arrival: Instant(ask.arrival),
            priority: ask.priority,
            output: Some(ask.output as u32),
            pending: prompt.len(),
            longest: ask.longest(),
            blocks: single.then_some(blocks),
            ..Job::default()
        };
        let served = Served {
            prompt: 0,
            sequence: prompt.clone(),
            generated: 0,
        };
        self.served.insert(job.request, served);
        self.jobs.join(job);
    }

    /// Begins as many batches as may be on their way; when to ask again.
    fn begin(&mut self, now: u64, more_to_come: bool) -> Option<u64> {
        while self.flying.len() < self.in_flight {
            let expected = self.naive.as_mut().map(|naive| {
                let flying = self.flying.iter().flat_map(|(_, batch)| batch);
                let flying = flying.map(|piece| (piece.request, piece.tokens));
                naive.plan(&self.jobs, &flying.collect())
            });
            let (jobs, pool) = (&mut self.jobs, &mut self.pool);
            let plan = self.scheduler.next(jobs, pool, Instant(now), more_to_come);
            if let Some(expected) = expected {
                assert_eq!(plan, expected, "the naive scheduler agrees");
            }
            self.check(&plan);
            self.move_caches(&plan);
            let slices = plan.slices.clone();
            let wake = plan.wake;
            if plan != Plan::default() {
                self.plans.push((now, plan));
            }
            if slices.is_empty() {
                return wake.map(|wake| wake.0);
            }
            let tokens = slices.iter().map(|piece| piece.tokens).sum::<usize>();
            self.flying.push((now + 1 + tokens as u64, slices));
        }
        None
    }

    fn check(&self, plan: &Plan) {
        let most = self.most;
        let slices = &plan.slices;
        let tokens = slices.iter().map(|piece| piece.tokens).sum::<usize>();
        assert!(
            slices.len() <= most.batch,
            "no more slices than a batch has"
        );
        assert!(
            tokens <= most.tokens || slices.len() == 1,
            "the budget holds"
        );
        assert!(
            self.jobs.running_len() <= most.running,
            "slots are respected"
        );
        let mut prompts = 0;
        for piece in slices {
            let job = self.jobs.get(piece.request).expect("a slice is somebody's");
            let flying = self.flying.iter().flat_map(|(_, batch)| batch);
            let mut twice = flying
                .chain(slices)
                .filter(|other| other.request == piece.request);
            assert!(job.busy && twice.next().is_some() && twice.next().is_none());
            assert!(piece.tokens > 0 && piece.tokens <= job.pending);
            prompts += if job.decoding { 0 } else { piece.tokens };
        }
        assert!(prompts <= most.chunk, "no more of prompts than a chunk");
        let all = self.jobs.waiting().chain(self.jobs.running());
        let pending = all.map(|job| job.pending).sum::<usize>();
        assert_eq!(pending, self.jobs.pending_tokens());
        assert!(
            !self.jobs.running().any(|job| job.swapped),
            "who runs has its cache"
        );
        let usage = self.pool.usage();
        assert!(usage.held_tokens <= usage.allocated_tokens);
        assert!(
            usage
                .total_tokens
                .is_none_or(|total| usage.allocated_tokens <= total)
        );
    }

    fn move_caches(&mut self, plan: &Plan) {
        for preempted in &plan.preempted {
            let held = self.caches.get(&preempted.request).map_or(0, Vec::len);
            assert_eq!(held, preempted.tokens, "what it held is told");
            if !preempted.swap && !self.pool.keeps(preempted.request) {
                self.caches.remove(&preempted.request);
            }
        }
        for (request, tokens) in &plan.resumed {
            assert_eq!(
                self.caches[request].len(),
                *tokens,
                "it comes back as it was"
            );
        }
        for request in &plan.admitted {
            let reuse = plan.reused.iter().find(|reuse| reuse.request == *request);
            let tokens = reuse.map_or_else(Vec::new, |reuse| {
                self.caches[&reuse.from][..reuse.tokens].to_vec()
            });
            self.caches.insert(*request, tokens);
        }
        for request in self.pool.take_evicted() {
            // One whose cache was given up for this plan may be gone already.
            self.caches.remove(&request);
            assert!(!self.jobs.running().any(|job| job.request == request));
        }
        for (request, _) in &plan.rejected {
            assert!(self.jobs.get(*request).is_none());
            assert!(!self.pool.fits_ever(self.asks[*request as usize].longest()));
            self.served.remove(request);
        }
    }

    fn end(&mut self, batch: &[Piece], now: u64) {
        for piece in batch {
            self.jobs.advance(piece.request, piece.tokens);
            let job = self.jobs.get(piece.request).unwrap().clone();
            let served = self.served.get_mut(&piece.request).unwrap();
            let cache = self.caches.get_mut(&piece.request).unwrap();
            let read = cache.len()..cache.len() + piece.tokens;
            cache.extend_from_slice(&served.sequence[read]);
            assert_eq!(
                cache.len(),
                job.context,
                "the cache is as long as the job says"
            );
            assert_eq!(
                *cache,
                served.sequence[..job.context],
                "and holds its own tokens"
            );
            if job.pending > 0 {
                continue;
            }
            assert_eq!(job.context, served.sequence.len());
            let ask = &self.asks[piece.request as usize];
            if served.prompt + 1 < ask.prompts.len() {
                served.prompt += 1;
                served.sequence.clone_from(&ask.prompts[served.prompt]);
                cache.clear();
                let pending = served.sequence.len();
                self.jobs.next_pass(piece.request, pending, false, true);
                continue;
            }
            served.generated += 1;
            served.sequence.push(u64::MAX - u64::from(piece.request));
            if served.generated < ask.output {
                self.jobs.next_pass(piece.request, 1, true, false);
                self.jobs.generate(piece.request);
                continue;
            }
            let (jobs, pool) = (&mut self.jobs, &mut self.pool);
            for request in self.scheduler.finish(piece.request, jobs, pool) {
                assert!(
                    self.answered.insert(request, now).is_none(),
                    "answered once"
                );
                if !self.pool.keeps(request) {
                    self.caches.remove(&request);
                }
            }
        }
    }

    fn check_end(&mut self) {
        assert_eq!(
            self.jobs.waiting_len() + self.jobs.running_len(),
            0,
            "nobody is left"
        );
        for (request, served) in &self.served {
            assert_eq!(served.generated, self.asks[*request as usize].output);
            assert!(self.answered.contains_key(request));
        }
        let usage = self.pool.usage();
        assert_eq!(
            (usage.allocated_tokens, usage.held_tokens),
            (0, 0),
            "all is given back"
        );
        let free = self.pool.free_tokens();
        assert_eq!(free, usage.total_tokens, "no block is lost");
        for request in self.caches.keys() {
            assert!(self.pool.keeps(*request), "no cache is kept for nothing");
        }
    }
}
