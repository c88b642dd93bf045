//! A primal–dual interior-point method for the paper's relaxation (17).
//!
//! With P_n folded into H_n, (17) is max t subject to H_nᴴĜH_n ⪰ tI, tr Ĝ = 1, Ĝ ⪰ 0. By
//! scale it is one half of the packing and covering pair
//!
//! min tr G  subject to Z_n = H_nᴴGH_n − I ⪰ 0, G ⪰ 0;
//! max Σ tr W_n  subject to S = I − Σ H_nW_nH_nᴴ ⪰ 0, W_n ⪰ 0,
//!
//! whose common value is 1/t*. Both sides stay strictly feasible, so that every iterate
//! carries its certificate: Σ tr W_n ≤ 1/t* ≤ tr G, with the gap tr(GS) + Σ tr(W_nZ_n).
//!
//! Newton's equations for GS = μI and W_nZ_n = μI, symmetrised as Helmberg, Rendl,
//! Vanderbei and Wolkowicz ("An interior-point method for semidefinite programming", 1996)
//! do, reduce to the W_n alone: the system of [`super::schur`]. Predictor and corrector
//! after Mehrotra share its factor.

use super::super::jacobi::diagonalise;
use super::blocks::{
    Blocks, Layout, are_positive, block, congruence, coordinates, diagonal_blocks,
    from_coordinates, invert, symmetric_product, times_blocks, trace,
};
use super::schur::Schur;
use super::split::Split;
use crate::radio::Matrix;
use crate::wide;
use num_complex::Complex;

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);
/// Iterations after which the method gives up; 12 reach a gap of 1e-6.
const MAX_ITERATIONS: usize = 60;
/// A step goes this part of the way to the boundary.
const DAMPING: f64 = 0.97;
/// Factor between two lengths of a step that are tried.
const SHORTER: f64 = 0.95;
/// The first G, as a multiple of the least feasible one.
const MARGIN: f64 = 1.5;
/// A shorter step moves nothing.
const LEAST_STEP: f64 = 1e-6;

/// What the method ends with.
#[derive(Debug, Clone)]
pub(super) struct Certified {
    /// G ⪰ 0, feasible once scaled.
    pub(super) covering: Matrix,
    /// tr G ≥ 1/t*.
    pub(super) above: f64,
    /// Σ tr W_n ≤ 1/t*.
    pub(super) below: f64,
    pub(super) iterations: usize,
}

/// All iterates and buffers.
#[derive(Debug)]
pub(super) struct InteriorPoint {
    layout: Layout,
    /// H = [√P_1 H_1, √P_2 H_2, …] ∈ C^{r×ΣN_t}, and Hᴴ.
    h: Split,
    h_adjoint: Split,
    g: Split,
    s: Split,
    w: Blocks,
    z: Blocks,
    w_inverse: Blocks,
    s_inverse: Split,
    /// S⁻¹H, its adjoint, GH.
    y: Split,
    y_adjoint: Split,
    gh: Split,
    p: Split,
    q: Split,
    schur: Schur,
    dg: Split,
    ds: Split,
    dw: Blocks,
    dz: Blocks,
    second_g: Split,
    second_z: Blocks,
    affine: Vec<f64>,
    right: Vec<f64>,
    rhs: Blocks,
    scratch: Blocks,
    tall: Split,
    square: Split,
    other: Split,
}

impl InteriorPoint {
    /// `channels` √P_n H_n ∈ C^{r×N_t,n} of full column rank.
    pub(super) fn new(channels: &[Matrix]) -> Self {
        let layout = Layout::new(channels.iter().map(Matrix::ncols).collect());
        let (r, width, dimension) = (channels[0].nrows(), layout.width(), layout.dimension());
        let mut h = Split::zeros(r, width);
        for (n, channel) in channels.iter().enumerate() {
            for j in 0..channel.ncols() {
                for i in 0..r {
                    h.set(i, layout.columns[n] + j, channel[(i, j)]);
                }
            }
        }
        let mut h_adjoint = Split::zeros(width, r);
        h_adjoint.set_adjoint(&h);
        let square = || Split::zeros(r, r);
        let tall = || Split::zeros(r, width);
        let blocks = || vec![ZERO; dimension];
        Self {
            h,
            h_adjoint,
            g: square(),
            s: square(),
            w: blocks(),
            z: blocks(),
            w_inverse: blocks(),
            s_inverse: square(),
            y: tall(),
            y_adjoint: Split::zeros(width, r),
            gh: tall(),
            p: Split::zeros(width, width),
            q: Split::zeros(width, width),
            schur: Schur::new(dimension),
            dg: square(),
            ds: square(),
            dw: blocks(),
            dz: blocks(),
            second_g: square(),
            second_z: blocks(),
            affine: vec![0.0; dimension],
            right: vec![0.0; dimension],
            rhs: blocks(),
            scratch: blocks(),
            tall: tall(),
            square: square(),
            other: square(),
            layout,
        }
    }

    /// Iterates until tr G ≤ (1 + `gap`) Σ tr W_n. `None` if the channels are too near to
    /// singular for a start.
    pub(super) fn solve(&mut self, gap: f64) -> Option<Certified> {
        wide::run(
            #[inline(always)]
            || self.iterate(gap),
        )
    }

    #[inline(always)]
    fn iterate(&mut self, gap: f64) -> Option<Certified> {
        if !self.start() {
            return None;
        }
        let (mut above, mut below) = self.certificate();
        let mut iterations = 0;
        let mut best = self.g.clone();
        while above > (1.0 + gap) * below && iterations < MAX_ITERATIONS {
            let Some(step) = self.newton() else { break };
            iterations += 1;
            let (covering, packing) = self.certificate();
            if covering < above {
                above = covering;
                best.copy_from(&self.g);
            }
            below = below.max(packing);
            if step < LEAST_STEP {
                break;
            }
        }
        Some(Certified {
            covering: best.to_matrix(),
            above,
            below,
            iterations,
        })
    }

    /// W_n ∝ (H_nᴴH_n)⁻¹, nine tenths of what leaves S positive, and G ∝ S⁻¹.
    #[inline(always)]
    fn start(&mut self) -> bool {
        congruence(&self.layout, &self.h, &self.h, &mut self.rhs);
        if !invert(&self.layout, &self.rhs, &mut self.scratch, &mut self.w) {
            return false;
        }
        // The largest eigenvalue of Σ H_nW_nH_nᴴ is at most its trace: grow from there.
        self.load();
        let mut share = 1.0 / self.square.trace();
        if !(share.is_finite() && share > 0.0) {
            return false;
        }
        let mut fits = share;
        while self.leaves(share) {
            fits = share;
            share *= 1.1;
        }
        let fits = 0.9 * fits;
        for w in &mut self.w {
            *w *= fits;
        }
        self.set_s();
        self.other.copy_from(&self.s);
        if !self.other.factor() {
            return false;
        }
        self.invert_s();
        self.gh.set_product(&self.s_inverse, &self.h, false);
        congruence(&self.layout, &self.h, &self.gh, &mut self.z);
        // The least x with x H_nᴴS⁻¹H_n ⪰ I for all n, and a margin.
        let mut least = f64::INFINITY;
        for (n, &t) in self.layout.sizes.iter().enumerate() {
            let range = self.layout.entries[n]..self.layout.entries[n + 1];
            let block = &mut self.z[range.clone()];
            diagonalise(t, block, &mut self.scratch[range]);
            least = (0..t).fold(least, |least, k| least.min(block[k * (t + 1)].re));
        }
        if least.is_nan() || least <= 0.0 {
            return false;
        }
        let scale = MARGIN / least;
        self.g.re.fill(0.0);
        self.g.im.fill(0.0);
        self.g.add(scale, &self.s_inverse);
        self.refresh()
    }

    /// square = Σ H_nW_nH_nᴴ.
    #[inline(always)]
    fn load(&mut self) {
        times_blocks(&self.layout, &self.h, &self.w, &mut self.tall);
        self.square.set_product(&self.tall, &self.h_adjoint, true);
        self.square.mirror();
    }

    /// Whether I − share · square is positive definite.
    #[inline(always)]
    fn leaves(&mut self, share: f64) -> bool {
        let r = self.square.rows;
        self.other.re.fill(0.0);
        self.other.im.fill(0.0);
        self.other.add(-share, &self.square);
        for k in 0..r {
            self.other.re[k * (r + 1)] += 1.0;
        }
        self.other.factor()
    }

    /// S = I − Σ H_nW_nH_nᴴ.
    #[inline(always)]
    fn set_s(&mut self) {
        self.load();
        let r = self.s.rows;
        self.s.re.fill(0.0);
        self.s.im.fill(0.0);
        self.s.add(-1.0, &self.square);
        for k in 0..r {
            self.s.re[k * (r + 1)] += 1.0;
        }
    }

    /// S⁻¹ from the factor in `other`.
    #[inline(always)]
    fn invert_s(&mut self) {
        self.square.set_lower_inverse(&self.other);
        self.other.set_adjoint(&self.square);
        self.s_inverse.set_product(&self.other, &self.square, true);
        self.s_inverse.mirror();
    }

    /// Everything that follows from G, S and W; false at the boundary.
    #[inline(always)]
    fn refresh(&mut self) -> bool {
        self.other.copy_from(&self.s);
        if !self.other.factor() {
            return false;
        }
        self.invert_s();
        self.y.set_product(&self.s_inverse, &self.h, false);
        self.y_adjoint.set_adjoint(&self.y);
        self.p.set_product(&self.h_adjoint, &self.y, true);
        self.gh.set_product(&self.g, &self.h, false);
        self.q.set_product(&self.h_adjoint, &self.gh, true);
        mirror_blocks(&self.layout, &mut self.p);
        mirror_blocks(&self.layout, &mut self.q);
        diagonal_blocks(&self.layout, &self.q, &mut self.z);
        for (n, &t) in self.layout.sizes.iter().enumerate() {
            for k in 0..t {
                self.z[self.layout.entries[n] + k * (t + 1)].re -= 1.0;
            }
        }
        invert(
            &self.layout,
            &self.w,
            &mut self.scratch,
            &mut self.w_inverse,
        )
    }

    /// Bounds on 1/t* from above and below: tr G and Σ tr W_n after both have been scaled
    /// towards the boundary, as far as λ_min(X) ≥ 1/‖X⁻¹‖ allows for S and every Z_n.
    #[inline(always)]
    fn certificate(&mut self) -> (f64, f64) {
        let slack = 1.0 / self.s_inverse.norm();
        let below = trace(&self.layout, &self.w) / (1.0 - slack);
        let mut excess = f64::INFINITY;
        if !invert(&self.layout, &self.z, &mut self.scratch, &mut self.rhs) {
            return (f64::INFINITY, below);
        }
        for n in 0..self.layout.sizes.len() {
            let squared = block(&self.layout, &self.rhs, n)
                .iter()
                .fold(0.0, |sum, x| sum + x.norm_sqr());
            excess = excess.min(1.0 / squared.sqrt());
        }
        (self.g.trace() / (1.0 + excess), below)
    }

    /// One predictor–corrector step; the shorter of the two lengths, `None` if it came to
    /// nothing.
    #[inline(always)]
    fn newton(&mut self) -> Option<f64> {
        self.schur
            .fill(&self.layout, &self.p, &self.q, &self.z, &self.w_inverse);
        if !self.schur.factor() {
            return None;
        }
        let order = (self.h.rows + self.layout.width()) as f64;
        let mu = (self.g.trace() - trace(&self.layout, &self.w)) / order;
        // The predictor's right-hand side is the identity.
        self.affine.fill(0.0);
        for (n, &t) in self.layout.sizes.iter().enumerate() {
            self.affine[self.layout.entries[n]..][..t].fill(1.0);
        }
        self.schur.solve(&mut self.affine);
        self.right.copy_from_slice(&self.affine);
        self.directions(0.0, false);
        let (along_w, along_g) = self.lengths(1.0);
        // The gap that the predictor would leave decides how much to centre.
        let left = (1.0 - along_w.min(along_g)).max(0.0);
        let sigma = (left * left).clamp(1e-4, 0.5);
        self.second_order();
        // Centring and second order: σμ(W⁻¹ − P) − C_Z + HᴴC_GH.
        diagonal_blocks(&self.layout, &self.p, &mut self.scratch);
        for ((r, w), p) in self.rhs.iter_mut().zip(&self.w_inverse).zip(&self.scratch) {
            *r = (w - p) * (sigma * mu);
        }
        self.tall.set_product(&self.second_g, &self.h, false);
        congruence(&self.layout, &self.h, &self.tall, &mut self.scratch);
        for ((r, g), z) in self.rhs.iter_mut().zip(&self.scratch).zip(&self.second_z) {
            *r += g - z;
        }
        coordinates(&self.layout, &self.rhs, &mut self.right);
        self.schur.solve(&mut self.right);
        for (x, a) in self.right.iter_mut().zip(&self.affine) {
            *x += a;
        }
        self.directions(sigma * mu, true);
        let (along_w, along_g) = self.lengths(DAMPING);
        for (w, d) in self.w.iter_mut().zip(&self.dw) {
            *w += d * along_w;
        }
        self.s.add(along_w, &self.ds);
        self.g.add(along_g, &self.dg);
        self.refresh().then_some(along_w.min(along_g))
    }

    /// The directions that belong to the coordinates `right` of ΔW and the target
    /// `centre` = σμ; with the second-order terms if `corrected`.
    ///
    /// ΔS = −Σ H ΔW Hᴴ, ΔG = σμS⁻¹ − G − C_G + sym(GHΔWHᴴS⁻¹),
    /// ΔZ = σμW⁻¹ − Z − C_Z − sym(Z ΔW W⁻¹).
    #[inline(always)]
    fn directions(&mut self, centre: f64, corrected: bool) {
        from_coordinates(&self.layout, &self.right, &mut self.dw);
        times_blocks(&self.layout, &self.h, &self.dw, &mut self.tall);
        self.square.set_product(&self.tall, &self.h_adjoint, true);
        self.square.mirror();
        self.ds.re.fill(0.0);
        self.ds.im.fill(0.0);
        self.ds.add(-1.0, &self.square);
        times_blocks(&self.layout, &self.gh, &self.dw, &mut self.tall);
        self.square.set_product(&self.tall, &self.y_adjoint, false);
        self.dg.set_hermitian_part(&self.square);
        self.dg.add(centre, &self.s_inverse);
        self.dg.add(-1.0, &self.g);
        symmetric_product(
            &self.layout,
            [&self.z, &self.dw, &self.w_inverse],
            &mut self.scratch,
            &mut self.dz,
        );
        for ((d, w), z) in self.dz.iter_mut().zip(&self.w_inverse).zip(&self.z) {
            *d = w * centre - z - *d;
        }
        if corrected {
            self.dg.add(-1.0, &self.second_g);
            for (d, c) in self.dz.iter_mut().zip(&self.second_z) {
                *d -= c;
            }
        }
    }

    /// C_G = sym(ΔG ΔS S⁻¹) and C_Z = sym(ΔZ ΔW W⁻¹) of the predictor.
    #[inline(always)]
    fn second_order(&mut self) {
        self.square.set_product(&self.dg, &self.ds, false);
        self.other.set_product(&self.square, &self.s_inverse, false);
        self.second_g.set_hermitian_part(&self.other);
        symmetric_product(
            &self.layout,
            [&self.dz, &self.dw, &self.w_inverse],
            &mut self.scratch,
            &mut self.second_z,
        );
    }

    /// How far W and S, and G and Z, can go: at most 1, and `damping` of the way to the
    /// boundary up to the coarseness of the trials.
    #[inline(always)]
    fn lengths(&mut self, damping: f64) -> (f64, f64) {
        let mut along_w = 1.0;
        while along_w > LEAST_STEP {
            let trial = along_w / damping;
            if are_positive(&self.layout, &self.w, trial, &self.dw, &mut self.scratch) {
                self.other.set_sum(&self.s, trial, &self.ds);
                if self.other.factor() {
                    break;
                }
            }
            along_w *= SHORTER;
        }
        let mut along_g = 1.0;
        while along_g > LEAST_STEP {
            let trial = along_g / damping;
            if are_positive(&self.layout, &self.z, trial, &self.dz, &mut self.scratch) {
                self.other.set_sum(&self.g, trial, &self.dg);
                if self.other.factor() {
                    break;
                }
            }
            along_g *= SHORTER;
        }
        (along_w, along_g)
    }
}

/// Completes the diagonal blocks of a Hermitian matrix known on and below its diagonal.
#[inline(always)]
fn mirror_blocks(layout: &Layout, a: &mut Split) {
    for (n, &t) in layout.sizes.iter().enumerate() {
        let first = layout.columns[n];
        for j in 0..t {
            for i in j + 1..t {
                let below = a.get(first + i, first + j);
                a.set(first + j, first + i, below.conj());
            }
        }
    }
}
