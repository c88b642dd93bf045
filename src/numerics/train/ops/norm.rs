//! Root-mean-square normalisation (Zhang and Sennrich 2019, equation 4):
//! y = w ⊙ x / √(mean(x²) + ε), over the last dimension.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::{dot, values};

/// y = w ⊙ x / √(mean(x²) + ε) for x `[n, d]` and w `[d]`.
#[derive(Clone, Copy)]
pub(in super::super) struct RmsNorm {
    pub(in super::super) epsilon: f32,
}

impl RmsNorm {
    /// 1/√(mean(x²) + ε) of one row.
    fn scale(self, row: &[f32]) -> f32 {
        1.0 / (dot(row, row) / row.len() as f32 + self.epsilon).sqrt()
    }
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout, "rms-norm")?;
        let w = values(w, w_layout, "rms-norm")?;
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(w.len()) {
            let scale = self.scale(row);
            y.extend(row.iter().zip(w).map(|(x, w)| x * scale * w));
        }
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let dx = x.apply_op3_no_bwd(w, &grad, &ByInput(*self))?;
        let dw = x.apply_op2_no_bwd(&grad, &ByWeight(*self, w.elem_count()))?;
        Ok((Some(dx), Some(dw)))
    }
}

/// dx = s (g ⊙ w − x s² mean(x ⊙ g ⊙ w)), s the row's scale.
struct ByInput(RmsNorm);

impl CustomOp3 for ByInput {
    fn name(&self) -> &'static str {
        "rms-norm-by-input"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        g: &CpuStorage,
        g_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout, self.name())?;
        let w = values(w, w_layout, self.name())?;
        let g = values(g, g_layout, self.name())?;
        let width = w.len();
        let mut dx = Vec::with_capacity(x.len());
        let mut weighted = vec![0f32; width];
        for (x, g) in x.chunks_exact(width).zip(g.chunks_exact(width)) {
            let scale = self.0.scale(x);
            for (out, (g, w)) in weighted.iter_mut().zip(g.iter().zip(w)) {
                *out = g * w;
            }
            let along = dot(x, &weighted) * scale * scale / width as f32;
            dx.extend(
                x.iter()
                    .zip(&weighted)
                    .map(|(x, gw)| scale * (gw - x * along)),
            );
        }
        Ok((CpuStorage::F32(dx), x_layout.shape().clone()))
    }
}

/// dw = Σ over rows of g ⊙ x s.
struct ByWeight(RmsNorm, usize);

impl CustomOp2 for ByWeight {
    fn name(&self) -> &'static str {
        "rms-norm-by-weight"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        g: &CpuStorage,
        g_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout, self.name())?;
        let g = values(g, g_layout, self.name())?;
        let mut dw = vec![0f32; self.1];
        for (x, g) in x.chunks_exact(self.1).zip(g.chunks_exact(self.1)) {
            let scale = self.0.scale(x);
            for (dw, (x, g)) in dw.iter_mut().zip(x.iter().zip(g)) {
                *dw += x * g * scale;
            }
        }
        Ok((CpuStorage::F32(dw), Shape::from(self.1)))
    }
}
