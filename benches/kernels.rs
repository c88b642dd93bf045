//! Speed of the matrix product on every path that this CPU has, beside candle's, on one
//! thread: a feed-forward product of a prefill (256 rows) and of a decode step (1 row).
//!
//! Candle's product uses AVX2 with FMA even where there is AVX-512, so that its ratio to our
//! AVX2 compares the same instructions.

mod race;

use airloom::numerics::kernels::{Kernels, Packed, Path};
use candle_core::{Device, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use race::{CANDLE, race};
use std::hint::black_box;

const INPUTS: usize = 256;
const OUTPUTS: usize = 704;

/// Numbers of both signs between −1 and 1 without a pattern that matters.
fn values(count: usize) -> Vec<f32> {
    (0..count as u64)
        .map(|i| (i * 2_654_435_761 % 65_521) as f32 / 32_760.5 - 1.0)
        .collect()
}

fn matmul(criterion: &mut Criterion) {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.expect("one thread");
    let weights = values(OUTPUTS * INPUTS);
    let packed = Packed::new(&weights, OUTPUTS, INPUTS).expect("a matrix");
    let plain = Tensor::from_slice(&weights, (OUTPUTS, INPUTS), &Device::Cpu);
    let plain = plain.and_then(|weights| weights.t()).expect("a matrix");
    for rows in [256, 1] {
        let mut group = criterion.benchmark_group(format!("matmul_{rows}x{INPUTS}x{OUTPUTS}"));
        group.throughput(Throughput::Elements((rows * INPUTS * OUTPUTS) as u64));
        let ours = values(rows * INPUTS);
        let mut out = vec![0.0; rows * OUTPUTS];
        for path in Path::available() {
            let kernels = Kernels::with_path(path).expect("available");
            group.bench_function(path.name(), |bencher| {
                alone.install(|| {
                    bencher.iter(|| kernels.matmul(black_box(&ours), rows, &packed, &mut out));
                });
            });
        }
        let x = Tensor::from_slice(&ours, (rows, INPUTS), &Device::Cpu).expect("a matrix");
        group.bench_function("candle", |bencher| {
            alone.install(|| bencher.iter(|| black_box(&x).matmul(&plain).expect("a product")));
        });
        group.finish();

        let title = format!("matmul {rows} × {INPUTS} × {OUTPUTS}");
        let theirs = || drop(black_box(black_box(&x).matmul(&plain).expect("a product")));
        let mut contenders: Vec<(String, Box<dyn FnMut() + Send>)> =
            vec![(CANDLE.into(), Box::new(theirs))];
        for path in Path::available() {
            let kernels = Kernels::with_path(path).expect("available");
            let (ours, packed, mut out) = (&ours, &packed, vec![0.0; rows * OUTPUTS]);
            contenders.push((
                path.name().into(),
                Box::new(move || kernels.matmul(black_box(ours), rows, packed, &mut out)),
            ));
        }
        alone.install(|| race(&title, &mut contenders));
    }
}

criterion_group!(benches, matmul);
criterion_main!(benches);
