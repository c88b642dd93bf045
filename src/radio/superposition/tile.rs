//! One tile: what devices send, what of it misses its place, noise, and the powers of both.

use super::columns::{Columns, SIDE, Side, sides};
use super::symbols::{Sent, Symbols, White};
use super::{Misfit, Round, TILE};
use crate::radio::sums::{SquareSum, exact_sum};
use crate::rng::{BulkDistribution, StandardNormal, Stream};
use std::ops::Range;

/// What one tile needs, kept from one to the next.
#[derive(Default)]
pub(super) struct Buffers {
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
    pub(super) fn fit(&mut self, streams: usize) {
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

impl Buffers {
    /// What a tile of `entries` entries needs of them.
    #[inline(always)]
    pub(super) fn tile(&mut self, entries: usize, (streams, reals): (usize, usize)) -> Tile<'_> {
        let uses = entries.div_ceil(streams * reals);
        let (numbers, sides) = (2 * streams * uses, sides(streams) * uses);
        Tile {
            streams,
            reals,
            uses,
            sent: &mut self.sent[..numbers],
            error: &mut self.misalignment[..sides],
            noise: &mut self.noise[..sides],
            turned: &mut self.turned[..sides],
            white: &mut self.white[..numbers],
            errors: &mut self.errors[..streams * reals * uses],
            exact: &mut self.exact[..entries],
        }
    }
}

/// One tile on its way.
pub(super) struct Tile<'a> {
    streams: usize,
    reals: usize,
    uses: usize,
    sent: &'a mut [f64],
    /// The misalignment, to which noise comes when both are measured.
    error: &'a mut [Side],
    noise: &'a mut [Side],
    turned: &'a mut [Side],
    white: &'a mut [f32],
    pub(super) errors: &'a mut [f64],
    pub(super) exact: &'a mut [f64],
}

impl Tile<'_> {
    /// Σ_n (M_n − I) s_n and Σ_n z_n over the entries of `range`.
    #[inline(always)]
    pub(super) fn misalign(&mut self, round: &Round<'_>, parts: &[&[f32]], range: Range<usize>) {
        self.error.fill([0.0; SIDE]);
        let Some(misfits) = round.misfits else {
            exact_sum(parts, range, self.exact);
            return;
        };
        self.exact.fill(0.0);
        for (part, misfit) in parts.iter().zip(misfits) {
            let part = &part[range.clone()];
            load(round.scale, part, self.sent, self.exact, self.reals);
            misfit.add(self.sent, self.turned, self.error, self.streams);
        }
    }

    /// Adds the powers of error, misalignment and noise over the `symbols` symbols that carry
    /// entries.
    #[inline(always)]
    pub(super) fn measure(&mut self, symbols: usize, powers: &mut [SquareSum; 3]) {
        add_powers(self.error, self.noise, (self.streams, symbols), powers);
    }

    /// C w.
    #[inline(always)]
    pub(super) fn add_noise(&mut self, colouring: &Columns, noise: &mut Stream) {
        StandardNormal.fill(noise, self.white);
        for (x, white) in self.sent.iter_mut().zip(&*self.white) {
            *x = f64::from(*white);
        }
        let white = White {
            parts: self.sent,
            uses: self.uses,
        };
        self.noise.fill([0.0; SIDE]);
        colouring.add_product(&white, self.noise);
    }

    /// The error of each real entry.
    #[inline(always)]
    pub(super) fn unpack(&mut self) {
        let per_use = self.streams * self.reals;
        let uses = self.error.chunks_exact(sides(self.streams));
        for (errors, error) in self.errors.chunks_exact_mut(per_use).zip(uses) {
            let symbols = error.as_flattened().chunks_exact(2);
            for (errors, symbol) in errors.chunks_exact_mut(self.reals).zip(symbols) {
                errors.copy_from_slice(&symbol[..self.reals]);
            }
        }
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
fn add_powers(
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
