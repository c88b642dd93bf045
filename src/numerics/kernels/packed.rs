//! Weight matrices, laid out once for [`matmul`](super::Kernels::matmul).
//!
//! Outputs are grouped in strips one vector wide; a strip holds, for each input in
//! turn, its outputs' weights side by side, so that a tile of any number of vectors
//! is a number of whole strips, each read in order and lying dense in the caches.
//! Lanes beyond the last output hold zero and are never read back.

use std::ops::Range;

use super::error::KernelError;
use super::lanes::LANES;
use super::narrow::Narrow;
use super::panel::{Magnitudes, Panel};
use half::{bf16, f16};

/// Columns that are handled together where width matters little: outputs of one task,
/// positions of a panel of keys. Four vectors.
pub(super) const PANEL: usize = 4 * LANES;

/// A weight matrix of `outputs` × `inputs`, ready to multiply rows by.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    packing: Packing,
    panels: Vec<f32>,
}

/// How a [`Packed`] matrix lies in memory, and between which magnitudes its weights lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packing {
    outputs: usize,
    inputs: usize,
    magnitudes: Magnitudes,
}

/// A [`Packed`] matrix whose panels stand in memory of someone else's.
#[derive(Debug, Clone, Copy)]
pub struct PackedView<'a> {
    packing: Packing,
    panels: Numbers<'a>,
}

/// Weights as they lie in memory. All become f32 exactly.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// Of 32 bits.
    Single(&'a [f32]),
    /// Of 16 bits.
    F16(&'a [f16]),
    /// Of 16 bits with the exponents of f32.
    Bf16(&'a [bf16]),
}

impl Numbers<'_> {
    fn len(self) -> usize {
        match self {
            Self::Single(numbers) => numbers.len(),
            Self::F16(numbers) => numbers.len(),
            Self::Bf16(numbers) => numbers.len(),
        }
    }
}

impl Packed {
    /// Packs a row-major `outputs` × `inputs` matrix: row o holds the weights of
    /// output o, as Hugging Face stores linear layers.
    ///
    /// # Errors
    /// `weights` does not hold `outputs` · `inputs` values.
    pub fn new(weights: &[f32], outputs: usize, inputs: usize) -> Result<Self, KernelError> {
        Self::from_part(weights, outputs, inputs, 0..outputs, 0..inputs)
    }

    /// Packs the rows `output_range` and columns `input_range` of a row-major
    /// `outputs` × `inputs` matrix: one device's shard.
    ///
    /// # Errors
    /// `weights` does not hold `outputs` · `inputs` values, or a range reaches
    /// beyond them.
    pub fn from_part(
        weights: &[f32],
        outputs: usize,
        inputs: usize,
        output_range: Range<usize>,
        input_range: Range<usize>,
    ) -> Result<Self, KernelError> {
        Self::from_parts(&[Part {
            weights,
            outputs,
            inputs,
            output_range,
            input_range,
        }])
    }

    /// Packs several parts one below the other: their outputs follow each other,
    /// their inputs are the same. One product then computes, say, query, key and
    /// value at once; each output has the bits that it has alone.
    ///
    /// # Errors
    /// A part's `weights` or ranges do not fit its shape, or the parts' input
    /// ranges differ in length.
    pub fn from_parts(parts: &[Part<'_>]) -> Result<Self, KernelError> {
        let (packing, panels) = Packing::of_parts(parts)?;
        Ok(Self { packing, panels })
    }

    /// Number of outputs: values per row of a product.
    pub fn outputs(&self) -> usize {
        self.packing.outputs
    }

    /// Number of inputs: values per row that is multiplied.
    pub fn inputs(&self) -> usize {
        self.packing.inputs
    }

    /// How it lies in memory, and the memory: [`Packing::view`] puts the two together again.
    pub fn into_parts(self) -> (Packing, Vec<f32>) {
        (self.packing, self.panels)
    }
}

impl Packing {
    /// [`Packed::from_parts`] of numbers of any kind, with what [`Packing::view`] puts together.
    ///
    /// # Errors
    /// Those of [`Packed::from_parts`].
    pub fn of_parts<T: Copy + Default + Into<f32>>(
        parts: &[Part<'_, T>],
    ) -> Result<(Self, Vec<T>), KernelError> {
        let inputs = parts.first().map_or(0, |part| part.input_range.len());
        for part in parts {
            part.check(inputs)?;
        }
        let mut packing = Self {
            outputs: parts.iter().map(|part| part.output_range.len()).sum(),
            inputs,
            magnitudes: Magnitudes::NONE,
        };
        let mut panels = vec![T::default(); packing.len()];
        let (mut output, mut single) = (0, Vec::with_capacity(inputs));
        for part in parts {
            for row in part.output_range.clone() {
                let start = row * part.inputs;
                let columns = start + part.input_range.start..start + part.input_range.end;
                let weights = &part.weights[columns];
                single.clear();
                single.extend(weights.iter().map(|&weight| weight.into()));
                packing.magnitudes = packing.magnitudes.union(Magnitudes::of(&single));
                packing.place(output, weights, &mut panels);
                output += 1;
            }
        }
        Ok((packing, panels))
    }

    /// Writes the weights of one output.
    fn place<T: Copy>(&self, output: usize, weights: &[T], panels: &mut [T]) {
        let strip = output / LANES * LANES * self.inputs;
        let rows = panels[strip..].chunks_exact_mut(LANES);
        for (row, &weight) in rows.zip(weights) {
            row[output % LANES] = weight;
        }
    }

    /// Number of outputs: values per row of a product.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of inputs: values per row that is multiplied.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of values in all panels.
    fn len(&self) -> usize {
        self.outputs.next_multiple_of(LANES) * self.inputs
    }

    /// The matrix whose `panels` came of [`Packed::into_parts`].
    ///
    /// # Panics
    /// If there are more or fewer values.
    pub fn view<'a>(&self, panels: Numbers<'a>) -> PackedView<'a> {
        assert_eq!(panels.len(), self.len(), "panels must be those packed");
        PackedView {
            packing: *self,
            panels,
        }
    }
}

impl<'a> From<&'a Packed> for PackedView<'a> {
    fn from(packed: &'a Packed) -> Self {
        packed.packing.view(Numbers::Single(&packed.panels))
    }
}

impl<'a> PackedView<'a> {
    /// Number of outputs.
    pub(super) fn outputs(self) -> usize {
        self.packing.outputs
    }

    /// Number of inputs.
    pub(super) fn inputs(self) -> usize {
        self.packing.inputs
    }

    /// The weights as strips, where they are of 32 bits: row k holds input k's.
    pub(super) fn strips(self) -> Strips<'a> {
        let Packing {
            outputs,
            inputs,
            magnitudes,
        } = self.packing;
        let vectors = outputs.div_ceil(LANES);
        match self.panels {
            Numbers::Single(numbers) => {
                Strips::Single(Panel::strips(numbers, vectors, inputs, magnitudes))
            }
            Numbers::F16(numbers) => Strips::F16(Narrow::new(numbers, vectors, inputs, magnitudes)),
            Numbers::Bf16(numbers) => {
                Strips::Bf16(Narrow::new(numbers, vectors, inputs, magnitudes))
            }
        }
    }
}

/// Weights in strips.
pub(super) enum Strips<'a> {
    Single(Panel<'a>),
    F16(Narrow<'a, f16>),
    Bf16(Narrow<'a, bf16>),
}

/// A part of a row-major weight matrix, for [`Packed::from_parts`].
#[derive(Debug, Clone)]
pub struct Part<'a, T = f32> {
    /// The whole matrix, `outputs` × `inputs`, row o holding output o's weights.
    pub weights: &'a [T],
    /// Its rows.
    pub outputs: usize,
    /// Its columns.
    pub inputs: usize,
    /// The rows wanted.
    pub output_range: Range<usize>,
    /// The columns wanted.
    pub input_range: Range<usize>,
}

impl<T> Part<'_, T> {
    /// Checks shape and ranges, and that `inputs` columns are wanted.
    fn check(&self, inputs: usize) -> Result<(), KernelError> {
        if self.outputs.checked_mul(self.inputs) != Some(self.weights.len()) {
            return Err(KernelError::WeightShape {
                outputs: self.outputs,
                inputs: self.inputs,
                found: self.weights.len(),
            });
        }
        for (what, range, len) in [
            ("outputs", &self.output_range, self.outputs),
            ("inputs", &self.input_range, self.inputs),
        ] {
            if range.start > range.end || range.end > len {
                return Err(KernelError::WeightRange {
                    what,
                    start: range.start,
                    end: range.end,
                    len,
                });
            }
        }
        if self.input_range.len() == inputs {
            Ok(())
        } else {
            Err(KernelError::UnequalInputs {
                first: inputs,
                found: self.input_range.len(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::kernels::panel::Operands;

    fn single(packed: &Packed) -> Panel<'_> {
        match PackedView::from(packed).strips() {
            Strips::Single(strips) => strips,
            _ => unreachable!("packed in f32"),
        }
    }

    /// 3 × 2, weight of output o and input i: 10 o + i.
    const MATRIX: [f32; 6] = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0];

    #[test]
    fn an_output_lies_in_its_lane() {
        let packed = Packed::new(&MATRIX, 3, 2).unwrap();
        let weights = single(&packed);
        let steps = Operands::<1, 1>::new(&[0.0; 2], 2, weights).steps::<1>(0);
        let rows: Vec<_> = steps.map(|step| step.vector(0, 0)[..4].to_vec()).collect();
        assert_eq!(rows, [[0.0, 10.0, 20.0, 0.0], [1.0, 11.0, 21.0, 0.0]]);
    }

    #[test]
    fn a_part_equals_the_matrix_cut_first() {
        let part = Packed::from_part(&MATRIX, 3, 2, 1..3, 1..2).unwrap();
        assert_eq!(part, Packed::new(&[11.0, 21.0], 2, 1).unwrap());
    }

    #[test]
    fn parts_equal_the_matrix_joined_first() {
        let part = |output_range| Part {
            weights: &MATRIX,
            outputs: 3,
            inputs: 2,
            output_range,
            input_range: 0..2,
        };
        let joined = Packed::from_parts(&[part(2..3), part(0..1)]).unwrap();
        assert_eq!(joined, Packed::new(&[20.0, 21.0, 0.0, 1.0], 2, 2).unwrap());
    }

    #[test]
    fn wrong_shapes_are_refused() {
        assert_eq!(
            Packed::new(&MATRIX, 2, 2).unwrap_err().to_string(),
            "weight matrix has 6 values, but 2 outputs × 2 inputs need 4"
        );
        assert_eq!(
            Packed::from_part(&MATRIX, 3, 2, 1..4, 0..2)
                .unwrap_err()
                .to_string(),
            "outputs 1..4 reach beyond the weight matrix, which has 3"
        );
    }
}
