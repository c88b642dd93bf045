//! Digital all-reduce: every device sends quantised entries on a sub-channel of its
//! own, and the server adds what it decodes.
//!
//! The band B is divided among the devices ([`super::subchannels`]). Entries are quantised
//! to Q bits at the maximum that all devices share (each announces its own as one 32-bit
//! float on the control slot, whose time is the round's overhead). A link of spectral
//! efficiency η, as its [`Coding`] leaves it, delivers all bits in Q·entries/(η B_n) seconds
//! on a band of B_n hertz; by default coding is ideal.
//!
//! **Power convention.** [`SubchannelPower`] says whether a device on a narrower band
//! keeps its energy per symbol, and radiates P/N, or keeps its power.

use super::all_reduce::{
    AllReduce, Block, Distortion, Layout, Link, Schedule, Symbols, Terms, Transmission, Uplink,
    duration_of,
};
use super::capacity::{LinkRate, check_rate};
use super::coding::Coding;
use super::error::RadioError;
use super::quantiser::{Quantiser, largest_magnitude};
use super::scale::shared_scale;
use super::subchannels::{Subchannel, SubchannelPower, rounding};
use super::sums::{SquareSum, exact_sum};
use crate::rng::Stream;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Entries decoded at a time, on the stack.
const BLOCK: usize = 512;

/// The digital scheme's fields.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Digital {
    /// Q, the bits per real entry: 2 to 24, or 32 for entries as they are. Default 8.
    pub bits: u32,
    /// The spectral efficiency of each device's link. Default: that of its drawn channel, or
    /// of what is known of it if that is less.
    pub rate: LinkRate,
    /// What a device radiates on its share of the band. Default: the same per symbol.
    pub subchannel_power: SubchannelPower,
    /// K, how many sub-channels the band has, at least one per device; they are shared out
    /// whole. Default: B/N each, exactly.
    pub subchannels: Option<usize>,
}

impl Default for Digital {
    fn default() -> Self {
        Self {
            bits: 8,
            rate: LinkRate::Drawn,
            subchannel_power: SubchannelPower::PerSymbol,
            subchannels: None,
        }
    }
}

impl AllReduce for Digital {
    fn symbols(&self) -> Symbols {
        Symbols::Bits {
            drawn_rate: self.rate == LinkRate::Drawn,
        }
    }

    fn validate(&self, layout: Layout) -> Result<(), FieldFault> {
        Subchannel::validate(self.subchannels, layout)?;
        Quantiser::validate(self.bits)?;
        self.rate.validate()
    }

    fn uses_per_vector(&self, entries: usize, devices: usize, coding: Coding) -> Option<Vec<f64>> {
        let LinkRate::Fixed(rate) = self.rate else {
            return None;
        };
        let uses = entries as f64 * f64::from(self.bits) / rate.0 * coding.attempts();
        let parts = Subchannel::divide(self.subchannels, devices, self.subchannel_power);
        Some(parts.iter().map(|part| uses * part.boost).collect())
    }

    fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
        let LinkRate::Fixed(rate) = self.rate else {
            return Ok(None);
        };
        Ok(Some(Box::new(self.link(terms, |_, _| rate.0)?)))
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        let efficiency = |device: usize, power: f64| match self.rate {
            LinkRate::Fixed(rate) => rate.0,
            LinkRate::Drawn => [block.channels, block.estimates]
                .map(|channels| {
                    let channel = &channels[device];
                    block.coding.efficiency(channel, power, block.power.noise)
                })
                .into_iter()
                .fold(f64::INFINITY, f64::min),
        };
        Ok(Box::new(self.link(&block.terms(), efficiency)?))
    }
}

impl Digital {
    /// The links of all devices, whose spectral efficiency `efficiency` tells by device and
    /// by the power it radiates in a channel use.
    fn link(
        &self,
        terms: &Terms<'_>,
        efficiency: impl Fn(usize, f64) -> f64,
    ) -> Result<DigitalLink, RadioError> {
        let devices = terms.powers.len();
        let parts = Subchannel::divide(self.subchannels, devices, self.subchannel_power);
        let mut links = Vec::with_capacity(devices);
        for (device, (power, part)) in terms.powers.iter().zip(&parts).enumerate() {
            let efficiency = efficiency(device, power * part.boost) / terms.coding.attempts();
            let rate = efficiency * terms.bandwidth.0 * part.share;
            check_rate(device, rate)?;
            links.push(SubchannelLink {
                efficiency,
                rate,
                watts: terms
                    .power
                    .watts
                    .map(|unit| unit * power * part.boost * part.share),
                stretch: part.stretch,
            });
        }
        Ok(DigitalLink {
            bits: self.bits,
            links,
            overhead: terms.round_overhead.0,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct SubchannelLink {
    /// bit/s/Hz, retransmissions included.
    efficiency: f64,
    /// bit/s.
    rate: f64,
    /// Radiated while it sends.
    watts: Option<f64>,
    /// That of its sub-channel, if the band is divided in whole ones.
    stretch: Option<f64>,
}

#[derive(Debug)]
struct DigitalLink {
    bits: u32,
    links: Vec<SubchannelLink>,
    overhead: f64,
}

impl Schedule for DigitalLink {
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError> {
        let bits = entries as u64 * u64::from(self.bits);
        let transmission = |(device, link): (usize, &SubchannelLink)| {
            let airtime = bits as f64 / link.rate;
            Ok(Transmission {
                duration: duration_of(device, airtime + self.overhead)?,
                bits,
                channel_uses: (bits as f64 / link.efficiency).ceil() as u64,
                joules: link.watts.map(|watts| watts * airtime),
            })
        };
        Ok(Uplink {
            transmissions: self
                .links
                .iter()
                .enumerate()
                .map(transmission)
                .collect::<Result<_, RadioError>>()?,
            rounding_s: rounding(
                self.links
                    .iter()
                    .map(|link| (bits as f64 / link.rate, link.stretch)),
            ),
        })
    }
}

impl Link for DigitalLink {
    fn reduce(
        &self,
        parts: &[&[f32]],
        _: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        let scale = shared_scale(parts, 2, sum.len())?;
        let maximum = parts
            .iter()
            .map(|part| largest_magnitude(part))
            .fold(0.0, f32::max);
        let quantiser = Quantiser::new(self.bits, f64::from(maximum));
        let (mut squared, mut signal) = (SquareSum::default(), SquareSum::default());
        let mut buffers = [[0.0; BLOCK]; 2];
        for (index, received) in sum.chunks_mut(BLOCK).enumerate() {
            let range = index * BLOCK..index * BLOCK + received.len();
            let [exact, decoded] = &mut buffers;
            let (exact, decoded) = (&mut exact[..received.len()], &mut decoded[..received.len()]);
            exact_sum(parts, range.clone(), exact);
            signal.add(exact);
            decoded.fill(0.0);
            for part in parts {
                for (decoded, x) in decoded.iter_mut().zip(&part[range.clone()]) {
                    *decoded += quantiser.quantise(f64::from(*x));
                }
            }
            for ((received, exact), decoded) in received.iter_mut().zip(&mut *exact).zip(decoded) {
                *received = *decoded as f32;
                *exact -= *decoded;
            }
            squared.add(exact);
        }
        let (squared, signal) = (squared.total(), signal.total());
        let symbols = sum.len().div_ceil(2) as u64;
        let per_entry = |total: f64| {
            if scale > 0.0 {
                total / (symbols as f64 * scale * scale)
            } else {
                0.0
            }
        };
        let measured = per_entry(squared);
        Ok(Distortion {
            symbols,
            error: measured,
            misalignment: 0.0,
            noise: measured,
            analytic: per_entry(quantiser.noise() * (parts.len() * sum.len()) as f64),
            quantised: true,
            nmse: if signal > 0.0 { squared / signal } else { 0.0 },
            scale,
        })
    }
}
