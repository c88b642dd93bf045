//! Both sides of a tile: checked as a whole, then read without another check.

use std::marker::PhantomData;

use super::{Magnitudes, Panel};
use crate::numerics::kernels::lanes::LANES;

/// What a tile multiplies: `R` rows of values, each as many as the panel has rows, and a
/// panel of `V` vectors.
#[derive(Debug, Clone, Copy)]
pub struct Operands<'a, const R: usize, const V: usize> {
    /// Row r starts at r · `stride`.
    a: &'a [f32],
    stride: usize,
    b: Panel<'a>,
}

impl<'a, const R: usize, const V: usize> Operands<'a, R, V> {
    /// The rows that start at multiples of `stride` in `a`, and the panel `b`.
    ///
    /// # Panics
    /// If `b` has another number of vectors, or `a` ends before the last row does.
    #[inline(always)]
    pub fn new(a: &'a [f32], stride: usize, b: Panel<'a>) -> Self {
        assert_eq!(b.vectors, V, "the panel must be as wide as the tile");
        let end = match R.checked_sub(1) {
            Some(last) if b.depth > 0 => last * stride + b.depth,
            _ => 0,
        };
        Self {
            a: &a[..end],
            stride,
            b,
        }
    }

    /// Number of values in a row of the left side, of rows on the right.
    #[inline(always)]
    pub fn depth(self) -> usize {
        self.b.depth
    }

    /// Bounds that the values of the right side keep.
    #[inline(always)]
    pub fn magnitudes(self) -> Magnitudes {
        self.b.magnitudes
    }

    /// Row `r` of the left side.
    #[inline(always)]
    pub fn row(self, r: usize) -> &'a [f32] {
        let row = self.a.get(r * self.stride..).unwrap_or_default();
        &row[..self.b.depth]
    }

    /// The steps from `from` on, `U` at a time as long as there are so many.
    ///
    /// # Panics
    /// If there are fewer than `from`.
    #[inline(always)]
    pub fn steps<const U: usize>(self, from: usize) -> Steps<'a, R, V, U> {
        assert!(from <= self.b.depth, "step {from} of {}", self.b.depth);
        Steps {
            next: Step {
                a: self.a.as_ptr().wrapping_add(from),
                a_stride: self.stride,
                b: self.b.data.as_ptr().wrapping_add(from * self.b.stride),
                b_stride: self.b.stride,
                b_step: self.b.step,
                data: PhantomData,
            },
            left: self.b.depth - from,
        }
    }
}

/// The steps of [`Operands`], `U` at a time.
#[derive(Debug)]
pub struct Steps<'a, const R: usize, const V: usize, const U: usize> {
    next: Step<'a, R, V, U>,
    left: usize,
}

impl<'a, const R: usize, const V: usize, const U: usize> Iterator for Steps<'a, R, V, U> {
    type Item = Step<'a, R, V, U>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left < U {
            return None;
        }
        self.left -= U;
        let step = self.next;
        self.next.a = step.a.wrapping_add(U);
        self.next.b = step.b.wrapping_add(U * step.b_stride);
        Some(step)
    }
}

/// `U` consecutive values of each row of the left side, and `U` rows of the right.
///
/// One that [`Steps`] yields lies inside of what [`Operands`] hold.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a, const R: usize, const V: usize, const U: usize> {
    a: *const f32,
    a_stride: usize,
    b: *const f32,
    b_stride: usize,
    b_step: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const R: usize, const V: usize, const U: usize> Step<'a, R, V, U> {
    /// Value `u` of row `r`.
    #[inline(always)]
    pub fn x(&self, r: usize, u: usize) -> f32 {
        assert!(r < R && u < U, "a value of the step");
        // SAFETY: `Operands::new` saw that `a`, borrowed for 'a, holds a panel's depth of
        // values from r · stride on for every r below R; `Steps` yields this step only while
        // U of them are left.
        unsafe { *self.a.add(r * self.a_stride + u) }
    }

    /// Vector `v` of row `u`.
    #[inline(always)]
    pub fn vector(&self, v: usize, u: usize) -> &'a [f32; LANES] {
        assert!(v < V && u < U, "a vector of the step");
        // SAFETY: `Panel::bounded` saw that its data, borrowed for 'a, reaches to the end of
        // the last of its vectors, of which there are V, in its last row; `Steps` yields this
        // step only while U rows are left. Sixteen `f32` side by side are an array of them.
        unsafe { &*self.b.add(u * self.b_stride + v * self.b_step).cast() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_read_every_value_once_in_order() {
        let a: Vec<f32> = (0..30).map(|i| i as f32).collect();
        let b: Vec<f32> = (0..2 * 7 * LANES).map(|i| i as f32).collect();
        let by_rows = Panel::rows(&b, 2 * LANES, 2, 7, Magnitudes::NONE);
        let by_strips = Panel::strips(&b, 2, 7, Magnitudes::NONE);
        for (panel, stride, step) in [(by_rows, 2 * LANES, LANES), (by_strips, LANES, 7 * LANES)] {
            let operands = Operands::<3, 2>::new(&a, 10, panel);
            let mut seen = 0;
            let mut check = |x: f32, vector: &[f32; LANES], r: usize, v: usize, k: usize| {
                assert_eq!(x, (10 * r + k) as f32);
                let expected: Vec<f32> = (0..LANES)
                    .map(|lane| (k * stride + v * step + lane) as f32)
                    .collect();
                assert_eq!(vector[..], expected);
                seen += 1;
            };
            for (block, step) in operands.steps::<3>(0).enumerate() {
                for u in 0..3 {
                    for (r, v) in [(0, 0), (1, 0), (2, 1)] {
                        check(step.x(r, u), step.vector(v, u), r, v, 3 * block + u);
                    }
                }
            }
            for (k, step) in operands.steps::<1>(6).enumerate() {
                for (r, v) in [(0, 0), (1, 0), (2, 1)] {
                    check(step.x(r, 0), step.vector(v, 0), r, v, 6 + k);
                }
            }
            assert_eq!(seen, 21);
            assert_eq!(operands.row(2), &a[20..27]);
        }
    }

    #[test]
    fn nothing_is_read_of_nothing() {
        let operands = Operands::<2, 1>::new(&[], 4, Panel::strips(&[], 1, 0, Magnitudes::NONE));
        assert_eq!(operands.steps::<1>(0).count(), 0);
        assert!(operands.row(1).is_empty());
    }

    #[test]
    #[should_panic = "out of range"]
    fn rows_that_end_early_are_refused() {
        let b = [0.0; 3 * LANES];
        Operands::<2, 1>::new(&[0.0; 7], 5, Panel::strips(&b, 1, 3, Magnitudes::NONE));
    }

    #[test]
    #[should_panic = "as wide as the tile"]
    fn a_panel_of_another_width_is_refused() {
        let b = [0.0; 4 * LANES];
        Operands::<1, 3>::new(
            &[0.0],
            1,
            Panel::rows(&b, 4 * LANES, 4, 1, Magnitudes::NONE),
        );
    }
}
