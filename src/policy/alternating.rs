//! Alternating minimisation of the exact error under a power limit.

use super::descent::{Descent, FEW};
use super::lbfgs::Lbfgs;
use super::shortfall::Shortfall;
use super::span::Span;
use super::sum_error::SumError;
use crate::radio::{
    Matrix, RadioError, Transceiver, TransceiverDesign, TransceiverProblem, adjoint_product,
};
use crate::units::FieldFault;
use num_complex::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Times that the devices to be looked at are chosen again.
const CHOICES: usize = 3;
/// The fraction of the error that devices not looked at may add unnoticed.
const UNNOTICED: f64 = 1e-6;

/// Minimises the error (7) of Zhang et al. itself, misalignment and noise together, where
/// the paper's zero-forcing (12) forbids misalignment at any price: a device in a fade
/// then makes everybody listen to more noise. From the [`Descent`], two steps take turns,
/// each exact, so that the error never rises:
///
/// - the devices: B_n = Fᴴ(F Fᴴ + λ_nI)⁻¹ with F = AᴴH_n, least squares within
///   ‖B_n‖² ≤ P_n;
/// - the server: A = (Σ H_nB_nB_nᴴH_nᴴ + σ_z² I)⁻¹ Σ H_nB_n, the MMSE combiner.
///
/// The lower the SNR, the more it gains; where it gains nothing it is the descent. Beyond
/// four devices turns are many, and most devices, aligned within their power, change
/// nothing: there L-BFGS descends on the error as a function of the combiner alone, the
/// devices always doing the first step, and looks at those who are short of power or
/// nearly so.
///
/// (7) takes partial outputs for independent and all as loud as the loudest, whose scale
/// they share. Real ones are neither, and the two pull apart: alike in sign, they make
/// misalignment dearer, for its shrinkages add up; being quieter, they make it cheaper. On
/// the bundled LLaMA at 0 dB the first counts 1.3, 1.4 and 1.6 times for 2, 4 and 8
/// devices, the second .89, .67 and .52 times, and together the misalignment felt is 1.1,
/// .9 and .7 of what (7) says: the more devices, the more (7) exaggerates. The noise is
/// what (7) says on any tensors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlternatingMmse {
    /// Turns, or steps, after which it stops. Default 100.
    pub max_turns: usize,
    /// It also stops when a turn, or a step, lowers the error by less than this fraction. Default 1e-4.
    pub tolerance: f64,
}

impl Default for AlternatingMmse {
    fn default() -> Self {
        Self {
            max_turns: 100,
            tolerance: 1e-4,
        }
    }
}

impl TransceiverDesign for AlternatingMmse {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        if problem.channels.len() > FEW {
            return self.among_many(problem);
        }
        let span = Span::new(problem)?;
        let aligned = Descent::default().within(&span, problem)?;
        let start = adjoint_product(&span.basis, &aligned.combiner);
        let mut errors = SumError::new(
            &span.channels,
            problem.powers,
            problem.noise,
            problem.streams,
        );
        let mut combiner: Vec<f64> = start.iter().flat_map(|x| [x.re, x.im]).collect();
        let mut error = errors.precode(&combiner);
        let first = error;
        let mut best = combiner.clone();
        for _ in 0..self.max_turns {
            if !errors.combine(&mut combiner) {
                break;
            }
            let next = errors.precode(&combiner);
            if next.is_nan() || next >= error {
                break;
            }
            best.copy_from_slice(&combiner);
            let gain = error - next;
            error = next;
            if gain < self.tolerance * next {
                break;
            }
        }
        if error >= first {
            return Ok(aligned);
        }
        errors.precode(&best);
        let entry = |r: usize, l: usize| {
            let first = 2 * (l * span.rows() + r);
            Complex::new(best[first], best[first + 1])
        };
        let inside = Matrix::from_fn(span.rows(), problem.streams, entry);
        let found = errors.transceiver(span.outwards(&inside));
        // Rounding may eat the last of a gain.
        let total = |transceiver: &Transceiver| {
            let error = transceiver.mean_squared_error(problem);
            error.misalignment + error.noise
        };
        Ok(if total(&found) < total(&aligned) {
            found
        } else {
            aligned
        })
    }
}

impl AlternatingMmse {
    fn among_many(self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        let (rows, streams) = (problem.channels[0].nrows(), problem.streams);
        let search = Descent::default().among_many(problem)?;
        let aligned = || Transceiver::zero_forcing(&search.direction(rows, streams), problem);
        let squares = |x: &[f64]| x.iter().fold(0.0, |sum, x| sum + x * x);
        if search.least.is_infinite() {
            return aligned();
        }
        // A = √α G/‖G‖, in units of its norm: the minimiser's first step is as long as they.
        let (length, norm) = (search.least.sqrt(), squares(&search.best).sqrt());
        let mut direction: Vec<f64> = search.best.iter().map(|x| x / norm).collect();
        let mut a: Vec<f64> = direction.iter().map(|x| x * length).collect();
        let mut gradient = vec![0.0; a.len()];
        let mut errors = Shortfall::new(problem.channels, problem.powers, problem.noise, streams);
        let mut minimiser = Lbfgs::new(a.len());
        let first = errors.exact(&a, &mut gradient);
        let (mut least, mut best) = (first, a.clone());
        for _ in 0..CHOICES {
            errors.narrow();
            minimiser.minimise(
                &mut direction,
                self.tolerance,
                self.max_turns,
                |x, slopes| {
                    set(&mut a, x, length);
                    let value = errors.value(&a, slopes);
                    for slope in slopes {
                        *slope *= length / value;
                    }
                    libm::log(value)
                },
            );
            set(&mut a, &direction, length);
            let seen = errors.value(&a, &mut gradient);
            let error = errors.exact(&a, &mut gradient);
            if error < least {
                least = error;
                best.copy_from_slice(&a);
            }
            if error.is_nan() || error <= seen * (1.0 + UNNOTICED) {
                break;
            }
        }
        if least < first {
            errors.transceiver(&best).map_or_else(aligned, Ok)
        } else {
            aligned()
        }
    }

    /// Checks the fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::if_negative("tolerance", self.tolerance)
    }
}

/// `a` = `length` times `direction`.
fn set(a: &mut [f64], direction: &[f64], length: f64) {
    for (a, x) in a.iter_mut().zip(direction) {
        *a = x * length;
    }
}
