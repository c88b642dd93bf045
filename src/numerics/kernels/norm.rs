//! Root-mean-square normalisation: Zhang and Sennrich, "Root Mean Square Layer
//! Normalization" (2019), equation (4), with the ε that LLaMA adds.
//!
//! # The result, to the bit
//!
//! Element i belongs to partial sum i mod 16; a partial sum starts at +0 and goes
//! on by acc ← fma(x_i, x_i, acc) in ascending order; the sixteen are added in the
//! tree i + (i + 8), then 4, 2, 1. With s = 1 / √(sum / columns + ε), each
//! operation rounded, the result is (x_i · s) · w_i. A NaN is stored as `f32::NAN`.

use super::lanes::{Kernel, LANES, Lanes};
use super::path::Kernels;

impl Kernels {
    /// out_i = x_i / √(mean_j x_j² + ε) · w_i for each row of `weight.len()` values.
    ///
    /// # Panics
    /// If `x` and `out` differ in length or are not whole rows.
    pub fn rms_norm(self, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
        assert_eq!(x.len(), out.len(), "x and out must be equally long");
        if x.is_empty() {
            return;
        }
        assert!(
            !weight.is_empty() && x.len().is_multiple_of(weight.len()),
            "x must be rows × weights"
        );
        self.enter(RmsNorm {
            x,
            weight,
            epsilon,
            out,
        });
    }
}

struct RmsNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl Kernel for RmsNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let columns = self.weight.len();
        for (x, out) in self.x.chunks(columns).zip(self.out.chunks_mut(columns)) {
            let mut squares = lanes.splat(0.0);
            for chunk in x.chunks(LANES) {
                let x = lanes.load_or(chunk, 0.0);
                squares = lanes.mul_add(x, x, squares);
            }
            let mean = lanes.sum(squares) / columns as f32;
            let scale = lanes.splat(1.0 / (mean + self.epsilon).sqrt());
            let weights = self.weight.chunks(LANES);
            for ((x, weight), out) in x.chunks(LANES).zip(weights).zip(out.chunks_mut(LANES)) {
                let scaled = lanes.mul(lanes.load_or(x, 0.0), scale);
                let result = lanes.mul(scaled, lanes.load_or(weight, 0.0));
                lanes.store_up_to(lanes.canonical(result), out);
            }
        }
    }
}
