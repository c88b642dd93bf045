//! The softmax of causal attention within documents (Vaswani et al. 2017,
//! equation 1): p = softmax(scale · s) over the positions from the start of the
//! document up to the query, 0 elsewhere.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::{dot, softmax, values};

/// p = softmax(scale · s) for scores `[rows·heads, window, window]`; query t of a
/// row sees the keys `starts[row·window + t]..=t`.
#[derive(Clone)]
pub(in super::super) struct CausalSoftmax {
    pub(in super::super) starts: Arc<Vec<u32>>,
    pub(in super::super) heads: usize,
    pub(in super::super) window: usize,
    pub(in super::super) scale: f32,
}

impl CausalSoftmax {
    /// The keys that query number `query` of all `rows·heads·window` sees.
    fn visible(&self, query: usize) -> std::ops::Range<usize> {
        let row = query / (self.heads * self.window);
        let position = query % self.window;
        self.starts[row * self.window + position] as usize..position + 1
    }
}

impl CustomOp1 for CausalSoftmax {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let scores = values(scores, layout, "causal-softmax")?;
        let mut probabilities = vec![0f32; scores.len()];
        let rows = scores.chunks_exact(self.window);
        for (query, (row, out)) in rows
            .zip(probabilities.chunks_exact_mut(self.window))
            .enumerate()
        {
            let visible = self.visible(query);
            let (row, out) = (&row[visible.clone()], &mut out[visible]);
            out.copy_from_slice(row);
            softmax(out, self.scale);
        }
        Ok((CpuStorage::F32(probabilities), layout.shape().clone()))
    }

    fn bwd(&self, _scores: &Tensor, p: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        Ok(Some(p.apply_op2_no_bwd(&grad, &ByScores(self.clone()))?))
    }
}

/// ds = scale · p ⊙ (g − Σ p g).
struct ByScores(CausalSoftmax);

impl CustomOp2 for ByScores {
    fn name(&self) -> &'static str {
        "causal-softmax-by-scores"
    }

    fn cpu_fwd(
        &self,
        p: &CpuStorage,
        p_layout: &Layout,
        g: &CpuStorage,
        g_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let p = values(p, p_layout, self.name())?;
        let g = values(g, g_layout, self.name())?;
        let window = self.0.window;
        let mut ds = vec![0f32; p.len()];
        for (query, out) in ds.chunks_exact_mut(window).enumerate() {
            let visible = self.0.visible(query);
            let span = query * window + visible.start..query * window + visible.end;
            let (p, g) = (&p[span.clone()], &g[span]);
            let mean = dot(p, g);
            for (out, (p, g)) in out[visible].iter_mut().zip(p.iter().zip(g)) {
                *out = self.0.scale * p * (g - mean);
            }
        }
        Ok((CpuStorage::F32(ds), p_layout.shape().clone()))
    }
}
