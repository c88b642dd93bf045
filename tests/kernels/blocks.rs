//! Matrices in blocks, and products with them, for the tests of quantised weights.

use airloom::numerics::kernels::{BlockFormat, BlockMatrix, Columns, Kernels, Path, RoundedRows};
use candle_core::Device;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use half::f16;
use std::borrow::Cow;

use crate::values::{Kind, values};

pub const READ: [(BlockFormat, GgmlDType); 5] = [
    (BlockFormat::Q8_0, GgmlDType::Q8_0),
    (BlockFormat::Q4_0, GgmlDType::Q4_0),
    (BlockFormat::Q4K, GgmlDType::Q4K),
    (BlockFormat::Q5K, GgmlDType::Q5K),
    (BlockFormat::Q6K, GgmlDType::Q6K),
];

pub fn groups(bits: u8, size: u16) -> BlockFormat {
    BlockFormat::Groups { bits, size }
}

/// Any bytes, but scales that are ordinary numbers.
pub fn blocks(format: BlockFormat, rows: usize, columns: usize, seed: u32) -> Vec<u8> {
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

pub fn read(format: BlockFormat, rows: usize, columns: usize, seed: u32) -> BlockMatrix {
    let bytes = blocks(format, rows, columns, seed);
    BlockMatrix::from_bytes(format, rows, columns, &bytes).expect("valid blocks")
}

pub fn candle(dtype: GgmlDType, rows: usize, columns: usize, bytes: &[u8]) -> QTensor {
    let storage = QStorage::from_data(Cow::Owned(bytes.to_vec()), &Device::Cpu, dtype);
    QTensor::new(storage.expect("blocks"), (rows, columns)).expect("a matrix")
}

pub fn dequantised(matrix: &BlockMatrix) -> Vec<f32> {
    let mut all = vec![f32::NAN; matrix.rows() * matrix.columns()];
    if matrix.columns() > 0 {
        for (row, to) in all.chunks_exact_mut(matrix.columns()).enumerate() {
            matrix.dequantise_row(row, to);
        }
    }
    all
}

pub fn rounded(kernels: Kernels, x: &[f32], rows: usize, columns: usize) -> RoundedRows {
    let mut to = RoundedRows::default();
    kernels.round_rows(x, rows, columns, &mut to);
    to
}

pub fn product(path: Path, x: &[f32], rows: usize, weights: &BlockMatrix) -> Vec<f32> {
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
