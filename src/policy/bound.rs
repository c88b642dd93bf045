//! What no transceiver can do better than.

use super::lbfgs::Lbfgs;
use super::span::Span;
use crate::radio::{Matrix, RadioError, TransceiverProblem, inverse, singular_values};
use num_complex::Complex;

/// Sharpness of the smoothed maximum, stage by stage, and the gain below which one ends.
const STAGES: [(f64, f64); 4] = [(4.0, 1e-5), (30.0, 1e-6), (300.0, 1e-7), (3000.0, 1e-8)];
/// Steps per stage.
const MAX_STEPS: usize = 200;
/// A gain below this fraction of the largest counts as none.
const SINGULAR: f64 = 1e-13;
/// Steps after which eigenvalues count as not found; a few per row are usual.
const EIGEN_STEPS: usize = 10_000;
/// Halvings of a bisection: enough for a double.
const HALVINGS: usize = 60;

/// A lower bound on the error (7) of every zero-forcing transceiver, that is on the exact
/// short-term problem P_s of Zhang et al. after their Lemma 1: σ_z² times the largest of
///
/// - for every device alone, (Σ_{i≤L} 1/σ_i(H_n))²/P_n over its L largest singular values;
/// - the convex problem that is left of (13) when the rank of Ĝ = GGᴴ is dropped and nothing
///   else, min over tr Ĝ = 1 of max_n tr[(H_nᴴĜH_n)⁻¹]/P_n, if every device has L antennas,
///   or the same with L²/tr(ĜH_nH_nᴴ) instead, if one has more.
///
/// The second is bounded by its dual, valid at any weights w_n ≥ 0, Σ w_n = 1, and any
/// Hermitian Y_n: (Σ w_n tr Y_n/P_n)²/λ_max(Σ (w_n/P_n) H_nY_n²H_nᴴ), evaluated where a
/// smoothed descent on the convex problem ends. In units of σ_z², summed over the L entries
/// of a use. For one device it is the optimum.
///
/// # Errors
/// [`RadioError::TooManyStreams`], or [`RadioError::SingularChannel`] if a device's channel
/// has a rank below L.
pub fn zero_forcing_bound(problem: &TransceiverProblem<'_>) -> Result<f64, RadioError> {
    let span = Span::new(problem)?;
    let mut alone: f64 = 0.0;
    for (gains, power) in all_gains(problem)?.iter().zip(problem.powers) {
        let sum = gains.iter().fold(0.0, |sum, x| sum + 1.0 / x.sqrt());
        alone = alone.max(sum * sum / power);
    }
    let together = Unranked::new(&span, problem).bound();
    Ok(problem.noise * alone.max(together))
}

/// A lower bound on the error (7) of every transceiver within the devices' power, aligned or
/// not. Were there one device, its least error at noise x would be
/// m_n(x) = Σ_{i≤L} x/(x + σ_i²(H_n) q_i) with powers q_i as water finds its level; with the
/// noise divided among the devices, θ_n ≥ 0 and Σ θ_n = 1,
///
/// (7) = Σ_n [‖AᴴH_nB_n − I‖² + θ_nσ_z² tr AᴴA] ≥ Σ_n m_n(θ_nσ_z²),
///
/// whose largest value over θ is returned: m_n is concave, so that all m_n' are then equal
/// where θ_n > 0. For one device it is the optimum.
///
/// # Errors
/// As [`zero_forcing_bound`].
pub fn least_error_bound(problem: &TransceiverProblem<'_>) -> Result<f64, RadioError> {
    problem.check_streams()?;
    let gains = all_gains(problem)?;
    let lone: Vec<Lone<'_>> = gains
        .iter()
        .zip(problem.powers)
        .map(|(gains, power)| Lone {
            gains,
            power: *power,
        })
        .collect();
    // The common slope: at zero all want more than there is, at the steepest nobody wants any.
    let (mut low, mut high) = (0.0, 0.0f64);
    for device in &lone {
        high = high.max(device.error(0.0).1);
    }
    let shares = |slope: f64| -> Vec<f64> {
        lone.iter()
            .map(|device| device.noise_at(slope, problem.noise))
            .collect()
    };
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        let wanted = shares(middle).iter().fold(0.0, |sum, x| sum + x);
        if wanted > problem.noise {
            low = middle;
        } else {
            high = middle;
        }
    }
    // What is left over goes to nobody: m_n rises with its noise, so the bound stays one.
    let noises = shares(high);
    Ok(lone
        .iter()
        .zip(&noises)
        .fold(0.0, |sum, (device, noise)| sum + device.error(*noise).0))
}

/// The L largest σ_i²(H_n) of every device.
fn all_gains(problem: &TransceiverProblem<'_>) -> Result<Vec<Vec<f64>>, RadioError> {
    let streams = problem.streams;
    let gains = |(device, channel): (usize, &Matrix)| {
        let mut values = singular_values(channel);
        values.truncate(streams);
        for value in &mut values {
            *value *= *value;
        }
        // A NaN is no gain either.
        if values
            .last()
            .is_some_and(|least| *least > SINGULAR * values[0])
        {
            Ok(values)
        } else {
            Err(RadioError::SingularChannel { device, streams })
        }
    };
    problem.channels.iter().enumerate().map(gains).collect()
}

/// One device that has the server to itself.
struct Lone<'a> {
    /// σ_i², descending.
    gains: &'a [f64],
    power: f64,
}

impl Lone<'_> {
    /// m(x) and m'(x) = tr AᴴA, for noise x ≥ 0.
    ///
    /// Powers are q_i = ν/σ_i − x/σ_i² on the streams where that is positive, with the level
    /// ν at which they sum to P.
    fn error(&self, noise: f64) -> (f64, f64) {
        let (mut inverse, mut level) = (0.0, 0.0);
        let mut used = 0;
        let mut spent = 0.0;
        // Strongest first: a stream is used while the level exceeds x/σ_i.
        for gain in self.gains {
            let (more, cost) = (inverse + 1.0 / gain.sqrt(), spent + 1.0 / gain);
            let next = (self.power + noise * cost) / more;
            if next <= noise / gain.sqrt() {
                break;
            }
            (inverse, spent, level) = (more, cost, next);
            used += 1;
        }
        let mut error = (self.gains.len() - used) as f64;
        let mut slope = 0.0;
        for gain in &self.gains[..used] {
            // x + σ²q = νσ.
            let total = level * gain.sqrt();
            error += noise / total;
            slope += (total - noise) / (total * total);
        }
        (error, slope)
    }

    /// The largest x ≤ `most` with m'(x) ≥ `slope`, zero if there is none.
    fn noise_at(&self, slope: f64, most: f64) -> f64 {
        if self.error(most).1 >= slope {
            return most;
        }
        let (mut low, mut high) = (0.0, most);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if self.error(middle).1 >= slope {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// (13) without the rank: Ĝ = FFᴴ with F ∈ C^{r×k}, k above the rank of the optimum.
struct Unranked<'a> {
    channels: &'a [Matrix],
    powers: &'a [f64],
    streams: usize,
    rows: usize,
    columns: usize,
    /// Whether every device has L antennas.
    square: bool,
}

/// One device's part at one point.
struct Part {
    /// FᴴH_n.
    seen: Matrix,
    /// (H_nᴴĜH_n)⁻¹, or L/tr(ĜH_nH_nᴴ) times I.
    y: Matrix,
    /// tr[(H_nᴴĜH_n)⁻¹], or L²/tr(ĜH_nH_nᴴ).
    demand: f64,
}

impl<'a> Unranked<'a> {
    fn new(span: &'a Span, problem: &'a TransceiverProblem<'_>) -> Self {
        let streams = problem.streams;
        Self {
            channels: &span.channels,
            powers: problem.powers,
            streams,
            rows: span.rows(),
            columns: span.rows().min(2 * streams + 4),
            square: span.channels.iter().all(|h| h.ncols() == streams),
        }
    }

    fn bound(&self) -> f64 {
        let mut f = vec![0.0; 2 * self.rows * self.columns];
        for l in 0..self.columns {
            f[2 * (l * self.rows + l)] = 1.0;
        }
        let mut minimiser = Lbfgs::new(f.len());
        let mut best: f64 = 0.0;
        for (sharpness, tolerance) in STAGES {
            minimiser.minimise(&mut f, tolerance, MAX_STEPS, |f, gradient| {
                self.smoothed(f, sharpness, gradient)
                    .unwrap_or(f64::INFINITY)
            });
            best = best.max(self.certificate(&f, sharpness).unwrap_or(0.0));
        }
        best
    }

    fn parts(&self, f: &Matrix) -> Option<Vec<Part>> {
        let part = |channel: &Matrix| {
            let seen = f.adjoint() * channel;
            let antennas = channel.ncols();
            let gram = seen.adjoint() * &seen;
            if self.square {
                let y = inverse(&gram)?;
                let demand = y.trace().re;
                Some(Part { seen, y, demand })
            } else {
                let level = self.streams as f64 / gram.trace().re;
                let y = Matrix::identity(antennas, antennas).scale(level);
                let demand = self.streams as f64 * level;
                demand.is_finite().then_some(Part { seen, y, demand })
            }
        };
        self.channels.iter().map(part).collect()
    }

    /// Weights w_n ∝ (demand_n/P_n)^sharpness, summing to one, and the smoothed maximum's
    /// logarithm.
    fn weights(&self, parts: &[Part], sharpness: f64) -> (Vec<f64>, f64) {
        let logarithms: Vec<f64> = parts
            .iter()
            .zip(self.powers)
            .map(|(part, power)| libm::log(part.demand / power))
            .collect();
        let largest = logarithms.iter().copied().fold(f64::MIN, f64::max);
        let mut weights: Vec<f64> = logarithms
            .iter()
            .map(|value| libm::exp(sharpness * (value - largest)))
            .collect();
        let sum = weights.iter().fold(0.0, |sum, x| sum + x);
        for weight in &mut weights {
            *weight /= sum;
        }
        (weights, largest + libm::log(sum) / sharpness)
    }

    /// ln tr FFᴴ + ln of the smoothed maximum, and its gradient by the real variables.
    fn smoothed(&self, f: &[f64], sharpness: f64, gradient: &mut [f64]) -> Option<f64> {
        let matrix = self.unpack(f);
        let parts = self.parts(&matrix)?;
        let (weights, value) = self.weights(&parts, sharpness);
        let norm = f.iter().fold(0.0, |sum, x| sum + x * x);
        let mut pull = Matrix::zeros(self.rows, self.columns);
        for ((part, weight), channel) in parts.iter().zip(weights).zip(self.channels) {
            // ∂ ln demand/∂F* = −H Y² (FᴴH)ᴴ/demand, for both kinds of Y.
            let inner = &part.y * &part.y * part.seen.adjoint();
            pull += (channel * inner).scale(weight / part.demand);
        }
        for ((slopes, f), pull) in gradient
            .chunks_exact_mut(2)
            .zip(f.chunks_exact(2))
            .zip(pull.iter())
        {
            slopes[0] = 2.0 * (f[0] / norm - pull.re);
            slopes[1] = 2.0 * (f[1] / norm - pull.im);
        }
        Some(value + libm::log(norm))
    }

    /// The dual's value at the weights and Y of a point.
    fn certificate(&self, f: &[f64], sharpness: f64) -> Option<f64> {
        let parts = self.parts(&self.unpack(f))?;
        let (weights, _) = self.weights(&parts, sharpness);
        let mut gain = 0.0;
        let mut load = Matrix::zeros(self.rows, self.rows);
        for ((part, weight), (channel, power)) in parts
            .iter()
            .zip(weights)
            .zip(self.channels.iter().zip(self.powers))
        {
            gain += weight * part.demand / power;
            let arriving = channel * &part.y;
            load += (&arriving * arriving.adjoint()).scale(weight / power);
        }
        let spectrum = load.try_symmetric_eigen(f64::EPSILON, EIGEN_STEPS)?;
        Some(gain * gain / spectrum.eigenvalues.max())
    }

    fn unpack(&self, f: &[f64]) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, l| {
            let entry = 2 * (l * self.rows + i);
            Complex::new(f[entry], f[entry + 1])
        })
    }
}
