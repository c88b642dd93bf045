//! The exact short-term objective (13) of Zhang et al., "Distributed On-Device LLM
//! Inference With Over-the-Air Computation", its smoothing and its gradient.
//!
//! With a_n(G) = tr[(GᴴH_nH_nᴴG)⁻¹]/P_n, the error of a combiner direction G ∈ C^{r×L} is
//! σ_z² α with α(G) = tr(GGᴴ)·max_n a_n(G), whatever the scale of G. The maximum is
//! smoothed by a power mean of sharpness p,
//!
//! φ_p(G) = ln tr(GGᴴ) + (1/p) ln Σ_n a_nᵖ,  ln α ≤ φ_p ≤ ln α + (ln N)/p,
//!
//! and with K_n = (GᴴH_nH_nᴴG)⁻¹, F_n = GᴴH_n, w_n = a_nᵖ/Σ a_mᵖ,
//!
//! ∂φ_p/∂G* = G/tr(GGᴴ) − Σ_n w_n H_n F_nᴴ K_n²/tr K_n.
//!
//! Devices are taken [`WIDTH`] at a time, one per lane, so that every small matrix
//! operation is the same few instructions on all of them; lanes never mix before the
//! last sum, whose order is fixed.

use super::crowd::Crowd;
use super::lanes::{ComplexLanes, WIDTH, ZERO};
use super::small::Small;
use crate::radio::Matrix;
use crate::wide;

/// A group of devices of less weight than this pulls nowhere.
const WEIGHTLESS: f64 = 1e-12;

/// The objective on one set of channels, with its buffers.
#[derive(Debug)]
pub(super) struct WeakestLink<'a> {
    channels: &'a [Matrix],
    powers: &'a [f64],
    streams: usize,
    crowd: Crowd,
    small: Small,
    /// F_nᴴ K_n², later times w_n/tr K_n, by group, stream, antenna.
    pulls: Vec<ComplexLanes>,
    /// 1/P_n, by slot.
    inverse_powers: Vec<f64>,
    /// tr K_n, by slot.
    traces: Vec<f64>,
    /// ln a_n, by slot.
    logarithms: Vec<f64>,
}

impl<'a> WeakestLink<'a> {
    /// `channels` H_n ∈ C^{r×N_t,n}, of one height; `powers` P_n > 0. Devices with fewer
    /// antennas than the most get silent ones, which change nothing.
    pub(super) fn new(channels: &'a [Matrix], powers: &'a [f64], streams: usize) -> Self {
        let crowd = Crowd::new(channels, streams);
        let groups = crowd.groups();
        Self {
            channels,
            powers,
            streams,
            small: Small::new(streams, crowd.antennas),
            pulls: vec![ZERO; groups * streams * crowd.antennas],
            inverse_powers: powers.iter().map(|power| 1.0 / power).collect(),
            traces: vec![0.0; groups * WIDTH],
            logarithms: vec![0.0; channels.len()],
            crowd,
        }
    }

    /// Real variables: two per entry of G, stream by stream, row by row.
    pub(super) fn dimension(&self) -> usize {
        2 * self.crowd.rows * self.streams
    }

    /// After [`exact`](Self::exact): puts the weakest into one group, the next into another,
    /// so that groups without weight are many. Changes no value but for the order of sums;
    /// a single group is left as it is.
    pub(super) fn rank(&mut self) {
        if self.crowd.groups() == 1 {
            return;
        }
        let logarithms = &self.logarithms;
        let mut slots: Vec<usize> = (0..logarithms.len()).collect();
        slots.sort_unstable_by(|&i, &j| logarithms[j].total_cmp(&logarithms[i]).then(i.cmp(&j)));
        self.crowd.arrange(self.channels, &slots);
        for (inverse, device) in self.inverse_powers.iter_mut().zip(&self.crowd.order) {
            *inverse = 1.0 / self.powers[*device];
        }
    }

    /// α(G), infinite if some GᴴH_nH_nᴴG is singular.
    pub(super) fn exact(&mut self, g: &[f64]) -> f64 {
        let defined = wide::run(
            #[inline(always)]
            || self.weigh(g),
        );
        if !defined {
            return f64::INFINITY;
        }
        let largest = self.logarithms.iter().copied().fold(f64::MIN, f64::max);
        squared_norm(g) * libm::exp(largest)
    }

    /// φ_p(G) and its gradient by the real variables; infinite if some GᴴH_nH_nᴴG is
    /// singular, the gradient then being meaningless.
    pub(super) fn smoothed(&mut self, g: &[f64], sharpness: f64, gradient: &mut [f64]) -> f64 {
        wide::run(
            #[inline(always)]
            || self.smooth(g, sharpness, gradient),
        )
    }

    #[inline(always)]
    fn smooth(&mut self, g: &[f64], sharpness: f64, gradient: &mut [f64]) -> f64 {
        if !self.weigh(g) {
            return f64::INFINITY;
        }
        let largest = self.logarithms.iter().copied().fold(f64::MIN, f64::max);
        let mut sum = 0.0;
        for value in &mut self.logarithms {
            *value = libm::exp(sharpness * (*value - largest));
            sum += *value;
        }
        let norm = squared_norm(g);
        for (slope, g) in gradient.iter_mut().zip(g) {
            *slope = 2.0 * g / norm;
        }
        self.crowd.rest();
        let size = self.streams * self.crowd.antennas;
        let weights = self.logarithms.chunks(WIDTH);
        let traces = self.traces.chunks_exact(WIDTH);
        let pulls = self.pulls.chunks_exact_mut(size);
        for (group, ((weights, traces), pulls)) in weights.zip(traces).zip(pulls).enumerate() {
            if weights.iter().all(|weight| *weight < WEIGHTLESS) {
                continue;
            }
            let mut factors = [0.0; WIDTH];
            for ((factor, weight), trace) in factors.iter_mut().zip(weights).zip(traces) {
                *factor = -2.0 * weight / (sum * trace);
            }
            for pull in &mut *pulls {
                pull.scale(&factors);
            }
            self.crowd.pull(group, pulls);
        }
        self.crowd.collect(gradient);
        libm::log(norm) + largest + libm::log(sum) / sharpness
    }

    /// Computes tr K_n, ln a_n and F_nᴴK_n² of all devices; false if one is singular.
    #[inline(always)]
    fn weigh(&mut self, g: &[f64]) -> bool {
        let size = self.streams * self.crowd.antennas;
        let traces = self.traces.chunks_exact_mut(WIDTH);
        let pulls = self.pulls.chunks_exact_mut(size);
        for (group, (traces, pulls)) in traces.zip(pulls).enumerate() {
            self.small.see(self.crowd.group(group), g);
            if !self.small.invert(&[0.0; WIDTH]) {
                return false;
            }
            traces.copy_from_slice(&self.small.trace());
            self.small.square();
            self.small.pulls(pulls);
        }
        let demands = self.traces.iter().zip(&self.inverse_powers);
        for (value, (trace, inverse)) in self.logarithms.iter_mut().zip(demands) {
            *value = libm::log(trace * inverse);
        }
        true
    }
}

/// tr(GGᴴ).
fn squared_norm(g: &[f64]) -> f64 {
    g.iter().fold(0.0, |sum, x| sum + x * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::Fading;
    use crate::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};

    const SEEDS: Streams = Streams { seed: 3, run: 0 };

    fn fleet(devices: usize) -> (Vec<Matrix>, Vec<f64>) {
        let channels = (0..devices).map(|n| Fading::default().draw(SEEDS, n, 0, 7, 4));
        let powers = (0..devices).map(|n| 1.0 + n as f64);
        (channels.collect(), powers.collect())
    }

    fn start(link: &WeakestLink<'_>) -> Vec<f64> {
        let mut g = vec![0.0; link.dimension()];
        StandardNormal.fill(&mut SEEDS.open("test.start", NO_DEVICE, 0), &mut g);
        g
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        for (devices, streams) in [(1, 2), (3, 4), (5, 1), (8, 3)] {
            let (channels, powers) = fleet(devices);
            let mut link = WeakestLink::new(&channels, &powers, streams);
            let mut g = start(&link);
            let mut gradient = vec![0.0; g.len()];
            let mut scrap = gradient.clone();
            link.smoothed(&g, 6.0, &mut gradient);
            for k in 0..g.len() {
                let (here, step) = (g[k], 1e-6);
                g[k] = here + step;
                let above = link.smoothed(&g, 6.0, &mut scrap);
                g[k] = here - step;
                let below = link.smoothed(&g, 6.0, &mut scrap);
                g[k] = here;
                let slope = (above - below) / (2.0 * step);
                assert!(
                    (slope - gradient[k]).abs() < 1e-7 * (1.0 + slope.abs()),
                    "{devices} {streams} {k}"
                );
            }
        }
    }

    /// α(G) = tr(GGᴴ) max tr[(GᴴHHᴴG)⁻¹]/P by nalgebra's products and inverses.
    #[test]
    fn the_exact_objective_is_the_formulas() {
        for (devices, streams) in [(1, 2), (3, 4), (5, 1), (8, 3)] {
            let (channels, powers) = fleet(devices);
            let mut link = WeakestLink::new(&channels, &powers, streams);
            let g = start(&link);
            let direction = Matrix::from_fn(7, streams, |i, l| {
                let entry = 2 * (7 * l + i);
                num_complex::Complex::new(g[entry], g[entry + 1])
            });
            let demand = |n: usize| {
                let seen = direction.adjoint() * Fading::default().draw(SEEDS, n, 0, 7, 4);
                let inverse = (&seen * seen.adjoint()).try_inverse().unwrap();
                inverse.trace().re / (1.0 + n as f64)
            };
            let most = (0..devices).map(demand).fold(0.0, f64::max);
            let expected = direction.norm_squared() * most;
            assert!((link.exact(&g) / expected - 1.0).abs() < 1e-10);
        }
    }

    #[test]
    fn smoothing_stays_within_its_bounds_and_scale_does_not_matter() {
        let (channels, powers) = fleet(6);
        let mut link = WeakestLink::new(&channels, &powers, 3);
        let g = start(&link);
        let mut scrap = vec![0.0; g.len()];
        let exact = link.exact(&g).ln();
        for sharpness in [1.0, 10.0, 100.0] {
            let excess = link.smoothed(&g, sharpness, &mut scrap) - exact;
            assert!((-1e-12..=6f64.ln() / sharpness + 1e-12).contains(&excess));
        }
        let doubled: Vec<f64> = g.iter().map(|x| 2.0 * x).collect();
        assert!((link.exact(&doubled).ln() - exact).abs() < 1e-12);
        assert_eq!(link.exact(&vec![0.0; g.len()]), f64::INFINITY);
    }

    /// Another order of the devices is another order of sums and nothing else.
    #[test]
    fn ranking_changes_nothing() {
        let (channels, powers) = fleet(11);
        let mut link = WeakestLink::new(&channels, &powers, 3);
        let g = start(&link);
        let (mut before, mut after) = (vec![0.0; g.len()], vec![0.0; g.len()]);
        let value = link.smoothed(&g, 30.0, &mut before);
        let exact = link.exact(&g);
        link.rank();
        assert!((link.smoothed(&g, 30.0, &mut after) - value).abs() < 1e-12);
        assert!((link.exact(&g) / exact - 1.0).abs() < 1e-14);
        assert!(link.logarithms.is_sorted_by(|x, y| x >= y));
        for (before, after) in before.iter().zip(&after) {
            assert!((before - after).abs() < 1e-10);
        }
    }
}
