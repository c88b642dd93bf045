//! What a smaller model descends to become like a larger one.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::exponential::exp;
use super::loss::{NO_TARGET, log_sum_exp};
use super::values;

/// weight · Σ \[(1 − λ) · −ln p(target) + λ τ² · KL(t ‖ s)\] over the positions that
/// have a target, for logits z `[n, vocabulary]` of the student.
///
/// p = softmax(z); s = softmax(z/τ) and t = softmax(z_T/τ) are softened by the
/// temperature τ > 0, z_T being the teacher's logits; KL(t ‖ s) = Σ_v t_v ln(t_v / s_v) in
/// nats. τ² keeps the gradient's size, which softening divides by τ² (Hinton, Vinyals and
/// Dean 2015, arXiv:1503.02531, section 2). λ in \[0, 1\] is the teacher's share; with λ = 0
/// this is the cross-entropy.
#[derive(Clone)]
pub(in super::super) struct Distillation {
    pub(in super::super) targets: Arc<Vec<u32>>,
    /// z_T, as many as the student's; those of positions without a target are not read.
    pub(in super::super) teacher: Arc<Vec<f32>>,
    pub(in super::super) weight: f32,
    /// λ.
    pub(in super::super) share: f32,
    /// τ.
    pub(in super::super) temperature: f32,
}

/// `out` ← ln softmax(z/τ) of one row.
fn log_softmax(row: &[f32], temperature: f32, out: &mut [f32]) {
    for (out, z) in out.iter_mut().zip(row) {
        *out = z / temperature;
    }
    let log_sum = log_sum_exp(out);
    for out in out {
        *out -= log_sum;
    }
}

impl CustomOp1 for Distillation {
    fn name(&self) -> &'static str {
        "distillation"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, "distillation")?;
        let vocabulary = logits.len() / self.targets.len();
        let (mut student, mut teacher) = (vec![0f32; vocabulary], vec![0f32; vocabulary]);
        let (share, temperature) = (f64::from(self.share), f64::from(self.temperature));
        let mut sum = 0f64;
        let rows = logits
            .chunks_exact(vocabulary)
            .zip(self.teacher.chunks_exact(vocabulary));
        for ((row, told), &target) in rows.zip(self.targets.iter()) {
            if target == NO_TARGET {
                continue;
            }
            log_softmax(row, self.temperature, &mut student);
            log_softmax(told, self.temperature, &mut teacher);
            let divergence: f64 = teacher
                .iter()
                .zip(&student)
                .map(|(&t, &s)| f64::from(exp(t)) * f64::from(t - s))
                .sum();
            let nats = f64::from(log_sum_exp(row) - row[target as usize]);
            sum += (1.0 - share) * nats + share * temperature * temperature * divergence;
        }
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

/// dz = g · weight · \[(1 − λ) (p − one-hot(target)) + λ τ (s − t)\].
struct ByLogits(Distillation);

impl CustomOp2 for ByLogits {
    fn name(&self) -> &'static str {
        "distillation-by-logits"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, self.name())?;
        let own = &self.0;
        let factor = values(grad, grad_layout, self.name())?[0] * own.weight;
        let (hard, soft) = (
            factor * (1.0 - own.share),
            factor * own.share * own.temperature,
        );
        let vocabulary = logits.len() / own.targets.len();
        let mut dz = vec![0f32; logits.len()];
        let (mut student, mut teacher) = (vec![0f32; vocabulary], vec![0f32; vocabulary]);
        let rows = logits
            .chunks_exact(vocabulary)
            .zip(own.teacher.chunks_exact(vocabulary))
            .zip(dz.chunks_exact_mut(vocabulary));
        for (((row, told), out), &target) in rows.zip(own.targets.iter()) {
            if target == NO_TARGET {
                continue;
            }
            log_softmax(row, own.temperature, &mut student);
            log_softmax(told, own.temperature, &mut teacher);
            let log_sum = log_sum_exp(row);
            let both = student.iter().zip(&teacher);
            for ((out, z), (&s, &t)) in out.iter_mut().zip(row).zip(both) {
                *out = hard * exp(z - log_sum) + soft * (exp(s) - exp(t));
            }
            out[target as usize] -= hard;
        }
        Ok((CpuStorage::F32(dz), layout.shape().clone()))
    }
}
