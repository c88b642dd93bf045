//! From stored tensors to packed f32 parts.
//!
//! f16 and bf16 become f32 exactly, so packing loses nothing. It happens once,
//! when a model is sharded.

use super::buffer::Buffer;
use super::error::StepError;
use super::kernels::{Packed, Part};
use candle_core::Tensor;
use std::ops::Range;

/// Packs some rows and columns of matrices, one below the other.
pub(super) fn pack(parts: &[(&Tensor, Range<usize>, Range<usize>)]) -> Result<Packed, StepError> {
    let matrices = parts
        .iter()
        .map(|(tensor, ..)| Buffer::copy_of(tensor))
        .collect::<Result<Vec<_>, _>>()?;
    let parts: Vec<Part<'_>> = parts
        .iter()
        .zip(&matrices)
        .map(|((_, rows, columns), matrix)| Part {
            weights: matrix.values(),
            outputs: matrix.rows(),
            inputs: matrix.columns(),
            output_range: rows.clone(),
            input_range: columns.clone(),
        })
        .collect();
    Ok(Packed::from_parts(&parts)?)
}
