//! A router's two outputs: the weights of the experts that each token goes to, and
//! the penalty on going to the same ones always.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::{dot, softmax, values};

/// Which experts each token goes to: `active` indices per token, the greatest
/// logits first, at a tie the lower index.
pub(in super::super) fn select(logits: &[f32], experts: usize, active: usize) -> Vec<u32> {
    let mut selected = Vec::with_capacity(logits.len() / experts * active);
    let mut order: Vec<u32> = Vec::with_capacity(experts);
    for row in logits.chunks_exact(experts) {
        order.clear();
        order.extend(0..experts as u32);
        order.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]).then(a.cmp(&b)));
        selected.extend_from_slice(&order[..active]);
    }
    selected
}

/// Router logits `[n, experts]` → weights `[n, active]` of the selected experts:
/// the softmax over them alone, which is the softmax over all, renormalised
/// (Jiang et al. 2024, section 2.1).
#[derive(Clone)]
pub(in super::super) struct Gate {
    pub(in super::super) experts: usize,
    pub(in super::super) active: usize,
    /// What [`select`] made of the logits.
    pub(in super::super) selected: Arc<Vec<u32>>,
}

impl CustomOp1 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, self.name())?;
        let mut weights = vec![0f32; self.selected.len()];
        let rows = logits.chunks_exact(self.experts);
        let chosen = self.selected.chunks_exact(self.active);
        for ((row, chosen), out) in rows.zip(chosen).zip(weights.chunks_exact_mut(self.active)) {
            for (out, &expert) in out.iter_mut().zip(chosen) {
                *out = row[expert as usize];
            }
            softmax(out, 1.0);
        }
        let shape = Shape::from((self.selected.len() / self.active, self.active));
        Ok((CpuStorage::F32(weights), shape))
    }

    fn bwd(&self, _logits: &Tensor, weights: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        Ok(Some(
            weights.apply_op2_no_bwd(&grad, &GateByLogits(self.clone()))?,
        ))
    }
}

/// dz = w ⊙ (g − Σ w g) on the selected experts, 0 on the others.
struct GateByLogits(Gate);

impl CustomOp2 for GateByLogits {
    fn name(&self) -> &'static str {
        "gate-by-logits"
    }

    fn cpu_fwd(
        &self,
        w: &CpuStorage,
        w_layout: &Layout,
        g: &CpuStorage,
        g_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let w = values(w, w_layout, self.name())?;
        let g = values(g, g_layout, self.name())?;
        let (experts, active) = (self.0.experts, self.0.active);
        let rows = w.len() / active;
        let mut dz = vec![0f32; rows * experts];
        for (row, out) in dz.chunks_exact_mut(experts).enumerate() {
            let span = row * active..(row + 1) * active;
            let (w, g) = (&w[span.clone()], &g[span.clone()]);
            let mean = dot(w, g);
            for ((w, g), &expert) in w.iter().zip(g).zip(&self.0.selected[span]) {
                out[expert as usize] = w * (g - mean);
            }
        }
        Ok((CpuStorage::F32(dz), Shape::from((rows, experts))))
    }
}

/// The load-balancing loss of Fedus et al. 2021 (Switch, equations 4 to 6), for
/// several experts per token: weight · E Σ_e f_e P_e, where f_e is the share of the
/// selections that fell on expert e and P_e the mean of its softmax weight. It is
/// `weight` if all experts are used alike and up to E times that if only one is.
/// f has no gradient, P has.
#[derive(Clone)]
pub(in super::super) struct Balance {
    pub(in super::super) experts: usize,
    pub(in super::super) selected: Arc<Vec<u32>>,
    pub(in super::super) weight: f32,
}

impl Balance {
    /// f.
    fn shares(&self) -> Vec<f32> {
        let mut counts = vec![0usize; self.experts];
        for &expert in self.selected.iter() {
            counts[expert as usize] += 1;
        }
        let all = self.selected.len() as f32;
        counts.iter().map(|&count| count as f32 / all).collect()
    }
}

impl CustomOp1 for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, self.name())?;
        let shares = self.shares();
        let mut p = vec![0f32; self.experts];
        let mut sum = 0f64;
        for row in logits.chunks_exact(self.experts) {
            p.copy_from_slice(row);
            softmax(&mut p, 1.0);
            sum += f64::from(dot(&p, &shares));
        }
        let rows = (logits.len() / self.experts) as f64;
        let loss = f64::from(self.weight) * self.experts as f64 * sum / rows;
        Ok((CpuStorage::F32(vec![loss as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _loss: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        Ok(Some(
            logits.apply_op2_no_bwd(&grad, &BalanceByLogits(self.clone()))?,
        ))
    }
}

/// dz_e = g · weight · E / n · p_e (f_e − Σ f p).
struct BalanceByLogits(Balance);

impl CustomOp2 for BalanceByLogits {
    fn name(&self) -> &'static str {
        "balance-by-logits"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let logits = values(logits, layout, self.name())?;
        let experts = self.0.experts;
        let rows = (logits.len() / experts) as f32;
        let grad = values(grad, grad_layout, self.name())?[0];
        let factor = grad * self.0.weight * experts as f32 / rows;
        let shares = self.0.shares();
        let mut dz = vec![0f32; logits.len()];
        for (row, out) in logits
            .chunks_exact(experts)
            .zip(dz.chunks_exact_mut(experts))
        {
            out.copy_from_slice(row);
            softmax(out, 1.0);
            let mean = dot(out, &shares);
            for (out, share) in out.iter_mut().zip(&shares) {
                *out *= factor * (share - mean);
            }
        }
        Ok((CpuStorage::F32(dz), layout.shape().clone()))
    }
}
