//! Products with quantised weights have the bits of their definition on every path, and come as
//! near to `f64` as rounded activations allow.

use airloom::numerics::kernels::{BlockFormat, BlockMatrix, Columns, Kernels, Path};
use candle_core::quantized::QMatMul;
use candle_core::{Device, Module, Tensor};
use half::f16;
use proptest::prelude::*;

use crate::blocks::{READ, blocks, candle, dequantised, groups, product, read, rounded};
use crate::values::{KINDS, Kind, all_bits, bits, values};

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
