//! The exact error (7) of Zhang et al. as a function of the combiner alone, every device
//! then sending as well as its power allows; and the combiner that is best for what they
//! send. The two halves of an alternating minimisation, with their buffers.
//!
//! What is done for each device is done [`WIDTH`] devices at a time, one per lane; the
//! combiner's equations, as many rows or streams at a time.

use super::crowd::Crowd;
use super::jacobi::beside::diagonalise;
use super::lanes::{ComplexLanes, WIDTH, ZERO};
use super::multiplier::{NEGLIGIBLE, multiplier};
use super::small::Small;
use crate::radio::{Matrix, Transceiver};
use crate::wide;
use num_complex::Complex;

/// min over the precoders of (7), on one set of channels.
#[derive(Debug)]
pub(super) struct SumError {
    crowd: Crowd,
    small: Small,
    streams: usize,
    noise: f64,
    limits: Vec<f64>,
    antennas: Vec<usize>,
    /// B_n by group, stream, antenna.
    precoders: Vec<ComplexLanes>,
    /// Of a group, by columns: F Fᴴ, its eigenvectors, (F Fᴴ + λI)⁻¹.
    gram: Vec<ComplexLanes>,
    vectors: Vec<ComplexLanes>,
    inverse: Vec<ComplexLanes>,
    /// 1/(s_k + λ) of a group, zero where nothing is heard.
    weights: Vec<[f64; WIDTH]>,
    /// Eigenvalues of one device.
    spectrum: Vec<f64>,
    /// H_nB_n by device, stream and [`WIDTH`] rows.
    arriving: Vec<ComplexLanes>,
    /// The lower triangle of Σ H_nB_nB_nᴴH_nᴴ + σ_z² I by column and [`WIDTH`] rows, later
    /// its factor.
    covariance: Vec<ComplexLanes>,
    /// The combiner's equations by row, [`WIDTH`] streams at a time.
    unknowns: Vec<ComplexLanes>,
}

impl SumError {
    /// `channels` H_n ∈ C^{r×N_t,n}; `limits` P_n > 0; `noise` σ_z² > 0; `streams` L ≤ N_t,n.
    pub(super) fn new(channels: &[Matrix], limits: &[f64], noise: f64, streams: usize) -> Self {
        let crowd = Crowd::new(channels, streams);
        let (rows, groups) = (crowd.rows, crowd.groups());
        let beside = rows.div_ceil(WIDTH);
        let square = || vec![ZERO; streams * streams];
        Self {
            small: Small::new(streams, crowd.antennas),
            streams,
            noise,
            limits: limits.to_vec(),
            antennas: channels.iter().map(Matrix::ncols).collect(),
            precoders: vec![ZERO; groups * streams * crowd.antennas],
            gram: square(),
            vectors: square(),
            inverse: square(),
            weights: vec![[0.0; WIDTH]; streams],
            spectrum: vec![0.0; streams],
            arriving: vec![ZERO; channels.len() * streams * beside],
            covariance: vec![ZERO; rows * beside],
            unknowns: vec![ZERO; rows],
            crowd,
        }
    }

    /// Gives every device its best precoder for `combiner` A ∈ C^{r×L} (two numbers per
    /// entry, by columns) and returns (7).
    pub(super) fn precode(&mut self, combiner: &[f64]) -> f64 {
        wide::run(
            #[inline(always)]
            || self.precode_all(combiner),
        )
    }

    #[inline(always)]
    fn precode_all(&mut self, combiner: &[f64]) -> f64 {
        let entries = combiner.chunks_exact(2);
        let noise = entries.fold(0.0, |sum, x| sum + (x[0] * x[0] + x[1] * x[1]));
        let mut error = self.noise * noise;
        for group in 0..self.crowd.groups() {
            self.small.see(self.crowd.group(group), combiner);
            let misalignment = match self.streams {
                4 => self.invert(group, 4),
                streams => self.invert(group, streams),
            };
            let devices = self.crowd.devices - group * WIDTH;
            for missed in misalignment.iter().take(devices) {
                error += missed;
            }
            match (self.streams, self.crowd.antennas) {
                (4, 4) => self.send(group, 4, 4),
                (streams, antennas) => self.send(group, streams, antennas),
            }
        }
        error
    }

    /// (F Fᴴ + λI)⁻¹ of a group; returns what each of its devices misses.
    #[inline(always)]
    fn invert(&mut self, group: usize, n: usize) -> [f64; WIDTH] {
        let heard = &self.small.gram[..n * n];
        let gram = &mut self.gram[..n * n];
        for i in 0..n {
            for j in 0..=i {
                gram[i + n * j] = heard[i * n + j];
                gram[j + n * i] = heard[i * n + j].conjugate();
            }
        }
        diagonalise(n, gram, &mut self.vectors);
        let mut misalignment = [0.0; WIDTH];
        let limits = &self.limits[group * WIDTH..];
        for (lane, (missed, limit)) in misalignment.iter_mut().zip(limits).enumerate() {
            for (k, value) in self.spectrum.iter_mut().enumerate() {
                *value = gram[k * (n + 1)].re[lane].max(0.0);
            }
            let lambda = multiplier(&self.spectrum, *limit);
            let floor = NEGLIGIBLE * self.spectrum.iter().copied().fold(0.0, f64::max);
            for (value, weights) in self.spectrum.iter().zip(&mut self.weights) {
                let rest = if *value > floor {
                    let inverse = 1.0 / (value + lambda);
                    weights[lane] = inverse;
                    lambda * inverse
                } else {
                    weights[lane] = 0.0;
                    1.0
                };
                *missed += rest * rest;
            }
        }
        let (vectors, weights) = (&self.vectors[..n * n], &self.weights[..n]);
        let inverse = &mut self.inverse[..n * n];
        for i in 0..n {
            for j in 0..n {
                let mut sum = ZERO;
                for (k, weights) in weights.iter().enumerate() {
                    let mut weighed = vectors[i + n * k];
                    weighed.scale(weights);
                    sum.add_product_conjugate(&weighed, &vectors[j + n * k]);
                }
                inverse[i + n * j] = sum;
            }
        }
        misalignment
    }

    /// The precoders of a group, and what arrives of its devices.
    #[inline(always)]
    fn send(&mut self, group: usize, n: usize, antennas: usize) {
        let rows = self.crowd.rows;
        let channels = self.crowd.group(group);
        let seen = &self.small.seen[..n * antennas];
        let precoders = &mut self.precoders[group * n * antennas..][..n * antennas];
        let beside = rows.div_ceil(WIDTH);
        let devices = (self.crowd.devices - group * WIDTH).min(WIDTH);
        let arriving = &mut self.arriving[group * WIDTH * n * beside..];
        for (j, precoder) in precoders.chunks_exact_mut(antennas).enumerate() {
            for (t, entry) in precoder.iter_mut().enumerate() {
                let mut sum = ZERO;
                for l in 0..n {
                    sum.add_conjugate_product(&seen[l * antennas + t], &self.inverse[l + n * j]);
                }
                *entry = sum;
            }
            for r in 0..rows {
                let mut sum = ZERO;
                for (t, weight) in precoder.iter().enumerate() {
                    sum.add_product(&channels[t * rows + r], weight);
                }
                for lane in 0..devices {
                    let entry = &mut arriving[(lane * n + j) * beside + r / WIDTH];
                    entry.re[r % WIDTH] = sum.re[lane];
                    entry.im[r % WIDTH] = sum.im[lane];
                }
            }
        }
    }

    /// Sets `combiner` to the best one for what the devices send now,
    /// A = (Σ H_nB_nB_nᴴH_nᴴ + σ_z² I)⁻¹ Σ H_nB_n; false, and `combiner` undefined, if the
    /// matrix has no inverse to working precision.
    pub(super) fn combine(&mut self, combiner: &mut [f64]) -> bool {
        wide::run(
            #[inline(always)]
            || {
                self.gather();
                self.factor() && {
                    for first in (0..self.streams).step_by(WIDTH) {
                        self.solve(first, combiner);
                    }
                    true
                }
            },
        )
    }

    /// The covariance of what arrives.
    #[inline(always)]
    fn gather(&mut self) {
        let rows = self.crowd.rows;
        let beside = rows.div_ceil(WIDTH);
        for (j, column) in self.covariance.chunks_exact_mut(beside).enumerate() {
            let (group, lane) = (j / WIDTH, j % WIDTH);
            for (b, entry) in column.iter_mut().enumerate().skip(group) {
                let mut sum = ZERO;
                for arriving in self.arriving.chunks_exact(beside) {
                    let y = &arriving[group];
                    sum.add_scaled_conjugate(y.re[lane], y.im[lane], &arriving[b]);
                }
                *entry = sum;
            }
            column[group].re[lane] += self.noise;
        }
    }

    /// Cholesky, column by column.
    #[inline(always)]
    fn factor(&mut self) -> bool {
        let rows = self.crowd.rows;
        let beside = rows.div_ceil(WIDTH);
        for j in 0..rows {
            let (group, lane) = (j / WIDTH, j % WIDTH);
            let (done, rest) = self.covariance.split_at_mut(j * beside);
            let column = &mut rest[..beside];
            let mut pivot = column[group].re[lane];
            for other in done.chunks_exact(beside) {
                let (re, im) = (other[group].re[lane], other[group].im[lane]);
                pivot -= re * re + im * im;
            }
            if pivot.is_nan() || pivot <= 0.0 {
                return false;
            }
            let root = pivot.sqrt();
            for (b, entry) in column.iter_mut().enumerate().skip(group) {
                let mut sum = ZERO;
                for other in done.chunks_exact(beside) {
                    let (re, im) = (other[group].re[lane], other[group].im[lane]);
                    sum.add_conjugate_scaled(re, im, &other[b]);
                }
                for k in 0..WIDTH {
                    entry.re[k] -= sum.re[k];
                    entry.im[k] -= sum.im[k];
                }
                entry.divide(root);
            }
            // Its root, not the quotient that rounds to nearly that.
            column[group].re[lane] = root;
            column[group].im[lane] = 0.0;
        }
        true
    }

    /// Solves for the streams from `first` on, as many as there are lanes.
    #[inline(always)]
    fn solve(&mut self, first: usize, combiner: &mut [f64]) {
        let (rows, streams) = (self.crowd.rows, self.streams);
        let beside = rows.div_ceil(WIDTH);
        let lanes = (streams - first).min(WIDTH);
        let factor = |i: usize, k: usize| {
            let lanes = &self.covariance[k * beside + i / WIDTH];
            (lanes.re[i % WIDTH], lanes.im[i % WIDTH])
        };
        let x = &mut self.unknowns[..rows];
        x.fill(ZERO);
        for device in self.arriving.chunks_exact(streams * beside) {
            for lane in 0..lanes {
                let column = &device[(first + lane) * beside..][..beside];
                for (r, x) in x.iter_mut().enumerate() {
                    x.re[lane] += column[r / WIDTH].re[r % WIDTH];
                    x.im[lane] += column[r / WIDTH].im[r % WIDTH];
                }
            }
        }
        for i in 0..rows {
            let mut sum = x[i];
            for (k, x) in x[..i].iter().enumerate() {
                let (re, im) = factor(i, k);
                sum.subtract_scaled(re, im, x);
            }
            sum.divide(factor(i, i).0);
            x[i] = sum;
        }
        for i in (0..rows).rev() {
            let mut value = x[i];
            value.divide(factor(i, i).0);
            x[i] = value;
            for (k, x) in x[..i].iter_mut().enumerate() {
                let (re, im) = factor(i, k);
                x.subtract_conjugate_scaled(re, im, &value);
            }
        }
        for lane in 0..lanes {
            let column = &mut combiner[2 * rows * (first + lane)..][..2 * rows];
            for (entry, x) in column.chunks_exact_mut(2).zip(&*x) {
                entry[0] = x.re[lane];
                entry[1] = x.im[lane];
            }
        }
    }

    /// The transceiver of `combiner` (at the antennas) and the current precoders, each
    /// within its limit.
    pub(super) fn transceiver(&self, combiner: Matrix) -> Transceiver {
        let (streams, most) = (self.streams, self.crowd.antennas);
        let device = |(n, antennas): (usize, &usize)| {
            let lanes = &self.precoders[n / WIDTH * streams * most..];
            let mut precoder = Matrix::from_fn(*antennas, streams, |t, l| {
                let entry = &lanes[l * most + t];
                Complex::new(entry.re[n % WIDTH], entry.im[n % WIDTH])
            });
            let spent = precoder.iter().fold(0.0, |sum, x| sum + x.norm_sqr());
            let excess = (spent / self.limits[n]).sqrt().max(1.0);
            precoder.iter_mut().for_each(|x| *x /= excess);
            precoder
        };
        Transceiver {
            combiner,
            precoders: self.antennas.iter().enumerate().map(device).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::Fading;
    use crate::rng::Streams;

    /// Its formula by nalgebra's products and LU factors.
    #[test]
    fn the_best_combiner_is_the_formulas() {
        let (rows, streams, noise) = (9, 3, 0.3);
        let channels: Vec<Matrix> = [4, 3, 5, 4]
            .iter()
            .enumerate()
            .map(|(n, antennas)| {
                let seeds = Streams { seed: 5, run: 0 };
                Fading::default().draw(seeds, n, 0, rows, *antennas)
            })
            .collect();
        let mut errors = SumError::new(&channels, &[1.0, 2.0, 0.5, 1.0], noise, streams);
        let start = Matrix::from_fn(rows, streams, |i, l| Complex::new(i as f64 + 0.1, l as f64));
        let parts: Vec<f64> = start.iter().flat_map(|x| [x.re, x.im]).collect();
        errors.precode(&parts);
        let mut covariance = Matrix::identity(rows, rows).scale(noise);
        let mut wanted = Matrix::zeros(rows, streams);
        let beside = rows.div_ceil(WIDTH);
        for arriving in errors.arriving.chunks_exact(beside * streams) {
            let arriving = Matrix::from_fn(rows, streams, |r, l| {
                let lanes = &arriving[l * beside + r / WIDTH];
                Complex::new(lanes.re[r % WIDTH], lanes.im[r % WIDTH])
            });
            covariance += &arriving * arriving.adjoint();
            wanted += arriving;
        }
        let expected = covariance.lu().solve(&wanted).unwrap();
        let mut combiner = vec![0.0; 2 * rows * streams];
        assert!(errors.combine(&mut combiner));
        let found = Matrix::from_fn(rows, streams, |r, l| {
            let first = 2 * (l * rows + r);
            Complex::new(combiner[first], combiner[first + 1])
        });
        assert!((found - &expected).norm() < 1e-10 * expected.norm());
    }
}
