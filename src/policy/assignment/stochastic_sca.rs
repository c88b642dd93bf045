//! The long-term problem by stochastic successive convex approximation: (18)–(22) of
//! Zhang et al., "Distributed On-Device LLM Inference With Over-the-Air Computation".
//!
//! Each iteration draws a channel sample H^τ, solves the short-term problem on it at m^τ,
//! averages the gradient (20), minimises the quadratic surrogate (19) over the feasible
//! set (21), and takes a step (22):
//!
//! - u^τ = (1 − ρ^τ) u^{τ−1} + ρ^τ ∇f₀(m^τ; H^τ), ρ^τ = (τ + 1)^−r
//! - m̂^τ = argmin uᵀ(m − m^τ) + η‖m − m^τ‖² over 0 ≤ m_n ≤ c_n, Σ m_n = 1
//! - m^{τ+1} = (1 − γ^τ) m^τ + γ^τ m̂^τ, γ^τ = g (τ + 1)^−q
//!
//! What the paper leaves open, and how it is closed here:
//!
//! - **Gradient.** With A and B held fixed, as (20) is written, the error does not depend on
//!   m at all. The optimum's own gradient does: the envelope of
//!   [`AssignmentProblem::sample_error`].
//! - **Constraint.** f₁ is tight by construction, since the best transceiver spends all that
//!   the weakest device has left. Feasibility is m_n ≤ c_n = min(cap, 0.98 P_n/d_n), with
//!   d_n = e_n s_tot/2 what computing the whole model before an all-reduce would take.
//! - **η** = `curvature` · max_n |u_n⁰|.
//! - **Objective.** The error alone drives the model onto few devices and so slows it down:
//!   a `cap` limits every share, and `latency_weight` λ adds the compute time,
//!   f₀ = E[MSE]/MSE⁰ + λ T/T⁰ relative to their values at the start. T is the sum over both
//!   halves of a layer of the slowest device's time, its maximum smoothed by a power mean.

use super::problem::normalised;
use super::simplex::project_to_capped_simplex;
use super::{
    Affine, Assign, Assigned, AssignmentError, AssignmentProblem, Equal, EqualHeadroom, Iterate,
    Setting,
};
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples over which the error at the start is averaged.
const REFERENCE_SAMPLES: u64 = 16;
/// The power mean that stands for the maximum over devices: within N^(1/50) of it.
const LATENCY_SHARPNESS: f64 = 50.0;
/// Iterations in a row that must be shorter than the tolerance.
const QUIET: usize = 10;

/// The parameters of stochastic successive convex approximation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StochasticSca {
    /// The largest share of a device, in (0, 1]; below it the energy budget may set another
    /// limit. Default 1.
    pub cap: f64,
    /// λ, what doubling the compute time weighs against doubling the error. Default 0.
    pub latency_weight: f64,
    /// Channel samples, one per iteration. Default 200.
    pub iterations: usize,
    /// r in ρ^τ = (τ + 1)^−r, in (0.5, 1]. Default 0.51.
    pub averaging_exponent: f64,
    /// g in γ^τ = g (τ + 1)^−q, in (0, 1). Default 0.9.
    pub step: f64,
    /// q, in (0.5, 1]. Default 0.6.
    pub step_exponent: f64,
    /// η over the largest entry of the first gradient. Default 0.5.
    pub curvature: f64,
    /// The iteration ends when no share has moved by more than this ten times in a row;
    /// 0 runs all iterations. Default 1e-4.
    pub tolerance: f64,
}

impl Default for StochasticSca {
    fn default() -> Self {
        Self {
            cap: 1.0,
            latency_weight: 0.0,
            iterations: 200,
            averaging_exponent: 0.51,
            step: 0.9,
            step_exponent: 0.6,
            curvature: 0.5,
            tolerance: 1e-4,
        }
    }
}

impl Assign for StochasticSca {
    fn validate(&self, setting: Setting) -> Result<(), FieldFault> {
        let fault = |path: &str, message: String| {
            Err(FieldFault::new(path, message).under("StochasticSca"))
        };
        let least = 1.0 / setting.devices as f64;
        // Not `<`, so that a NaN fails.
        if !(self.cap >= least && self.cap <= 1.0) {
            return fault(
                "cap",
                format!(
                    "no share above {} on {} devices; use {least} to 1, so that they hold the whole model",
                    self.cap, setting.devices
                ),
            );
        }
        for (path, value) in [
            ("averaging_exponent", self.averaging_exponent),
            ("step_exponent", self.step_exponent),
        ] {
            if !(value > 0.5 && value <= 1.0) {
                return fault(
                    path,
                    format!("{value} does not converge; use more than 0.5 and at most 1"),
                );
            }
        }
        if !(self.step > 0.0 && self.step < 1.0) {
            return fault("step", format!("{} must lie between 0 and 1", self.step));
        }
        for (path, value) in [
            ("latency_weight", self.latency_weight),
            ("tolerance", self.tolerance),
        ] {
            FieldFault::if_negative(path, value).map_err(|fault| fault.under("StochasticSca"))?;
        }
        FieldFault::unless_positive("curvature", self.curvature)
            .map_err(|fault| fault.under("StochasticSca"))?;
        if self.iterations == 0 {
            return fault("iterations", "0 iterations; use 1 or more".to_owned());
        }
        if !setting.over_the_air {
            return Err(FieldFault::new(
                "StochasticSca",
                "it minimises the error of an over-the-air all-reduce; use \
                 all_reduce: AirComp(…), or another assignment such as EqualHeadroom",
            ));
        }
        if self.latency_weight == 0.0 {
            setting.needs_shared_energy("StochasticSca")?;
        }
        Ok(())
    }

    fn assign(&self, problem: &AssignmentProblem<'_>) -> Result<Assigned, AssignmentError> {
        problem.check_feasible(self.cap)?;
        if problem.devices() == 1 {
            return Equal.assign(problem);
        }
        let caps = problem.caps(self.cap);
        let mut m = start(problem, &caps)?;
        let reference = problem
            .mean_error(&problem.compute(&m), 0..REFERENCE_SAMPLES)?
            .mean;
        let reference_latency = problem.latency([&m, &m]);
        let mut average = vec![0.0; m.len()];
        let mut curvature = 0.0;
        let mut iterates = Vec::new();
        let mut quiet = 0;
        for iteration in 0..self.iterations {
            let compute = problem.compute(&m);
            let sample = problem.sample_error(&compute, iteration as u64)?;
            iterates.push(Iterate {
                shares: m.clone(),
                error: sample.error,
                latency: problem.latency([&m, &m]),
            });
            let mut gradient = latency_gradient(problem, &m);
            for (n, slope) in gradient.iter_mut().enumerate() {
                let left = problem.budgets[n] - compute[n];
                let pull = sample.answerable[n] * problem.demands[n] / left;
                *slope = self.latency_weight / reference_latency * *slope
                    + sample.error / reference * pull;
            }
            let turn = (iteration + 1) as f64;
            let rho = libm::pow(turn, -self.averaging_exponent);
            for (u, slope) in average.iter_mut().zip(&gradient) {
                *u = (1.0 - rho) * *u + rho * slope;
            }
            if iteration == 0 {
                let steepest = average.iter().fold(0.0, |most, u| f64::max(most, u.abs()));
                curvature = self.curvature * steepest;
            }
            if curvature == 0.0 {
                break;
            }
            let free: Vec<f64> = m
                .iter()
                .zip(&average)
                .map(|(m, u)| m - u / (2.0 * curvature))
                .collect();
            let target = project_to_capped_simplex(&free, &caps);
            let gamma = self.step * libm::pow(turn, -self.step_exponent);
            let mut moved = 0.0f64;
            for (m, target) in m.iter_mut().zip(target) {
                let next = (1.0 - gamma) * *m + gamma * target;
                moved = moved.max((next - *m).abs());
                *m = next;
            }
            quiet = if moved < self.tolerance { quiet + 1 } else { 0 };
            if quiet == QUIET {
                break;
            }
        }
        Ok(Assigned {
            shares: normalised(&m)?,
            iterates,
        })
    }
}

/// Equal shares if they are feasible, else what is nearest to the closed form.
fn start(problem: &AssignmentProblem<'_>, caps: &[f64]) -> Result<Vec<f64>, AssignmentError> {
    let equal = 1.0 / caps.len() as f64;
    if caps.iter().all(|cap| equal <= *cap) {
        return Ok(vec![equal; caps.len()]);
    }
    let shares = EqualHeadroom.assign(problem)?.shares;
    Ok(project_to_capped_simplex(shares.as_slice(), caps))
}

/// ∂T/∂m_n of the smoothed T: each half's slope, weighed by how near the device is to
/// being the slowest.
fn latency_gradient(problem: &AssignmentProblem<'_>, m: &[f64]) -> Vec<f64> {
    let mut gradient = vec![0.0; m.len()];
    for half in problem.halves {
        let times: Vec<f64> = half.iter().zip(m).map(|(time, m)| time.at(*m)).collect();
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let relative = |time: &f64| libm::pow(time / slowest, LATENCY_SHARPNESS - 1.0);
        let sum: f64 = times.iter().map(|t| relative(t) * t / slowest).sum();
        let norm = libm::pow(sum, 1.0 / LATENCY_SHARPNESS - 1.0);
        for ((slope, time), Affine { slope: own, .. }) in gradient.iter_mut().zip(&times).zip(half)
        {
            *slope += norm * relative(time) * own;
        }
    }
    gradient
}
