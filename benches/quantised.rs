//! Products with quantised weights beside candle's quantised matmul: a decode step (1 row) and a
//! prefill (256 rows), of a small and of a large matrix.
//!
//! Before each pair of benches a line says how many times as fast as candle's ours is, the best of
//! several passes taken in turn. candle's time includes, as ours does, rounding the activations.
//! Both use as many threads as there are CPUs; on one, since candle's threads are its own:
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --bench quantised
//! ```

use airloom::numerics::kernels::{BlockFormat, BlockMatrix, Columns, Kernels, RoundedRows};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Instant;

const FORMATS: [(BlockFormat, GgmlDType); 5] = [
    (BlockFormat::Q8_0, GgmlDType::Q8_0),
    (BlockFormat::Q4_0, GgmlDType::Q4_0),
    (BlockFormat::Q4K, GgmlDType::Q4K),
    (BlockFormat::Q5K, GgmlDType::Q5K),
    (BlockFormat::Q6K, GgmlDType::Q6K),
];

/// Inputs × outputs.
const SHAPES: [(usize, usize); 2] = [(256, 704), (2048, 5632)];
const ROWS: [usize; 2] = [1, 256];

/// Numbers of both signs between −1 and 1 without a pattern that matters.
fn values(count: usize) -> Vec<f32> {
    (0..count as u64)
        .map(|i| (i * 2_654_435_761 % 65_521) as f32 / 32_760.5 - 1.0)
        .collect()
}

/// One product, ours and candle's.
struct Pair {
    ours: BlockMatrix,
    theirs: QMatMul,
    inputs: usize,
    outputs: usize,
    rows: usize,
    x: Vec<f32>,
    tensor: Tensor,
    rounded: RoundedRows,
    out: Vec<f32>,
}

impl Pair {
    fn new((format, dtype): (BlockFormat, GgmlDType), shape: (usize, usize), rows: usize) -> Self {
        let (inputs, outputs) = shape;
        let weights = Tensor::from_vec(values(inputs * outputs), (outputs, inputs), &Device::Cpu);
        let weights = weights.and_then(|weights| QTensor::quantize(&weights, dtype));
        let weights = weights.expect("a matrix");
        let bytes = weights.data().expect("bytes on the CPU");
        let ours = BlockMatrix::from_bytes(format, outputs, inputs, &bytes).expect("blocks");
        let x = values(rows * inputs);
        Self {
            ours,
            theirs: QMatMul::from_qtensor(weights).expect("a matrix"),
            inputs,
            outputs,
            rows,
            tensor: Tensor::from_slice(&x, (rows, inputs), &Device::Cpu).expect("rows"),
            x,
            rounded: RoundedRows::default(),
            out: vec![0.0; rows * outputs],
        }
    }

    fn ours(&mut self, kernels: Kernels) {
        let x = black_box(&self.x);
        kernels.round_rows(x, self.rows, self.inputs, &mut self.rounded);
        let to = Columns {
            out: &mut self.out,
            width: self.outputs,
            first: 0,
        };
        kernels.block_matmul(&self.rounded, &self.ours, to);
    }

    fn theirs(&self) -> Tensor {
        let product = self.theirs.forward(black_box(&self.tensor));
        product.expect("a product")
    }

    /// How many times as fast ours is.
    fn ratio(&mut self, kernels: Kernels) -> f64 {
        let mut best = [f64::INFINITY; 2];
        for _ in 0..30 {
            let start = Instant::now();
            self.ours(kernels);
            best[0] = best[0].min(start.elapsed().as_secs_f64());
            let start = Instant::now();
            black_box(self.theirs());
            best[1] = best[1].min(start.elapsed().as_secs_f64());
        }
        best[1] / best[0]
    }
}

fn quantised(criterion: &mut Criterion) {
    let kernels = Kernels::active().expect("a path");
    let threads = rayon::current_num_threads();
    for (inputs, outputs) in SHAPES {
        for rows in ROWS {
            let name = format!("{rows}x{inputs}x{outputs}, {threads} threads");
            let mut group = criterion.benchmark_group(&name);
            group.sample_size(10);
            group.throughput(Throughput::Elements((rows * inputs * outputs) as u64));
            for format in FORMATS {
                let mut pair = Pair::new(format, (inputs, outputs), rows);
                let ratio = pair.ratio(kernels);
                println!("{}, {name}: {ratio:.2} × candle", format.0);
                group.bench_function(format!("{}", format.0), |bench| {
                    bench.iter(|| pair.ours(kernels));
                });
                group.bench_function(format!("{}, candle", format.0), |bench| {
                    bench.iter(|| pair.theirs());
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, quantised);
criterion_main!(benches);
