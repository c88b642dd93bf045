//! Root-mean-square normalisation: Zhang and Sennrich, "Root Mean Square Layer
//! Normalization" (2019), equation (4), with the ε that LLaMA adds.
//!
//! # The result, to the bit
//!
//! Element i belongs to partial sum i mod 16; a partial sum starts at +0 and goes
//! on by acc ← fma(x_i, x_i, acc) in ascending order; the sixteen are added in the
//! tree i + (i + 8), then 4, 2, 1. With s = 1 / √(sum / columns + ε), each
//! operation rounded, the result is (x_i · s) · w_i. A NaN is stored as `f32::NAN`.
//!
//! Layer normalisation (Ba et al. 2016, arXiv:1607.06450, (4)) sums in the same way: the mean m
//! of the x_i, then the squares of d_i = x_i − m; the result is fma(d_i · s, w_i, b_i).

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

impl Kernels {
    /// Replaces each of some heads of every row by its [`rms_norm`](Self::rms_norm): a row is
    /// `stride` long, and from `first` on it holds `heads` heads of `weight.len()` values.
    ///
    /// # Panics
    /// If `values` are not whole rows, or a row is too short.
    pub fn rms_norm_heads(
        self,
        values: &mut [f32],
        stride: usize,
        (first, heads): (usize, usize),
        weight: &[f32],
        epsilon: f32,
    ) {
        if values.is_empty() || heads == 0 {
            return;
        }
        assert!(
            !weight.is_empty()
                && stride >= first + heads * weight.len()
                && values.len().is_multiple_of(stride),
            "values must be rows with all heads"
        );
        self.enter(HeadNorms {
            values,
            stride,
            first,
            heads,
            weight,
            epsilon,
        });
    }

    /// out_i = (x_i − mean x) / √(var x + ε) · w_i + b_i for each row of `weight.len()` values.
    ///
    /// # Panics
    /// If `x` and `out` differ in length or are not whole rows, or there is not one bias per
    /// weight.
    pub fn layer_norm(
        self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        epsilon: f32,
        out: &mut [f32],
    ) {
        assert_eq!(x.len(), out.len(), "x and out must be equally long");
        assert_eq!(weight.len(), bias.len(), "each weight needs a bias");
        if x.is_empty() {
            return;
        }
        assert!(
            !weight.is_empty() && x.len().is_multiple_of(weight.len()),
            "x must be rows × weights"
        );
        self.enter(LayerNorm {
            x,
            weight,
            bias,
            epsilon,
            out,
        });
    }
}

struct HeadNorms<'a> {
    values: &'a mut [f32],
    stride: usize,
    first: usize,
    heads: usize,
    weight: &'a [f32],
    epsilon: f32,
}

impl Kernel for HeadNorms<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let dim = self.weight.len();
        for row in self.values.chunks_exact_mut(self.stride) {
            for head in row[self.first..].chunks_exact_mut(dim).take(self.heads) {
                let scale = lanes.splat(rms_scale(lanes, head, self.epsilon));
                for (x, weight) in head.chunks_mut(LANES).zip(self.weight.chunks(LANES)) {
                    let scaled = lanes.mul(lanes.load_or(x, 0.0), scale);
                    let result = lanes.mul(scaled, lanes.load_or(weight, 0.0));
                    lanes.store_up_to(lanes.canonical(result), x);
                }
            }
        }
    }
}

struct LayerNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl Kernel for LayerNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let columns = self.weight.len();
        for (x, out) in self.x.chunks(columns).zip(self.out.chunks_mut(columns)) {
            let mut sum = lanes.splat(0.0);
            for chunk in x.chunks(LANES) {
                sum = lanes.add(sum, lanes.load_or(chunk, 0.0));
            }
            let mean = lanes.sum(sum) / columns as f32;
            let means = lanes.splat(mean);
            let mut squares = lanes.splat(0.0);
            for chunk in x.chunks(LANES) {
                // Lanes beyond the end are the mean itself, and add nothing.
                let difference = lanes.sub(lanes.load_or(chunk, mean), means);
                squares = lanes.mul_add(difference, difference, squares);
            }
            let variance = lanes.sum(squares) / columns as f32;
            let scale = lanes.splat(1.0 / (variance + self.epsilon).sqrt());
            let weights = self.weight.chunks(LANES).zip(self.bias.chunks(LANES));
            let places = x.chunks(LANES).zip(out.chunks_mut(LANES));
            for ((x, out), (weight, bias)) in places.zip(weights) {
                let difference = lanes.sub(lanes.load_or(x, 0.0), means);
                let scaled = lanes.mul(difference, scale);
                let (weight, bias) = (lanes.load_or(weight, 0.0), lanes.load_or(bias, 0.0));
                let result = lanes.mul_add(scaled, weight, bias);
                lanes.store_up_to(lanes.canonical(result), out);
            }
        }
    }
}

/// 1 / √(mean x² + ε) of a row.
#[inline(always)]
fn rms_scale<L: Lanes>(lanes: L, x: &[f32], epsilon: f32) -> f32 {
    let mut squares = lanes.splat(0.0);
    for chunk in x.chunks(LANES) {
        let x = lanes.load_or(chunk, 0.0);
        squares = lanes.mul_add(x, x, squares);
    }
    let mean = lanes.sum(squares) / x.len() as f32;
    1.0 / (mean + epsilon).sqrt()
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
            let scale = lanes.splat(rms_scale(lanes, x, self.epsilon));
            let weights = self.weight.chunks(LANES);
            for ((x, weight), out) in x.chunks(LANES).zip(weights).zip(out.chunks_mut(LANES)) {
                let scaled = lanes.mul(lanes.load_or(x, 0.0), scale);
                let result = lanes.mul(scaled, lanes.load_or(weight, 0.0));
                lanes.store_up_to(lanes.canonical(result), out);
            }
        }
    }
}
