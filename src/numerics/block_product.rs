//! Products with weights that stay in blocks.
//!
//! A device may hold inputs that begin or end within a block of 32: it then holds the whole block, and
//! what it is given beyond its own inputs is zero. So every cut of a model is possible, each weight
//! is what it is in the whole model, and only blocks at such borders are held twice.

use super::error::StepError;
use super::kernels::{BLOCK, BlockMatrix, Columns, Kernels, RoundedRows};
use super::ops::{slice, slice_mut};
use super::stored::rows_of;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

/// Some rows and columns of a matrix in blocks.
#[derive(Debug)]
pub(super) struct BlockPart {
    matrix: Arc<BlockMatrix>,
    /// Inputs of its blocks before the first that is held.
    before: usize,
    /// Inputs that are held.
    inputs: usize,
}

/// What products round and pad their rows in: kept from one to the next.
#[derive(Default)]
struct Scratch {
    padded: Vec<f32>,
    rounded: RoundedRows,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl BlockPart {
    /// The rows `outputs` and columns `inputs` of `matrix`.
    pub(super) fn cut(
        matrix: &Arc<BlockMatrix>,
        outputs: Range<usize>,
        inputs: Range<usize>,
    ) -> std::result::Result<Self, StepError> {
        let rows = rows_of(matrix, outputs)?;
        let first = inputs.start / BLOCK * BLOCK;
        let last = inputs.end.next_multiple_of(BLOCK).min(matrix.columns());
        let matrix = match (first..last) == (0..matrix.columns()) {
            true => rows,
            false => Arc::new(rows.columns_of(first..last)?),
        };
        Ok(Self {
            matrix,
            before: inputs.start - first,
            inputs: inputs.len(),
        })
    }

    /// Values per row of a product.
    pub(super) fn outputs(&self) -> usize {
        self.matrix.rows()
    }
}

/// Columns of dst, from `first` on ← source · weightsᵀ.
pub(super) struct BlockProject<'a> {
    pub(super) kernels: Kernels,
    pub(super) part: &'a BlockPart,
    pub(super) first: usize,
}

impl InplaceOp2 for BlockProject<'_> {
    fn name(&self) -> &'static str {
        "block-project"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> Result<()> {
        let (rows, width) = (layout.dims()[0], layout.dims()[1]);
        let BlockPart {
            matrix,
            before,
            inputs,
        } = self.part;
        let (x, out) = (slice(x, x_layout)?, slice_mut(dst, layout)?);
        // Taken, not borrowed: a thread that waits for others may begin another product meanwhile.
        let mut scratch = SCRATCH.take();
        let Scratch { padded, rounded } = &mut scratch;
        let columns = matrix.columns();
        let x: &[f32] = match columns == *inputs {
            true => x,
            false => {
                padded.clear();
                padded.resize(rows * columns, 0.0);
                let from = x.chunks_exact(*inputs);
                for (to, from) in padded.chunks_exact_mut(columns).zip(from) {
                    to[*before..*before + *inputs].copy_from_slice(from);
                }
                padded
            }
        };
        self.kernels.round_rows(x, rows, columns, rounded);
        let to = Columns {
            out,
            width,
            first: self.first,
        };
        self.kernels.block_matmul(rounded, matrix, to);
        SCRATCH.set(scratch);
        Ok(())
    }
}
