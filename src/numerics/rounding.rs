//! Numbers of fewer bits than a model was published in: weights in groups, and the cache.
//!
//! Weights become [blocks](super::kernels::BlockMatrix) of n numbers of b bits with one scale of 16,
//! and are computed with as such: b + 16 / n bits each. The cache keeps the n elements of a key, or of
//! a value, as whole numbers of b bits with one scale of 32, as [`CacheFormat`] says: b + 32 / n bits.

use super::kernels::{BlockFormat, BlockMatrix, CacheFormat};
use super::matrix::Values;
use super::stored::Stored;
use super::weights::{FeedForwardWeights, Linear, Weights};
use crate::model::ModelShape;
use candle_core::Error;
use std::sync::Arc;

/// How weights and cache are rounded; not at all by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rounding {
    /// Of every matrix: those of attention and feed-forward networks, embedding and head. Norms,
    /// biases, routers and learned positions stay as they are.
    pub weights: Option<Groups>,
    /// Of keys and values: those of one head and token share a scale.
    pub cache: CacheFormat,
}

/// Groups of weights that follow each other in a row; the last of a row may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// Of each weight, 2 to 8.
    pub bits: u32,
    /// Weights that share a scale: 32, 64, 96 or 128.
    pub size: usize,
}

impl Groups {
    /// Bits per weight, b + 16 / n.
    pub fn bits_per_weight(self) -> f64 {
        f64::from(self.bits) + 16.0 / self.size as f64
    }
}

impl Rounding {
    /// `shape` with the bits that its numbers take then.
    #[must_use]
    pub fn of(self, shape: ModelShape) -> ModelShape {
        let bits = match self.cache {
            CacheFormat::Full => None,
            CacheFormat::Int8 => Some(8.0),
            CacheFormat::Int4 => Some(4.0),
        };
        let cache = bits.map(|bits| bits + 32.0 / shape.head_dim as f64);
        ModelShape {
            weight_bits: self
                .weights
                .map_or(shape.weight_bits, Groups::bits_per_weight),
            cache_bits: cache.unwrap_or(shape.cache_bits),
            ..shape
        }
    }

    /// Rounds `weights`.
    pub(super) fn apply(self, weights: &mut Weights) -> Result<(), Error> {
        let Some(groups) = self.weights else {
            return Ok(());
        };
        // Copies by name would keep what is rounded in memory.
        weights.forget_names();
        let tied = weights.is_tied();
        groups.round(&mut weights.embedding)?;
        match tied {
            true => weights.head = weights.embedding.clone(),
            false => groups.round(&mut weights.head)?,
        }
        for layer in &mut weights.layers {
            let attention = [
                &mut layer.query,
                &mut layer.key,
                &mut layer.value,
                &mut layer.output,
            ];
            for linear in attention {
                groups.round(&mut linear.weight)?;
            }
            let networks = match &mut layer.feed_forward {
                FeedForwardWeights::Dense(network) => vec![network],
                FeedForwardWeights::Sparse {
                    experts, shared, ..
                } => {
                    let shared = shared.iter_mut().map(|(network, _)| network);
                    experts.iter_mut().chain(shared).collect()
                }
            };
            for network in networks {
                let linears: Vec<&mut Linear> = [Some(&mut network.up), Some(&mut network.down)]
                    .into_iter()
                    .chain([network.gate.as_mut()])
                    .flatten()
                    .collect();
                for linear in linears {
                    groups.round(&mut linear.weight)?;
                }
            }
        }
        Ok(())
    }
}

impl Groups {
    fn round(self, matrix: &mut Stored) -> Result<(), Error> {
        let numbers = matrix.single()?;
        let (rows, columns) = numbers.dims2()?;
        let format = BlockFormat::Groups {
            bits: self.bits as u8,
            size: self.size as u16,
        };
        let blocks = BlockMatrix::round(format, rows, columns, &Values::of(&numbers));
        *matrix = Stored::Blocks(Arc::new(blocks.map_err(Error::wrap)?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_count() {
        let groups = Groups { bits: 4, size: 32 };
        assert_eq!(groups.bits_per_weight(), 4.5);
    }
}
