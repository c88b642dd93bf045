//! From token rows to head matrices and back, with the rotary embedding on the
//! way (Su et al. 2021, equation 34, in Hugging Face's half-split order: pair i
//! is (xᵢ, xᵢ₊d/2), turned by position × θ^(−2i/d)).

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::values;

/// Cosines and sines `[window, d/2]` of the rotary embedding.
#[derive(Debug)]
pub(in super::super) struct Rotation {
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Rotation {
    /// The table for positions below `window`, head dimension `width`, base θ.
    pub(in super::super) fn new(window: usize, width: usize, theta: f64) -> Self {
        let half = width / 2;
        let mut cosines = Vec::with_capacity(window * half);
        let mut sines = Vec::with_capacity(window * half);
        for position in 0..window {
            for pair in 0..half {
                let frequency = libm::pow(theta, -2.0 * pair as f64 / width as f64);
                let angle = position as f64 * frequency;
                cosines.push(libm::cos(angle) as f32);
                sines.push(libm::sin(angle) as f32);
            }
        }
        Self { cosines, sines }
    }
}

/// `[rows·window, heads·d]` → `[rows·heads, window, d]`, each head's vectors
/// turned by their position in the row where there is a rotation; with `merge`
/// the inverse of all that.
#[derive(Clone)]
pub(in super::super) struct SplitHeads {
    pub(in super::super) heads: usize,
    pub(in super::super) window: usize,
    pub(in super::super) rotation: Option<Arc<Rotation>>,
    pub(in super::super) merge: bool,
}

impl SplitHeads {
    /// The inverse, which for an orthogonal map is also its transpose.
    fn inverse(&self) -> Self {
        Self {
            merge: !self.merge,
            ..self.clone()
        }
    }

    /// Copies one vector, turned forwards or back.
    fn turn(&self, position: usize, from: &[f32], to: &mut [f32]) {
        let Some(rotation) = &self.rotation else {
            to.copy_from_slice(from);
            return;
        };
        let half = from.len() / 2;
        let span = position * half..(position + 1) * half;
        let (cosines, sines) = (&rotation.cosines[span.clone()], &rotation.sines[span]);
        let (first, second) = from.split_at(half);
        let (to_first, to_second) = to.split_at_mut(half);
        let sign = if self.merge { -1.0 } else { 1.0 };
        for i in 0..half {
            let (c, s) = (cosines[i], sign * sines[i]);
            to_first[i] = first[i] * c - second[i] * s;
            to_second[i] = second[i] * c + first[i] * s;
        }
    }
}

impl CustomOp1 for SplitHeads {
    fn name(&self) -> &'static str {
        "split-heads"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout, self.name())?;
        let (heads, window) = (self.heads, self.window);
        let width = match layout.dims() {
            [_, hidden] if !self.merge => hidden / heads,
            [_, _, width] if self.merge => *width,
            dims => bail!("split-heads: shape {dims:?} does not fit"),
        };
        let rows = x.len() / (window * heads * width);
        let mut y = vec![0f32; x.len()];
        for row in 0..rows {
            for head in 0..heads {
                for position in 0..window {
                    let together = ((row * window + position) * heads + head) * width;
                    let apart = ((row * heads + head) * window + position) * width;
                    let (from, to) = if self.merge {
                        (apart, together)
                    } else {
                        (together, apart)
                    };
                    self.turn(position, &x[from..from + width], &mut y[to..to + width]);
                }
            }
        }
        let shape = if self.merge {
            Shape::from((rows * window, heads * width))
        } else {
            Shape::from((rows * heads, window, width))
        };
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        Ok(Some(grad.apply_op1_no_bwd(&self.inverse())?))
    }
}
