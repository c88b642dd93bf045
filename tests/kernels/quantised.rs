//! Quantised weights: blocks are what candle says they are, products have the bits of their
//! definition on every path, and come as near to `f64` as rounded activations allow.

use airloom::numerics::kernels::{BlockFormat, BlockMatrix, Columns, Kernels, Path, RoundedRows};
use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{Device, Module, Tensor};
use half::f16;
use proptest::prelude::*;
use std::borrow::Cow;

use crate::values::{KINDS, Kind, all_bits, bits, values};

const READ: [(BlockFormat, GgmlDType); 5] = [
    (BlockFormat::Q8_0, GgmlDType::Q8_0),
    (BlockFormat::Q4_0, GgmlDType::Q4_0),
    (BlockFormat::Q4K, GgmlDType::Q4K),
    (BlockFormat::Q5K, GgmlDType::Q5K),
    (BlockFormat::Q6K, GgmlDType::Q6K),
];

fn groups(bits: u8, size: u16) -> BlockFormat {
    BlockFormat::Groups { bits, size }
}

/// Any bytes, but scales that are ordinary numbers.
fn blocks(format: BlockFormat, rows: usize, columns: usize, seed: u32) -> Vec<u8> {
    let len = format.bytes(rows, columns).expect("whole blocks");
    let words = values(len, seed, Kind::Any);
    let mut bytes: Vec<u8> = words
        .iter()
        .map(|word| (word.to_bits() >> 9) as u8)
        .collect();
    let scales: &[usize] = match format {
        BlockFormat::Q4K | BlockFormat::Q5K => &[0, 2],
        BlockFormat::Q6K => &[208],
        _ => &[0],
    };
    let numbers = values(2 * len, seed + 1, Kind::Ordinary);
    let mut numbers = numbers.into_iter();
    for block in bytes.chunks_exact_mut(format.span_bytes()) {
        for &at in scales {
            let scale = f16::from_f32(numbers.next().expect("enough") / 64.0);
            block[at..at + 2].copy_from_slice(&scale.to_le_bytes());
        }
    }
    bytes
}

fn read(format: BlockFormat, rows: usize, columns: usize, seed: u32) -> BlockMatrix {
    let bytes = blocks(format, rows, columns, seed);
    BlockMatrix::from_bytes(format, rows, columns, &bytes).expect("valid blocks")
}

fn candle(dtype: GgmlDType, rows: usize, columns: usize, bytes: &[u8]) -> QTensor {
    let storage = QStorage::from_data(Cow::Owned(bytes.to_vec()), &Device::Cpu, dtype);
    QTensor::new(storage.expect("blocks"), (rows, columns)).expect("a matrix")
}

fn dequantised(matrix: &BlockMatrix) -> Vec<f32> {
    let mut all = vec![f32::NAN; matrix.rows() * matrix.columns()];
    if matrix.columns() > 0 {
        for (row, to) in all.chunks_exact_mut(matrix.columns()).enumerate() {
            matrix.dequantise_row(row, to);
        }
    }
    all
}

fn rounded(kernels: Kernels, x: &[f32], rows: usize, columns: usize) -> RoundedRows {
    let mut to = RoundedRows::default();
    kernels.round_rows(x, rows, columns, &mut to);
    to
}

fn product(path: Path, x: &[f32], rows: usize, weights: &BlockMatrix) -> Vec<f32> {
    let kernels = Kernels::with_path(path).expect("available");
    let x = rounded(kernels, x, rows, weights.columns());
    let mut out = vec![f32::from_bits(0xffff_ffff); rows * weights.rows()];
    let columns = Columns {
        out: &mut out,
        width: weights.rows(),
        first: 0,
    };
    kernels.block_matmul(&x, weights, columns);
    out
}

/// The code that stands for zero.
fn zero(format: BlockFormat) -> i32 {
    match format {
        BlockFormat::Q4_0 => 8,
        BlockFormat::Q6K => 32,
        BlockFormat::Groups { bits, .. } if bits < 8 => 1 << (bits - 1),
        _ => 0,
    }
}

/// Activations' σ and x̂, as the documentation says.
fn round_block(x: &[f32]) -> (f32, [i32; 32]) {
    if !x.iter().all(|x| x.is_finite()) {
        return (f32::NAN, [0; 32]);
    }
    let scale = x.iter().fold(0f32, |m, x| m.max(x.abs())) / 127.0;
    let mut codes = [0; 32];
    if scale != 0.0 {
        for (code, x) in codes.iter_mut().zip(x) {
            *code = (x / scale).round_ties_even().clamp(-127.0, 127.0) as i32;
        }
    }
    (scale, codes)
}

/// The definition of one output, read out of a file's bytes rather than of the matrix.
fn definition(format: BlockFormat, row: &[u8], x: &[f32]) -> u32 {
    let mut acc = 0f32;
    let per_span = format.span() / 32;
    for (index, x) in x.chunks(32).enumerate() {
        let span = &row[index / per_span * format.span_bytes()..][..format.span_bytes()];
        let part = index % per_span;
        let half = |at: usize| f16::from_le_bytes([span[at], span[at + 1]]).to_f32();
        let (sigma, rounded) = round_block(x);
        let code = |k: usize| -> i32 {
            let at = 32 * part + k;
            let nibble =
                |bytes: &[u8]| i32::from(bytes[at / 64 * 32 + at % 32] >> (at % 64 / 32 * 4) & 15);
            match format {
                BlockFormat::Q8_0 => i32::from(span[2 + k] as i8),
                BlockFormat::Q4_0 => i32::from(span[2 + k % 16] >> (k / 16 * 4) & 15),
                BlockFormat::Q4K => nibble(&span[16..]),
                BlockFormat::Q5K => nibble(&span[48..]) + 16 * i32::from(span[16 + k] >> part & 1),
                _ => {
                    let (n, l) = (at / 128, at % 128);
                    let low = span[64 * n + l % 64] >> (l / 64 * 4) & 15;
                    let high = span[128 + 32 * n + l % 32] >> (l / 32 * 2) & 3;
                    i32::from(low) + 16 * i32::from(high)
                }
            }
        };
        let dot = |range: std::ops::Range<usize>| -> f32 {
            let terms = range.map(|k| (code(k) - zero(format)) * rounded[k]);
            terms.sum::<i32>() as f32 * sigma
        };
        match format {
            BlockFormat::Q4K | BlockFormat::Q5K => {
                let s = &span[4..16];
                let (s, m) = match part {
                    0..4 => (s[part] & 63, s[part + 4] & 63),
                    _ => (
                        s[part + 4] & 15 | s[part - 4] >> 6 << 4,
                        s[part + 4] >> 4 | s[part] >> 6 << 4,
                    ),
                };
                acc = (half(0) * f32::from(s)).mul_add(dot(0..32), acc);
                let sum = sigma * rounded.iter().sum::<i32>() as f32;
                acc = (half(2) * f32::from(m)).mul_add(-sum, acc);
            }
            BlockFormat::Q6K => {
                for h in 0..2 {
                    let s = f32::from(span[192 + 2 * part + h] as i8);
                    acc = (half(208) * s).mul_add(dot(16 * h..16 * h + 16), acc);
                }
            }
            _ => acc = half(0).mul_add(dot(0..32), acc),
        }
    }
    bits(acc)
}

#[test]
fn blocks_are_what_candle_says_they_are() {
    for (format, dtype) in READ {
        for (rows, columns) in [(1, 256), (17, 512), (5, 1024)] {
            let bytes = blocks(format, rows, columns, 7);
            let ours = BlockMatrix::from_bytes(format, rows, columns, &bytes).unwrap();
            let theirs = candle(dtype, rows, columns, &bytes);
            let theirs = theirs.dequantize(&Device::Cpu).unwrap();
            let theirs: Vec<f32> = theirs.flatten_all().unwrap().to_vec1().unwrap();
            assert_eq!(all_bits(&dequantised(&ours)), all_bits(&theirs), "{format}");
        }
    }
}

#[test]
fn products_have_the_bits_of_the_definition_on_every_path() {
    for (format, _) in READ {
        for (rows, outputs, inputs) in [
            (1, 1, 256),
            (2, 15, 256),
            (3, 16, 512),
            (5, 33, 256),
            (7, 64, 512),
            (13, 70, 768),
        ] {
            let bytes = blocks(format, outputs, inputs, 3);
            let weights = BlockMatrix::from_bytes(format, outputs, inputs, &bytes).unwrap();
            for kind in KINDS {
                let x = values(rows * inputs, 5, kind);
                let expected: Vec<u32> = x
                    .chunks(inputs)
                    .flat_map(|x| {
                        let rows = bytes.chunks(bytes.len() / outputs);
                        rows.map(move |row| definition(format, row, x))
                    })
                    .collect();
                for path in Path::available() {
                    let found = all_bits(&product(path, &x, rows, &weights));
                    assert!(
                        found == expected,
                        "{path}: {format}, {rows} × {inputs} × {outputs}, {kind:?}: first at {:?}",
                        found.iter().zip(&expected).position(|(a, b)| a != b)
                    );
                }
            }
        }
    }
}

/// Scales of any bits, infinities and NaN among them.
#[test]
fn any_bytes_have_the_bits_of_the_definition() {
    for (format, _) in READ {
        let (outputs, inputs) = (19, 512);
        let len = format.bytes(outputs, inputs).unwrap();
        let bytes: Vec<u8> = values(len, 91, Kind::Any)
            .iter()
            .map(|word| (word.to_bits() >> 11) as u8)
            .collect();
        let weights = BlockMatrix::from_bytes(format, outputs, inputs, &bytes).unwrap();
        let x = values(2 * inputs, 92, Kind::Ordinary);
        let expected: Vec<u32> = x
            .chunks(inputs)
            .flat_map(|x| {
                bytes
                    .chunks(len / outputs)
                    .map(move |row| definition(format, row, x))
            })
            .collect();
        for path in Path::available() {
            let found = all_bits(&product(path, &x, 2, &weights));
            assert!(found == expected, "{path}: {format}");
        }
    }
}

#[test]
fn extreme_codes_do_not_overflow() {
    for bits in 2..=8 {
        for sign in [1.0, -1.0] {
            let (outputs, inputs) = (17, 64);
            // The extreme of its group is met by the greatest or by the least code.
            let weights = vec![sign; outputs * inputs];
            let weights = BlockMatrix::round(groups(bits, 32), outputs, inputs, &weights).unwrap();
            for x in [vec![1.0f32; inputs], vec![-1.0; inputs]] {
                for path in Path::available() {
                    let out = product(path, &x, 1, &weights);
                    for out in out {
                        assert!(
                            (out - sign * x[0] * 64.0).abs() < 1e-4,
                            "{path}, {bits}: {out}"
                        );
                    }
                }
            }
        }
    }
    // Every byte of Q8_0, −128 among them.
    let bytes: Vec<u8> = [[0, 0x3c].as_slice(), &[0x80; 32]].concat();
    let weights = BlockMatrix::from_bytes(BlockFormat::Q8_0, 1, 32, &bytes).unwrap();
    for path in Path::available() {
        assert_eq!(
            product(path, &[-127.0; 32], 1, &weights),
            [128.0 * 127.0 * 32.0]
        );
    }
}

#[test]
fn products_of_groups_are_alike_on_every_path_and_near_f64() {
    for bits in 2..=8 {
        for size in [32, 64, 96, 128] {
            for (rows, outputs, inputs) in [(1, 17, 200), (6, 40, 256), (9, 5, 33)] {
                let weights = values(outputs * inputs, 8, Kind::Ordinary);
                let weights =
                    BlockMatrix::round(groups(bits, size), outputs, inputs, &weights).unwrap();
                near_f64(&weights, rows, inputs);
            }
        }
    }
}

#[test]
fn products_of_read_blocks_are_near_f64_and_candle() {
    for (format, dtype) in READ {
        let (rows, outputs, inputs) = (7, 33, 512);
        let weights = read(format, outputs, inputs, 41);
        let found = near_f64(&weights, rows, inputs);
        let theirs = candle(dtype, outputs, inputs, &blocks(format, outputs, inputs, 41));
        let x = values(rows * inputs, 5, Kind::Ordinary);
        let x = Tensor::from_vec(x, (rows, inputs), &Device::Cpu).unwrap();
        let theirs = QMatMul::from_qtensor(theirs).unwrap().forward(&x).unwrap();
        let theirs: Vec<f32> = theirs.flatten_all().unwrap().to_vec1().unwrap();
        let magnitude = theirs.iter().fold(0f32, |m, t| m.max(t.abs()));
        for (ours, theirs) in found.iter().zip(theirs) {
            assert!(
                (ours - theirs).abs() <= 0.02 * magnitude,
                "{format}: {ours}, {theirs}"
            );
        }
    }
}

/// |out − Σ w x| ≤ Σ |w| σ / 2 for rounded activations, and what a chain adds (Higham, section 3.1).
fn near_f64(weights: &BlockMatrix, rows: usize, inputs: usize) -> Vec<f32> {
    let x = values(rows * inputs, 5, Kind::Ordinary);
    let dense = dequantised(weights);
    let expected = product(Path::Portable, &x, rows, weights);
    for path in Path::available() {
        let found = product(path, &x, rows, weights);
        assert_eq!(all_bits(&found), all_bits(&expected), "{path}");
    }
    for (r, x) in x.chunks(inputs).enumerate() {
        for (o, w) in dense.chunks(inputs).enumerate() {
            let (mut exact, mut bound) = (0.0, 0.0);
            for (x, w) in x.chunks(32).zip(w.chunks(32)) {
                let sigma = x.iter().fold(0f32, |m, x| m.max(x.abs())) / 127.0;
                for (&x, &w) in x.iter().zip(w) {
                    exact += f64::from(x) * f64::from(w);
                    bound += f64::from(w).abs() * f64::from(sigma) * 0.5;
                }
            }
            // Minima are taken from sums that may be greater than their difference.
            let slack = 1e-4 * (1.0 + bound * 254.0);
            let error = (f64::from(expected[r * weights.rows() + o]) - exact).abs();
            assert!(
                error <= bound + slack,
                "{}: {error} > {bound}",
                weights.format()
            );
        }
    }
    expected
}

#[test]
fn activations_are_rounded_as_defined() {
    for kind in KINDS {
        let (rows, columns) = (3, 75);
        let x = values(rows * columns, 77, kind);
        for path in Path::available() {
            let kernels = Kernels::with_path(path).unwrap();
            let found = rounded(kernels, &x, rows, columns);
            let mut back = vec![0.0; columns];
            for (row, x) in x.chunks(columns).enumerate() {
                found.values(row, &mut back);
                for (x, back) in x.chunks(32).zip(back.chunks(32)) {
                    let mut padded = [0.0; 32];
                    padded[..x.len()].copy_from_slice(x);
                    let (sigma, codes) = round_block(&padded);
                    for (back, code) in back.iter().zip(codes) {
                        assert_eq!(bits(*back), bits(sigma * code as f32), "{path}, {kind:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn slices_are_parts_of_the_whole() {
    let all: Vec<BlockMatrix> = READ
        .iter()
        .map(|&(format, _)| read(format, 37, 512, 13))
        .chain((2..=8).map(|bits| {
            let weights = values(37 * 500, 14, Kind::Ordinary);
            BlockMatrix::round(groups(bits, 128), 37, 500, &weights).unwrap()
        }))
        .collect();
    for whole in &all {
        let (format, columns) = (whole.format(), whole.columns());
        let dense = dequantised(whole);
        let x = values(2 * columns, 15, Kind::Ordinary);
        let full = product(Path::best(), &x, 2, whole);
        let part = whole.rows_of(5..31).unwrap();
        assert_eq!(
            all_bits(&dequantised(&part)),
            all_bits(&dense[5 * columns..31 * columns])
        );
        let found = product(Path::best(), &x, 2, &part);
        assert_eq!(all_bits(&found[..26]), all_bits(&full[5..31]), "{format}");
        assert_eq!(all_bits(&found[26..]), all_bits(&full[42..68]), "{format}");
        let stacked = BlockMatrix::stack(&[&part, &whole.rows_of(0..5).unwrap()]).unwrap();
        let found = product(Path::best(), &x[..columns], 1, &stacked);
        assert_eq!(all_bits(&found[26..]), all_bits(&full[..5]), "{format}");
        for (start, end) in [(0, 32), (96, 352), (32, columns), (256, 288)] {
            let part = whole.columns_of(start..end).unwrap();
            let expected: Vec<f32> = dense
                .chunks(columns)
                .flat_map(|row| row[start..end].to_vec())
                .collect();
            assert_eq!(
                all_bits(&dequantised(&part)),
                all_bits(&expected),
                "{format}, {start}"
            );
            for path in Path::available() {
                near(
                    &product(path, &x[start..end], 1, &part),
                    &expected,
                    &x[start..end],
                    format,
                );
            }
            // Cut twice is cut once.
            if end - start > 64 {
                let twice = part.columns_of(32..64).unwrap();
                assert_eq!(twice, whole.columns_of(start + 32..start + 64).unwrap());
            }
        }
        assert!(whole.columns_of(16..64).is_err());
        assert!(whole.columns_of(0..columns + 1).is_err());
        assert!(whole.rows_of(0..38).is_err());
    }
}

/// One row against f64, within what rounding activations costs.
fn near(found: &[f32], weights: &[f32], x: &[f32], format: BlockFormat) {
    for (found, w) in found.iter().zip(weights.chunks(x.len())) {
        let terms = || w.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x));
        let bound: f64 = w.iter().map(|w| f64::from(w.abs()) / 254.0).sum();
        let error = (f64::from(*found) - terms().sum::<f64>()).abs();
        assert!(error <= 1.01 * bound + 0.01, "{format}: {error} > {bound}");
    }
}

#[test]
fn memory_is_that_of_the_blocks() {
    for (format, _) in READ {
        let matrix = read(format, 64, 1024, 1);
        let bytes = format.bytes(64, 1024).unwrap();
        assert!(matrix.resident_bytes() >= bytes);
        assert!(matrix.resident_bytes() <= bytes + 128, "{format}");
    }
    let matrix = BlockMatrix::round(groups(3, 64), 64, 1024, &[0.0; 65536]).unwrap();
    let bytes = 64.0 * 1024.0 * groups(3, 64).bits_per_weight() / 8.0;
    assert!(matrix.resident_bytes() as f64 <= bytes + 128.0);
}

#[test]
fn rounding_is_ggmls_and_groups_err_by_half_a_step() {
    let (rows, columns) = (5, 256);
    for (format, dtype) in &READ[..2] {
        for kind in [Kind::Ordinary, Kind::Short, Kind::Half, Kind::Tiny] {
            let weights = values(rows * columns, 21, kind);
            let ours = BlockMatrix::round(*format, rows, columns, &weights).unwrap();
            let tensor = Tensor::from_vec(weights, (rows, columns), &Device::Cpu).unwrap();
            let theirs = QTensor::quantize(&tensor, *dtype).unwrap();
            let theirs =
                BlockMatrix::from_bytes(*format, rows, columns, &theirs.data().unwrap()).unwrap();
            assert_eq!(ours, theirs, "{format}, {kind:?}");
        }
    }
    for bits in 2..=8u8 {
        let weights = values(rows * columns, 22, Kind::Ordinary);
        let matrix = BlockMatrix::round(groups(bits, 64), rows, columns, &weights).unwrap();
        let back = dequantised(&matrix);
        for (group, back) in weights.chunks(64).zip(back.chunks(64)) {
            let extreme = group
                .iter()
                .fold(0f32, |m, w| if w.abs() > m.abs() { *w } else { m });
            let step = f16::from_f32(extreme / -f32::from(1u16 << (bits - 1))).to_f32();
            for (w, back) in group.iter().zip(back) {
                // The greatest code is one less than the least is below zero.
                let clipped = -w.signum() != -extreme.signum();
                let limit = if clipped {
                    step.abs()
                } else {
                    0.51 * step.abs()
                };
                assert!(
                    (w - back).abs() <= limit + 1e-3 * w.abs(),
                    "{bits}: {w}, {back}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_so_where_it_is() {
    for format in [
        BlockFormat::Q8_0,
        BlockFormat::Q4_0,
        groups(4, 32),
        groups(8, 64),
    ] {
        for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
            let mut weights = vec![0.5; 2 * 128];
            weights[3] = bad;
            let matrix = BlockMatrix::round(format, 2, 128, &weights).unwrap();
            for path in Path::available() {
                let out = product(path, &[1.0; 128], 1, &matrix);
                assert!(
                    out[0].is_nan() && (out[1] - 64.0).abs() < 0.5,
                    "{format}: {out:?}"
                );
            }
        }
    }
}

#[test]
fn wrong_shapes_are_refused() {
    for (format, _) in READ {
        let span = format.span();
        let bytes = vec![0; format.bytes(2, span).unwrap()];
        assert!(BlockMatrix::from_bytes(format, 2, span, &bytes).is_ok());
        assert!(BlockMatrix::from_bytes(format, 2, span, &bytes[1..]).is_err());
        assert!(BlockMatrix::from_bytes(format, 3, span, &bytes).is_err());
        assert!(BlockMatrix::from_bytes(format, 2, span - 1, &bytes).is_err());
        assert!(BlockMatrix::from_bytes(format, usize::MAX, span * 2, &bytes).is_err());
        assert!(BlockMatrix::from_bytes(format, 0, span, &[]).is_ok());
    }
    assert!(BlockMatrix::from_bytes(groups(4, 32), 1, 32, &[0; 18]).is_err());
    for (bits, size) in [(1, 32), (9, 32), (4, 0), (4, 48), (4, 160)] {
        assert!(BlockMatrix::round(groups(bits, size), 1, 32, &[0.0; 32]).is_err());
    }
    assert!(BlockMatrix::round(groups(4, 32), 1, 32, &[0.0; 31]).is_err());
    assert!(BlockMatrix::round(groups(4, 32), usize::MAX, 2, &[]).is_err());
    assert!(BlockMatrix::round(BlockFormat::Q4K, 1, 256, &[0.0; 256]).is_err());
    assert!(BlockMatrix::stack(&[]).is_err());
}

#[test]
fn threads_batches_and_neighbours_do_not_change_a_bit() {
    let (rows, outputs, inputs) = (49, 255, 256);
    let weights = read(BlockFormat::Q6K, outputs, inputs, 31);
    let wide = read(BlockFormat::Q4K, 4100, 512, 33);
    let x = values(rows * inputs, 32, Kind::Ordinary);
    let row = values(512, 34, Kind::Ordinary);
    let expected = product(Path::Portable, &x, rows, &weights);
    let alone = product(Path::Portable, &row, 1, &wide);
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            for path in Path::available() {
                assert_eq!(
                    all_bits(&product(path, &x, rows, &weights)),
                    all_bits(&expected)
                );
                assert_eq!(all_bits(&product(path, &row, 1, &wide)), all_bits(&alone));
                for batch in [1, 2, 7] {
                    let found = product(path, &x[..batch * inputs], batch, &weights);
                    assert_eq!(all_bits(&found), all_bits(&expected[..batch * outputs]));
                }
                // Into columns of wider rows.
                let kernels = Kernels::with_path(path).unwrap();
                let rounded = rounded(kernels, &x, rows, inputs);
                let mut out = vec![7.0; rows * (outputs + 20)];
                let columns = Columns {
                    out: &mut out,
                    width: outputs + 20,
                    first: 3,
                };
                kernels.block_matmul(&rounded, &weights, columns);
                for (row, expected) in out.chunks(outputs + 20).zip(expected.chunks(outputs)) {
                    assert_eq!(all_bits(&row[3..3 + outputs]), all_bits(expected));
                    assert!(
                        row[..3]
                            .iter()
                            .chain(&row[3 + outputs..])
                            .all(|&rest| rest == 7.0)
                    );
                }
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_product_of_groups_is_alike_on_every_path(
        rows in 0usize..9,
        outputs in 0usize..70,
        inputs in 0usize..200,
        bits in 2u8..=8,
        blocks in 1u16..=4,
        x in 0usize..8,
        w in 0usize..8,
    ) {
        let x = values(rows * inputs, 51, KINDS[x]);
        let weights = values(outputs * inputs, 52, KINDS[w]);
        let weights = BlockMatrix::round(groups(bits, 32 * blocks), outputs, inputs, &weights);
        let weights = weights.expect("a shape that is allowed");
        let expected = all_bits(&product(Path::Portable, &x, rows, &weights));
        for path in Path::available() {
            prop_assert_eq!(&all_bits(&product(path, &x, rows, &weights)), &expected);
        }
    }
}
