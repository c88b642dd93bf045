//! The operations of a block that candle would compose of many passes
//! over memory, each as one fused candle operation with its backward pass.
//!
//! All work on contiguous `f32` on the CPU, row by row in a fixed order. Sums run
//! in one order and exponentials are our own, so that a training run has the same
//! bits each time on the same kind of CPU; matrix products are candle's.

mod attention;
mod distillation;
mod exponential;
mod heads;
mod loss;
mod norm;
mod router;
mod swiglu;

pub(super) use attention::CausalSoftmax;
pub(super) use distillation::Distillation;
pub(super) use heads::{Rotation, SplitHeads};
pub(super) use loss::{CrossEntropy, NO_TARGET, token_nats};
pub(super) use norm::RmsNorm;
pub(super) use router::{Balance, Gate, select};
pub(super) use swiglu::SwiGlu;

use candle_core::{CpuStorage, Layout, Result, bail};
use exponential::exp;

/// The values of a contiguous `f32` tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout, name: &str) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{name} needs contiguous tensors")
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Σ aᵢ bᵢ in eight interleaved partial sums, which the compiler keeps in vector
/// registers; the order is fixed.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// `row` ← softmax(scale · row).
fn softmax(row: &mut [f32], scale: f32) {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for z in row.iter_mut() {
        *z = exp((*z - highest) * scale);
    }
    let factor = 1.0 / row.iter().sum::<f32>();
    for weight in row.iter_mut() {
        *weight *= factor;
    }
}

#[cfg(test)]
mod gradient_check;
