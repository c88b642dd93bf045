//! From stored tensors to packed ones.
//!
//! f16 and bf16 become f32 exactly, here or on their way into a product, so packing loses nothing. It
//! happens once, when a model is sharded.

use super::block_product::{BlockPart, BlockProject};
use super::error::StepError;
use super::kernels::{Kernels, Packing, Part};
use super::matrix::Matrix;
use super::ops::{AddToRows, Project};
use super::stored::{Stored, single};
use super::weights::Linear;
use candle_core::{DType, Device, Error, Layout, Storage, Tensor, WithDType};
use half::{bf16, f16};
use std::ops::Range;

/// A weight matrix as products read it, in pieces whose outputs follow each other.
#[derive(Debug)]
pub(super) struct PackedMatrix {
    pieces: Vec<Piece>,
    outputs: usize,
}

/// A matrix, and which of its rows and columns are wanted.
type Cut<'a> = (&'a Tensor, Range<usize>, Range<usize>);

/// Weights of a product from which on they stay in 16 bits: widening them takes time, and reading
/// twice as much from memory more, which smaller ones are not read from.
const LARGE: usize = 1 << 20;

/// The numbers of a contiguous tensor on the CPU.
fn numbers<'a, T: WithDType>(storage: &'a Storage, layout: &Layout) -> Result<&'a [T], Error> {
    let Storage::Cpu(storage) = storage else {
        return Err(Error::Msg("weights are on the CPU".into()));
    };
    let range = layout.contiguous_offsets();
    let (start, end) = range.ok_or_else(|| Error::Msg("weights are contiguous".into()))?;
    Ok(&storage.as_slice::<T>()?[start..end])
}

/// Outputs of one kind.
#[derive(Debug)]
enum Piece {
    /// In panels of f32, f16 or bf16.
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

    /// Packs matrices whose numbers each stand on their own, one below the other: in f32, but large
    /// ones of 16 bits as they are.
    fn panels(parts: &[Cut<'_>]) -> Result<Self, StepError> {
        let weights = parts
            .iter()
            .map(|(_, rows, columns)| rows.len() * columns.len());
        let large = weights.sum::<usize>() >= LARGE;
        let all = |dtype| large && parts.iter().all(|(tensor, ..)| tensor.dtype() == dtype);
        if all(DType::BF16) {
            return Self::of_kind::<bf16>(parts);
        }
        if all(DType::F16) {
            return Self::of_kind::<f16>(parts);
        }
        Self::of_kind::<f32>(parts)
    }

    fn of_kind<T: WithDType + Default + Into<f32>>(parts: &[Cut<'_>]) -> Result<Self, StepError> {
        let tensors: Vec<Tensor> = parts
            .iter()
            .map(|(tensor, ..)| tensor.to_dtype(T::DTYPE)?.contiguous())
            .collect::<Result<_, Error>>()?;
        let stored: Vec<_> = tensors.iter().map(Tensor::storage_and_layout).collect();
        let parts = parts.iter().zip(&stored);
        let parts: Vec<Part<'_, T>> = parts
            .map(|((matrix, rows, columns), (storage, layout))| {
                let (outputs, inputs) = matrix.dims2()?;
                Ok(Part {
                    weights: numbers(storage, layout)?,
                    outputs,
                    inputs,
                    output_range: rows.clone(),
                    input_range: columns.clone(),
                })
            })
            .collect::<Result<_, Error>>()?;
        let (packing, panels) = Packing::of_parts(&parts)?;
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
                    together.push((tensor, rows.clone(), columns.clone()));
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
    use crate::numerics::matrix::Values;

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
