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

use super::lanes::{ComplexLanes, WIDTH, ZERO};
use crate::radio::Matrix;

/// The objective on one set of channels, with its buffers.
#[derive(Debug)]
pub(super) struct WeakestLink {
    rows: usize,
    antennas: usize,
    streams: usize,
    devices: usize,
    /// H_n by group, antenna, row. A lane without a device repeats the first one and has
    /// no weight.
    channels: Vec<ComplexLanes>,
    /// 1/P_n.
    inverse_powers: Vec<f64>,
    /// F_nᴴ K_n², later times w_n/tr K_n, by group, stream, antenna.
    pulls: Vec<ComplexLanes>,
    /// tr K_n.
    traces: Vec<f64>,
    /// ln a_n.
    logarithms: Vec<f64>,
    seen: Vec<ComplexLanes>,
    gram: Vec<ComplexLanes>,
    inverse: Vec<ComplexLanes>,
    square: Vec<ComplexLanes>,
}

impl WeakestLink {
    /// `channels` H_n ∈ C^{r×N_t,n}, of one height; `powers` P_n > 0. Devices with fewer
    /// antennas than the most get silent ones, which change nothing.
    pub(super) fn new(channels: &[Matrix], powers: &[f64], streams: usize) -> Self {
        let rows = channels[0].nrows();
        let antennas = channels.iter().map(Matrix::ncols).fold(0, usize::max);
        let devices = channels.len();
        let groups = devices.div_ceil(WIDTH);
        let mut lanes = vec![ZERO; groups * rows * antennas];
        for slot in 0..groups * WIDTH {
            let channel = channels.get(slot).unwrap_or(&channels[0]);
            let (group, lane) = (slot / WIDTH, slot % WIDTH);
            // nalgebra stores columns one after the other, as here.
            for (k, entry) in channel.iter().enumerate() {
                let target = &mut lanes[group * rows * antennas + k];
                target.re[lane] = entry.re;
                target.im[lane] = entry.im;
            }
        }
        Self {
            rows,
            antennas,
            streams,
            devices,
            channels: lanes,
            inverse_powers: powers.iter().map(|power| 1.0 / power).collect(),
            pulls: vec![ZERO; groups * streams * antennas],
            traces: vec![0.0; groups * WIDTH],
            logarithms: vec![0.0; devices],
            seen: vec![ZERO; streams * antennas],
            gram: vec![ZERO; streams * streams],
            inverse: vec![ZERO; streams * streams],
            square: vec![ZERO; streams * streams],
        }
    }

    /// Real variables: two per entry of G, stream by stream, row by row.
    pub(super) fn dimension(&self) -> usize {
        2 * self.rows * self.streams
    }

    /// α(G), infinite if some GᴴH_nH_nᴴG is singular.
    pub(super) fn exact(&mut self, g: &[f64]) -> f64 {
        if !self.weigh(g) {
            return f64::INFINITY;
        }
        let largest = self.logarithms.iter().copied().fold(f64::MIN, f64::max);
        squared_norm(g) * libm::exp(largest)
    }

    /// φ_p(G) and its gradient by the real variables; infinite if some GᴴH_nH_nᴴG is
    /// singular, the gradient then being meaningless.
    pub(super) fn smoothed(&mut self, g: &[f64], sharpness: f64, gradient: &mut [f64]) -> f64 {
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
        for group in 0..self.traces.len() / WIDTH {
            let mut factors = [0.0; WIDTH];
            for (lane, factor) in factors.iter_mut().enumerate() {
                let device = group * WIDTH + lane;
                if device < self.devices {
                    *factor = -2.0 * self.logarithms[device] / (sum * self.traces[device]);
                }
            }
            self.pull(group, &factors, gradient);
        }
        libm::log(norm) + largest + libm::log(sum) / sharpness
    }

    /// Computes tr K_n, ln a_n and F_nᴴK_n² of all devices; false if one is singular.
    fn weigh(&mut self, g: &[f64]) -> bool {
        for group in 0..self.traces.len() / WIDTH {
            self.see(group, g);
            if !self.invert(group) {
                return false;
            }
        }
        for (n, value) in self.logarithms.iter_mut().enumerate() {
            *value = libm::log(self.traces[n] * self.inverse_powers[n]);
        }
        true
    }

    /// F = GᴴH and the lower triangle of F Fᴴ.
    fn see(&mut self, group: usize, g: &[f64]) {
        let (rows, antennas) = (self.rows, self.antennas);
        let channels = &self.channels[group * rows * antennas..][..rows * antennas];
        for (l, direction) in g.chunks_exact(2 * rows).enumerate() {
            for (t, column) in channels.chunks_exact(rows).enumerate() {
                let mut sum = ZERO;
                for (g, h) in direction.chunks_exact(2).zip(column) {
                    sum.add_conjugate_scaled(g[0], g[1], h);
                }
                self.seen[l * antennas + t] = sum;
            }
        }
        for i in 0..self.streams {
            for j in 0..=i {
                let mut sum = ZERO;
                for t in 0..antennas {
                    let (a, b) = (&self.seen[j * antennas + t], &self.seen[i * antennas + t]);
                    sum.add_conjugate_product(a, b);
                }
                self.gram[i * self.streams + j] = sum;
            }
        }
    }

    /// K = (F Fᴴ)⁻¹ by Cholesky, tr K, and Fᴴ K²; false if a lane is not positive definite.
    fn invert(&mut self, group: usize) -> bool {
        let n = self.streams;
        for j in 0..n {
            let mut pivot = self.gram[j * n + j];
            for k in 0..j {
                let factor = self.gram[j * n + k];
                pivot.subtract_product_conjugate(&factor, &factor);
            }
            // A NaN fails too.
            if !pivot.re.iter().all(|x| *x > 0.0) {
                return false;
            }
            let inverse_root = pivot.re.map(|x| 1.0 / x.sqrt());
            self.inverse[j * n + j] = ComplexLanes {
                re: inverse_root,
                im: [0.0; WIDTH],
            };
            for i in j + 1..n {
                let mut entry = self.gram[i * n + j];
                for k in 0..j {
                    entry.subtract_product_conjugate(&self.gram[i * n + k], &self.gram[j * n + k]);
                }
                entry.scale(&inverse_root);
                self.gram[i * n + j] = entry;
            }
        }
        // The inverse of the factor, below its diagonal.
        for j in 0..n {
            for i in j + 1..n {
                let mut sum = ZERO;
                for k in j..i {
                    sum.subtract_product(&self.gram[i * n + k], &self.inverse[k * n + j]);
                }
                sum.scale(&self.inverse[i * n + i].re);
                self.inverse[i * n + j] = sum;
            }
        }
        self.finish(group);
        true
    }

    /// From the inverse factor: K, tr K, K² and Fᴴ K².
    fn finish(&mut self, group: usize) {
        let (n, antennas) = (self.streams, self.antennas);
        for i in 0..n {
            for j in 0..n {
                let mut sum = ZERO;
                for k in i.max(j)..n {
                    sum.add_conjugate_product(&self.inverse[k * n + i], &self.inverse[k * n + j]);
                }
                self.gram[i * n + j] = sum;
            }
        }
        let traces = &mut self.traces[group * WIDTH..][..WIDTH];
        for (lane, trace) in traces.iter_mut().enumerate() {
            *trace = (0..n).fold(0.0, |sum, l| sum + self.gram[l * n + l].re[lane]);
        }
        for i in 0..n {
            for j in 0..n {
                let mut sum = ZERO;
                for k in 0..n {
                    sum.add_product(&self.gram[i * n + k], &self.gram[k * n + j]);
                }
                self.square[i * n + j] = sum;
            }
        }
        let pulls = &mut self.pulls[group * n * antennas..][..n * antennas];
        for l in 0..n {
            for t in 0..antennas {
                let mut sum = ZERO;
                for j in 0..n {
                    sum.add_conjugate_product(
                        &self.seen[j * antennas + t],
                        &self.square[j * n + l],
                    );
                }
                pulls[l * antennas + t] = sum;
            }
        }
    }

    /// gradient += Σ over the group's lanes of factor · H Fᴴ K².
    fn pull(&mut self, group: usize, factors: &[f64; WIDTH], gradient: &mut [f64]) {
        let (rows, antennas, streams) = (self.rows, self.antennas, self.streams);
        let channels = &self.channels[group * rows * antennas..][..rows * antennas];
        let pulls = &mut self.pulls[group * streams * antennas..][..streams * antennas];
        for pull in &mut *pulls {
            pull.scale(factors);
        }
        for (slopes, pulls) in gradient
            .chunks_exact_mut(2 * rows)
            .zip(pulls.chunks_exact(antennas))
        {
            for (r, slope) in slopes.chunks_exact_mut(2).enumerate() {
                let mut sum = ZERO;
                for (t, pull) in pulls.iter().enumerate() {
                    sum.add_product(&channels[t * rows + r], pull);
                }
                slope[0] += (sum.re[0] + sum.re[1]) + (sum.re[2] + sum.re[3]);
                slope[1] += (sum.im[0] + sum.im[1]) + (sum.im[2] + sum.im[3]);
            }
        }
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

    fn objective(devices: usize, streams: usize) -> (WeakestLink, Vec<f64>) {
        let channels: Vec<Matrix> = (0..devices)
            .map(|n| Fading::default().draw(SEEDS, n, 0, 7, 4))
            .collect();
        let powers: Vec<f64> = (0..devices).map(|n| 1.0 + n as f64).collect();
        let link = WeakestLink::new(&channels, &powers, streams);
        let mut g = vec![0.0; link.dimension()];
        StandardNormal.fill(&mut SEEDS.open("test.start", NO_DEVICE, 0), &mut g);
        (link, g)
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        for (devices, streams) in [(1, 2), (3, 4), (5, 1), (8, 3)] {
            let (mut link, mut g) = objective(devices, streams);
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
            let (mut link, g) = objective(devices, streams);
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
        let (mut link, g) = objective(6, 3);
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
}
