//! A matrix as a model's files have it: numbers each on their own, or in blocks.
//!
//! Blocks stay blocks: a model in memory is as large as its file.

use super::kernels::{BlockMatrix, KernelError};
use candle_core::{DType, Device, Error, Tensor};
use std::ops::Range;
use std::sync::Arc;

/// A matrix in the precision in which it was published.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    /// Numbers of 16 or 32 bits, each on its own.
    Plain(Tensor),
    /// Small whole numbers in blocks, with what scales them.
    Blocks(Arc<BlockMatrix>),
}

impl From<Tensor> for Stored {
    fn from(tensor: Tensor) -> Self {
        Self::Plain(tensor)
    }
}

impl Stored {
    /// Rows, of a matrix or of what has more sizes or one.
    pub(super) fn first_size(&self) -> Option<usize> {
        match self {
            Self::Plain(tensor) => tensor.dims().first().copied(),
            Self::Blocks(matrix) => Some(matrix.rows()),
        }
    }

    /// `count` of its rows, from `first` on.
    pub(super) fn rows(&self, first: usize, count: usize) -> Result<Self, Error> {
        match self {
            Self::Plain(tensor) => tensor.narrow(0, first, count).map(Self::Plain),
            Self::Blocks(matrix) => rows_of(matrix, first..first + count)
                .map(Self::Blocks)
                .map_err(Error::wrap),
        }
    }

    /// Its numbers, each on its own.
    pub(super) fn plain(self) -> Result<Tensor, Error> {
        match self {
            Self::Plain(tensor) => Ok(tensor),
            Self::Blocks(matrix) => {
                let (rows, columns) = (matrix.rows(), matrix.columns());
                let mut numbers = vec![0.0; rows * columns];
                for (row, to) in numbers.chunks_exact_mut(columns.max(1)).enumerate() {
                    matrix.dequantise_row(row, to);
                }
                Tensor::from_vec(numbers, (rows, columns), &Device::Cpu)
            }
        }
    }

    /// Its numbers in f32, row-major.
    pub(super) fn single(&self) -> Result<Tensor, Error> {
        single(&self.clone().plain()?)
    }

    /// Its numbers, if each stands on its own.
    pub(super) fn as_plain(&self) -> Option<&Tensor> {
        match self {
            Self::Plain(tensor) => Some(tensor),
            Self::Blocks(_) => None,
        }
    }
}

/// Rows of `matrix`; itself if they are all.
pub(super) fn rows_of(
    matrix: &Arc<BlockMatrix>,
    rows: Range<usize>,
) -> Result<Arc<BlockMatrix>, KernelError> {
    match rows == (0..matrix.rows()) {
        true => Ok(Arc::clone(matrix)),
        false => matrix.rows_of(rows).map(Arc::new),
    }
}

/// A tensor in f32 and row-major; itself if it is.
pub(super) fn single(tensor: &Tensor) -> Result<Tensor, Error> {
    tensor.to_dtype(DType::F32)?.contiguous()
}
