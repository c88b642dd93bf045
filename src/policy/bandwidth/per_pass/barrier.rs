//! The logarithmic barrier method for one division over many blocks.
//!
//! Boyd and Vandenberghe, *Convex Optimization*, section 11.3: Newton's method on
//! t Σ T_i − Σ ln(T_i − q_k^i τ_k(B_k)) for growing t, at whose minimum the gap to the
//! optimum is at most constraints/t. The T_i leave the Newton system by elimination, so
//! that a step costs O(blocks devices² + devices³).

use super::super::{BandwidthPolicy, MinMax, TokenLink, Uniform, totals};
use crate::policy::PolicyError;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Relative gap to the optimum at which the method ends.
const GAP: f64 = 1e-8;
/// By how much t grows between Newton's rounds.
const GROWTH: f64 = 20.0;
/// Newton's decrement squared at which a round ends.
const CENTRED: f64 = 1e-9;
/// Steps within a round after which it is left: rounding allows no further descent.
const MOST_STEPS: usize = 60;

/// The barrier method's state; `n` devices with tokens, `m` blocks.
pub(super) struct Barrier {
    links: Vec<TokenLink>,
    /// q, block by block.
    loads: Vec<f64>,
    blocks: usize,
    total: f64,
    /// B_k/B.
    shares: Vec<f64>,
    /// T_i in units of `unit`.
    times: Vec<f64>,
    /// Seconds: the mean T_i at the start, so that numbers are of order one.
    unit: f64,
    constraints: usize,
}

impl Barrier {
    pub(super) fn new(
        links: &[TokenLink],
        loads: &[f64],
        used: &[usize],
        total: f64,
    ) -> Result<Self, PolicyError> {
        let blocks = loads.len() / links.len();
        let picked: Vec<f64> = loads
            .chunks_exact(links.len())
            .flat_map(|row| used.iter().map(|device| row[*device]))
            .collect();
        let links: Vec<TokenLink> = used.iter().map(|device| links[*device]).collect();
        // Equal delays for the summed loads: near the optimum, and inside all constraints.
        let start = MinMax.allocate(&links, &totals(&picked, links.len()), total)?;
        let even = Uniform.allocate(&links, &picked[..links.len()], total)?;
        let shares = start
            .iter()
            .zip(even)
            .map(|(a, b)| 0.5 * (a + b) / total)
            .collect();
        let constraints = picked.iter().filter(|load| **load > 0.0).count();
        let mut barrier = Self {
            links,
            loads: picked,
            blocks,
            total,
            shares,
            times: vec![0.0; blocks],
            unit: 1.0,
            constraints,
        };
        let delays = barrier.delays(&barrier.shares);
        let sum: f64 = (0..blocks)
            .map(|block| barrier.slowest(block, &delays))
            .sum();
        barrier.unit = sum / blocks as f64;
        for block in 0..blocks {
            barrier.times[block] = 1.5 * barrier.slowest(block, &delays) / barrier.unit;
        }
        Ok(barrier)
    }

    fn row(&self, block: usize) -> &[f64] {
        let n = self.links.len();
        &self.loads[block * n..(block + 1) * n]
    }

    /// τ_k in units of `unit`.
    fn delays(&self, shares: &[f64]) -> Vec<f64> {
        let delay = |(link, share): (&TokenLink, &f64)| link.delay(share * self.total) / self.unit;
        self.links.iter().zip(shares).map(delay).collect()
    }

    fn slowest(&self, block: usize, delays: &[f64]) -> f64 {
        let row = self.row(block).iter().zip(delays);
        row.map(|(load, delay)| load * delay).fold(0.0, f64::max)
    }

    /// 1/(T_i − q_k^i τ_k), proportional to λ_k^i at the minimum; 0 without a constraint.
    pub(super) fn force(&self, block: usize, slot: usize) -> f64 {
        let load = self.row(block)[slot];
        if load == 0.0 {
            return 0.0;
        }
        let delay = self.links[slot].delay(self.shares[slot] * self.total) / self.unit;
        1.0 / (self.times[block] - load * delay)
    }

    /// t Σ T_i − Σ ln(…); infinite outside the constraints.
    fn value(&self, t: f64, shares: &[f64], times: &[f64]) -> f64 {
        if shares.iter().any(|share| *share <= 0.0) {
            return f64::INFINITY;
        }
        let delays = self.delays(shares);
        let mut value = 0.0;
        for (block, time) in times.iter().enumerate() {
            if self.row(block).iter().all(|load| *load == 0.0) {
                continue;
            }
            value += t * time;
            for (load, delay) in self.row(block).iter().zip(&delays) {
                if *load > 0.0 {
                    let slack = time - load * delay;
                    if slack <= 0.0 {
                        return f64::INFINITY;
                    }
                    value -= libm::log(slack);
                }
            }
        }
        value
    }

    /// B_k/B of every device with tokens.
    pub(super) fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Goes to the minimum, from the start that [`Barrier::new`] found.
    pub(super) fn solve(&mut self) {
        let mut t = self.constraints as f64 / self.times.iter().sum::<f64>();
        loop {
            for _ in 0..MOST_STEPS {
                if !self.step(t) {
                    break;
                }
            }
            if (self.constraints as f64 / t) < GAP * self.times.iter().sum::<f64>() {
                break;
            }
            t *= GROWTH;
        }
    }

    /// One Newton step; `false` if it is not worth another.
    fn step(&mut self, t: f64) -> bool {
        let n = self.links.len();
        let mut gradient = DVector::zeros(n);
        let mut matrix = DMatrix::zeros(n, n);
        let mut blocks: Vec<(f64, f64, Vec<f64>)> = Vec::with_capacity(self.blocks);
        let curves: Vec<_> = self
            .links
            .iter()
            .zip(&self.shares)
            .map(|(link, share)| {
                let curve = link.on_air(share * self.total);
                let scale = self.total / self.unit;
                let delay = (curve.seconds + link.compute) / self.unit;
                (delay, curve.slope * scale, curve.bend * scale * self.total)
            })
            .collect();
        for block in 0..self.blocks {
            let (mut pull, mut stiffness) = (t, 0.0);
            let mut coupling = vec![0.0; n];
            for (k, (delay, slope, bend)) in curves.iter().enumerate() {
                let load = self.row(block)[k];
                if load == 0.0 {
                    continue;
                }
                let force = 1.0 / (self.times[block] - load * delay);
                pull -= force;
                stiffness += force * force;
                coupling[k] = -force * force * load * slope;
                gradient[k] += force * load * slope;
                matrix[(k, k)] += force * load * (force * load * slope * slope + bend);
            }
            blocks.push((pull, stiffness, coupling));
        }
        let pushed = gradient.clone();
        // Eliminate ΔT_i = −(pull + couplingᵀ Δβ)/stiffness.
        for (pull, stiffness, coupling) in &blocks {
            if *stiffness == 0.0 {
                continue;
            }
            for (k, a) in coupling.iter().enumerate() {
                gradient[k] -= a * pull / stiffness;
                for (l, b) in coupling.iter().enumerate() {
                    matrix[(k, l)] -= a * b / stiffness;
                }
            }
        }
        let Some(factor) = matrix.cholesky() else {
            return false;
        };
        // Σ Δβ = 0: Δβ = −S⁻¹(g + ν 1).
        let ones = solve(&factor, DVector::repeat(n, 1.0));
        let mut delta = solve(&factor, gradient);
        let nu = -delta.iter().sum::<f64>() / ones.iter().sum::<f64>();
        for (d, one) in delta.iter_mut().zip(&ones) {
            *d = -(*d + nu * one);
        }
        let mut lift = Vec::with_capacity(self.blocks);
        let mut decrease = 0.0;
        for (pull, stiffness, coupling) in &blocks {
            if *stiffness == 0.0 {
                lift.push(0.0);
                continue;
            }
            let coupled: f64 = coupling.iter().zip(&delta).map(|(a, d)| a * d).sum();
            let rise = -(pull + coupled) / stiffness;
            decrease -= pull * rise;
            lift.push(rise);
        }
        for (push, d) in pushed.iter().zip(&delta) {
            decrease -= push * d;
        }
        if decrease.is_nan() || decrease < CENTRED {
            return false;
        }
        let here = self.value(t, &self.shares, &self.times);
        let mut length = 1.0;
        while length > 1e-12 {
            let moved = |from: &[f64], by: &[f64]| -> Vec<f64> {
                from.iter().zip(by).map(|(x, d)| x + length * d).collect()
            };
            let shares = moved(&self.shares, delta.as_slice());
            let times = moved(&self.times, &lift);
            if self.value(t, &shares, &times) <= here - 0.1 * length * decrease {
                self.shares = shares;
                self.times = times;
                return true;
            }
            length *= 0.5;
        }
        false
    }
}

/// Solves L Lᵀ x = b.
fn solve(factor: &Cholesky<f64, Dyn>, mut b: DVector<f64>) -> DVector<f64> {
    let (l, n) = (factor.l_dirty(), b.len());
    let solved = l.solve_lower_triangular_mut(&mut b);
    debug_assert!(solved, "the diagonal of a factor is positive");
    for i in (0..n).rev() {
        for k in i + 1..n {
            b[i] -= l[(k, i)] * b[k];
        }
        b[i] /= l[(i, i)];
    }
    b
}
