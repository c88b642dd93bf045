//! The inner loop of the over-the-air sum: tensors through L×L channels, plus noise.
//!
//! Channel uses are taken in tiles, and every step is the same few additions and products on
//! neighbouring numbers ([`columns`]). Every sum has one order fixed by the shapes, and there
//! is no fused multiply-add: neither the width at which the compiler vectorises ([`wide`]
//! picks the widest that the CPU has) nor the number of threads, which share a round by whole
//! [`CHUNK`]s, can change a bit.

mod columns;
mod symbols;
mod tile;

use super::sums::SquareSum;
use super::synchronisation::SUBCARRIERS;
use crate::rng::Stream;
use crate::wide;
pub(super) use columns::Columns;
use num_complex::Complex;
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::AddAssign;
use tile::Buffers;

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
            wide::run_widest(
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
    // Of error, misalignment and noise.
    let mut powers = [SquareSum::default(); 3];
    let (mut squared, mut signal) = (SquareSum::default(), SquareSum::default());
    for (index, received) in sum.chunks_mut(TILE * per_use).enumerate() {
        let start = first + index * TILE * per_use;
        let range = start..start + received.len();
        let mut tile = buffers.tile(received.len(), (streams, reals));
        tile.misalign(round, parts, range);
        tile.add_noise(round.colouring, noise);
        let symbols = received.len().div_ceil(reals);
        tile.measure(symbols, &mut powers);
        tile.unpack();
        let (errors, exact) = (&tile.errors[..received.len()], &*tile.exact);
        squared.add(errors);
        signal.add(exact);
        for ((received, exact), error) in received.iter_mut().zip(exact).zip(errors) {
            *received = (exact + round.scale * error) as f32;
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
