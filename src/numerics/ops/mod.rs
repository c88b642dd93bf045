//! The kernels as candle operations: all that a forward pass computes.
//!
//! Tensors, their memory, layouts and locks are candle's, sums are ours: each operation here
//! hands the plain slices of contiguous f32 tensors to one kernel. All are in-place
//! operations and write to what exists already, so that a decode step allocates nothing.
//! None has a gradient; training uses operations of its own.
//!
//! What only moves values between tensors (a part's columns to their place, the rows of an
//! expert, zeros) is candle's own and not here, unless candle would allocate for it.

mod attention;

pub(super) use attention::{Attend, Columns, Forget, HeadNorm, Remember, Rotate};

use super::kernels::{BlockMatrix, Kernels, Numbers, Packing, gather};
use super::matrix::Matrix;
use crate::model::Activation;
use candle_core::{CpuStorage, Error, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result, Tensor};
use std::ops::Range;

fn range(layout: &Layout) -> Result<Range<usize>> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::Msg("a kernel needs a contiguous tensor".into()))?;
    Ok(start..end)
}

/// Where `rows` of so many columns stand.
fn at(rows: &Range<usize>, columns: usize) -> Range<usize> {
    rows.start * columns..rows.end * columns
}

pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    Ok(&storage.as_slice::<f32>()?[range(layout)?])
}

pub(super) fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let range = range(layout)?;
    match storage {
        CpuStorage::F32(values) => Ok(&mut values[range]),
        _ => Err(Error::Msg("a kernel needs an f32 tensor".into())),
    }
}

/// dst\[i\] ← `scale` · row `t_i` of the source, whose numbers may be of 16 bits, t being all `texts`
/// one after the other.
pub(super) struct Embed<I> {
    pub(super) scale: Option<f32>,
    pub(super) texts: I,
}

impl<'a, I: Iterator<Item = &'a [u32]> + Clone> InplaceOp2 for Embed<I> {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        let known = range(table_layout)?;
        let mut rest = slice_mut(dst, layout)?;
        for tokens in self.texts.clone() {
            let (rows, later) = rest.split_at_mut(tokens.len() * columns);
            match table {
                CpuStorage::F32(table) => gather(&table[known.clone()], columns, tokens, rows),
                CpuStorage::F16(table) => gather(&table[known.clone()], columns, tokens, rows),
                CpuStorage::BF16(table) => gather(&table[known.clone()], columns, tokens, rows),
                _ => return Err(Error::Msg("an embedding is of 16 or 32 bits".into())),
            }
            .map_err(Error::wrap)?;
            if let Some(scale) = self.scale {
                rows.iter_mut().for_each(|value| *value *= scale);
            }
            rest = later;
        }
        Ok(())
    }
}

/// dst\[i\] ← `scale` · row t_i of `table`, t being all `texts` one after the other.
pub(super) struct EmbedBlocks<'a, I> {
    pub(super) table: &'a BlockMatrix,
    pub(super) scale: Option<f32>,
    pub(super) texts: I,
}

impl<'a, I: Iterator<Item = &'a [u32]> + Clone> InplaceOp1 for EmbedBlocks<'_, I> {
    fn name(&self) -> &'static str {
        "embed-blocks"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let columns = layout.dims()[1];
        let rows = slice_mut(dst, layout)?.chunks_exact_mut(columns);
        for (row, token) in rows.zip(self.texts.clone().flatten()) {
            self.table.dequantise_row(*token as usize, row);
            if let Some(scale) = self.scale {
                row.iter_mut().for_each(|value| *value *= scale);
            }
        }
        Ok(())
    }
}

/// dst ← RMSNorm(`rows` of source 0, one range after the other) with the weights of source 1.
pub(super) struct RmsNorm<I> {
    pub(super) kernels: Kernels,
    pub(super) epsilon: f32,
    pub(super) rows: I,
}

impl<I: Iterator<Item = Range<usize>> + Clone> InplaceOp3 for RmsNorm<I> {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        let (x, weight) = (slice(x, x_layout)?, slice(weight, weight_layout)?);
        let mut rest = slice_mut(dst, layout)?;
        for rows in self.rows.clone() {
            let (out, later) = rest.split_at_mut(rows.len() * columns);
            let x = &x[at(&rows, columns)];
            self.kernels.rms_norm(x, weight, self.epsilon, out);
            rest = later;
        }
        Ok(())
    }
}

/// dst ← source 0 · weightsᵀ, the weights' panels being source 1.
pub(super) struct Project<'a> {
    kernels: Kernels,
    packing: &'a Packing,
    panels: &'a Tensor,
}

impl<'a> Project<'a> {
    pub(super) fn with(kernels: Kernels, packing: &'a Packing, panels: &'a Tensor) -> Self {
        Self {
            kernels,
            packing,
            panels,
        }
    }

    /// `out` ← `x` · weightsᵀ.
    pub(super) fn apply(&self, x: &Tensor, out: &mut Matrix) -> Result<()> {
        out.apply3(x, self.panels, self)
    }
}

impl InplaceOp3 for Project<'_> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
        panels: &CpuStorage,
        panels_layout: &Layout,
    ) -> Result<()> {
        let rows = layout.dims()[0];
        let known = range(panels_layout)?;
        let numbers = match panels {
            CpuStorage::F32(panels) => Numbers::Single(&panels[known]),
            CpuStorage::F16(panels) => Numbers::F16(&panels[known]),
            CpuStorage::BF16(panels) => Numbers::Bf16(&panels[known]),
            _ => return Err(Error::Msg("weights are of 16 or 32 bits".into())),
        };
        let weights = self.packing.view(numbers);
        self.kernels
            .matmul(slice(x, x_layout)?, rows, weights, slice_mut(dst, layout)?);
        Ok(())
    }
}

/// dst ← f(gate) · up, both in the source's rows, gate first; or f of the source, without a gate.
pub(super) struct Activate {
    pub(super) kernels: Kernels,
    pub(super) activation: Activation,
    pub(super) gated: bool,
}

impl InplaceOp2 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        gate_up: &CpuStorage,
        gate_up_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        let (gate_up, out) = (slice(gate_up, gate_up_layout)?, slice_mut(dst, layout)?);
        let activation = self.activation;
        match self.gated {
            true => self
                .kernels
                .activate_joined(activation, gate_up, columns, out),
            false => self.kernels.activate(activation, gate_up, out),
        }
        Ok(())
    }
}

/// dst ← LayerNorm(`rows` of source 0, one range after the other); source 1 has the weights, and
/// after them the biases.
pub(super) struct LayerNorm<I> {
    pub(super) kernels: Kernels,
    pub(super) epsilon: f32,
    pub(super) rows: I,
}

impl<I: Iterator<Item = Range<usize>> + Clone> InplaceOp3 for LayerNorm<I> {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        let x = slice(x, x_layout)?;
        let (weight, bias) = slice(weights, weights_layout)?.split_at(columns);
        let mut rest = slice_mut(dst, layout)?;
        for rows in self.rows.clone() {
            let (out, later) = rest.split_at_mut(rows.len() * columns);
            let x = &x[at(&rows, columns)];
            self.kernels.layer_norm(x, weight, bias, self.epsilon, out);
            rest = later;
        }
        Ok(())
    }
}

/// Each row of dst ← itself + the source.
pub(super) struct AddToRows {
    pub(super) kernels: Kernels,
}

impl InplaceOp2 for AddToRows {
    fn name(&self) -> &'static str {
        "add-to-rows"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        term: &CpuStorage,
        term_layout: &Layout,
    ) -> Result<()> {
        let term = slice(term, term_layout)?;
        self.kernels.add_to_rows(slice_mut(dst, layout)?, term);
        Ok(())
    }
}

/// `rows` of dst ← themselves + as many rows of the source, from `first` on.
pub(super) struct AddRows {
    pub(super) kernels: Kernels,
    pub(super) rows: Range<usize>,
    pub(super) first: usize,
}

impl InplaceOp2 for AddRows {
    fn name(&self) -> &'static str {
        "add-rows"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
    ) -> Result<()> {
        let columns = layout.dims()[1];
        let wanted = self.first..self.first + self.rows.len();
        let terms = slice(table, table_layout)?.get(at(&wanted, columns));
        let terms = terms.ok_or_else(|| {
            Error::Msg(format!("positions {wanted:?} lie beyond the table's rows"))
        })?;
        let sums = &mut slice_mut(dst, layout)?[at(&self.rows, columns)];
        self.kernels.add(sums, terms);
        Ok(())
    }
}

/// Each value x of dst ← `cap` · tanh(x / `cap`).
pub(super) struct SoftCap {
    pub(super) kernels: Kernels,
    pub(super) cap: f32,
}

impl InplaceOp1 for SoftCap {
    fn name(&self) -> &'static str {
        "soft-cap"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        self.kernels.soft_cap(slice_mut(dst, layout)?, self.cap);
        Ok(())
    }
}

/// Each value x of dst ← σ(x).
pub(super) struct Sigmoid {
    pub(super) kernels: Kernels,
}

impl InplaceOp1 for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        self.kernels.sigmoid(slice_mut(dst, layout)?);
        Ok(())
    }
}

/// Each row of dst ← its softmax.
pub(super) struct Softmax {
    pub(super) kernels: Kernels,
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let columns = layout.dims()[1];
        self.kernels.softmax(slice_mut(dst, layout)?, columns);
        Ok(())
    }
}

/// dst ← dst + source.
pub(super) struct Add {
    pub(super) kernels: Kernels,
}

impl InplaceOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        term: &CpuStorage,
        term_layout: &Layout,
    ) -> Result<()> {
        let term = slice(term, term_layout)?;
        self.kernels.add(slice_mut(dst, layout)?, term);
        Ok(())
    }
}

/// dst ← values, which came from elsewhere: out of a network.
pub(super) struct Replace<'a> {
    pub(super) values: &'a [f32],
}

impl InplaceOp1 for Replace<'_> {
    fn name(&self) -> &'static str {
        "replace"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        slice_mut(dst, layout)?.copy_from_slice(self.values);
        Ok(())
    }
}

/// dst ← dst + values, which came from elsewhere: out of a network.
pub(super) struct AddValues<'a> {
    pub(super) kernels: Kernels,
    pub(super) values: &'a [f32],
}

impl InplaceOp1 for AddValues<'_> {
    fn name(&self) -> &'static str {
        "add-values"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        self.kernels.add(slice_mut(dst, layout)?, self.values);
        Ok(())
    }
}

/// Row `tokens[i]` of dst ← itself + `weights[i]` · row i of the source.
pub(super) struct AddWeighted<'a> {
    pub(super) kernels: Kernels,
    pub(super) tokens: &'a [usize],
    pub(super) weights: &'a [f32],
}

impl InplaceOp2 for AddWeighted<'_> {
    fn name(&self) -> &'static str {
        "add-weighted"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        layout: &Layout,
        outputs: &CpuStorage,
        outputs_layout: &Layout,
    ) -> Result<()> {
        let width = layout.dims()[1];
        let sums = slice_mut(dst, layout)?;
        let outputs = slice(outputs, outputs_layout)?.chunks_exact(width);
        for ((&token, &weight), output) in self.tokens.iter().zip(self.weights).zip(outputs) {
            let row = &mut sums[token * width..(token + 1) * width];
            self.kernels.add_scaled(row, weight, output);
        }
        Ok(())
    }
}
