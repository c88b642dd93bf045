//! An f32 matrix in candle's CPU storage, owned by whoever computes with it.
//!
//! A candle tensor shares its storage behind a lock, and allocates a little at every
//! in-place operation. A buffer has the same storage and layout and takes the same
//! operations, but belongs to one owner: nothing is locked, its values are a plain
//! slice, and a decode step allocates nothing.

use super::error::StepError;
use candle_core::{CpuStorage, DType, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Tensor};

/// Rows × columns of f32, row-major.
#[derive(Debug)]
pub(super) struct Buffer {
    storage: CpuStorage,
    layout: Layout,
}

impl Default for Buffer {
    fn default() -> Self {
        Self::from_values(Vec::new(), 0, 0)
    }
}

impl Buffer {
    fn from_values(values: Vec<f32>, rows: usize, columns: usize) -> Self {
        Self {
            storage: CpuStorage::F32(values),
            layout: Layout::contiguous((rows, columns)),
        }
    }

    /// A copy of a tensor, in f32; all its dimensions but the last become rows.
    pub(super) fn copy_of(tensor: &Tensor) -> Result<Self, StepError> {
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let columns = tensor.dims().last().copied().unwrap_or(1);
        let rows = values.len().checked_div(columns).unwrap_or(0);
        Ok(Self::from_values(values, rows, columns))
    }

    /// Makes the buffer rows × columns; what it then holds is left over from
    /// before. Allocates only to become larger than ever.
    pub(super) fn fit(&mut self, rows: usize, columns: usize) -> &mut Self {
        if self.layout.dims() != [rows, columns] {
            self.vector().resize(rows * columns, 0.0);
            self.layout = Layout::contiguous((rows, columns));
        }
        self
    }

    pub(super) fn rows(&self) -> usize {
        self.layout.dims()[0]
    }

    pub(super) fn columns(&self) -> usize {
        self.layout.dims()[1]
    }

    pub(super) fn values(&self) -> &[f32] {
        match &self.storage {
            CpuStorage::F32(values) => values,
            _ => unreachable!("a buffer is made of f32 and stays so"),
        }
    }

    fn vector(&mut self) -> &mut Vec<f32> {
        match &mut self.storage {
            CpuStorage::F32(values) => values,
            _ => unreachable!("a buffer is made of f32 and stays so"),
        }
    }

    /// Sets every value to zero.
    pub(super) fn clear(&mut self) {
        self.vector().fill(0.0);
    }

    /// Applies an operation that needs no other matrix.
    pub(super) fn apply1(&mut self, op: &impl InplaceOp1) -> Result<(), StepError> {
        Ok(op.cpu_fwd(&mut self.storage, &self.layout)?)
    }

    /// Applies an operation that reads another matrix.
    pub(super) fn apply2(&mut self, a: &Self, op: &impl InplaceOp2) -> Result<(), StepError> {
        Ok(op.cpu_fwd(&mut self.storage, &self.layout, &a.storage, &a.layout)?)
    }

    /// Applies an operation that reads two others.
    pub(super) fn apply3(
        &mut self,
        a: &Self,
        b: &Self,
        op: &impl InplaceOp3,
    ) -> Result<(), StepError> {
        let (dst, layout) = (&mut self.storage, &self.layout);
        Ok(op.cpu_fwd(dst, layout, &a.storage, &a.layout, &b.storage, &b.layout)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_buffer_keeps_its_memory_when_it_shrinks_and_grows_back() {
        let mut buffer = Buffer::default();
        let first = buffer.fit(7, 5).values().as_ptr();
        assert_eq!(buffer.fit(1, 5).values().len(), 5);
        assert_eq!(buffer.fit(5, 7).values().as_ptr(), first);
        assert_eq!((buffer.rows(), buffer.columns()), (5, 7));
    }

    #[test]
    fn a_copy_widens_half_precision_exactly() {
        let values = [1.0f32, -0.5, 3.140625, 65280.0];
        let half = Tensor::new(&values, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::BF16)?.reshape((2, 2)))
            .expect("a small tensor");
        let copy = Buffer::copy_of(&half).expect("on the CPU");
        assert_eq!((copy.rows(), copy.columns()), (2, 2));
        assert_eq!(copy.values(), values);
    }
}
