//! Transceivers of an over-the-air sum: the server's combiner A and the devices'
//! precoders B_n, their error and their power; and the trait by which a design
//! supplies them.
//!
//! Equations are numbered as in Zhang et al., "Distributed On-Device LLM Inference
//! With Over-the-Air Computation". How a good combiner is found is a policy's affair
//! and has no place here.

use super::error::RadioError;
use super::hermitian::inverse;
use super::matrix::{Matrix, adjoint_product, power, product, product_adjoint, scaled};
use num_complex::Complex;
use std::fmt;

/// The short-term problem: one draw of all channels, and what each device may radiate.
#[derive(Debug, Clone, Copy)]
pub struct TransceiverProblem<'a> {
    /// H_n ∈ C^{N_r×N_t}, in device order.
    pub channels: &'a [Matrix],
    /// P_n: the limit of tr(B_n B_nᴴ), units per channel use, in device order.
    pub powers: &'a [f64],
    /// σ_z², in the same units per receive antenna.
    pub noise: f64,
    /// L, the complex entries per channel use.
    pub streams: usize,
}

impl TransceiverProblem<'_> {
    /// Checks that L streams fit the antennas of both sides.
    ///
    /// # Errors
    /// [`RadioError::TooManyStreams`] if L > N_t or L > N_r.
    pub fn check_streams(&self) -> Result<(), RadioError> {
        for channel in self.channels {
            let sides = [
                ("each device", channel.ncols()),
                ("the server", channel.nrows()),
            ];
            for (side, antennas) in sides {
                if self.streams > antennas {
                    return Err(RadioError::TooManyStreams {
                        streams: self.streams,
                        side,
                        antennas,
                    });
                }
            }
        }
        Ok(())
    }
}

/// A combiner and the precoders that go with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Transceiver {
    /// A ∈ C^{N_r×L}.
    pub combiner: Matrix,
    /// B_n ∈ C^{N_t×L}, in device order.
    pub precoders: Vec<Matrix>,
}

/// The two parts of the mean-squared error (7), summed over the L entries of a use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSquaredError {
    /// Σ_n tr((AᴴH_nB_n − I)(AᴴH_nB_n − I)ᴴ): on independent unit-variance entries.
    pub misalignment: f64,
    /// σ_z² tr(AᴴA): on any entries.
    pub noise: f64,
}

impl Transceiver {
    /// Lemma 1 on the combiner direction G ∈ C^{N_r×L}: A = √α G with the smallest α
    /// that keeps every device within its power, and the zero-forcing precoders (12),
    ///
    /// B_n = (AᴴH_n)ᴴ(AᴴH_nH_nᴴA)⁻¹,  α = max_n tr[(GᴴH_nH_nᴴG)⁻¹]/P_n  (13 with L0 = L).
    ///
    /// The scale of G does not matter. The device that attains the maximum radiates
    /// exactly P_n, every other one less.
    ///
    /// # Errors
    /// [`RadioError::TooManyStreams`], or [`RadioError::SingularChannel`] naming the
    /// first device whose GᴴH_nH_nᴴG has no inverse to working precision.
    pub fn zero_forcing(
        direction: &Matrix,
        problem: &TransceiverProblem<'_>,
    ) -> Result<Self, RadioError> {
        problem.check_streams()?;
        let mut alpha = 0.0f64;
        let mut precoders = Vec::with_capacity(problem.channels.len());
        for (device, (channel, limit)) in problem.channels.iter().zip(problem.powers).enumerate() {
            let seen = adjoint_product(direction, channel);
            let inverse =
                inverse(&product_adjoint(&seen, &seen)).ok_or(RadioError::SingularChannel {
                    device,
                    streams: problem.streams,
                })?;
            let trace = (0..problem.streams).fold(0.0, |sum, l| sum + inverse[(l, l)].re);
            alpha = alpha.max(trace / limit);
            precoders.push(adjoint_product(&seen, &inverse));
        }
        let root = alpha.sqrt();
        for precoder in &mut precoders {
            *precoder = scaled(precoder, 1.0 / root);
        }
        Ok(Self {
            combiner: scaled(direction, root),
            precoders,
        })
    }

    /// M_n = AᴴH_nB_n ∈ C^{L×L}: what device `device`'s entries become; I if aligned.
    pub fn effective(&self, device: usize, channel: &Matrix) -> Matrix {
        let seen = adjoint_product(&self.combiner, channel);
        product(&seen, &self.precoders[device])
    }

    /// tr(B_n B_nᴴ): units that device `device` radiates per use on unit-variance entries.
    pub fn radiated(&self, device: usize) -> f64 {
        power(&self.precoders[device])
    }

    /// Equation (7).
    pub fn mean_squared_error(&self, problem: &TransceiverProblem<'_>) -> MeanSquaredError {
        let misalignment = problem
            .channels
            .iter()
            .enumerate()
            .fold(0.0, |sum, (device, channel)| {
                sum + power(&minus_identity(&self.effective(device, channel)))
            });
        MeanSquaredError {
            misalignment,
            noise: problem.noise * power(&self.combiner),
        }
    }
}

/// M − I.
pub(super) fn minus_identity(m: &Matrix) -> Matrix {
    let mut difference = m.clone();
    for l in 0..m.nrows() {
        difference[(l, l)] -= Complex::new(1.0, 0.0);
    }
    difference
}

/// A way to choose combiner and precoders for one channel draw.
pub trait TransceiverDesign: fmt::Debug + Send + Sync {
    /// Solves `problem`, within every device's power.
    ///
    /// # Errors
    /// If more streams are asked for than antennas or channels carry.
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError>;
}
