//! Parts of a [`BlockMatrix`]: how one is divided by outputs, by inputs and by layers, and put
//! together again. Codes and scales are copied, never computed anew.

use std::ops::Range;

use super::format::BLOCK;
use super::matrix::BlockMatrix;
use crate::numerics::kernels::KernelError;

impl BlockMatrix {
    /// The outputs of `range`: what a device holds of a matrix that is divided by outputs.
    ///
    /// # Errors
    /// The range reaches beyond the outputs.
    pub fn rows_of(&self, range: Range<usize>) -> Result<Self, KernelError> {
        self.check_range("outputs", &range, self.rows())?;
        let mut part = Self::zeros(self.format(), range.len(), self.columns(), self.cut());
        for (to, from) in range.enumerate() {
            part.copy_row(to, self, from, 0);
        }
        Ok(part)
    }

    /// The inputs of `range`: what a device holds of a matrix that is divided by inputs. Weights
    /// stay as they are, also where a span of 256 is cut.
    ///
    /// # Errors
    /// The range reaches beyond the inputs, or cuts a block of 32.
    pub fn columns_of(&self, range: Range<usize>) -> Result<Self, KernelError> {
        self.check_range("inputs", &range, self.columns())?;
        let whole = |at: usize| at.is_multiple_of(BLOCK);
        if !whole(range.start) || !(whole(range.end) || range.end == self.columns()) {
            return Err(KernelError::BlockCut {
                start: range.start,
                end: range.end,
            });
        }
        let first = range.start / BLOCK;
        let cut = (self.cut() + first) % self.format().span_blocks();
        let mut part = Self::zeros(self.format(), self.rows(), range.len(), cut);
        for row in 0..self.rows() {
            part.copy_row(row, self, row, first);
        }
        Ok(part)
    }

    /// Matrices of one format and as many inputs, one below the other: one product then computes,
    /// say, query, key and value at once. Each output has the bits that it has alone.
    ///
    /// # Errors
    /// Formats or inputs differ, spans are cut differently, or there is no matrix.
    pub fn stack(parts: &[&Self]) -> Result<Self, KernelError> {
        let first = parts.first().ok_or(KernelError::UnequalBlocks)?;
        let same = |part: &&&Self| {
            (part.format(), part.columns(), part.cut())
                == (first.format(), first.columns(), first.cut())
        };
        if !parts.iter().all(|part| same(&part)) {
            return Err(KernelError::UnequalBlocks);
        }
        let rows = parts.iter().map(|part| part.rows()).sum();
        let mut whole = Self::zeros(first.format(), rows, first.columns(), first.cut());
        let mut to = 0;
        for part in parts {
            for row in 0..part.rows() {
                whole.copy_row(to, part, row, 0);
                to += 1;
            }
        }
        Ok(whole)
    }

    fn check_range(
        &self,
        what: &'static str,
        range: &Range<usize>,
        len: usize,
    ) -> Result<(), KernelError> {
        match range.start <= range.end && range.end <= len {
            true => Ok(()),
            false => Err(KernelError::WeightRange {
                what,
                start: range.start,
                end: range.end,
                len,
            }),
        }
    }

    fn copy_row(&mut self, to: usize, other: &Self, from: usize, first: usize) {
        for block in 0..self.blocks() {
            self.set_block(to, block, &other.block(from, first + block));
            let shared = other.shared(from, other.span_of(first + block));
            self.set_shared(to, self.span_of(block), shared);
        }
    }
}
