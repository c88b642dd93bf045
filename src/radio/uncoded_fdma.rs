//! Uncoded FDMA all-reduce: every device sends its entries as analog symbols on a
//! sub-channel of its own, and the server adds what it hears.
//!
//! Device n alone meets the problem of Lemma 1 in Zhang et al., "Distributed On-Device LLM
//! Inference With Over-the-Air Computation", whose solution is then closed. With
//! H_n = UΣVᴴ and singular values σ_1 ≥ σ_2 ≥ …, the combiner A_n = √α_n G_n with the columns
//! u_i/√σ_i for G_n, i ≤ L, and the zero-forcing precoder (12) make
//!
//! MSE_n = σ_z² tr(A_nᴴA_n) = σ_z² (Σ_{i≤L} 1/σ_i(H_n))² / P_n,
//!
//! since tr(GᴴG)·tr[(GᴴHHᴴG)⁻¹] with columns g_i u_i is Σg_i²·Σ1/(g_iσ_i)², at least
//! (Σ1/σ_i)² by Cauchy and Schwarz. Every device radiates exactly P_n, all entries of the sum
//! collect the noise of every device, and
//!
//! MSE = Σ_n MSE_n, summed over the L entries of a use.
//!
//! **Power convention.** At fixed energy per symbol ([`SubchannelPower::PerSymbol`]) this is
//! about linear in N; with constant power on the narrower band
//! ([`SubchannelPower::Whole`]) P_n grows with N, and the error is flat.
//!
//! A sub-channel of width K_n B/K carries K_n B/K channel uses per second, so the air time
//! is that of N rounds over the air.

use super::all_reduce::{AllReduce, Block, Layout, Link, Schedule, Symbols, Terms};
use super::analog::{AnalogLink, AnalogSchedule, CombinedNoise, Packing, Sender};
use super::coding::Coding;
use super::eigen::eigen;
use super::error::RadioError;
use super::matrix::{Matrix, adjoint_product, power, product};
use super::subchannels::{Subchannel, SubchannelPower};
use super::transceiver::{Transceiver, TransceiverProblem};
use crate::units::FieldFault;
use num_complex::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Below this fraction of the largest an eigenvalue of HᴴH counts as zero.
const NEGLIGIBLE: f64 = 1e-12;

/// The uncoded scheme's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UncodedFdma {
    /// L, complex entries per channel use, at most the antennas of a device and of the
    /// server. Fewer streams take longer and err less. Default 4.
    pub streams: usize,
    /// Real entries per complex symbol: 2, or 1 to leave the imaginary part empty.
    /// Default 2.
    pub reals_per_symbol: usize,
    /// What a device radiates on its share of the band. Default: the same per symbol.
    pub subchannel_power: SubchannelPower,
    /// K, how many sub-channels the band has, at least one per device; they are shared out
    /// whole. Default: B/N each, exactly.
    pub subchannels: Option<usize>,
}

impl Default for UncodedFdma {
    fn default() -> Self {
        Self {
            streams: 4,
            reals_per_symbol: 2,
            subchannel_power: SubchannelPower::PerSymbol,
            subchannels: None,
        }
    }
}

impl UncodedFdma {
    fn packing(self) -> Packing {
        Packing {
            streams: self.streams,
            reals: self.reals_per_symbol,
        }
    }

    fn parts(self, devices: usize) -> Vec<Subchannel> {
        Subchannel::divide(self.subchannels, devices, self.subchannel_power)
    }

    /// Every device on its part, device n radiating `units(n)` power units in a channel use.
    fn timed(
        self,
        terms: &Terms<'_>,
        parts: &[Subchannel],
        units: impl Fn(usize) -> f64,
    ) -> AnalogSchedule {
        let sender = |(n, part): (usize, &Subchannel)| Sender {
            symbol_time: 1.0 / (terms.bandwidth.0 * part.share),
            watts: terms.power.watts.map(|unit| unit * units(n) * part.share),
            stretch: part.stretch,
        };
        let senders = parts.iter().enumerate().map(sender);
        AnalogSchedule::new(self.packing(), senders.collect(), terms.round_overhead.0)
    }
}

impl AllReduce for UncodedFdma {
    fn symbols(&self) -> Symbols {
        Symbols::Apart
    }

    fn validate(&self, layout: Layout) -> Result<(), FieldFault> {
        Subchannel::validate(self.subchannels, layout)?;
        self.packing().validate(layout)
    }

    fn uses_per_vector(&self, entries: usize, devices: usize, _: Coding) -> Option<Vec<f64>> {
        let uses = self.packing().uses(entries) as f64;
        let parts = self.parts(devices);
        Some(parts.iter().map(|part| uses * part.boost).collect())
    }

    fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
        if terms.power.watts.is_some() {
            return Ok(None);
        }
        let parts = self.parts(terms.powers.len());
        Ok(Some(Box::new(self.timed(terms, &parts, |_| 0.0))))
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        let devices = block.channels.len();
        let parts = self.parts(devices);
        let mut covariance = Matrix::zeros(self.streams, self.streams);
        let mut trace = 0.0;
        let mut effective = Vec::with_capacity(devices);
        let mut radiated = Vec::with_capacity(devices);
        let links = block.channels.iter().zip(block.estimates).zip(&parts);
        for (device, ((channel, estimate), part)) in links.enumerate() {
            let problem = TransceiverProblem {
                channels: std::slice::from_ref(estimate),
                powers: &[block.powers[device] * part.boost],
                noise: block.power.noise,
                streams: self.streams,
            };
            let alone = alone(&problem).ok_or(RadioError::SingularChannel {
                device,
                streams: self.streams,
            })?;
            effective.push(alone.effective(0, channel));
            covariance += adjoint_product(&alone.combiner, &alone.combiner);
            trace += power(&alone.combiner);
            radiated.push(alone.radiated(0));
        }
        let noise = CombinedNoise {
            variance: block.power.noise,
            covariance,
            power: block.power.noise * trace,
        };
        let schedule = self.timed(&block.terms(), &parts, |n| radiated[n]);
        let link = AnalogLink::new(schedule, effective, &noise);
        Ok(Box::new(link))
    }
}

/// The optimal zero-forcing transceiver of a device that has the band to itself; `None` if
/// its channel has fewer than L singular values above zero.
fn alone(problem: &TransceiverProblem<'_>) -> Option<Transceiver> {
    let channel = &problem.channels[0];
    let spectrum = eigen(&adjoint_product(channel, channel));
    let floor = NEGLIGIBLE * spectrum.values[0];
    let carried = spectrum.values.iter().filter(|x| **x > floor).count();
    if carried < problem.streams {
        return None;
    }
    // u_i = H v_i/σ_i, so that u_i/√σ_i = H v_i/σ_i^{3/2} with σ_i² the eigenvalue.
    let directions = Matrix::from_fn(channel.ncols(), problem.streams, |row, i| {
        let root = spectrum.values[i].sqrt();
        spectrum.vectors[(row, i)] * Complex::from(1.0 / (root * root.sqrt()))
    });
    Transceiver::zero_forcing(&product(channel, &directions), problem).ok()
}
