//! Symbols of one tile as planes: one per stream and part, uses side by side.

use super::super::matrix::Matrix;
use super::super::sums::SquareSum;
use super::super::synchronisation::SUBCARRIERS;
use num_complex::Complex;

/// Channel uses per tile: their planes fit the first-level cache. Noise is drawn tile
/// by tile and plane by plane (stream, then part), so this is part of the result's
/// definition.
pub(super) const TILE: usize = SUBCARRIERS;
/// Uses whose sums are formed side by side.
const BESIDE: usize = 8;

/// A plane of one tile: one part of one stream over its uses.
pub(super) type Plane = [f64; TILE];

/// Real and imaginary planes of every stream.
pub(super) struct Planes {
    pub(super) re: Vec<Plane>,
    pub(super) im: Vec<Plane>,
}

impl Planes {
    pub(super) fn new(streams: usize) -> Self {
        Self {
            re: vec![[0.0; TILE]; streams],
            im: vec![[0.0; TILE]; streams],
        }
    }

    pub(super) fn clear(&mut self) {
        self.re.fill([0.0; TILE]);
        self.im.fill([0.0; TILE]);
    }

    /// self\[row\] += factor · (re + i im).
    #[inline(always)]
    pub(super) fn add_scaled(&mut self, row: usize, factor: Complex<f64>, re: &Plane, im: &Plane) {
        let (out_re, out_im) = (&mut self.re[row], &mut self.im[row]);
        for u in 0..TILE {
            out_re[u] += factor.re * re[u] - factor.im * im[u];
            out_im[u] += factor.re * im[u] + factor.im * re[u];
        }
    }

    /// self += M · sent, a few uses at a time so that sums stay in registers.
    #[inline(always)]
    pub(super) fn add_product(&mut self, m: &Matrix, sent: &Self) {
        let streams = self.re.len();
        for first in (0..TILE).step_by(BESIDE) {
            let uses = first..first + BESIDE;
            for row in 0..streams {
                let (mut re, mut im) = ([0.0; BESIDE], [0.0; BESIDE]);
                re.copy_from_slice(&self.re[row][uses.clone()]);
                im.copy_from_slice(&self.im[row][uses.clone()]);
                for column in 0..streams {
                    let factor = m[(row, column)];
                    let sent_re = &sent.re[column][uses.clone()];
                    let sent_im = &sent.im[column][uses.clone()];
                    for k in 0..BESIDE {
                        re[k] += factor.re * sent_re[k] - factor.im * sent_im[k];
                        im[k] += factor.re * sent_im[k] + factor.im * sent_re[k];
                    }
                }
                self.re[row][uses.clone()].copy_from_slice(&re);
                self.im[row][uses.clone()].copy_from_slice(&im);
            }
        }
    }

    /// self += turn · received − sent, use by use.
    #[inline(always)]
    pub(super) fn add_turned(
        &mut self,
        turns: &[Complex<f64>; TILE],
        received: &Self,
        sent: &Self,
    ) {
        for l in 0..self.re.len() {
            for (u, turn) in turns.iter().enumerate() {
                let (re, im) = (received.re[l][u], received.im[l][u]);
                self.re[l][u] += turn.re * re - turn.im * im - sent.re[l][u];
                self.im[l][u] += turn.re * im + turn.im * re - sent.im[l][u];
            }
        }
    }

    /// Σ|·|² of the first `uses` uses of a stream.
    #[inline(always)]
    pub(super) fn add_power(&self, stream: usize, uses: usize, sum: &mut SquareSum) {
        sum.add(&self.re[stream][..uses]);
        sum.add(&self.im[stream][..uses]);
    }
}
