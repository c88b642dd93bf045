//! A matrix as a model's files have it: numbers each on their own, or in blocks.
//!
//! Blocks stay blocks until a model is packed, so that a file in memory is as large as on the
//! disk.

use super::gguf::{Format, dequantise};
use candle_core::{DType, Device, Error, Tensor};
use std::sync::Arc;

/// A matrix in the precision in which it was published.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    /// Numbers of 16 or 32 bits, each on its own.
    Plain(Tensor),
    /// Small whole numbers in blocks, with what scales them.
    Blocks(Blocks),
}

/// Rows of blocks.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    format: Format,
    sizes: Vec<usize>,
    bytes: Arc<[u8]>,
    /// The row of `bytes` with which these begin.
    first: usize,
}

impl From<Tensor> for Stored {
    fn from(tensor: Tensor) -> Self {
        Self::Plain(tensor)
    }
}

impl Blocks {
    /// A tensor of `sizes` whose blocks are `bytes`.
    pub(super) fn new(format: Format, bytes: Vec<u8>, sizes: &[usize]) -> Self {
        Self {
            format,
            sizes: sizes.to_owned(),
            bytes: bytes.into(),
            first: 0,
        }
    }

    fn numbers(&self) -> Result<Tensor, Error> {
        let entries: usize = self.sizes.iter().product();
        let columns = entries / self.sizes.first().copied().unwrap_or(1).max(1);
        let row = self.format.bytes(columns as u64).unwrap_or(0) as usize;
        let mut numbers = vec![0.0; entries];
        dequantise(self.format, &self.bytes[self.first * row..], &mut numbers);
        Tensor::from_vec(numbers, self.sizes.as_slice(), &Device::Cpu)
    }
}

impl Stored {
    /// Its sizes.
    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Self::Plain(tensor) => tensor.dims(),
            Self::Blocks(blocks) => &blocks.sizes,
        }
    }

    /// `count` of its rows, from `first` on.
    pub(super) fn rows(&self, first: usize, count: usize) -> Result<Self, Error> {
        match self {
            Self::Plain(tensor) => tensor.narrow(0, first, count).map(Self::Plain),
            Self::Blocks(blocks) => {
                let mut sizes = blocks.sizes.clone();
                sizes[0] = count;
                Ok(Self::Blocks(Blocks {
                    first: blocks.first + first,
                    sizes,
                    ..blocks.clone()
                }))
            }
        }
    }

    /// Its numbers, each on its own.
    pub(super) fn plain(self) -> Result<Tensor, Error> {
        match self {
            Self::Plain(tensor) => Ok(tensor),
            Self::Blocks(blocks) => blocks.numbers(),
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

/// A tensor in f32 and row-major; itself if it is.
pub(super) fn single(tensor: &Tensor) -> Result<Tensor, Error> {
    tensor.to_dtype(DType::F32)?.contiguous()
}
