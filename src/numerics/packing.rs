//! From stored tensors to tensors of packed f32.
//!
//! f16 and bf16 become f32 exactly, so packing loses nothing. It happens once,
//! when a model is sharded.

use super::block_product::{BlockPart, BlockProject};
use super::error::StepError;
use super::kernels::{Kernels, Packed, Packing, Part};
use super::matrix::{Matrix, Values};
use super::ops::{AddToRows, Project};
use super::stored::{Stored, single};
use super::weights::Linear;
use candle_core::{Device, Error, Tensor};
use std::ops::Range;

/// A weight matrix as products read it, in pieces whose outputs follow each other.
#[derive(Debug)]
pub(super) struct PackedMatrix {
    pieces: Vec<Piece>,
    outputs: usize,
}

/// Outputs of one kind.
#[derive(Debug)]
enum Piece {
    /// In panels of f32.
    Panels { packing: Packing, panels: Tensor },
    /// In blocks of small whole numbers.
    Blocks(BlockPart),
}

impl Piece {
    fn outputs(&self) -> usize {
        match self {
            Self::Panels { packing, .. } => packing.outputs(),
            Self::Blocks(part) => part.outputs(),
        }
    }

    /// Packs matrices whose numbers each stand on their own, one below the other.
    fn panels(parts: &[(Tensor, Range<usize>, Range<usize>)]) -> Result<Self, StepError> {
        let values: Vec<_> = parts
            .iter()
            .map(|(tensor, ..)| Values::of(tensor))
            .collect();
        let parts: Vec<Part<'_>> = parts
            .iter()
            .zip(&values)
            .map(|((matrix, rows, columns), values)| {
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
        let panels = Tensor::from_vec(panels, count, &Device::Cpu)?;
        Ok(Self::Panels { packing, panels })
    }
}

impl PackedMatrix {
    /// Packs some rows and columns of matrices, one below the other: those in a row that are not
    /// in blocks together, others each on its own.
    pub(super) fn pack(parts: &[(&Stored, Range<usize>, Range<usize>)]) -> Result<Self, StepError> {
        let mut pieces = Vec::new();
        let mut together = Vec::new();
        for (stored, rows, columns) in parts {
            match stored {
                Stored::Plain(tensor) => {
                    together.push((single(tensor)?, rows.clone(), columns.clone()));
                }
                Stored::Blocks(matrix) => {
                    if !together.is_empty() {
                        pieces.push(Piece::panels(&std::mem::take(&mut together))?);
                    }
                    let part = BlockPart::cut(matrix, rows.clone(), columns.clone())?;
                    pieces.push(Piece::Blocks(part));
                }
            }
        }
        if !together.is_empty() {
            pieces.push(Piece::panels(&together)?);
        }
        Ok(Self {
            outputs: pieces.iter().map(Piece::outputs).sum(),
            pieces,
        })
    }

    /// Values per row of a product.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `out` ← `x` · weightsᵀ.
    pub(super) fn multiply(
        &self,
        kernels: Kernels,
        x: &Tensor,
        out: &mut Matrix,
    ) -> Result<(), Error> {
        let mut first = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Panels { packing, panels } => {
                    let project = Project::with(kernels, packing, panels);
                    if self.pieces.len() == 1 {
                        return project.apply(x, out);
                    }
                    let mut own = Matrix::zeros(out.rows(), packing.outputs())?;
                    project.apply(x, &mut own)?;
                    out.place_columns(&own, first)?;
                }
                Piece::Blocks(part) => {
                    let project = BlockProject {
                        kernels,
                        part,
                        first,
                    };
                    out.apply2(x, &project)?;
                }
            }
            first += piece.outputs();
        }
        Ok(())
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
        self.matrix.multiply(kernels, x, out)?;
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
