//! The way back: the server broadcasts the sum to all devices.

use super::all_reduce::{Transmission, duration_of};
use super::budget::LinkPower;
use super::capacity::{LinkRate, check_rate};
use super::coding::Coding;
use super::error::RadioError;
use super::matrix::Matrix;
use super::quantiser::{Quantiser, largest_magnitude};
use crate::units::{Decibels, FieldFault, Hertz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the sum returns to the devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Downlink {
    /// In no time and without error, as the tables of Zhang et al. assume.
    #[default]
    Ideal,
    /// One digital multicast on the whole band, at the rate of the weakest device. The
    /// sum is quantised at its largest magnitude, and every device goes on with what
    /// it received.
    Multicast {
        /// Bits per real entry: 2 to 24, or 32 for entries as they are.
        bits: u32,
        /// The spectral efficiency. Default: the smallest capacity of the drawn channels used
        /// in reverse (reciprocity: Hᵀ), as far as the radio's coding reaches it.
        #[serde(default)]
        rate: LinkRate,
        /// The server's power over a device's. Default 0 dB.
        #[serde(default)]
        server_power: Decibels,
    },
}

/// Who hears a multicast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receivers<'a> {
    /// Their channels, where these matter.
    pub(super) channels: &'a [Matrix],
    /// How many there are.
    pub(super) count: usize,
}

/// A downlink, prepared for one coherence block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Multicast {
    bits: u32,
    /// bit/s/Hz, retransmissions included.
    efficiency: f64,
    bandwidth: f64,
    watts: Option<f64>,
}

impl Downlink {
    /// Checks every value.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(self) -> Result<(), FieldFault> {
        let Self::Multicast {
            bits,
            rate,
            server_power,
        } = self
        else {
            return Ok(());
        };
        Quantiser::validate(bits)?;
        rate.validate()?;
        FieldFault::unless_positive("server_power", server_power.ratio())
    }

    /// Whether its rate is that of the drawn channels.
    pub(super) fn follows_channels(self) -> bool {
        matches!(
            self,
            Self::Multicast {
                rate: LinkRate::Drawn,
                ..
            }
        )
    }

    /// Finds the rate on a block's channels, which do not matter unless it
    /// [follows](Self::follows_channels) them; `None` if the downlink is ideal.
    pub(super) fn prepare(
        self,
        receivers: Receivers<'_>,
        power: LinkPower,
        bandwidth: Hertz,
        coding: Coding,
    ) -> Result<Option<Multicast>, RadioError> {
        let Self::Multicast {
            bits,
            rate,
            server_power,
        } = self
        else {
            return Ok(None);
        };
        let radiated = power.power * server_power.ratio();
        let efficiency = match rate {
            LinkRate::Fixed(rate) => rate.0,
            LinkRate::Drawn => receivers
                .channels
                .iter()
                .map(|channel| coding.efficiency(&channel.transpose(), radiated, power.noise))
                .fold(f64::INFINITY, f64::min),
        };
        let efficiency = efficiency / coding.attempts_to_all(receivers.count);
        check_rate(0, efficiency * bandwidth.0)?;
        Ok(Some(Multicast {
            bits,
            efficiency,
            bandwidth: bandwidth.0,
            watts: power.watts.map(|unit| unit * radiated),
        }))
    }
}

impl Multicast {
    pub(super) fn plan(self, entries: usize) -> Result<Transmission, RadioError> {
        let bits = entries as u64 * u64::from(self.bits);
        let uses = bits as f64 / self.efficiency;
        let seconds = uses / self.bandwidth;
        Ok(Transmission {
            duration: duration_of(0, seconds)?,
            bits,
            channel_uses: uses.ceil() as u64,
            joules: self.watts.map(|watts| watts * seconds),
        })
    }

    /// Quantises `sum` in place.
    pub(super) fn deliver(self, sum: &mut [f32]) {
        let quantiser = Quantiser::new(self.bits, f64::from(largest_magnitude(sum)));
        for entry in sum {
            *entry = quantiser.quantise(f64::from(*entry)) as f32;
        }
    }
}
