//! Over-the-air all-reduce: all devices send at once, and the channel adds.
//!
//! Equations are numbered as in Zhang et al., "Distributed On-Device LLM Inference
//! With Over-the-Air Computation". Per channel use, device n sends B_n s_n, where
//! s_n ∈ C^L are L normalised complex entries; the server combines
//!
//! ŝ = Aᴴ Σ_n H_n B_n s_n + Aᴴ n   (5).
//!
//! What reaches the tensors is computed from the L×L channels M_n = AᴴH_nB_n and the
//! combined noise Aᴴn ~ CN(0, σ_z² AᴴA), coloured by the Cholesky factor of its
//! covariance: the same numbers as the antenna-level chain without noise, the same
//! distribution with it, without touching N_r antennas per use. The received sum is
//! formed as s + Σ_n(M_n − I)s_n + Aᴴn, so that a perfect channel is exact.
//!
//! **Packing.** Entries go in their order: one symbol takes `reals_per_symbol` of them
//! (two: real part, then imaginary part), one channel use takes L symbols, stream by
//! stream. The last use is filled with zeros. Scale: [`super::scale`].

use super::all_reduce::{
    AllReduce, Block, Distortion, Layout, Link, Transmission, Uplink, duration_of,
};
use super::error::RadioError;
use super::hermitian::cholesky;
use super::matrix::{Matrix, adjoint_product, power, scaled};
use super::scale::shared_scale;
use super::superposition::{Round, superpose};
use super::transceiver::{TransceiverProblem, minus_identity};
use crate::rng::Stream;
use crate::units::FieldFault;
use serde::{Deserialize, Serialize};

/// Σ_n ‖M_n − I‖² up to which devices count as aligned: zero-forcing leaves the rounding
/// of A, H_n and B_n in double precision, a millionth of what an f32 tensor can show.
const ALIGNED: f64 = 1e-24;

/// The over-the-air scheme's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AirComp {
    /// L, complex entries per channel use, at most the antennas of a device and of the
    /// server. Fewer streams take longer and err less. Default 4.
    pub streams: usize,
    /// Real entries per complex symbol: 2, or 1 to leave the imaginary part empty.
    /// Default 2.
    pub reals_per_symbol: usize,
}

impl Default for AirComp {
    fn default() -> Self {
        Self {
            streams: 4,
            reals_per_symbol: 2,
        }
    }
}

impl AllReduce for AirComp {
    fn validate(&self, layout: Layout) -> Result<(), FieldFault> {
        let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
        if self.streams == 0 {
            return fault(
                "streams",
                "0 streams carry nothing; use 1 or more".to_owned(),
            );
        }
        for (side, antennas) in [
            ("each device", layout.device_antennas),
            ("the server", layout.server_antennas),
        ] {
            if self.streams > antennas {
                return fault(
                    "streams",
                    format!(
                        "{} streams, but {side} has {antennas} antennas; use at most {antennas}",
                        self.streams
                    ),
                );
            }
        }
        if !(1..=2).contains(&self.reals_per_symbol) {
            return fault(
                "reals_per_symbol",
                format!(
                    "a complex symbol carries 1 or 2 real entries, not {}",
                    self.reals_per_symbol
                ),
            );
        }
        Ok(())
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        let devices = block.channels.len();
        let powers = vec![block.power.power; devices];
        let problem = TransceiverProblem {
            channels: block.channels,
            powers: &powers,
            noise: block.power.noise,
            streams: self.streams,
        };
        let transceiver = block.design.design(&problem)?;
        let covariance = adjoint_product(&transceiver.combiner, &transceiver.combiner);
        let colouring = cholesky(&covariance).ok_or(RadioError::SingularChannel {
            device: 0,
            streams: self.streams,
        })?;
        let deviations: Vec<Matrix> = block
            .channels
            .iter()
            .enumerate()
            .map(|(n, channel)| minus_identity(&transceiver.effective(n, channel)))
            .collect();
        let misalignment = deviations.iter().fold(0.0, |sum, m| sum + power(m));
        let noise = block.power.noise * power(&transceiver.combiner);
        Ok(Box::new(AirCompLink {
            streams: self.streams,
            reals: self.reals_per_symbol,
            deviations: (misalignment > ALIGNED).then_some(deviations),
            // Each of the two parts of a CN(0, σ²) has variance σ²/2.
            colouring: scaled(&colouring, (block.power.noise / 2.0).sqrt()),
            analytic: (misalignment + noise) / self.streams as f64,
            symbol_time: 1.0 / block.bandwidth.0,
            overhead: block.round_overhead.0,
            watts: (0..devices)
                .map(|n| block.power.watts.map(|unit| unit * transceiver.radiated(n)))
                .collect(),
        }))
    }
}

#[derive(Debug)]
struct AirCompLink {
    streams: usize,
    reals: usize,
    /// M_n − I, unless all are aligned.
    deviations: Option<Vec<Matrix>>,
    /// Lower triangular C with C w ~ Aᴴn for w of independent standard normal parts.
    colouring: Matrix,
    analytic: f64,
    symbol_time: f64,
    overhead: f64,
    watts: Vec<Option<f64>>,
}

impl Link for AirCompLink {
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError> {
        let uses = entries.div_ceil(self.streams * self.reals);
        let airtime = uses as f64 * self.symbol_time;
        let transmission = |(device, watts): (usize, &Option<f64>)| {
            Ok(Transmission {
                duration: duration_of(device, airtime + self.overhead)?,
                bits: 0,
                channel_uses: uses as u64,
                joules: watts.map(|watts| watts * airtime),
            })
        };
        Ok(Uplink {
            transmissions: self
                .watts
                .iter()
                .enumerate()
                .map(transmission)
                .collect::<Result<_, RadioError>>()?,
        })
    }

    fn reduce(
        &self,
        parts: &[&[f32]],
        noise: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        let scale = shared_scale(parts, self.reals, sum.len())?;
        let round = Round {
            streams: self.streams,
            reals: self.reals,
            deviations: self.deviations.as_deref(),
            colouring: &self.colouring,
            scale,
        };
        let measured = superpose(&round, parts, &noise, sum);
        let symbols = sum.len().div_ceil(self.reals) as u64;
        let mean = |total: f64| {
            if symbols > 0 {
                total / symbols as f64
            } else {
                0.0
            }
        };
        Ok(Distortion {
            symbols,
            error: mean(measured.error),
            misalignment: mean(measured.misalignment),
            noise: mean(measured.noise),
            analytic: self.analytic,
            nmse: if measured.signal > 0.0 {
                measured.squared / measured.signal
            } else {
                0.0
            },
            scale,
        })
    }
}
