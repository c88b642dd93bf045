//! From stored tensors to tensors of packed f32.
//!
//! f16 and bf16 become f32 exactly, so packing loses nothing. It happens once,
//! when a model is sharded.

use super::error::StepError;
use super::kernels::{Kernels, Packed, Packing, Part};
use super::matrix::{Matrix, Values};
use super::ops::{AddToRows, Project};
use super::stored::{Stored, single};
use super::weights::Linear;
use candle_core::{Device, Error, Tensor};
use std::ops::Range;

/// A weight matrix in the panels that products read.
#[derive(Debug)]
pub(super) struct PackedMatrix {
    pub(super) packing: Packing,
    pub(super) panels: Tensor,
}

impl PackedMatrix {
    /// Packs some rows and columns of matrices, one below the other.
    pub(super) fn pack(parts: &[(&Stored, Range<usize>, Range<usize>)]) -> Result<Self, StepError> {
        let matrices = parts
            .iter()
            .map(|(stored, ..)| stored.single())
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

/// A product with packed weights, and what is added to each of its rows.
#[derive(Debug)]
pub(super) struct Projection {
    matrix: PackedMatrix,
    bias: Option<Tensor>,
}

impl Projection {
    /// Some rows of products, one below the other, on `inputs`.
    pub(super) fn rows(
        parts: &[(&Linear, Range<usize>)],
        inputs: Range<usize>,
    ) -> Result<Self, StepError> {
        let matrices: Vec<_> = parts
            .iter()
            .map(|(part, rows)| (&part.weight, rows.clone(), inputs.clone()))
            .collect();
        let biases = parts.iter().filter_map(|(part, rows)| {
            let bias = part.bias.as_ref()?;
            Some(
                bias.narrow(0, rows.start, rows.len())
                    .and_then(|bias| single(&bias)),
            )
        });
        let biases: Vec<Tensor> = biases.collect::<Result<_, _>>()?;
        Ok(Self {
            matrix: PackedMatrix::pack(&matrices)?,
            bias: match biases.is_empty() {
                true => None,
                false => Some(Tensor::cat(&biases, 0)?),
            },
        })
    }

    /// Some rows and columns of a matrix, with the bias given.
    pub(super) fn columns(
        weight: &Stored,
        bias: Option<&Tensor>,
        outputs: Range<usize>,
        inputs: Range<usize>,
    ) -> Result<Self, StepError> {
        Ok(Self {
            matrix: PackedMatrix::pack(&[(weight, outputs, inputs)])?,
            bias: bias.map(single).transpose()?,
        })
    }

    /// Values per row of a product.
    pub(super) fn outputs(&self) -> usize {
        self.matrix.outputs()
    }

    /// `out` ← `x` · weightsᵀ + bias.
    pub(super) fn apply(
        &self,
        kernels: Kernels,
        x: &Tensor,
        out: &mut Matrix,
    ) -> Result<(), Error> {
        Project::with(kernels, &self.matrix).apply(x, out)?;
        match &self.bias {
            Some(bias) => out.apply2(bias, &AddToRows { kernels }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

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
