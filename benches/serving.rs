//! How fast a stream of requests is served by a model that is only a shape: 300 requests of
//! lengths like those of chats, 10 a second, on one node, in batches of up to 64 out of a paged cache;
//! metrics with percentiles, no folder. Beside it the same requests one at a time, which is what is
//! simulated where there are no batches: as many tokens in twenty times as many passes.
//!
//! Passes per second are told; compare numbers of one run only: machines and moments differ.

use airloom::scenario::{self, Resolved};
use airloom::simulation::simulate;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::path::Path;

fn scenario(scheduler: &str) -> Resolved {
    let text = format!(
        r#"Scenario(
            seed: 7,
            model: Shape("llama-3-8b"),
            nodes: {{"server": (profile: Preset("server-4-a40"))}},
            replicas: [(
                placement: Single(at: "server"),
                scheduler: Continuous({scheduler}),
                cache: Paged(block: 16),
            )],
            workload: [Arrivals(
                process: Poisson(rate: "10 /s"),
                count: 300,
                prompt: Tokens(LogNormal(median: 120, sigma: 1.2, most: 2048)),
                output: LogNormal(median: 180, sigma: 0.8, most: 1024),
            )],
            trace: Off,
        )"#
    );
    scenario::parse(&text, Path::new("bench.ron"), &[]).expect("a scenario")
}

fn serving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("serving 300 requests");
    group.sample_size(10);
    for (name, scheduler) in [("in batches", "batch: 64"), ("one at a time", "batch: 1")] {
        let resolved = scenario(scheduler);
        let passes = || {
            let run = simulate(&resolved, &mut ()).expect("a run");
            run.metrics.get("timed_passes").expect("passes are counted") as u64
        };
        group.throughput(Throughput::Elements(passes()));
        group.bench_function(name, |bencher| bencher.iter(passes));
    }
    group.finish();
}

criterion_group!(benches, serving);
criterion_main!(benches);
