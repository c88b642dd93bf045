//! The inner loop of the over-the-air sum: tensors through L×L channels, plus noise.
//!
//! Channel uses are taken in tiles and laid out as planes (one per stream and part,
//! uses side by side), so that every step is the same few additions and products on
//! neighbouring numbers. Every sum has one order fixed by the shapes, and there is no
//! fused multiply-add: the width at which the compiler vectorises cannot change a bit.

use super::ideal::exact_sum;
use super::matrix::Matrix;
use crate::rng::Stream;
use num_complex::Complex;

/// Channel uses per tile: their planes fit the first-level cache. Noise is drawn tile
/// by tile and plane by plane (stream, then part), so this is part of the result's
/// definition.
const TILE: usize = 64;

/// What one round needs to know of its block.
pub(super) struct Round<'a> {
    /// L.
    pub streams: usize,
    /// Real entries per complex symbol, 1 or 2.
    pub reals: usize,
    /// M_n − I, in device order.
    pub deviations: &'a [Matrix],
    /// C, lower triangular: noise = C w.
    pub colouring: &'a Matrix,
    /// What one normalised complex entry is worth.
    pub scale: f64,
}

/// Sums over a round: per complex entry after normalisation, and per real entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    /// Σ|ŝ − s|².
    pub error: f64,
    /// Σ|Σ_n (M_n − I)s_n|².
    pub misalignment: f64,
    /// Σ|Aᴴn|².
    pub noise: f64,
    /// Σ(ẑ − z)².
    pub squared: f64,
    /// Σz².
    pub signal: f64,
}

/// A plane of one tile: one part of one stream over its uses.
type Plane = [f64; TILE];

/// L planes for real parts and L for imaginary parts.
struct Planes {
    re: Vec<Plane>,
    im: Vec<Plane>,
}

impl Planes {
    fn new(streams: usize) -> Self {
        Self {
            re: vec![[0.0; TILE]; streams],
            im: vec![[0.0; TILE]; streams],
        }
    }

    fn clear(&mut self) {
        self.re.fill([0.0; TILE]);
        self.im.fill([0.0; TILE]);
    }

    /// self[row] += factor · other[column].
    #[inline(always)]
    fn add_scaled(&mut self, row: usize, factor: Complex<f64>, re: &Plane, im: &Plane) {
        let (out_re, out_im) = (&mut self.re[row], &mut self.im[row]);
        for u in 0..TILE {
            out_re[u] += factor.re * re[u] - factor.im * im[u];
            out_im[u] += factor.re * im[u] + factor.im * re[u];
        }
    }
}

/// Sends `parts` through the round's channels and writes the received sum.
pub(super) fn superpose(
    round: &Round<'_>,
    parts: &[&[f32]],
    noise: &mut Stream,
    sum: &mut [f32],
) -> Measured {
    let per_use = round.streams * round.reals;
    let mut tile = Tile::new(round);
    for start in (0..sum.len()).step_by(TILE * per_use) {
        let end = sum.len().min(start + TILE * per_use);
        tile.misalign(parts, start..end);
        tile.add_noise(noise, (end - start).div_ceil(per_use));
        tile.deliver(parts, start, &mut sum[start..end]);
    }
    tile.measured
}

/// The buffers of one tile.
struct Tile<'a> {
    round: &'a Round<'a>,
    sent: Planes,
    misalignment: Planes,
    white: Vec<f64>,
    noise: Planes,
    measured: Measured,
}

impl<'a> Tile<'a> {
    fn new(round: &'a Round<'a>) -> Self {
        let planes = || Planes::new(round.streams);
        Self {
            round,
            sent: planes(),
            misalignment: planes(),
            white: vec![0.0; 2 * round.streams * TILE],
            noise: planes(),
            measured: Measured::default(),
        }
    }

    /// Σ_n (M_n − I) s_n over the entries of `range`.
    fn misalign(&mut self, parts: &[&[f32]], range: std::ops::Range<usize>) {
        self.misalignment.clear();
        for (part, deviation) in parts.iter().zip(self.round.deviations) {
            self.load(&part[range.clone()]);
            for row in 0..self.round.streams {
                for column in 0..self.round.streams {
                    self.misalignment.add_scaled(
                        row,
                        deviation[(row, column)],
                        &self.sent.re[column],
                        &self.sent.im[column],
                    );
                }
            }
        }
    }

    /// Packs one device's entries into normalised symbols.
    fn load(&mut self, entries: &[f32]) {
        let Round {
            streams,
            reals,
            scale,
            ..
        } = *self.round;
        // A round of zeros has no scale and sends nothing.
        let factor = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let per_use = streams * reals;
        if entries.len() < TILE * per_use {
            self.sent.clear();
        }
        for (u, symbols) in entries.chunks(per_use).enumerate() {
            for (l, symbol) in symbols.chunks(reals).enumerate() {
                self.sent.re[l][u] = f64::from(symbol[0]) * factor;
                self.sent.im[l][u] = symbol.get(1).map_or(0.0, |x| f64::from(*x) * factor);
            }
        }
    }

    /// C w for `uses` uses.
    fn add_noise(&mut self, noise: &mut Stream, uses: usize) {
        let streams = self.round.streams;
        let white = &mut self.white[..2 * streams * uses];
        noise.fill_normal(white);
        self.noise.clear();
        let (mut re, mut im) = ([0.0; TILE], [0.0; TILE]);
        for column in 0..streams {
            let first = 2 * column * uses;
            re[..uses].copy_from_slice(&white[first..first + uses]);
            im[..uses].copy_from_slice(&white[first + uses..first + 2 * uses]);
            for row in column..streams {
                self.noise
                    .add_scaled(row, self.round.colouring[(row, column)], &re, &im);
            }
        }
    }

    /// Adds both errors to the exact sum, and measures them.
    fn deliver(&mut self, parts: &[&[f32]], start: usize, sum: &mut [f32]) {
        let Round {
            streams,
            reals,
            scale,
            ..
        } = *self.round;
        let measured = &mut self.measured;
        let mut squared = 0.0;
        for (u, symbols) in sum.chunks_mut(streams * reals).enumerate() {
            for (l, symbol) in symbols.chunks_mut(reals).enumerate() {
                let misaligned =
                    Complex::new(self.misalignment.re[l][u], self.misalignment.im[l][u]);
                let noisy = Complex::new(self.noise.re[l][u], self.noise.im[l][u]);
                let error = misaligned + noisy;
                measured.misalignment += misaligned.norm_sqr();
                measured.noise += noisy.norm_sqr();
                measured.error += error.norm_sqr();
                for (part, (out, error)) in symbol.iter_mut().zip([error.re, error.im]).enumerate()
                {
                    let entry = start + (u * streams + l) * reals + part;
                    let exact = exact_sum(parts, entry);
                    *out = (exact + scale * error) as f32;
                    squared += error * error;
                    measured.signal += exact * exact;
                }
            }
        }
        measured.squared += squared * scale * scale;
    }
}
