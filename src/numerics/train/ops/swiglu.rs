//! The gate of a SwiGLU block (Shazeer 2020, equation 5): silu(a) ⊙ b with
//! silu(a) = a σ(a), σ(a) = 1 / (1 + exp(−a)).

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::exponential::exp;
use super::values;

/// silu(a) ⊙ b for tensors of one shape.
pub(in super::super) struct SwiGlu;

#[inline(always)]
fn sigmoid(a: f32) -> f32 {
    1.0 / (1.0 + exp(-a))
}

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let a = values(a, a_layout, self.name())?;
        let b = values(b, b_layout, self.name())?;
        let y = a.iter().zip(b).map(|(&a, &b)| a * sigmoid(a) * b).collect();
        Ok((CpuStorage::F32(y), a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let by_gate = a.apply_op3_no_bwd(b, &grad, &ByGate)?;
        let by_value = a.apply_op2_no_bwd(&grad, &Self)?;
        Ok((Some(by_gate), Some(by_value)))
    }
}

/// da = g b σ(a) (1 + a (1 − σ(a))); db = g silu(a) is the forward pass itself.
struct ByGate;

impl CustomOp3 for ByGate {
    fn name(&self) -> &'static str {
        "swiglu-by-gate"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        g: &CpuStorage,
        g_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let a = values(a, a_layout, self.name())?;
        let b = values(b, b_layout, self.name())?;
        let g = values(g, g_layout, self.name())?;
        let da = a
            .iter()
            .zip(b.iter().zip(g))
            .map(|(&a, (&b, &g))| {
                let s = sigmoid(a);
                g * b * s * (1.0 + a * (1.0 - s))
            })
            .collect();
        Ok((CpuStorage::F32(da), a_layout.shape().clone()))
    }
}
