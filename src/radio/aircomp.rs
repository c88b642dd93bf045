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
//! distribution with it, without touching N_r antennas per use. Packing of entries into
//! symbols: [`super::analog`].

use super::all_reduce::{AllReduce, Block, Layout, Link, Schedule, Symbols, Terms};
use super::analog::{AnalogLink, AnalogSchedule, CombinedNoise, Packing, Sender};
use super::coding::Coding;
use super::error::RadioError;
use super::matrix::{Matrix, adjoint_product, power};
use super::transceiver::TransceiverProblem;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The over-the-air scheme's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl AirComp {
    fn packing(self) -> Packing {
        Packing {
            streams: self.streams,
            reals: self.reals_per_symbol,
        }
    }

    /// All devices at once, device n radiating `watts(n)`.
    fn timed(self, terms: &Terms<'_>, watts: impl Fn(usize) -> Option<f64>) -> AnalogSchedule {
        let senders = (0..terms.powers.len()).map(|n| Sender {
            symbol_time: 1.0 / terms.bandwidth.0,
            watts: watts(n),
            stretch: None,
        });
        AnalogSchedule::new(self.packing(), senders.collect(), terms.round_overhead.0)
    }
}

impl AllReduce for AirComp {
    fn symbols(&self) -> Symbols {
        Symbols::Combined {
            streams: self.streams,
        }
    }

    fn validate(&self, layout: Layout) -> Result<(), FieldFault> {
        self.packing().validate(layout)
    }

    fn uses_per_vector(&self, entries: usize, devices: usize, _: Coding) -> Option<Vec<f64>> {
        Some(vec![self.packing().uses(entries) as f64; devices])
    }

    fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
        if terms.power.watts.is_some() {
            return Ok(None);
        }
        Ok(Some(Box::new(self.timed(terms, |_| None))))
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        let believed = padded(block.estimates);
        let true_channels = padded(block.channels);
        let problem = TransceiverProblem {
            channels: &believed,
            powers: block.powers,
            noise: block.power.noise,
            streams: self.streams,
        };
        let transceiver = block.design.design(&problem)?;
        let channels = true_channels.iter().enumerate();
        let effective: Vec<Matrix> = channels
            .map(|(n, channel)| transceiver.effective(n, channel))
            .collect();
        let noise = CombinedNoise {
            variance: block.power.noise,
            covariance: adjoint_product(&transceiver.combiner, &transceiver.combiner),
            power: block.power.noise * power(&transceiver.combiner),
        };
        let schedule = self.timed(&block.terms(), |n| {
            let watts = block.power.watts;
            watts.map(|unit| unit * transceiver.radiated(n))
        });
        let link = AnalogLink::new(schedule, effective, &noise);
        Ok(Box::new(link))
    }
}

/// `channels` with as many columns each: where devices have unequal antennas, designs see
/// antennas that no signal leaves. Their rows of a precoder come out zero.
fn padded(channels: &[Matrix]) -> Cow<'_, [Matrix]> {
    let most = channels.iter().map(Matrix::ncols).max().unwrap_or(0);
    if channels.iter().all(|channel| channel.ncols() == most) {
        return Cow::Borrowed(channels);
    }
    let pad = |channel: &Matrix| {
        Matrix::from_fn(channel.nrows(), most, |row, column| {
            channel.get((row, column)).copied().unwrap_or_default()
        })
    };
    channels.iter().map(pad).collect()
}
