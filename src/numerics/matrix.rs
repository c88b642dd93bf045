//! A candle tensor that steps write to, step after step.
//!
//! candle's tensors are immutable but for its in-place operations. A [`Matrix`] owns the
//! memory of one, gives it the shape that a step needs without asking for memory again,
//! and applies in-place operations to it, whose kernels are ours.
//!
//! Before an in-place operation candle makes sure that no two elements of the
//! destination share memory, and allocates to find out unless there is but one element.
//! A matrix is contiguous and shares its memory with nobody, so there is nothing to find
//! out: candle is shown its first element, and the operation gets the layout of the
//! whole. That is how a decode step allocates nothing; all else (locks, devices, that
//! no source is the destination) is candle's as ever.

use candle_core::{CpuStorage, DType, Device, InplaceOp1, InplaceOp2, InplaceOp3};
use candle_core::{Layout, Result, Storage, StorageRef, Tensor};
use std::ops::{Deref, Range};

/// Rows × columns of f32, row-major.
#[derive(Debug)]
pub(super) struct Matrix {
    /// All the memory, in one row, at least one value.
    room: Tensor,
    /// The first value of it.
    first: Tensor,
    /// The matrix, which begins there too.
    tensor: Tensor,
}

impl Default for Matrix {
    /// No rows and no columns.
    fn default() -> Self {
        Self::on(1, 0, 0).expect("a tensor of one value")
    }
}

impl Matrix {
    /// Zeros.
    pub(super) fn zeros(rows: usize, columns: usize) -> Result<Self> {
        Self::on(rows * columns, rows, columns)
    }

    /// The first rows × columns of `room` zeros.
    fn on(room: usize, rows: usize, columns: usize) -> Result<Self> {
        let room = Tensor::zeros(room.max(1), DType::F32, &Device::Cpu)?;
        Ok(Self {
            first: room.narrow(0, 0, 1)?,
            tensor: shaped(&room, rows, columns)?,
            room,
        })
    }

    /// Makes the matrix rows × columns; what it then holds is left over from
    /// before. Allocates values only to become larger than ever.
    pub(super) fn fit(&mut self, rows: usize, columns: usize) -> Result<&mut Self> {
        if self.room.elem_count() < rows * columns {
            *self = Self::zeros(rows, columns)?;
        } else if self.tensor.dims() != [rows, columns] {
            self.tensor = shaped(&self.room, rows, columns)?;
        }
        Ok(self)
    }

    /// The tensor, to be read by operations on others.
    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    pub(super) fn rows(&self) -> usize {
        self.tensor.dims()[0]
    }

    pub(super) fn columns(&self) -> usize {
        self.tensor.dims()[1]
    }

    /// The values, row-major.
    pub(super) fn values(&self) -> Values<'_> {
        Values::of(&self.tensor)
    }

    /// Sets every value to zero.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.tensor.zero_set()
    }

    /// Columns from `first` on ← `part`, which has as many rows.
    pub(super) fn place_columns(&mut self, part: &Self, first: usize) -> Result<()> {
        self.tensor.slice_set(&part.tensor, 1, first)
    }

    /// Every value ← that of `other`, which has the same shape.
    pub(super) fn copy_from(&mut self, other: &Self) -> Result<()> {
        self.tensor.slice_set(&other.tensor, 0, 0)
    }

    /// Another matrix of the same shape and values.
    pub(super) fn copy(&self) -> Result<Self> {
        let mut copy = Self::on(self.room.elem_count(), self.rows(), self.columns())?;
        copy.copy_from(self)?;
        Ok(copy)
    }

    /// Applies an operation that needs no other tensor.
    pub(super) fn apply1(&mut self, op: &impl InplaceOp1) -> Result<()> {
        let layout = self.tensor.layout();
        self.first.inplace_op1(&Whole { op, layout })
    }

    /// Applies an operation that reads another tensor.
    pub(super) fn apply2(&mut self, a: &Tensor, op: &impl InplaceOp2) -> Result<()> {
        let layout = self.tensor.layout();
        self.first.inplace_op2(a, &Whole { op, layout })
    }

    /// Applies an operation that reads two others.
    pub(super) fn apply3(&mut self, a: &Tensor, b: &Tensor, op: &impl InplaceOp3) -> Result<()> {
        let layout = self.tensor.layout();
        self.first.inplace_op3(a, b, &Whole { op, layout })
    }
}

/// The first values of `room`, rows × columns of them.
fn shaped(room: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    room.narrow(0, 0, rows * columns)?.reshape((rows, columns))
}

/// An operation on a whole matrix, applied to its first element.
struct Whole<'a, O> {
    op: &'a O,
    layout: &'a Layout,
}

impl<O: InplaceOp1> InplaceOp1 for Whole<'_, O> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, _: &Layout) -> Result<()> {
        self.op.cpu_fwd(dst, self.layout)
    }
}

impl<O: InplaceOp2> InplaceOp2 for Whole<'_, O> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        _: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
    ) -> Result<()> {
        self.op.cpu_fwd(dst, self.layout, a, a_layout)
    }
}

impl<O: InplaceOp3> InplaceOp3 for Whole<'_, O> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        _: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<()> {
        self.op.cpu_fwd(dst, self.layout, a, a_layout, b, b_layout)
    }
}

/// The values of a tensor, row-major: a slice, borrowed from candle while it is read.
#[derive(Debug)]
pub struct Values<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
}

impl<'a> Values<'a> {
    /// Those of a contiguous f32 tensor on the CPU, as all of a forward pass are.
    pub(super) fn of(tensor: &'a Tensor) -> Self {
        let (storage, layout) = tensor.storage_and_layout();
        let (start, end) = layout
            .contiguous_offsets()
            .expect("tensors of a forward pass are contiguous");
        Self {
            storage,
            range: start..end,
        }
    }

    /// Row `row` of rows of `columns`.
    pub(super) fn row(self, row: usize, columns: usize) -> Self {
        let start = self.range.start + row * columns;
        Self {
            range: start..start + columns,
            ..self
        }
    }
}

impl Deref for Values<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.range.clone()],
            _ => unreachable!("tensors of a forward pass hold f32 on the CPU"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// dst ← dst + source.
    struct Add;

    impl InplaceOp2 for Add {
        fn name(&self) -> &'static str {
            "add"
        }

        fn cpu_fwd(
            &self,
            dst: &mut CpuStorage,
            layout: &Layout,
            a: &CpuStorage,
            a_layout: &Layout,
        ) -> Result<()> {
            assert_eq!(layout.dims(), a_layout.dims());
            let CpuStorage::F32(dst) = dst else {
                unreachable!("f32")
            };
            let sums = dst.iter_mut().zip(a.as_slice::<f32>()?);
            sums.take(layout.shape().elem_count())
                .for_each(|(sum, term)| *sum += term);
            Ok(())
        }
    }

    #[test]
    fn a_matrix_keeps_its_memory_when_it_shrinks_and_grows_back() {
        let mut matrix = Matrix::default();
        assert!(matrix.values().is_empty());
        let first = matrix.fit(7, 5).unwrap().values().as_ptr();
        assert_eq!(matrix.fit(1, 5).unwrap().values().len(), 5);
        assert_eq!(matrix.fit(5, 7).unwrap().values().as_ptr(), first);
        assert_eq!((matrix.rows(), matrix.columns()), (5, 7));
    }

    #[test]
    fn operations_see_the_whole_and_never_the_destination_as_a_source() {
        let (mut a, mut b) = (Matrix::zeros(2, 3).unwrap(), Matrix::zeros(2, 3).unwrap());
        let ones = Tensor::ones((2, 3), DType::F32, &Device::Cpu).unwrap();
        a.apply2(&ones, &Add).unwrap();
        b.copy_from(&a).unwrap();
        a.apply2(b.tensor(), &Add).unwrap();
        assert_eq!(*a.values(), [2.0; 6]);
        assert_eq!(*a.copy().unwrap().values(), [2.0; 6]);
        let same = a.tensor().clone();
        assert!(a.apply2(&same, &Add).is_err());
    }

    #[test]
    fn rows_and_columns_are_where_they_belong() {
        let mut matrix = Matrix::zeros(2, 3).unwrap();
        let ones = Tensor::ones((2, 1), DType::F32, &Device::Cpu).unwrap();
        let mut part = Matrix::zeros(2, 1).unwrap();
        part.apply2(&ones, &Add).unwrap();
        matrix.place_columns(&part, 1).unwrap();
        assert_eq!(*matrix.values(), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(*matrix.values().row(1, 3), [0.0, 1.0, 0.0]);
        matrix.clear().unwrap();
        assert_eq!(*matrix.values(), [0.0; 6]);
    }
}
