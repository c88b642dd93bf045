//! The band divided among devices (OFDMA), and what each radiates on its part.
//!
//! Left exact, every device has B/N. With K sub-channels device n has K_n of them and the
//! band K_n·B/K: K is rounded over the devices by largest remainders. Their quotas K/N are
//! all equal, so are the remainders, and the K mod N left over go to the first devices.
//! The slowest device then has ⌊K/N⌋, and an all-reduce over equal links lasts
//! K/(N⌊K/N⌋) times as long as with the exact division.

use super::all_reduce::Layout;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a device radiates on a sub-channel of width B/N.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum SubchannelPower {
    /// P per channel use of the whole band, as over the air: P/N watts, an SNR of P/σ_z²
    /// whatever N.
    #[default]
    PerSymbol,
    /// All its P on the narrower band: an SNR of N·P/σ_z².
    Whole,
}

/// One device's part of the band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Subchannel {
    /// Its width over B.
    pub share: f64,
    /// What it radiates in each of its channel uses over P.
    pub boost: f64,
    /// How many times as long as with the exact division a transmission on it lasts; `None`
    /// if it is exact.
    pub stretch: Option<f64>,
}

/// How much longer a round lasts for the rounding of sub-channels, in seconds, given each
/// transmission's seconds and stretch.
pub(super) fn rounding(transmissions: impl Iterator<Item = (f64, Option<f64>)>) -> Option<f64> {
    let (mut longest, mut exact) = (0.0f64, 0.0f64);
    for (seconds, stretch) in transmissions {
        longest = longest.max(seconds);
        exact = exact.max(seconds / stretch?);
    }
    Some(longest - exact)
}

impl Subchannel {
    /// The parts of `devices` devices, in their order, of a band in `count` sub-channels, or
    /// divided exactly without a number.
    pub(super) fn divide(
        count: Option<usize>,
        devices: usize,
        power: SubchannelPower,
    ) -> Vec<Self> {
        let part = |share: f64, inverse: f64, stretch: Option<f64>| Self {
            share,
            boost: match power {
                SubchannelPower::PerSymbol => 1.0,
                SubchannelPower::Whole => inverse,
            },
            stretch,
        };
        let Some(count) = count else {
            return vec![part(1.0 / devices as f64, devices as f64, None); devices];
        };
        (0..devices)
            .map(|device| {
                let own = count / devices + usize::from(device < count % devices);
                let (own, count) = (own as f64, count as f64);
                let stretch = count / (devices as f64 * own);
                part(own / count, count / own, Some(stretch))
            })
            .collect()
    }

    /// Checks that every device gets one of `count` sub-channels.
    ///
    /// # Errors
    /// If there are fewer of them than devices.
    pub(super) fn validate(count: Option<usize>, layout: Layout) -> Result<(), FieldFault> {
        match count {
            Some(count) if count < layout.devices => Err(FieldFault::new(
                "subchannels",
                format!(
                    "{count} sub-channels for {devices} devices, each of which needs one; use at least {devices}, or leave it out for an exact division",
                    devices = layout.devices
                ),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// No sub-channel is lost, none given twice, and no device is ahead by more than one.
        #[test]
        fn every_sub_channel_is_given_once(devices in 1usize..40, more in 0usize..200) {
            let count = devices + more;
            let parts = Subchannel::divide(Some(count), devices, SubchannelPower::Whole);
            let own: Vec<f64> = parts.iter().map(|part| part.share * count as f64).collect();
            prop_assert!((own.iter().sum::<f64>() - count as f64).abs() < 1e-9);
            let quota = count as f64 / devices as f64;
            for (own, part) in own.iter().zip(&parts) {
                prop_assert!((own - own.round()).abs() < 1e-9 && (own - quota).abs() < 1.0 + 1e-9);
                prop_assert!((part.share * part.boost - 1.0).abs() < 1e-12);
                prop_assert!((part.stretch.unwrap() * own / quota - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_first_devices_get_what_is_left_over() {
        let own = |count| -> Vec<f64> {
            Subchannel::divide(Some(count), 3, SubchannelPower::PerSymbol)
                .iter()
                .map(|part| (part.share * count as f64).round())
                .collect()
        };
        assert_eq!(own(8), [3.0, 3.0, 2.0]);
        assert_eq!(own(7), [3.0, 2.0, 2.0]);
        assert_eq!(own(3), [1.0, 1.0, 1.0]);
    }
}
