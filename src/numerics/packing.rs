//! From stored tensors to packed f32 parts.
//!
//! f16 and bf16 become f32 exactly, so packing loses nothing. It happens once,
//! when a model is sharded.

use super::error::StepError;
use super::kernels::{Packed, Part};
use super::ops::Values;
use candle_core::{DType, Tensor};
use std::ops::Range;

/// A tensor in f32, in one piece.
pub(super) fn widen(tensor: &Tensor) -> Result<Tensor, StepError> {
    Ok(tensor.to_dtype(DType::F32)?.contiguous()?)
}

/// Packs some rows and columns of matrices, one below the other.
pub(super) fn pack(parts: &[(&Tensor, Range<usize>, Range<usize>)]) -> Result<Packed, StepError> {
    let matrices = parts
        .iter()
        .map(|(tensor, ..)| widen(tensor))
        .collect::<Result<Vec<_>, _>>()?;
    let values = matrices
        .iter()
        .map(Values::of)
        .collect::<Result<Vec<_>, _>>()?;
    let parts: Vec<Part<'_>> = parts
        .iter()
        .zip(matrices.iter().zip(&values))
        .map(|((_, rows, columns), (matrix, values))| Part {
            weights: values,
            outputs: matrix.dims()[0],
            inputs: matrix.dims()[1],
            output_range: rows.clone(),
            input_range: columns.clone(),
        })
        .collect();
    Ok(Packed::from_parts(&parts)?)
}
