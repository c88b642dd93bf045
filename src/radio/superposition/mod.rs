//! The inner loop of the over-the-air sum: tensors through L×L channels, plus noise.
//!
//! Channel uses are taken in tiles and laid out as planes (one per stream and part,
//! uses side by side), so that every step is the same few additions and products on
//! neighbouring numbers. Every sum has one order fixed by the shapes, and there is no
//! fused multiply-add: neither the width at which the compiler vectorises ([`wide`]
//! picks the widest that the CPU has) nor the number of threads, which share a round by whole
//! [`CHUNK`]s, can change a bit.

mod planes;

use super::matrix::Matrix;
use super::sums::{SquareSum, exact_sum};
use super::synchronisation::SUBCARRIERS;
use crate::rng::{BulkDistribution, StandardNormal, Stream};
use crate::wide;
use num_complex::Complex;
use planes::{Planes, TILE};
use rayon::prelude::*;
use std::ops::AddAssign;

/// Tiles that one thread takes at a time; sums are added in their order.
const CHUNK: usize = 16;

/// What one round needs to know of its block.
pub(super) struct Round<'a> {
    /// L.
    pub streams: usize,
    /// Real entries per complex symbol, 1 or 2.
    pub reals: usize,
    /// How each device misses, in device order; `None` if all are aligned.
    pub misfits: Option<&'a [Misfit<'a>]>,
    /// C, lower triangular: noise = C w.
    pub colouring: &'a Matrix,
    /// What one normalised complex entry is worth.
    pub scale: f64,
}

/// What is between one device's entries and their place in the sum.
pub(super) enum Misfit<'a> {
    /// M_n − I.
    Fixed(&'a Matrix),
    /// M_n, turned by another angle on every subcarrier.
    Turned(&'a Matrix, Box<[Complex<f64>; SUBCARRIERS]>),
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

impl AddAssign for Measured {
    fn add_assign(&mut self, other: Self) {
        self.error += other.error;
        self.misalignment += other.misalignment;
        self.noise += other.noise;
        self.squared += other.squared;
        self.signal += other.signal;
    }
}

/// Sends `parts` through the round's channels and writes the received sum.
pub(super) fn superpose(
    round: &Round<'_>,
    parts: &[&[f32]],
    noise: &Stream,
    sum: &mut [f32],
) -> Measured {
    let per_chunk = round.streams * round.reals * TILE * CHUNK;
    let chunk = |(index, sum): (usize, &mut [f32])| {
        let mut noise = noise.clone();
        // A pair of normals takes one word; a tile takes L pairs per use.
        noise.skip((index * CHUNK * TILE * round.streams) as u64);
        let tile = Tile::new(round);
        wide::run(
            #[inline(always)]
            || tile.run(parts, index * per_chunk, &mut noise, sum),
        )
    };
    let mut measured = Measured::default();
    if sum.len() <= per_chunk {
        measured += chunk((0, sum));
        return measured;
    }
    let chunks: Vec<Measured> = sum
        .par_chunks_mut(per_chunk)
        .enumerate()
        .map(chunk)
        .collect();
    for part in chunks {
        measured += part;
    }
    measured
}

/// The buffers of one tile, and the sums over the tiles so far.
struct Tile<'a> {
    round: &'a Round<'a>,
    sent: Planes,
    turned: Planes,
    misalignment: Planes,
    white: Vec<f32>,
    errors: Vec<f64>,
    noise: Planes,
    error: Planes,
    exact: Vec<f64>,
    /// Of error, misalignment and noise.
    powers: [SquareSum; 3],
    squared: SquareSum,
    signal: SquareSum,
}

impl<'a> Tile<'a> {
    fn new(round: &'a Round<'a>) -> Self {
        let planes = || Planes::new(round.streams);
        Self {
            round,
            sent: planes(),
            turned: planes(),
            misalignment: planes(),
            white: vec![0.0; 2 * round.streams * TILE],
            errors: vec![0.0; round.streams * round.reals * TILE],
            noise: planes(),
            error: planes(),
            exact: vec![0.0; round.streams * round.reals * TILE],
            powers: Default::default(),
            squared: SquareSum::default(),
            signal: SquareSum::default(),
        }
    }

    /// Receives `sum`, whose first entry is entry `first` of the round.
    #[inline(always)]
    fn run(
        mut self,
        parts: &[&[f32]],
        first: usize,
        noise: &mut Stream,
        sum: &mut [f32],
    ) -> Measured {
        let per_use = self.round.streams * self.round.reals;
        for (index, received) in sum.chunks_mut(TILE * per_use).enumerate() {
            let start = first + index * TILE * per_use;
            let range = start..start + received.len();
            if let Some(misfits) = self.round.misfits {
                self.misalign(misfits, parts, range.clone());
            }
            self.add_noise(noise, received.len().div_ceil(per_use));
            self.measure(received.len().div_ceil(self.round.reals));
            exact_sum(parts, range, &mut self.exact[..received.len()]);
            self.deliver(received);
        }
        let [error, misalignment, noise] = self.powers.map(SquareSum::total);
        Measured {
            error,
            misalignment,
            noise,
            squared: self.squared.total() * self.round.scale * self.round.scale,
            signal: self.signal.total(),
        }
    }

    /// Σ_n (M_n − I) s_n over the entries of `range`.
    #[inline(always)]
    fn misalign(
        &mut self,
        misfits: &[Misfit<'_>],
        parts: &[&[f32]],
        range: std::ops::Range<usize>,
    ) {
        self.misalignment.clear();
        for (part, misfit) in parts.iter().zip(misfits) {
            self.load(&part[range.clone()]);
            match misfit {
                Misfit::Fixed(deviation) => self.misalignment.add_product(deviation, &self.sent),
                Misfit::Turned(channel, turns) => {
                    self.turned.clear();
                    self.turned.add_product(channel, &self.sent);
                    self.misalignment
                        .add_turned(turns, &self.turned, &self.sent);
                }
            }
        }
    }

    /// Packs one device's entries into normalised symbols.
    #[inline(always)]
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
        if entries.len() == TILE * per_use {
            for (l, (re, im)) in self.sent.re.iter_mut().zip(&mut self.sent.im).enumerate() {
                for (u, x) in re.iter_mut().enumerate() {
                    *x = f64::from(entries[u * per_use + l * reals]) * factor;
                }
                if reals == 2 {
                    for (u, x) in im.iter_mut().enumerate() {
                        *x = f64::from(entries[u * per_use + l * reals + 1]) * factor;
                    }
                }
            }
            return;
        }
        self.sent.clear();
        for (u, symbols) in entries.chunks(streams * reals).enumerate() {
            for (l, symbol) in symbols.chunks(reals).enumerate() {
                self.sent.re[l][u] = f64::from(symbol[0]) * factor;
                self.sent.im[l][u] = symbol.get(1).map_or(0.0, |x| f64::from(*x) * factor);
            }
        }
    }

    /// C w for `uses` uses.
    #[inline(always)]
    fn add_noise(&mut self, noise: &mut Stream, uses: usize) {
        let streams = self.round.streams;
        let white = &mut self.white[..2 * streams * uses];
        StandardNormal.fill(noise, white);
        self.noise.clear();
        let (mut re, mut im) = ([0.0; TILE], [0.0; TILE]);
        for column in 0..streams {
            let first = 2 * column * uses;
            for u in 0..uses {
                re[u] = f64::from(white[first + u]);
                im[u] = f64::from(white[first + uses + u]);
            }
            for row in column..streams {
                let factor = self.round.colouring[(row, column)];
                self.noise.add_scaled(row, factor, &re, &im);
            }
        }
    }

    /// Adds both errors, and measures the `symbols` symbols that carry entries.
    #[inline(always)]
    fn measure(&mut self, symbols: usize) {
        let streams = self.round.streams;
        for l in 0..streams {
            for u in 0..TILE {
                self.error.re[l][u] = self.misalignment.re[l][u] + self.noise.re[l][u];
                self.error.im[l][u] = self.misalignment.im[l][u] + self.noise.im[l][u];
            }
            let uses = (symbols + streams - 1 - l) / streams;
            let planes = [&self.error, &self.misalignment, &self.noise];
            for (planes, sum) in planes.iter().zip(&mut self.powers) {
                planes.add_power(l, uses, sum);
            }
        }
    }

    /// Unpacks the error onto the exact sum.
    #[inline(always)]
    fn deliver(&mut self, received: &mut [f32]) {
        let Round {
            streams,
            reals,
            scale,
            ..
        } = *self.round;
        self.signal.add(&self.exact[..received.len()]);
        let errors = &mut self.errors[..];
        for (l, (re, im)) in self.error.re.iter().zip(&self.error.im).enumerate() {
            for (part, plane) in [re, im].into_iter().take(reals).enumerate() {
                for (u, x) in plane.iter().enumerate() {
                    errors[u * streams * reals + l * reals + part] = *x;
                }
            }
        }
        let errors = &errors[..received.len()];
        self.squared.add(errors);
        for ((received, exact), error) in received.iter_mut().zip(&self.exact).zip(errors) {
            *received = (exact + scale * error) as f32;
        }
    }
}
