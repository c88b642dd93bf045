//! Softmax along rows.
//!
//! # The result, to the bit
//!
//! With m the greatest element and e_i = exp(x_i − m) of [`exp`](super::exp):
//! element i belongs to partial sum i mod 16; each partial sum starts at +0 and
//! adds its elements in ascending order; the sixteen are added in the tree
//! i + (i + 8), then 4, 2, 1. The result is e_i · (1 / sum). A row with a NaN or
//! +∞, or with −∞ alone, becomes `f32::NAN` throughout.

use super::exp::exp;
use super::lanes::{Kernel, LANES, Lanes};
use super::path::Kernels;

impl Kernels {
    /// Replaces each row of `columns` values by its softmax exp(x_i) / Σ_j exp(x_j).
    ///
    /// # Panics
    /// If the length of `values` is not a multiple of `columns`.
    pub fn softmax(self, values: &mut [f32], columns: usize) {
        if values.is_empty() {
            return;
        }
        assert!(
            columns > 0 && values.len().is_multiple_of(columns),
            "values must be rows × columns"
        );
        self.enter(Softmax { values, columns });
    }
}

struct Softmax<'a> {
    values: &'a mut [f32],
    columns: usize,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for row in self.values.chunks_mut(self.columns) {
            let inverse = lanes.splat(1.0 / exponentials(lanes, row, 1.0));
            for chunk in row.chunks_mut(LANES) {
                let scaled = lanes.mul(lanes.load_or(chunk, 0.0), inverse);
                lanes.store_up_to(lanes.canonical(scaled), chunk);
            }
        }
    }
}

/// Replaces x_i by exp(s x_i − max_j s x_j), where s is `scale`, and returns their
/// sum, in the module's order.
#[inline(always)]
pub(super) fn exponentials<L: Lanes>(lanes: L, row: &mut [f32], scale: f32) -> f32 {
    let scale = lanes.splat(scale);
    let mut greatest = lanes.splat(f32::NEG_INFINITY);
    for chunk in row.chunks_mut(LANES) {
        let scaled = lanes.mul(lanes.load_or(chunk, 0.0), scale);
        lanes.store_up_to(scaled, chunk);
        greatest = lanes.max(lanes.load_or(chunk, f32::NEG_INFINITY), greatest);
    }
    let greatest = lanes.splat(lanes.greatest(greatest));

    let mut sum = lanes.splat(0.0);
    for chunk in row.chunks_mut(LANES) {
        // Lanes beyond the end hold −∞, whose exponential adds +0 to its sum.
        let x = lanes.load_or(chunk, f32::NEG_INFINITY);
        let exponential = exp(lanes, lanes.sub(x, greatest));
        sum = lanes.add(sum, exponential);
        lanes.store_up_to(exponential, chunk);
    }
    lanes.sum(sum)
}
