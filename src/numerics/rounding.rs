//! Numbers of fewer bits than a model was published in: weights in groups, and the cache.
//!
//! Weights become [blocks](super::kernels::BlockMatrix) and are computed with as such. Keys and
//! values of one head and token are n numbers x that become whole numbers q of b bits with one scale
//! s of 16: s = max |x| / (2^(b−1) − 1), rounded to f16, and q = round(x / s) within ±(2^(b−1) − 1),
//! halves away from zero; what is attended to is s·q in f32. Bits per value are b + 16 / n in both.

use super::kernels::{BlockFormat, BlockMatrix};
use super::matrix::Values;
use super::stored::Stored;
use super::weights::{FeedForwardWeights, Linear, Weights};
use crate::model::ModelShape;
use candle_core::Error;
use half::f16;
use std::sync::Arc;

/// How weights and cache are rounded; not at all by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rounding {
    /// Of every matrix: those of attention and feed-forward networks, embedding and head. Norms,
    /// biases, routers and learned positions stay as they are.
    pub weights: Option<Groups>,
    /// Bits of every key and value, 2 to 8: those of one head and token are a group.
    pub cache: Option<u32>,
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

/// Rounds the values of one group.
pub(super) fn round(values: &mut [f32], bits: u32) {
    let most = ((1u32 << (bits - 1)) - 1) as f32;
    let largest = values
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    let scale = f16::from_f32(largest / most)
        .to_f32()
        .min(f16::MAX.to_f32());
    for value in values {
        *value = match scale > 0.0 {
            true => scale * (*value / scale).round().clamp(-most, most),
            false => 0.0,
        };
    }
}

impl Rounding {
    /// `shape` with the bits that its numbers take then.
    #[must_use]
    pub fn of(self, shape: ModelShape) -> ModelShape {
        let cache = self
            .cache
            .map(|bits| f64::from(bits) + 16.0 / shape.head_dim as f64);
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
    fn what_eight_bits_hold_is_kept_and_nothing_moves_by_more_than_half_a_step() {
        let mut values: Vec<f32> = (-127i8..=127).map(|q| 0.5 * f32::from(q)).collect();
        let before = values.clone();
        round(&mut values, 8);
        assert_eq!(values, before);
        for bits in 2..=8 {
            let most = ((1 << (bits - 1)) - 1) as f32;
            let mut values: Vec<f32> = (0..64).map(|k| libm::sinf(k as f32)).collect();
            let before = values.clone();
            round(&mut values, bits);
            let mut different: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
            different.sort_unstable();
            different.dedup();
            assert!(different.len() <= 2 * most as usize + 2, "{bits}");
            for (value, before) in values.iter().zip(before) {
                // Half a step, and what rounding the scale to 11 bits adds at the ends.
                assert!(
                    (value - before).abs() <= 0.5 / most + 1e-3,
                    "{bits}: {value} {before}"
                );
            }
        }
        let mut nothing = [0.0; 3];
        round(&mut nothing, 4);
        assert_eq!(nothing, [0.0; 3]);
        let mut vast = [1e30, -1.0];
        round(&mut vast, 4);
        assert!(vast.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn scales_count() {
        let groups = Groups { bits: 4, size: 32 };
        assert_eq!(groups.bits_per_weight(), 4.5);
    }
}
