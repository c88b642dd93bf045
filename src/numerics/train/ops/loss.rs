//! Cross-entropy of next-token logits: −ln softmax(z)\[target\] in nats.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::exponential::exp;
use super::values;

/// The target that marks a position without one.
pub(in super::super) const NO_TARGET: u32 = u32::MAX;

/// weight · Σ −ln softmax(z)\[target\] over the positions that have a target, for
/// logits z `[n, vocabulary]`.
#[derive(Clone)]
pub(in super::super) struct CrossEntropy {
    pub(in super::super) targets: Arc<Vec<u32>>,
    pub(in super::super) weight: f32,
}

/// ln Σ exp z of one row.
pub(super) fn log_sum_exp(row: &[f32]) -> f32 {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut lanes = [0f32; 8];
    let chunks = row.chunks_exact(8);
    let tail: f32 = chunks.remainder().iter().map(|z| exp(z - highest)).sum();
    for chunk in chunks {
        for lane in 0..8 {
            lanes[lane] += exp(chunk[lane] - highest);
        }
    }
    let sum = lanes.iter().sum::<f32>() + tail;
    highest + libm::logf(sum)
}

/// −ln softmax(z)\[target\] of each position that has a target, 0 elsewhere.
pub(in super::super) fn token_nats(logits: &[f32], targets: &[u32]) -> Vec<f32> {
    let vocabulary = logits.len() / targets.len();
    logits
        .chunks_exact(vocabulary)
        .zip(targets)
        .map(|(row, &target)| match target {
            NO_TARGET => 0.0,
            target => log_sum_exp(row) - row[target as usize],
        })
        .collect()
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, "cross-entropy")?;
        let sum: f64 = token_nats(logits, &self.targets)
            .iter()
            .map(|&nats| f64::from(nats))
            .sum();
        let loss = (sum * f64::from(self.weight)) as f32;
        Ok((CpuStorage::F32(vec![loss]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _loss: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        Ok(Some(
            logits.apply_op2_no_bwd(&grad, &ByLogits(self.clone()))?,
        ))
    }
}

/// dz = g · weight · (softmax(z) − one-hot(target)).
struct ByLogits(CrossEntropy);

impl CustomOp2 for ByLogits {
    fn name(&self) -> &'static str {
        "cross-entropy-by-logits"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, self.name())?;
        let factor = values(grad, grad_layout, self.name())?[0] * self.0.weight;
        let targets = &self.0.targets;
        let vocabulary = logits.len() / targets.len();
        let mut dz = vec![0f32; logits.len()];
        for ((row, out), &target) in logits
            .chunks_exact(vocabulary)
            .zip(dz.chunks_exact_mut(vocabulary))
            .zip(targets.iter())
        {
            if target == NO_TARGET {
                continue;
            }
            let log_sum = log_sum_exp(row);
            for (out, z) in out.iter_mut().zip(row) {
                *out = factor * exp(z - log_sum);
            }
            out[target as usize] -= factor;
        }
        Ok((CpuStorage::F32(dz), layout.shape().clone()))
    }
}
