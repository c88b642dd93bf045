//! The small matrices of a group of devices, one device per lane: what a combiner hears,
//! its Gram matrix, and the inverse of that.

use super::lanes::{ComplexLanes, WIDTH, ZERO};

/// F, F Fᴴ + λI, and M = (F Fᴴ + λI)⁻¹ of one group, with its buffers.
#[derive(Debug)]
pub(super) struct Small {
    streams: usize,
    antennas: usize,
    /// F = GᴴH ∈ C^{L×N_t}, by rows.
    pub(super) seen: Vec<ComplexLanes>,
    /// The lower triangle of F Fᴴ.
    pub(super) gram: Vec<ComplexLanes>,
    factor: Vec<ComplexLanes>,
    root: Vec<ComplexLanes>,
    /// M.
    pub(super) inverse: Vec<ComplexLanes>,
    /// M².
    pub(super) square: Vec<ComplexLanes>,
}

impl Small {
    pub(super) fn new(streams: usize, antennas: usize) -> Self {
        let square = || vec![ZERO; streams * streams];
        Self {
            streams,
            antennas,
            seen: vec![ZERO; streams * antennas],
            gram: square(),
            factor: square(),
            root: square(),
            inverse: square(),
            square: square(),
        }
    }

    /// F = GᴴH and F Fᴴ for the group's `channels`, by antenna and row.
    #[inline(always)]
    pub(super) fn see(&mut self, channels: &[ComplexLanes], g: &[f64]) {
        // With the usual sizes known, loops over them unroll.
        match (self.streams, self.antennas) {
            (4, 4) => self.see_sized(channels, g, 4, 4),
            (streams, antennas) => self.see_sized(channels, g, streams, antennas),
        }
    }

    #[inline(always)]
    fn see_sized(&mut self, channels: &[ComplexLanes], g: &[f64], streams: usize, antennas: usize) {
        let rows = channels.len() / antennas;
        for (t, column) in channels.chunks_exact(rows).enumerate() {
            let mut l = 0;
            // Two streams hear one antenna at a time, which is then read half as often.
            while l + 2 <= streams {
                let first = &g[2 * rows * l..][..2 * rows];
                let second = &g[2 * rows * (l + 1)..][..2 * rows];
                let (mut a, mut b) = (ZERO, ZERO);
                let pairs = first.chunks_exact(2).zip(second.chunks_exact(2));
                for ((x, y), h) in pairs.zip(column) {
                    a.add_conjugate_scaled(x[0], x[1], h);
                    b.add_conjugate_scaled(y[0], y[1], h);
                }
                self.seen[l * antennas + t] = a;
                self.seen[(l + 1) * antennas + t] = b;
                l += 2;
            }
            if l < streams {
                let mut sum = ZERO;
                for (x, h) in g[2 * rows * l..][..2 * rows].chunks_exact(2).zip(column) {
                    sum.add_conjugate_scaled(x[0], x[1], h);
                }
                self.seen[l * antennas + t] = sum;
            }
        }
        let (seen, gram) = (
            &self.seen[..streams * antennas],
            &mut self.gram[..streams * streams],
        );
        for i in 0..streams {
            for j in 0..=i {
                let mut sum = ZERO;
                for t in 0..antennas {
                    sum.add_conjugate_product(&seen[j * antennas + t], &seen[i * antennas + t]);
                }
                gram[i * streams + j] = sum;
            }
        }
    }

    /// M = (F Fᴴ + λI)⁻¹ by Cholesky, and M²; false if a lane is not positive definite.
    #[inline(always)]
    pub(super) fn invert(&mut self, lambda: &[f64; WIDTH]) -> bool {
        match self.streams {
            4 => self.invert_sized(lambda, 4),
            streams => self.invert_sized(lambda, streams),
        }
    }

    #[inline(always)]
    fn invert_sized(&mut self, lambda: &[f64; WIDTH], n: usize) -> bool {
        let gram = &self.gram[..n * n];
        let factor = &mut self.factor[..n * n];
        let root = &mut self.root[..n * n];
        factor.copy_from_slice(gram);
        for j in 0..n {
            let mut pivot = factor[j * n + j];
            for (pivot, lambda) in pivot.re.iter_mut().zip(lambda) {
                *pivot += lambda;
            }
            for k in 0..j {
                let entry = factor[j * n + k];
                pivot.subtract_product_conjugate(&entry, &entry);
            }
            // A NaN fails too.
            if !pivot.re.iter().all(|x| *x > 0.0) {
                return false;
            }
            let inverse_root = pivot.re.map(|x| 1.0 / x.sqrt());
            root[j * n + j] = ComplexLanes {
                re: inverse_root,
                im: [0.0; WIDTH],
            };
            for i in j + 1..n {
                let mut entry = factor[i * n + j];
                for k in 0..j {
                    entry.subtract_product_conjugate(&factor[i * n + k], &factor[j * n + k]);
                }
                entry.scale(&inverse_root);
                factor[i * n + j] = entry;
            }
        }
        // The inverse of the factor, below its diagonal.
        for j in 0..n {
            for i in j + 1..n {
                let mut sum = ZERO;
                for k in j..i {
                    sum.subtract_product(&factor[i * n + k], &root[k * n + j]);
                }
                sum.scale(&root[i * n + i].re);
                root[i * n + j] = sum;
            }
        }
        let inverse = &mut self.inverse[..n * n];
        for i in 0..n {
            for j in 0..n {
                let mut sum = ZERO;
                for k in i.max(j)..n {
                    sum.add_conjugate_product(&root[k * n + i], &root[k * n + j]);
                }
                inverse[i * n + j] = sum;
            }
        }
        true
    }

    /// M² from M.
    #[inline(always)]
    pub(super) fn square(&mut self) {
        match self.streams {
            4 => self.square_sized(4),
            streams => self.square_sized(streams),
        }
    }

    #[inline(always)]
    fn square_sized(&mut self, n: usize) {
        let (inverse, square) = (&self.inverse[..n * n], &mut self.square[..n * n]);
        for i in 0..n {
            for j in 0..n {
                let mut sum = ZERO;
                for k in 0..n {
                    sum.add_product(&inverse[i * n + k], &inverse[k * n + j]);
                }
                square[i * n + j] = sum;
            }
        }
    }

    /// tr M.
    #[inline(always)]
    pub(super) fn trace(&self) -> [f64; WIDTH] {
        diagonal_sum(&self.inverse, self.streams)
    }

    /// tr M², after [`square`](Self::square).
    #[inline(always)]
    pub(super) fn square_trace(&self) -> [f64; WIDTH] {
        diagonal_sum(&self.square, self.streams)
    }

    /// tr M³, after [`square`](Self::square).
    #[inline(always)]
    pub(super) fn cube_trace(&self) -> [f64; WIDTH] {
        let mut sum = [0.0; WIDTH];
        for (a, b) in self.inverse.iter().zip(&self.square) {
            for (k, sum) in sum.iter_mut().enumerate() {
                *sum += a.re[k] * b.re[k] + a.im[k] * b.im[k];
            }
        }
        sum
    }

    /// tr(F Fᴴ M²) = ‖FᴴM‖², after [`square`](Self::square).
    #[inline(always)]
    pub(super) fn radiated(&self) -> [f64; WIDTH] {
        let n = self.streams;
        let mut sum = [0.0; WIDTH];
        for i in 0..n {
            for j in 0..=i {
                let (a, b) = (&self.gram[i * n + j], &self.square[i * n + j]);
                let weight = if i == j { 1.0 } else { 2.0 };
                for (k, sum) in sum.iter_mut().enumerate() {
                    *sum += weight * (a.re[k] * b.re[k] + a.im[k] * b.im[k]);
                }
            }
        }
        sum
    }

    /// Fᴴ M², by stream and antenna.
    #[inline(always)]
    pub(super) fn pulls(&self, out: &mut [ComplexLanes]) {
        match (self.streams, self.antennas) {
            (4, 4) => behind(&self.seen, &self.square, out, 4, 4),
            (streams, antennas) => behind(&self.seen, &self.square, out, streams, antennas),
        }
    }

    /// Fᴴ M, by stream and antenna: the precoders.
    #[inline(always)]
    pub(super) fn precoders(&self, out: &mut [ComplexLanes]) {
        behind(&self.seen, &self.inverse, out, self.streams, self.antennas);
    }
}

/// Fᴴ X, by stream and antenna.
#[inline(always)]
fn behind(
    seen: &[ComplexLanes],
    x: &[ComplexLanes],
    out: &mut [ComplexLanes],
    n: usize,
    antennas: usize,
) {
    let (seen, x, out) = (&seen[..n * antennas], &x[..n * n], &mut out[..n * antennas]);
    for l in 0..n {
        for t in 0..antennas {
            let mut sum = ZERO;
            for j in 0..n {
                sum.add_conjugate_product(&seen[j * antennas + t], &x[j * n + l]);
            }
            out[l * antennas + t] = sum;
        }
    }
}

#[inline(always)]
fn diagonal_sum(x: &[ComplexLanes], n: usize) -> [f64; WIDTH] {
    let mut sum = [0.0; WIDTH];
    for l in 0..n {
        for (k, sum) in sum.iter_mut().enumerate() {
            *sum += x[l * n + l].re[k];
        }
    }
    sum
}
