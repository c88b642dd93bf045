//! A matrix as a model's files have it.

use candle_core::{DType, Error, Tensor};

/// A matrix in the precision in which it was published.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    /// Numbers of 16 or 32 bits, each on its own.
    Plain(Tensor),
}

impl From<Tensor> for Stored {
    fn from(tensor: Tensor) -> Self {
        Self::Plain(tensor)
    }
}

impl Stored {
    /// Its sizes.
    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Self::Plain(tensor) => tensor.dims(),
        }
    }

    /// `count` of its rows, from `first` on.
    pub(super) fn rows(&self, first: usize, count: usize) -> Result<Self, Error> {
        match self {
            Self::Plain(tensor) => tensor.narrow(0, first, count).map(Self::Plain),
        }
    }

    /// Its numbers, each on its own.
    pub(super) fn plain(self) -> Result<Tensor, Error> {
        match self {
            Self::Plain(tensor) => Ok(tensor),
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
        }
    }
}

/// A tensor in f32 and row-major; itself if it is.
pub(super) fn single(tensor: &Tensor) -> Result<Tensor, Error> {
    tensor.to_dtype(DType::F32)?.contiguous()
}
