//! The least error (7) of Zhang et al. that a combiner A ∈ C^{r×L} allows, every device
//! sending as well as its power lets it, and its gradient.
//!
//! With F_n = AᴴH_n and M_n = (F_nF_nᴴ + λ_nI)⁻¹, device n sends B_n = F_nᴴM_n with the least
//! λ_n ≥ 0 that keeps ‖B_n‖² ≤ P_n, what it misses of its identity is −λ_nM_n, and since that
//! choice is the best one, the gradient is that at fixed B_n:
//!
//! E(A) = σ_z² tr AAᴴ + Σ_n λ_n² tr M_n²,  ∂E/∂A* = σ_z² A − Σ_n λ_n H_nF_nᴴM_n².
//!
//! A device that is aligned within its power, λ_n = 0, adds nothing to either: only the
//! weakest few do.

use super::crowd::Crowd;
use super::lanes::{ComplexLanes, WIDTH, ZERO};
use super::small::Small;
use crate::radio::{Matrix, Transceiver};
use crate::wide;
use num_complex::Complex;

/// Newton steps for the λ_n of a group; 1 to 4 are usual from those of the point before.
const MAX_STEPS: usize = 40;
/// Relative distance of ‖B‖² from P at which λ is found.
const TOLERANCE: f64 = 1e-9;
/// Below this fraction of its terms a difference is rounding.
const ROUNDING: f64 = 1e-8;
/// Devices that would be aligned with this fraction of their power are not looked at.
const AT_EASE: f64 = 0.5;

/// E on one set of channels, with its buffers.
#[derive(Debug)]
pub(super) struct Shortfall<'a> {
    channels: &'a [Matrix],
    limits: &'a [f64],
    crowd: Crowd,
    small: Small,
    noise: f64,
    streams: usize,
    /// Groups that are looked at.
    active: usize,
    /// λ_n by slot.
    lambda: Vec<[f64; WIDTH]>,
    /// P_n by slot; without a device, infinite.
    powers: Vec<[f64; WIDTH]>,
    /// ‖B_n‖²/P_n by slot.
    spent: Vec<[f64; WIDTH]>,
    /// λ_n F_nᴴ M_n² of a group, by stream and antenna.
    pulls: Vec<ComplexLanes>,
}

impl<'a> Shortfall<'a> {
    /// `channels` H_n ∈ C^{r×N_t,n} of one height; `limits` P_n > 0; `noise` σ_z² > 0;
    /// `streams` L ≤ N_t,n.
    pub(super) fn new(
        channels: &'a [Matrix],
        limits: &'a [f64],
        noise: f64,
        streams: usize,
    ) -> Self {
        let crowd = Crowd::new(channels, streams);
        let groups = crowd.groups();
        let mut made = Self {
            channels,
            limits,
            small: Small::new(streams, crowd.antennas),
            noise,
            streams,
            active: groups,
            lambda: vec![[0.0; WIDTH]; groups],
            powers: vec![[f64::INFINITY; WIDTH]; groups],
            spent: vec![[0.0; WIDTH]; groups],
            pulls: vec![ZERO; streams * crowd.antennas],
            crowd,
        };
        made.limit();
        made
    }

    /// Writes down the limits in the order of the slots.
    fn limit(&mut self) {
        for (slot, device) in self.crowd.order.iter().enumerate() {
            self.powers[slot / WIDTH][slot % WIDTH] = self.limits[*device];
        }
    }

    /// E(A) over everybody, who then are all looked at.
    pub(super) fn exact(&mut self, a: &[f64], gradient: &mut [f64]) -> f64 {
        self.active = self.crowd.groups();
        self.value(a, gradient)
    }

    /// After [`exact`](Self::exact): looks from now on at those alone who are short of power
    /// or nearly so.
    pub(super) fn narrow(&mut self) {
        let need = |slot: usize| self.spent[slot / WIDTH][slot % WIDTH];
        let lambda = |slot: usize| self.lambda[slot / WIDTH][slot % WIDTH];
        let mut ranked: Vec<usize> = (0..self.crowd.devices).collect();
        ranked.sort_unstable_by(|&i, &j| {
            lambda(j)
                .total_cmp(&lambda(i))
                .then(need(j).total_cmp(&need(i)))
                .then(i.cmp(&j))
        });
        let close = |slot: &&usize| lambda(**slot) > 0.0 || need(**slot) > AT_EASE;
        let short = ranked.iter().take_while(close).count();
        let lambdas: Vec<f64> = ranked.iter().map(|slot| lambda(*slot)).collect();
        self.crowd.arrange(self.channels, &ranked);
        for (slot, value) in lambdas.into_iter().enumerate() {
            self.lambda[slot / WIDTH][slot % WIDTH] = value;
        }
        self.limit();
        self.active = short.div_ceil(WIDTH).max(1);
    }

    /// E(A) over those looked at, and its gradient by the real variables (two per entry,
    /// column by column); infinite where a device hears nothing of a stream.
    pub(super) fn value(&mut self, a: &[f64], gradient: &mut [f64]) -> f64 {
        wide::run(
            #[inline(always)]
            || self.evaluate(a, gradient),
        )
    }

    #[inline(always)]
    fn evaluate(&mut self, a: &[f64], gradient: &mut [f64]) -> f64 {
        let mut error = 0.0;
        for (slope, x) in gradient.iter_mut().zip(a) {
            error += x * x;
            *slope = 2.0 * self.noise * x;
        }
        error *= self.noise;
        self.crowd.rest();
        for group in 0..self.active {
            if !self.precode(group, a) {
                return f64::INFINITY;
            }
            let lambda = self.lambda[group];
            if lambda == [0.0; WIDTH] {
                continue;
            }
            let missed = self.small.square_trace();
            for (lambda, missed) in lambda.iter().zip(missed) {
                error += lambda * lambda * missed;
            }
            self.small.pulls(&mut self.pulls);
            let factors = lambda.map(|lambda| -2.0 * lambda);
            for pull in &mut self.pulls {
                pull.scale(&factors);
            }
            self.crowd.pull(group, &self.pulls);
        }
        self.crowd.collect(gradient);
        error
    }

    /// λ, M and M² (unless all λ are zero) of a group; false if F Fᴴ has no inverse.
    ///
    /// Newton on 1/‖B‖ − 1/√P as in [`super::multiplier`]: concave in λ, so that from
    /// anywhere the first step ends left of the root, or at zero, and the next ones rise.
    #[inline(always)]
    fn precode(&mut self, group: usize, a: &[f64]) -> bool {
        let small = &mut self.small;
        small.see(self.crowd.group(group), a);
        let limits = self.powers[group];
        let mut lambda = self.lambda[group];
        for _ in 0..MAX_STEPS {
            if !small.invert(&lambda) {
                return false;
            }
            let aligned = lambda == [0.0; WIDTH];
            let radiated = if aligned {
                small.trace()
            } else {
                small.square();
                small.radiated()
            };
            let mut spent = radiated;
            for (spent, limit) in spent.iter_mut().zip(&limits) {
                *spent /= limit;
            }
            self.spent[group] = spent;
            let settled = |k: usize| {
                (spent[k] - 1.0).abs() <= TOLERANCE || (lambda[k] == 0.0 && spent[k] <= 1.0)
            };
            let unsettled: [bool; WIDTH] = std::array::from_fn(|k| !settled(k));
            if unsettled == [false; WIDTH] {
                break;
            }
            if aligned {
                small.square();
            }
            let (squares, cubes) = (small.square_trace(), small.cube_trace());
            for k in (0..WIDTH).filter(|k| unsettled[*k]) {
                let excess = spent[k].sqrt();
                // tr(F Fᴴ M³)
                let slope = squares[k] - lambda[k] * cubes[k];
                // Where the difference is rounding, λ is far above the spectrum and
                // ‖B‖ falls as 1/λ.
                lambda[k] = if slope > ROUNDING * squares[k] {
                    (lambda[k] + radiated[k] / slope * (excess - 1.0)).max(0.0)
                } else {
                    lambda[k] * excess
                };
            }
        }
        self.lambda[group] = lambda;
        true
    }

    /// The transceiver of combiner `a` and everybody's best precoders, each within its limit;
    /// `None` where [`value`](Self::value) is infinite.
    pub(super) fn transceiver(&mut self, a: &[f64]) -> Option<Transceiver> {
        let (streams, antennas) = (self.streams, self.crowd.antennas);
        let mut precoders = vec![Matrix::zeros(0, 0); self.crowd.devices];
        for group in 0..self.crowd.groups() {
            if !self.precode(group, a) {
                return None;
            }
            self.small.precoders(&mut self.pulls);
            let slots = self.crowd.order.iter().skip(group * WIDTH).take(WIDTH);
            for (lane, device) in slots.enumerate() {
                let entry = |t: usize, l: usize| {
                    let lanes = &self.pulls[l * antennas + t];
                    Complex::new(lanes.re[lane], lanes.im[lane])
                };
                let mut precoder = Matrix::from_fn(self.channels[*device].ncols(), streams, entry);
                let spent = precoder.iter().fold(0.0, |sum, x| sum + x.norm_sqr());
                let excess = (spent / self.limits[*device]).sqrt().max(1.0);
                if excess > 1.0 {
                    precoder.iter_mut().for_each(|x| *x /= excess);
                }
                precoders[*device] = precoder;
            }
        }
        let rows = self.crowd.rows;
        let combiner = Matrix::from_fn(rows, streams, |r, l| {
            let entry = 2 * (l * rows + r);
            Complex::new(a[entry], a[entry + 1])
        });
        Some(Transceiver {
            combiner,
            precoders,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sum_error::SumError;
    use super::*;
    use crate::radio::Fading;
    use crate::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Streams};

    const SEEDS: Streams = Streams { seed: 4, run: 0 };

    /// Devices near and far, some short of power and some not.
    fn fleet(devices: usize) -> (Vec<Matrix>, Vec<f64>) {
        let antennas = |n: usize| 3 + n % 2;
        let channels = (0..devices).map(|n| Fading::default().draw(SEEDS, n, 0, 7, antennas(n)));
        let powers = (0..devices).map(|n| 0.01 * (1 << (2 * n % 11)) as f64);
        (channels.collect(), powers.collect())
    }

    fn combiner(entries: usize) -> Vec<f64> {
        let mut a = vec![0.0; entries];
        StandardNormal.fill(&mut SEEDS.open("test.start", NO_DEVICE, 0), &mut a);
        a
    }

    /// The other route diagonalises F Fᴴ and solves for λ from its eigenvalues.
    #[test]
    fn the_error_and_the_precoders_are_those_of_the_eigenvalues() {
        for (devices, streams) in [(5, 2), (8, 3), (11, 1)] {
            let (channels, powers) = fleet(devices);
            let a = combiner(2 * 7 * streams);
            let mut gradient = vec![0.0; a.len()];
            let mut errors = Shortfall::new(&channels, &powers, 0.3, streams);
            let found = errors.exact(&a, &mut gradient);
            let mut other = SumError::new(&channels, &powers, 0.3, streams);
            let expected = other.precode(&a);
            assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}");
            errors.narrow();
            let narrowed = errors.value(&a, &mut gradient);
            assert!((narrowed / expected - 1.0).abs() < 1e-8);
            let ours = errors.transceiver(&a).unwrap();
            let theirs = other.transceiver(ours.combiner.clone());
            for (ours, theirs) in ours.precoders.iter().zip(&theirs.precoders) {
                assert!((ours - theirs).norm() < 1e-7 * theirs.norm());
            }
        }
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let (channels, powers) = fleet(9);
        let mut errors = Shortfall::new(&channels, &powers, 0.3, 2);
        let mut a = combiner(2 * 7 * 2);
        let (mut gradient, mut scrap) = (vec![0.0; a.len()], vec![0.0; a.len()]);
        errors.exact(&a, &mut gradient);
        for k in 0..a.len() {
            let (here, step) = (a[k], 1e-5);
            a[k] = here + step;
            let above = errors.value(&a, &mut scrap);
            a[k] = here - step;
            let below = errors.value(&a, &mut scrap);
            a[k] = here;
            let slope = (above - below) / (2.0 * step);
            assert!(
                (slope - gradient[k]).abs() < 1e-4 * (1.0 + slope.abs()),
                "{k}"
            );
        }
    }

    #[test]
    fn a_device_that_hears_nothing_of_a_stream_has_no_error() {
        let (channels, powers) = fleet(5);
        let mut errors = Shortfall::new(&channels, &powers, 0.3, 2);
        let silent = vec![0.0; 2 * 7 * 2];
        let mut scrap = silent.clone();
        assert_eq!(errors.exact(&silent, &mut scrap), f64::INFINITY);
        assert!(errors.transceiver(&silent).is_none());
    }
}
