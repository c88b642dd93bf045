//! The inner loop of the over-the-air sum: tensors through L×L channels, plus noise.
//!
//! Channel uses are taken in tiles, and every step is the same few additions and products on
//! neighbouring numbers ([`columns`]). Every sum has one order fixed by the shapes, and there
//! is no fused multiply-add: neither the width at which the compiler vectorises ([`wide`]
//! picks the widest that the CPU has) nor the number of threads, which share a round by whole
//! [`CHUNK`]s, can change a bit.

mod columns;

use super::sums::{SquareSum, exact_sum};
use super::synchronisation::SUBCARRIERS;
use crate::rng::{BulkDistribution, StandardNormal, Stream};
use crate::wide;
pub(super) use columns::Columns;
use columns::{SIDE, Side, Symbols, sides};
use num_complex::Complex;
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::AddAssign;

/// Channel uses per tile: their numbers fit the first-level cache. Noise is drawn tile by
/// tile, in a tile stream by stream, real parts before imaginary ones, so this is part of
/// the result's definition.
const TILE: usize = SUBCARRIERS;
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
    pub colouring: &'a Columns,
    /// What one normalised complex entry is worth.
    pub scale: f64,
}

/// What is between one device's entries and their place in the sum.
pub(super) enum Misfit<'a> {
    /// M_n − I.
    Fixed(&'a Columns),
    /// M_n, turned by another angle on every subcarrier.
    Turned(&'a Columns, &'a [Complex<f64>; SUBCARRIERS]),
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

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
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
        BUFFERS.with_borrow_mut(|buffers| {
            buffers.fit(round.streams);
            wide::run(
                #[inline(always)]
                || receive(round, buffers, (parts, index * per_chunk), &mut noise, sum),
            )
        })
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

/// What one tile needs, kept from one to the next.
#[derive(Default)]
struct Buffers {
    /// One device's symbols, use by use, real and imaginary parts.
    sent: Vec<f64>,
    /// Σ_n (M_n − I) s_n by use and side.
    misalignment: Vec<Side>,
    /// C w by use and side.
    noise: Vec<Side>,
    /// M_n s_n by use and side.
    turned: Vec<Side>,
    /// w, stream by stream, real parts before imaginary ones.
    white: Vec<f32>,
    /// The error of each real entry, and the exact sum.
    errors: Vec<f64>,
    exact: Vec<f64>,
}

impl Buffers {
    /// Makes room for a tile of `streams` streams.
    fn fit(&mut self, streams: usize) {
        let numbers = 2 * streams * TILE;
        let sides = sides(streams) * TILE;
        self.white.resize(numbers, 0.0);
        for buffer in [&mut self.sent, &mut self.errors, &mut self.exact] {
            buffer.resize(numbers, 0.0);
        }
        for buffer in [&mut self.misalignment, &mut self.noise, &mut self.turned] {
            buffer.resize(sides, [0.0; SIDE]);
        }
    }
}

/// What a device sends, use by use.
struct Sent<'a> {
    parts: &'a [f64],
    streams: usize,
}

impl Symbols for Sent<'_> {
    #[inline(always)]
    fn at(&self, channel_use: usize, c: usize) -> (f64, f64) {
        let first = 2 * (channel_use * self.streams + c);
        (self.parts[first], self.parts[first + 1])
    }
}

/// White noise, stream by stream.
struct White<'a> {
    parts: &'a [f64],
    uses: usize,
}

impl Symbols for White<'_> {
    #[inline(always)]
    fn at(&self, channel_use: usize, c: usize) -> (f64, f64) {
        let first = 2 * c * self.uses + channel_use;
        (self.parts[first], self.parts[first + self.uses])
    }
}

/// Receives `sum`, whose first entry is entry `first` of the round.
#[inline(always)]
fn receive(
    round: &Round<'_>,
    buffers: &mut Buffers,
    (parts, first): (&[&[f32]], usize),
    noise: &mut Stream,
    sum: &mut [f32],
) -> Measured {
    match (round.streams, round.reals) {
        (4, 2) => receive_sized(round, buffers, (parts, first), noise, sum, (4, 2)),
        sizes => receive_sized(round, buffers, (parts, first), noise, sum, sizes),
    }
}

#[inline(always)]
fn receive_sized(
    round: &Round<'_>,
    buffers: &mut Buffers,
    (parts, first): (&[&[f32]], usize),
    noise: &mut Stream,
    sum: &mut [f32],
    (streams, reals): (usize, usize),
) -> Measured {
    let per_use = streams * reals;
    let sides = sides(streams);
    // Of error, misalignment and noise.
    let mut powers = [SquareSum::default(); 3];
    let (mut squared, mut signal) = (SquareSum::default(), SquareSum::default());
    for (index, received) in sum.chunks_mut(TILE * per_use).enumerate() {
        let start = first + index * TILE * per_use;
        let range = start..start + received.len();
        let uses = received.len().div_ceil(per_use);
        let Buffers {
            sent,
            misalignment,
            noise: coloured,
            turned,
            white,
            errors,
            exact,
        } = &mut *buffers;
        let misalignment = &mut misalignment[..uses * sides];
        let coloured = &mut coloured[..uses * sides];
        let exact = &mut exact[..received.len()];
        misalignment.fill([0.0; SIDE]);
        if round.misfits.is_some() {
            exact.fill(0.0);
        } else {
            exact_sum(parts, range.clone(), exact);
        }
        if let Some(misfits) = round.misfits {
            for (part, misfit) in parts.iter().zip(misfits) {
                load(
                    round.scale,
                    &part[range.clone()],
                    &mut sent[..2 * streams * uses],
                    exact,
                    reals,
                );
                misfit.add(&sent[..2 * streams * uses], turned, misalignment, streams);
            }
        }
        let white = &mut white[..2 * streams * uses];
        StandardNormal.fill(noise, white);
        coloured.fill([0.0; SIDE]);
        let sent = &mut sent[..white.len()];
        for (x, white) in sent.iter_mut().zip(&*white) {
            *x = f64::from(*white);
        }
        round
            .colouring
            .add_product(&White { parts: sent, uses }, coloured);
        let symbols = received.len().div_ceil(reals);
        measure(misalignment, coloured, (streams, symbols), &mut powers);
        signal.add(exact);
        let errors = &mut errors[..uses * per_use];
        for (errors, error) in errors
            .chunks_exact_mut(per_use)
            .zip(misalignment.chunks_exact(sides))
        {
            let error = error.as_flattened();
            for (errors, symbol) in errors.chunks_exact_mut(reals).zip(error.chunks_exact(2)) {
                errors.copy_from_slice(&symbol[..reals]);
            }
        }
        let errors = &errors[..received.len()];
        squared.add(errors);
        for ((received, exact), error) in received.iter_mut().zip(&*exact).zip(errors) {
            *received = (*exact + round.scale * error) as f32;
        }
    }
    let [error, misalignment, noise] = powers.map(SquareSum::total);
    Measured {
        error,
        misalignment,
        noise,
        squared: squared.total() * round.scale * round.scale,
        signal: signal.total(),
    }
}

/// Packs one device's entries into normalised symbols; what they do not fill is zero.
#[inline(always)]
fn load(scale: f64, entries: &[f32], sent: &mut [f64], exact: &mut [f64], reals: usize) {
    // A round of zeros has no scale and sends nothing.
    let factor = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    if reals == 2 {
        let (used, silent) = sent.split_at_mut(entries.len());
        for ((x, entry), exact) in used.iter_mut().zip(entries).zip(exact) {
            let entry = f64::from(*entry);
            *exact += entry;
            *x = entry * factor;
        }
        silent.fill(0.0);
        return;
    }
    sent.fill(0.0);
    for ((symbol, entry), exact) in sent.chunks_exact_mut(2).zip(entries).zip(exact) {
        let entry = f64::from(*entry);
        *exact += entry;
        symbol[0] = entry * factor;
    }
}

impl Misfit<'_> {
    /// Adds what a device that sends `sent` misses of its place in the sum.
    #[inline(always)]
    fn add(&self, sent: &[f64], turned: &mut [Side], misalignment: &mut [Side], streams: usize) {
        let sent = Sent {
            parts: sent,
            streams,
        };
        match self {
            Self::Fixed(deviation) => deviation.add_product(&sent, misalignment),
            Self::Turned(channel, turns) => {
                let turned = &mut turned[..misalignment.len()];
                turned.fill([0.0; SIDE]);
                channel.add_product(&sent, turned);
                let sides = sides(streams);
                let uses = misalignment
                    .chunks_exact_mut(sides)
                    .zip(turned.chunks_exact(sides));
                for (u, (missed, received)) in uses.enumerate() {
                    let turn = turns[u];
                    let symbols = missed.as_flattened_mut().chunks_exact_mut(2);
                    let received = received.as_flattened().chunks_exact(2);
                    for (c, (missed, received)) in symbols.zip(received).take(streams).enumerate() {
                        let (re, im) = (received[0], received[1]);
                        let (sent_re, sent_im) = sent.at(u, c);
                        missed[0] += turn.re * re - turn.im * im - sent_re;
                        missed[1] += turn.re * im + turn.im * re - sent_im;
                    }
                }
            }
        }
    }
}

/// Adds the powers of error, misalignment and noise over the `symbols` symbols that carry
/// entries, stream by stream; `misalignment` becomes the error.
#[inline(always)]
fn measure(
    misalignment: &mut [Side],
    noise: &[Side],
    (streams, symbols): (usize, usize),
    powers: &mut [SquareSum; 3],
) {
    let sides = sides(streams);
    let mut planes = [[0.0; TILE]; 3];
    let [error, missed, heard] = &mut planes;
    let all = misalignment.len() / sides;
    for l in 0..streams {
        let uses = (symbols + streams - 1 - l) / streams;
        for part in 0..2 {
            let (side, place) = ((2 * l + part) / SIDE, (2 * l + part) % SIDE);
            for u in 0..all {
                missed[u] = misalignment[u * sides + side][place];
                heard[u] = noise[u * sides + side][place];
            }
            for u in 0..TILE {
                error[u] = missed[u] + heard[u];
            }
            for (plane, power) in [&*error, &*missed, &*heard].into_iter().zip(&mut *powers) {
                power.add(&plane[..uses]);
            }
        }
    }
    for (error, noise) in misalignment.iter_mut().zip(noise) {
        for (error, noise) in error.iter_mut().zip(noise) {
            *error += noise;
        }
    }
}
