//! eˣ for `f32`, to the bit.
//!
//! n = round(x · log₂e), r = x − n ln 2 in two steps (Cody and Waite, "Software
//! Manual for the Elementary Functions", 1980), eʳ ≈ 1 + r + r² q(r) on |r| ≤ ½ ln 2,
//! times 2ⁿ with a single rounding, so that subnormal results are rounded too.
//! q is a polynomial of degree 4 whose coefficients minimise the greatest relative error of
//! the whole.

use super::lanes::{Kernel, LANES, Lanes};
use super::path::Kernels;

/// Above this, eˣ overflows; below [`LEAST`], it rounds to zero.
const GREATEST: f32 = 89.0;
/// See [`GREATEST`].
const LEAST: f32 = -104.0;
/// 1.5 · 2²³: adding and subtracting it rounds a small value to an integer.
const ROUND: f32 = 12_582_912.0;
/// The first 15 bits of ln 2: times any n that occurs, still exact.
const LN2_HIGH: f32 = 0.693_145_75;
/// ln 2 − [`LN2_HIGH`].
const LN2_LOW: f32 = 1.428_606_8e-6;
/// q, highest power first.
const Q: [f32; 5] = [
    0.001_383_881_2,
    0.008_369_193,
    0.041_668_102,
    0.166_665_17,
    0.499_999_94,
];

/// eˣ in each lane; NaN stays NaN.
#[inline(always)]
pub(super) fn exp<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    let x = lanes.min(lanes.splat(GREATEST), x);
    let x = lanes.max(lanes.splat(LEAST), x);
    let scaled = lanes.mul(x, lanes.splat(std::f32::consts::LOG2_E));
    let round = lanes.splat(ROUND);
    let n = lanes.sub(lanes.add(scaled, round), round);
    let r = lanes.mul_add(n, lanes.splat(-LN2_HIGH), x);
    let r = lanes.mul_add(n, lanes.splat(-LN2_LOW), r);
    let mut q = lanes.splat(Q[0]);
    for coefficient in &Q[1..] {
        q = lanes.mul_add(q, r, lanes.splat(*coefficient));
    }
    let one = lanes.splat(1.0);
    let linear = lanes.mul_add(lanes.mul(r, r), q, r);
    lanes.scale(lanes.add(linear, one), n)
}

impl Kernels {
    /// Replaces each x by eˣ, with an error below 1 unit in the last place (see the
    /// module's test); NaN by `f32::NAN`.
    pub fn exp(self, values: &mut [f32]) {
        self.enter(Exp { values });
    }
}

struct Exp<'a> {
    values: &'a mut [f32],
}

impl Kernel for Exp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for chunk in self.values.chunks_mut(LANES) {
            let result = exp(lanes, lanes.load_or(chunk, 0.0));
            lanes.store_up_to(lanes.canonical(result), chunk);
        }
    }
}
