//! Sums over long tensors.
//!
//! A sum of squares is kept in [`LANES`] partial sums, entry i going to lane i mod
//! [`LANES`], which are added at the end: additions then do not wait for each other, and
//! the order is still one, whatever the compiler vectorises.

use crate::wide;

/// Partial sums; their number is part of every result's definition.
const LANES: usize = 8;

/// A running Σ x².
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SquareSum([f64; LANES]);

impl SquareSum {
    /// Adds the squares of `values`, the first of them in lane 0.
    #[inline(always)]
    pub(super) fn add<T: Copy + Into<f64>>(&mut self, values: &[T]) {
        let mut chunks = values.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (lane, x) in self.0.iter_mut().zip(chunk) {
                let x: f64 = (*x).into();
                *lane += x * x;
            }
        }
        for (lane, x) in self.0.iter_mut().zip(chunks.remainder()) {
            let x: f64 = (*x).into();
            *lane += x * x;
        }
    }

    /// The sum.
    #[inline(always)]
    pub(super) fn total(self) -> f64 {
        self.0.iter().sum()
    }
}

/// Σ x² over all of `values`.
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    wide::run(
        #[inline(always)]
        || {
            let mut sum = SquareSum::default();
            sum.add(values);
            sum.total()
        },
    )
}

/// Σ_n z_n entry by entry over `range`, into `sum`: in device order and double precision,
/// so that rounding to f32 happens once and one device alone keeps its bits.
#[inline(always)]
pub(super) fn exact_sum(parts: &[&[f32]], range: std::ops::Range<usize>, sum: &mut [f64]) {
    sum.fill(0.0);
    for part in parts {
        for (sum, x) in sum.iter_mut().zip(&part[range.clone()]) {
            *sum += f64::from(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_of_any_length_add_up() {
        for length in [0, 1, 7, 8, 9, 100] {
            let values: Vec<f32> = (0..length).map(|i| i as f32).collect();
            let mut sum = SquareSum::default();
            sum.add(&values);
            let n = f64::from(length) - 1.0;
            let expected = if length > 0 {
                n * (n + 1.0) * (2.0 * n + 1.0) / 6.0
            } else {
                0.0
            };
            assert_eq!(sum.total(), expected);
        }
    }

    #[test]
    fn one_part_keeps_its_bits() {
        let part = [1.0e-40f32, -3.25, 1.0e38];
        let mut sum = [9.0; 2];
        exact_sum(&[&part], 1..3, &mut sum);
        assert_eq!(sum.map(|x| x as f32), part[1..]);
    }
}
