//! Speed of the radio: Gaussian numbers, channel draws, transceiver designs, and whole
//! all-reduces, each beside what one would otherwise pick.

use airloom::policy::{Design, relax};
use airloom::radio::{
    Air, Coherence, Digital, Fading, Matrix, RadioConfig, Scheme, TransceiverProblem, eigen,
    product_adjoint,
};
use airloom::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};
use airloom::units::Instant;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

const STREAMS: Streams = Streams { seed: 7, run: 0 };

/// Box–Muller as one writes it: one word at a time, the platform's logarithm and sines.
fn plain_normals(source: &mut ChaCha8Rng, out: &mut [f64]) {
    let mut uniform = || ((source.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    for pair in out.chunks_exact_mut(2) {
        let radius = (-2.0 * uniform().ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * uniform()).sin_cos();
        (pair[0], pair[1]) = (radius * cosine, radius * sine);
    }
}

fn normals(c: &mut Criterion) {
    let mut group = c.benchmark_group("normals");
    let mut out = vec![0.0; 600_000];
    group.throughput(Throughput::Elements(out.len() as u64));
    group.bench_function("fill_normal", |b| {
        let mut stream = STREAMS.open("bench", NO_DEVICE, 0);
        b.iter(|| StandardNormal.fill(&mut stream, black_box(&mut out)));
    });
    group.bench_function("scalar with std", |b| {
        let mut source = ChaCha8Rng::from_seed([7; 32]);
        b.iter(|| plain_normals(&mut source, black_box(&mut out)));
    });
    group.finish();
}

fn channels(devices: usize) -> Vec<Matrix> {
    (0..devices)
        .map(|device| Fading::default().draw(STREAMS, device, 0, 20, 4))
        .collect()
}

fn eigenvectors(c: &mut Criterion) {
    let mut group = c.benchmark_group("eigenvectors 20x20");
    let sum = channels(8)
        .iter()
        .fold(Matrix::zeros(20, 20), |sum, h| sum + product_adjoint(h, h));
    group.bench_function("ours", |b| b.iter(|| eigen(black_box(&sum))));
    group.bench_function("nalgebra", |b| {
        b.iter(|| black_box(&sum).clone().symmetric_eigen());
    });
    group.finish();
}

fn designs(c: &mut Criterion) {
    let mut group = c.benchmark_group("transceiver N_r=20 N_t=4 L=4");
    for devices in [2, 8] {
        let channels = channels(devices);
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &vec![1.0; devices],
            noise: 1.0,
            streams: 4,
        };
        for choice in Design::all() {
            let design = choice.transceiver_design();
            group.bench_function(BenchmarkId::new(choice.name(), devices), |b| {
                b.iter(|| design.design(black_box(&problem)).unwrap());
            });
        }
    }
    group.finish();
}

/// The semidefinite relaxation alone, without its randomisation, to two gaps.
fn relaxation(c: &mut Criterion) {
    let mut group = c.benchmark_group("relaxation N_r=20 N_t=4");
    for devices in [2, 4, 8] {
        let channels = channels(devices);
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &vec![1.0; devices],
            noise: 1.0,
            streams: 4,
        };
        for gap in [1e-3, 1e-6] {
            group.bench_function(BenchmarkId::new(format!("gap {gap:e}"), devices), |b| {
                b.iter(|| relax(black_box(&problem), gap).unwrap());
            });
        }
    }
    group.finish();
}

fn all_reduces(c: &mut Criterion) {
    let mut group = c.benchmark_group("all-reduce N=4");
    for entries in [256usize, 65_536] {
        group.throughput(Throughput::Elements(entries as u64));
        let parts: Vec<Vec<f32>> = (0..4)
            .map(|device| {
                let mut normals = vec![0.0; entries];
                StandardNormal.fill(&mut STREAMS.open("bench.tensor", device, 0), &mut normals);
                normals.iter().map(|x| *x as f32).collect()
            })
            .collect();
        let parts: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        let mut sum = vec![0.0; entries];
        for scheme in [
            Scheme::Ideal,
            Scheme::default(),
            Scheme::Digital(Digital::default()),
        ] {
            let config = RadioConfig {
                coherence: Coherence::Static,
                ..RadioConfig::default()
            };
            let design = Design::default().transceiver_design();
            let mut air = Air::new(config, scheme.clone(), design, 4, STREAMS).unwrap();
            group.bench_function(BenchmarkId::new(scheme.name(), entries), |b| {
                b.iter(|| {
                    let round = air.round(0, Instant::ZERO).unwrap();
                    round.reduce(black_box(&parts), &mut sum).unwrap()
                });
            });
        }
        group.bench_function(BenchmarkId::new("plain f32 loop", entries), |b| {
            b.iter(|| {
                sum.fill(0.0);
                for part in black_box(&parts) {
                    for (sum, x) in sum.iter_mut().zip(*part) {
                        *sum += x;
                    }
                }
                sum[0]
            });
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    normals,
    eigenvectors,
    designs,
    relaxation,
    all_reduces
);
criterion_main!(benches);
