//! Quantised weights in memory: blocks are what candle says they are, rounding is ggml's, parts are
//! parts of the whole, and what is malformed is refused.

use airloom::numerics::kernels::{BlockFormat, BlockMatrix, Path};
use candle_core::quantized::QTensor;
use candle_core::{Device, Tensor};
use half::f16;

use crate::blocks::{READ, blocks, candle, dequantised, groups, product, read};
use crate::values::{Kind, all_bits, values};

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
