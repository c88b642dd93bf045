//! From stored tensors to tensors of packed f32.
//!
//! f16 and bf16 become f32 exactly, so packing loses nothing. It happens once,
//! when a model is sharded.

use super::error::StepError;
use super::kernels::{Packed, Packing, Part};
use super::matrix::Values;
use candle_core::{DType, Device, Error, Tensor};
use std::ops::Range;

/// A weight matrix in the panels that products read.
#[derive(Debug)]
pub(super) struct PackedMatrix {
    pub(super) packing: Packing,
    pub(super) panels: Tensor,
}

impl PackedMatrix {
    /// Packs some rows and columns of matrices, one below the other.
    pub(super) fn pack(parts: &[(&Tensor, Range<usize>, Range<usize>)]) -> Result<Self, StepError> {
        let matrices = parts
            .iter()
            .map(|(tensor, ..)| single(tensor))
            .collect::<Result<Vec<_>, _>>()?;
        let values: Vec<_> = matrices.iter().map(Values::of).collect();
        let parts: Vec<Part<'_>> = parts
            .iter()
            .zip(matrices.iter().zip(&values))
            .map(|((_, rows, columns), (matrix, values))| {
                let (outputs, inputs) = matrix.dims2()?;
                Ok(Part {
                    weights: values,
                    outputs,
                    inputs,
                    output_range: rows.clone(),
                    input_range: columns.clone(),
                })
            })
            .collect::<Result<_, Error>>()?;
        let (packing, panels) = Packed::from_parts(&parts)?.into_parts();
        let count = panels.len();
        Ok(Self {
            packing,
            panels: Tensor::from_vec(panels, count, &Device::Cpu)?,
        })
    }

    /// Values per row of a product.
    pub(super) fn outputs(&self) -> usize {
        self.packing.outputs()
    }
}

/// A tensor in f32 and row-major; itself if it is.
pub(super) fn single(tensor: &Tensor) -> Result<Tensor, Error> {
    tensor.to_dtype(DType::F32)?.contiguous()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_widened_exactly() {
        let values = [1.0f32, -0.5, 3.140625, 65280.0];
        let half = Tensor::new(&values, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::BF16)?.reshape((2, 2)))
            .expect("a small tensor");
        let wide = single(&half).expect("on the CPU");
        assert_eq!(wide.dims(), [2, 2]);
        assert_eq!(*Values::of(&wide), values);
    }
}
