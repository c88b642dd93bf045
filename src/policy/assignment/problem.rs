//! What an assignment can know: budgets, speeds, and the channels' statistics.

use super::AssignmentError;
use crate::interrupt::Interrupted;
use crate::model::Shares;
use crate::policy::Descent;
use crate::radio::{Matrix, RadioError, TransceiverDesign, TransceiverProblem};
use crate::units::FieldFault;
use std::fmt;
use std::ops::Range;

/// How sharply the devices' use of their power is weighed against each other: that of the
/// descent's last stage, of whose smoothed optimum the weights are the duals.
const SHARPNESS: f64 = 300.0;

/// A quantity that grows with a device's share m: constant + slope · m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// What does not depend on the share.
    pub constant: f64,
    /// What the whole model would add.
    pub slope: f64,
}

impl Affine {
    /// Its value at the share `m`.
    pub fn at(self, m: f64) -> f64 {
        self.constant + self.slope * m
    }
}

/// The long-term problem (11) of Zhang et al., "Distributed On-Device LLM Inference With
/// Over-the-Air Computation", in numbers.
///
/// All slices are in device order. Where compute and radio share a budget, budgets and
/// demands are joules per all-reduce of one token's vector; elsewhere demands are zero and
/// budgets are power.
#[derive(Debug, Clone, Copy)]
pub struct AssignmentProblem<'a> {
    /// P_n > 0.
    pub budgets: &'a [f64],
    /// e_n s_tot/2: what computing the whole model would take of P_n.
    pub demands: &'a [f64],
    /// Seconds that a device's part of attention and of the feed-forward network of one
    /// layer takes for one token.
    pub halves: [&'a [Affine]; 2],
    /// The radio, if devices combine over the air.
    pub combining: Option<Combining<'a>>,
}

/// Over-the-air combining on sampled channels.
#[derive(Clone, Copy)]
pub struct Combining<'a> {
    /// L.
    pub streams: usize,
    /// σ_z², units per receive antenna and channel use.
    pub noise: f64,
    /// Units of tr(B_n B_nᴴ) per unit of P'_n, in device order.
    pub power: &'a [f64],
    /// Sample number i of all channels: independent draws of the run's statistics. Its only
    /// error is that the work be given up.
    pub sample: &'a dyn Fn(u64) -> Result<Vec<Matrix>, Interrupted>,
}

impl fmt::Debug for Combining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Combining")
            .field("streams", &self.streams)
            .field("noise", &self.noise)
            .field("power", &self.power)
            .finish_non_exhaustive()
    }
}

/// A mean over channel samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// 1.96 standard errors: half of its 95 % confidence interval.
    pub half_width: f64,
}

impl Estimate {
    /// Of a sample; the half width of fewer than two values is infinite.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        let half_width = if values.len() > 1 {
            1.96 * (squares / (count - 1.0) / count).sqrt()
        } else {
            f64::INFINITY
        };
        Self { mean, half_width }
    }
}

/// The optimum of the short-term problem on one channel sample.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleError {
    /// The error (7) per complex entry.
    pub error: f64,
    /// ζ_n ≥ 0, Σ ζ_n = 1: how much of the error each device is answerable for, in that
    /// ∂ ln error/∂ ln P'_n = −ζ_n.
    pub answerable: Vec<f64>,
}

impl AssignmentProblem<'_> {
    /// N.
    pub fn devices(&self) -> usize {
        self.budgets.len()
    }

    /// e_n m_n s_tot/2 of the shares `m`.
    pub fn compute(&self, m: &[f64]) -> Vec<f64> {
        self.demands.iter().zip(m).map(|(d, m)| d * m).collect()
    }

    /// Seconds of compute per layer and token: each half waits for its slowest device.
    /// `m` are the shares of attention and of the feed-forward network.
    pub fn latency(&self, m: [&[f64]; 2]) -> f64 {
        let slowest = |(half, m): (&[Affine], &[f64])| {
            let times = half.iter().zip(m).map(|(time, m)| time.at(*m));
            times.fold(0.0, f64::max)
        };
        self.halves.into_iter().zip(m).map(slowest).sum()
    }

    /// The short-term problem on one channel sample, given what each device's compute
    /// takes of its budget.
    ///
    /// With P'_n = P_n − compute_n the error is σ_z² α/L, α the optimum of (13), found by
    /// [`Descent`]. Its precoders are zero-forcing, so that device n uses the fraction
    /// r_n = a_n/max_m a_m of its power, with the a_n of (13); ζ_n = r_nᵖ/Σ r_mᵖ are the
    /// weights of the descent's smoothed maximum. By the envelope theorem, with A and B
    /// optimal,
    ///
    /// ∂α/∂m_n = α ζ_n e_n s_tot/(2 P'_n).
    ///
    /// # Errors
    /// If the channels cannot carry the streams, or the work is given up.
    ///
    /// # Panics
    /// If nothing is combined over the air.
    pub fn sample_error(&self, compute: &[f64], sample: u64) -> Result<SampleError, RadioError> {
        let air = self
            .combining
            .expect("asked only of what combines over the air");
        let headroom = self.budgets.iter().zip(compute).map(|(p, c)| p - c);
        let powers: Vec<f64> = headroom.zip(air.power).map(|(left, k)| left * k).collect();
        let problem = TransceiverProblem {
            channels: &(air.sample)(sample)?,
            powers: &powers,
            noise: air.noise,
            streams: air.streams,
        };
        let transceiver = Descent::default().design(&problem)?;
        let error = transceiver.mean_squared_error(&problem).noise / air.streams as f64;
        let mut answerable: Vec<f64> = powers
            .iter()
            .enumerate()
            .map(|(n, limit)| libm::pow(transceiver.radiated(n) / limit, SHARPNESS))
            .collect();
        let sum: f64 = answerable.iter().sum();
        for weight in &mut answerable {
            *weight /= sum;
        }
        Ok(SampleError { error, answerable })
    }

    /// The mean of the error (7) per complex entry over the channel samples `samples`.
    ///
    /// # Errors
    /// Those of [`sample_error`](Self::sample_error).
    pub fn mean_error(&self, compute: &[f64], samples: Range<u64>) -> Result<Estimate, RadioError> {
        let errors: Result<Vec<f64>, RadioError> = samples
            .map(|sample| Ok(self.sample_error(compute, sample)?.error))
            .collect();
        Ok(Estimate::of(&errors?))
    }

    /// The most of the model that device n may hold: min(cap, 0.98 P_n/(e_n s_tot/2)), so
    /// that a fiftieth of its budget is left to send with.
    pub(super) fn caps(&self, cap: f64) -> Vec<f64> {
        let pairs = self.budgets.iter().zip(self.demands);
        pairs.map(|(p, d)| cap.min(MOST_COMPUTE * p / d)).collect()
    }

    /// Refuses budgets and a cap under which the devices cannot take the whole model.
    pub(super) fn check_feasible(&self, cap: f64) -> Result<(), AssignmentError> {
        let carried: f64 = self.caps(cap).iter().sum();
        if carried >= 1.0 {
            return Ok(());
        }
        Err(AssignmentError::Infeasible { carried })
    }
}

/// The fraction of its budget that a device may spend on compute.
const MOST_COMPUTE: f64 = 0.98;

/// Shares in the ratio of `weights`.
pub(super) fn normalised(weights: &[f64]) -> Result<Shares, AssignmentError> {
    let sum: f64 = weights.iter().sum();
    Shares::new(weights.iter().map(|weight| weight / sum).collect())
        .map_err(|error| FieldFault::new("assignment", error.to_string()).into())
}
