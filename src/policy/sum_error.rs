//! The exact error (7) of Zhang et al. as a function of the combiner alone, every device
//! then sending as well as its power allows; and the combiner that is best for what they
//! send. The two halves of an alternating minimisation, with their buffers.

use super::jacobi::diagonalise;
use super::multiplier::{NEGLIGIBLE, multiplier};
use crate::radio::{Matrix, Transceiver};
use num_complex::Complex;

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);

/// One device and what it currently sends.
#[derive(Debug)]
struct Sender {
    /// H_n ∈ C^{r×N_t}, by columns.
    channel: Vec<Complex<f64>>,
    antennas: usize,
    limit: f64,
    /// B_n ∈ C^{N_t×L}, by columns.
    precoder: Vec<Complex<f64>>,
    /// AᴴH_n ∈ C^{L×N_t}, by rows.
    seen: Vec<Complex<f64>>,
}

/// min over the precoders of (7), on one set of channels.
#[derive(Debug)]
pub(super) struct SumError {
    rows: usize,
    streams: usize,
    noise: f64,
    senders: Vec<Sender>,
    /// H_nB_n ∈ C^{r×L} of all devices, by columns: r × NL.
    arriving: Vec<Complex<f64>>,
    gram: Vec<Complex<f64>>,
    vectors: Vec<Complex<f64>>,
    inverse: Vec<Complex<f64>>,
    spectrum: Vec<f64>,
    /// Lower triangle of Σ H_nB_nB_nᴴH_nᴴ + σ_z² I, row by row, later its factor.
    covariance: Vec<Complex<f64>>,
}

impl SumError {
    /// `channels` H_n ∈ C^{r×N_t,n}; `limits` P_n > 0; `noise` σ_z² > 0; `streams` L ≤ N_t,n.
    pub(super) fn new(channels: &[Matrix], limits: &[f64], noise: f64, streams: usize) -> Self {
        let rows = channels[0].nrows();
        let senders: Vec<Sender> = channels
            .iter()
            .zip(limits)
            .map(|(channel, limit)| Sender {
                channel: channel.as_slice().to_vec(),
                antennas: channel.ncols(),
                limit: *limit,
                precoder: vec![ZERO; channel.ncols() * streams],
                seen: vec![ZERO; channel.ncols() * streams],
            })
            .collect();
        Self {
            rows,
            streams,
            noise,
            arriving: vec![ZERO; rows * streams * senders.len()],
            senders,
            gram: vec![ZERO; streams * streams],
            vectors: vec![ZERO; streams * streams],
            inverse: vec![ZERO; streams * streams],
            spectrum: vec![0.0; streams],
            covariance: vec![ZERO; rows * rows],
        }
    }

    /// Gives every device its best precoder for `combiner` A ∈ C^{r×L} (by columns) and
    /// returns (7).
    pub(super) fn precode(&mut self, combiner: &[Complex<f64>]) -> f64 {
        let noise = combiner.iter().fold(0.0, |sum, x| sum + x.norm_sqr());
        let mut error = self.noise * noise;
        for device in 0..self.senders.len() {
            error += self.precode_device(device, combiner);
        }
        error
    }

    /// Its misalignment.
    fn precode_device(&mut self, device: usize, combiner: &[Complex<f64>]) -> f64 {
        let (rows, streams) = (self.rows, self.streams);
        let sender = &mut self.senders[device];
        let antennas = sender.antennas;
        for (l, direction) in combiner.chunks_exact(rows).enumerate() {
            for (t, column) in sender.channel.chunks_exact(rows).enumerate() {
                sender.seen[l * antennas + t] = inner(direction, column);
            }
        }
        for i in 0..streams {
            for j in 0..streams {
                let (a, b) = (&sender.seen[i * antennas..], &sender.seen[j * antennas..]);
                // Row i of F times row j of F*.
                self.gram[i + streams * j] = inner(&b[..antennas], &a[..antennas]);
            }
        }
        diagonalise(streams, &mut self.gram, &mut self.vectors);
        for k in 0..streams {
            self.spectrum[k] = self.gram[k + streams * k].re.max(0.0);
        }
        let lambda = multiplier(&self.spectrum, sender.limit);
        let floor = NEGLIGIBLE * self.spectrum.iter().copied().fold(0.0, f64::max);
        let mut misalignment = 0.0;
        // From now on the spectrum holds 1/(s + λ), zero where nothing is heard.
        for value in &mut self.spectrum {
            let rest = if *value > floor {
                let inverse = 1.0 / (*value + lambda);
                *value = inverse;
                lambda * inverse
            } else {
                *value = 0.0;
                1.0
            };
            misalignment += rest * rest;
        }
        for i in 0..streams {
            for j in 0..streams {
                self.inverse[i + streams * j] = (0..streams).fold(ZERO, |sum, k| {
                    let (a, b) = (
                        self.vectors[i + streams * k],
                        self.vectors[j + streams * k].conj(),
                    );
                    sum + a * self.spectrum[k] * b
                });
            }
        }
        for j in 0..streams {
            for t in 0..antennas {
                sender.precoder[t + antennas * j] = (0..streams).fold(ZERO, |sum, l| {
                    sum + sender.seen[l * antennas + t].conj() * self.inverse[l + streams * j]
                });
            }
        }
        let arriving = &mut self.arriving[device * rows * streams..][..rows * streams];
        for (out, precoder) in arriving
            .chunks_exact_mut(rows)
            .zip(sender.precoder.chunks_exact(antennas))
        {
            out.fill(ZERO);
            for (weight, column) in precoder.iter().zip(sender.channel.chunks_exact(rows)) {
                for (out, h) in out.iter_mut().zip(column) {
                    *out += h * weight;
                }
            }
        }
        misalignment
    }

    /// Sets `combiner` to the best one for what the devices send now,
    /// A = (Σ H_nB_nB_nᴴH_nᴴ + σ_z² I)⁻¹ Σ H_nB_n; false, and `combiner` undefined, if the
    /// matrix has no inverse to working precision.
    pub(super) fn combine(&mut self, combiner: &mut [Complex<f64>]) -> bool {
        let (n, streams) = (self.rows, self.streams);
        combiner.fill(ZERO);
        self.covariance.fill(ZERO);
        for (k, column) in self.arriving.chunks_exact(n).enumerate() {
            let target = &mut combiner[n * (k % streams)..][..n];
            for (sum, x) in target.iter_mut().zip(column) {
                *sum += x;
            }
            for (i, x) in column.iter().enumerate() {
                let row = &mut self.covariance[i * n..=i * n + i];
                for (entry, y) in row.iter_mut().zip(column) {
                    *entry += x * y.conj();
                }
            }
        }
        for i in 0..n {
            self.covariance[i * n + i] += self.noise;
        }
        self.factor() && {
            for column in combiner.chunks_exact_mut(n) {
                self.solve(column);
            }
            true
        }
    }

    /// Cholesky, row by row.
    fn factor(&mut self) -> bool {
        let n = self.rows;
        for i in 0..n {
            let (done, rest) = self.covariance.split_at_mut(i * n);
            let row = &mut rest[..n];
            for j in 0..i {
                let other = &done[j * n..j * n + j + 1];
                let sum = inner(&other[..j], &row[..j]);
                row[j] = (row[j] - sum) / other[j].re;
            }
            let before = row[i].re;
            let pivot = row[..i].iter().fold(before, |sum, x| sum - x.norm_sqr());
            if pivot.is_nan() || pivot <= 0.0 {
                return false;
            }
            row[i] = Complex::new(pivot.sqrt(), 0.0);
        }
        true
    }

    fn solve(&self, x: &mut [Complex<f64>]) {
        let n = self.rows;
        for i in 0..n {
            let row = &self.covariance[i * n..=i * n + i];
            let sum = row[..i]
                .iter()
                .zip(&*x)
                .fold(x[i], |sum, (l, x)| sum - l * x);
            x[i] = sum / row[i].re;
        }
        for i in (0..n).rev() {
            let row = &self.covariance[i * n..=i * n + i];
            let value = x[i] / row[i].re;
            x[i] = value;
            for (x, l) in x[..i].iter_mut().zip(row) {
                *x -= l.conj() * value;
            }
        }
    }

    /// The transceiver of `combiner` (at the antennas) and the current precoders, each
    /// within its limit.
    pub(super) fn transceiver(&self, combiner: Matrix) -> Transceiver {
        let precoders = self
            .senders
            .iter()
            .map(|sender| {
                let spent = sender
                    .precoder
                    .iter()
                    .fold(0.0, |sum, x| sum + x.norm_sqr());
                let excess = (spent / sender.limit).sqrt().max(1.0);
                Matrix::from_fn(sender.antennas, self.streams, |t, l| {
                    sender.precoder[t + sender.antennas * l] / excess
                })
            })
            .collect();
        Transceiver {
            combiner,
            precoders,
        }
    }
}

/// Σ a_k* b_k.
fn inner(a: &[Complex<f64>], b: &[Complex<f64>]) -> Complex<f64> {
    a.iter().zip(b).fold(ZERO, |sum, (a, b)| sum + a.conj() * b)
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
        errors.precode(start.as_slice());
        let mut covariance = Matrix::identity(rows, rows).scale(noise);
        let mut wanted = Matrix::zeros(rows, streams);
        for arriving in errors.arriving.chunks_exact(rows * streams) {
            let arriving = Matrix::from_column_slice(rows, streams, arriving);
            covariance += &arriving * arriving.adjoint();
            wanted += arriving;
        }
        let expected = covariance.lu().solve(&wanted).unwrap();
        let mut combiner = vec![ZERO; rows * streams];
        assert!(errors.combine(&mut combiner));
        let found = Matrix::from_column_slice(rows, streams, &combiner);
        assert!((found - &expected).norm() < 1e-10 * expected.norm());
    }
}
