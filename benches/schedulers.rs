//! Speed of schedulers: one iteration of 256 requests with 100 000 waiting, from the plan to the
//! last of them having advanced; and one request alone with as many waiting.

use airloom::serving::{CachePool, FeedbackQueue, Job, Jobs, Order, Paged, block_hashes};
use airloom::serving::{Continuous, Scheduler, Scheduling};
use airloom::units::Instant;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

/// Tokens that every prompt shares with the others.
const ALIKE: u64 = 64;

/// A replica in the middle of its work, which never ends: who leaves comes again.
struct Replica {
    scheduler: Box<dyn Scheduler>,
    jobs: Jobs,
    pool: CachePool,
    next: u32,
}

impl Replica {
    fn new(batch: usize, order: Order, cache: Option<&Paged>) -> Self {
        let scheduling = Scheduling::Continuous(Continuous {
            batch,
            ..Continuous::default()
        });
        let mut replica = Self {
            scheduler: scheduling.scheduler(&order, 1, usize::MAX),
            jobs: Jobs::new(order),
            pool: cache.map_or_else(CachePool::unlimited, |paged| {
                CachePool::paged(60_000, paged)
            }),
            next: 0,
        };
        for _ in 0..100_000 {
            replica.join();
        }
        for _ in 0..500 {
            replica.iterate();
        }
        replica
    }

    fn join(&mut self) {
        let request = self.next;
        self.next += 1;
        let (prompt, output) = (100 + request % 200, 50 + request * 53 % 300);
        let own = u64::from(request) << 32;
        let token = |at: u64| if at < ALIKE { at } else { own + at };
        self.jobs.join(Job {
            request,
            arrival: Instant(u64::from(request)),
            output: Some(output),
            pending: prompt as usize,
            longest: (prompt + output) as usize,
            blocks: Some(block_hashes((0..u64::from(prompt)).map(token), 16)),
            ..Job::default()
        });
    }

    /// The slices of one more iteration.
    fn iterate(&mut self) -> usize {
        let (jobs, pool) = (&mut self.jobs, &mut self.pool);
        let plan = self.scheduler.next(jobs, pool, Instant::ZERO, true);
        let mut answered = 0;
        for piece in &plan.slices {
            jobs.advance(piece.request, piece.tokens);
            jobs.generate(piece.request);
            let job = jobs.get(piece.request).expect("a slice is somebody's");
            if job
                .output
                .is_some_and(|output| job.generated < output as usize)
            {
                jobs.next_pass(piece.request, 1, true, false);
            } else {
                answered += self.scheduler.finish(piece.request, jobs, pool).len();
            }
        }
        pool.take_evicted();
        for _ in 0..answered {
            self.join();
        }
        plan.slices.len()
    }
}

fn iterations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("schedulers");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    let paged = Paged::default();
    let prefix = Paged {
        prefix: true,
        ..Paged::default()
    };
    let feedback = Order::FeedbackQueue(FeedbackQueue::default());
    let cases = [
        ("endless", 256, Order::First, None),
        ("paged", 256, Order::First, Some(&paged)),
        ("shared_prefixes", 256, Order::First, Some(&prefix)),
        ("priority", 256, Order::Priority, Some(&paged)),
        ("feedback", 256, feedback, Some(&paged)),
        ("one_request", 1, Order::First, None),
    ];
    for (name, batch, order, cache) in cases {
        let mut replica = Replica::new(batch, order, cache);
        group.throughput(Throughput::Elements(replica.iterate() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| replica.iterate()));
    }
    group.finish();
}

criterion_group!(benches, iterations);
criterion_main!(benches);
