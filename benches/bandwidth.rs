//! Speed of the divisions of the band: Newton's method beside nested bisection on one
//! block, for 8 and for 1000 devices, and one division for the 32 blocks of a pass.

use airloom::policy::{BandwidthPolicy, MinMax, PerPass, TokenLink};
use airloom::radio::path_loss_db;
use airloom::rng::{Below, Streams};
use airloom::units::{Hertz, Meters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::RngExt;
use rand::distr::OpenClosed01;
use std::hint::black_box;

const STREAMS: Streams = Streams { seed: 7, run: 0 };
const TOTAL: f64 = 100e6;
/// −174 dBm/Hz.
const NOISE_DENSITY: f64 = 3.98e-21;

/// Devices 50 to 400 m away with 5 to 50 TFLOP/s, and their tokens in `blocks` blocks.
fn fleet(devices: usize, blocks: usize) -> (Vec<TokenLink>, Vec<f64>) {
    let mut links = Vec::new();
    let mut loads = vec![0.0; devices * blocks];
    for device in 0..devices {
        let mut stream = STREAMS.open("bench.bandwidth", device as u32, 0);
        let distance = stream.random_range(50.0..400.0);
        let loss = path_loss_db(Hertz(3.5e9), Meters(distance));
        let fading = -stream.sample::<f64, _>(OpenClosed01).ln();
        let gain = 10f64.powf(-loss / 10.0) * fading;
        links.push(TokenLink {
            downlink_bits: 65536.0,
            uplink_bits: 65536.0,
            downlink_reach: 10.0 * gain / NOISE_DENSITY,
            uplink_reach: 0.2 * gain / NOISE_DENSITY,
            ceiling: f64::INFINITY,
            compute: 352.5e6 / stream.random_range(5e12..50e12),
        });
        for block in 0..blocks {
            loads[block * devices + device] = 40.0 + stream.sample(Below::new(360)) as f64;
        }
    }
    (links, loads)
}

/// The end of a block as one finds it without derivatives.
fn nested_bisection(links: &[TokenLink], loads: &[f64]) -> f64 {
    let bisect = |mut low: f64, mut high: f64, above: &dyn Fn(f64) -> bool| {
        while high / low > 1.0 + 1e-12 {
            let middle = (low * high).sqrt();
            if above(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    };
    let least = links.iter().zip(loads);
    let least = least
        .map(|(link, load)| load * link.delay(TOTAL))
        .fold(0.0, f64::max);
    bisect(least, 1e3 * least, &|seconds| {
        let devices = links.iter().zip(loads);
        let sum: f64 = devices
            .map(|(link, load)| bisect(1.0, TOTAL, &|b| load * link.delay(b) > seconds))
            .sum();
        sum > TOTAL
    })
}

fn one_block(c: &mut Criterion) {
    let mut group = c.benchmark_group("min-max of one block");
    for devices in [8, 1000] {
        let (links, loads) = fleet(devices, 1);
        group.bench_function(BenchmarkId::new("Newton", devices), |b| {
            b.iter(|| MinMax.allocate(black_box(&links), black_box(&loads), TOTAL));
        });
    }
    let (links, loads) = fleet(8, 1);
    group.bench_function(BenchmarkId::new("nested bisection", 8), |b| {
        b.iter(|| nested_bisection(black_box(&links), black_box(&loads)));
    });
    group.finish();
}

fn one_pass(c: &mut Criterion) {
    let mut group = c.benchmark_group("least sum over a pass");
    let (links, loads) = fleet(8, 32);
    group.bench_function("barrier method, 8 devices, 32 blocks", |b| {
        b.iter(|| PerPass::default().solve(black_box(&links), black_box(&loads), TOTAL));
    });
    group.finish();
}

criterion_group!(benches, one_block, one_pass);
criterion_main!(benches);
