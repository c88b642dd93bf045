//! All-reduce schemes: how N partial outputs become one sum, in which time, for which
//! energy, and with which error.
//!
//! A scheme is prepared once per coherence block and then serves any number of
//! rounds on it: [`AllReduce::prepare`] gives a [`Link`], whose [`plan`](Schedule::plan)
//! says how long a round lasts and whose [`reduce`](Link::reduce) sends real tensors
//! through it. Where no drawn channel has a say in time and energy,
//! [`AllReduce::schedule`] knows them beforehand, and whoever only wants those prepares
//! nothing. A new scheme is one file that implements the traits, and one line in
//! [`super::scheme`].

use super::budget::LinkPower;
use super::coding::Coding;
use super::error::RadioError;
use super::exchange::Exchange;
use super::hierarchy::Hierarchy;
use super::matrix::Matrix;
use super::synchronisation::Offset;
use super::transceiver::TransceiverDesign;
use crate::rng::Stream;
use crate::units::{Duration, FieldFault, Hertz, Seconds};
use std::fmt;

/// One coherence block as a scheme sees it.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// H_n ∈ C^{N_r×N_t}, in device order: what tensors go through.
    pub channels: &'a [Matrix],
    /// The limit of tr(B_n B_nᴴ), units per channel use, in device order.
    pub powers: &'a [f64],
    /// Ĥ_n, in device order: what devices and server take for H_n when they design.
    pub estimates: &'a [Matrix],
    /// P, σ_z² and what a unit of them is.
    pub power: LinkPower,
    /// B, also the symbol rate.
    pub bandwidth: Hertz,
    /// What coding makes of the capacity of digital links.
    pub coding: Coding,
    /// Added to the time of every round: synchronisation, and the control slot on
    /// which devices agree on a scale.
    pub round_overhead: Seconds,
    /// How a scheme that combines over the air finds combiner and precoders.
    pub design: &'a dyn TransceiverDesign,
}

/// What is known of a coherence block before its channels are.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The limit of tr(B_n B_nᴴ), units per channel use, in device order.
    pub powers: &'a [f64],
    /// P, σ_z² and what a unit of them is.
    pub power: LinkPower,
    /// B, also the symbol rate.
    pub bandwidth: Hertz,
    /// What coding makes of the capacity of digital links.
    pub coding: Coding,
    /// Added to the time of every round.
    pub round_overhead: Seconds,
}

impl<'a> Block<'a> {
    /// The block without its channels.
    pub fn terms(&self) -> Terms<'a> {
        Terms {
            powers: self.powers,
            power: self.power,
            bandwidth: self.bandwidth,
            coding: self.coding,
            round_overhead: self.round_overhead,
        }
    }
}

/// How the symbols of an all-reduce travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbols {
    /// Nothing is sent.
    Silent,
    /// Messages from node to node, whatever links join them.
    Messages,
    /// Analog ones of all devices at once, so many per symbol time, and the channel adds them: a
    /// transceiver is designed, and errors in time and phase are felt.
    Combined {
        /// Complex numbers per symbol time.
        streams: usize,
    },
    /// Analog ones, each device heard alone: errors in phase are felt.
    Apart,
    /// Bits, at the rate of the drawn channels or at a fixed one.
    Bits {
        /// Whether the rate is that of the drawn channels.
        drawn_rate: bool,
    },
    /// At each level of a hierarchy in its own way.
    Levels,
}

/// An antenna layout and fleet, against which a scheme's own fields are checked.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// N.
    pub devices: usize,
    /// N_t of the device that has the fewest.
    pub device_antennas: usize,
    /// Which device that is, if not all have as many.
    pub fewest_antennas: Option<usize>,
    /// N_r.
    pub server_antennas: usize,
    /// Whose these are, for an error: `"the server"` or `"a head"`.
    pub receiver: &'static str,
}

/// An all-reduce scheme.
pub trait AllReduce: fmt::Debug + Send + Sync {
    /// Checks the scheme's own fields.
    ///
    /// # Errors
    /// The first impossible one, by its path within the scheme.
    fn validate(&self, layout: Layout) -> Result<(), FieldFault>;

    /// How its symbols travel, which decides what else of a scenario it feels.
    fn symbols(&self) -> Symbols;

    /// Whether anything is sent through the air in rounds of all devices.
    fn uses_radio(&self) -> bool {
        !matches!(self.symbols(), Symbols::Silent | Symbols::Messages)
    }

    /// The levels at which it sums, if these are several; `None` by default.
    fn hierarchy(&self) -> Option<&Hierarchy> {
        None
    }

    /// The messages by which it sums, if it does not sum over the air; `None`, as by default,
    /// where it does, or where nothing is sent.
    fn exchange(&self) -> Option<Exchange> {
        None
    }

    /// For each of `devices` devices u_n, such that device n, if it radiates all of its
    /// power P_n per channel use, spends u_n P_n on a vector of `entries` real entries under
    /// `coding`; `None`, as by default, where the drawn channel decides.
    fn uses_per_vector(&self, entries: usize, devices: usize, coding: Coding) -> Option<Vec<f64>> {
        let _ = (entries, devices, coding);
        None
    }

    /// Time and energy of rounds, where no drawn channel has a say in them; `None`, as by
    /// default, where one has. What an analog scheme radiates is its design's affair, so
    /// it has a say as soon as a power unit has a size and joules are counted.
    ///
    /// # Errors
    /// If the terms allow no round.
    fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
        let _ = terms;
        Ok(None)
    }

    /// Designs whatever holds for a whole coherence block.
    ///
    /// # Errors
    /// If the block's channels cannot carry what the scheme asks of them.
    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError>;
}

/// Time and energy of a scheme's rounds.
pub trait Schedule: fmt::Debug + Send + Sync {
    /// What each device sends in a round of `entries` real entries, in device order.
    ///
    /// # Errors
    /// If a transmission is too long for the clock.
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError>;
}

/// A scheme, prepared for one coherence block.
pub trait Link: Schedule {
    /// The error to be expected of rounds of `entries` real entries; `None`, as by default,
    /// where the tensors decide it, as in quantisation.
    fn expected(&self, entries: usize) -> Option<Expected> {
        let _ = entries;
        None
    }

    /// Sums the devices' partial outputs `parts[n]` into `sum`, all of one length, as
    /// the link delivers them.
    ///
    /// `noise` is the round's own stream.
    ///
    /// # Errors
    /// If a part has another length or holds a NaN or an infinity.
    fn reduce(
        &self,
        parts: &[&[f32]],
        noise: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError>;

    /// Like [`reduce`](Self::reduce), with device n out of step by `offsets[n]`. By default,
    /// as in coded links, receivers track their devices and nothing is felt of it.
    ///
    /// # Errors
    /// Those of [`reduce`](Self::reduce).
    fn reduce_out_of_step(
        &self,
        parts: &[&[f32]],
        offsets: &[Offset],
        noise: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        let _ = offsets;
        self.reduce(parts, noise, sum)
    }
}

/// One device's (or the server's) use of the air in one round.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Transmission {
    /// From its start to its end, the round's overhead included.
    pub duration: Duration,
    /// Payload bits; none where entries are sent as analog symbols.
    pub bits: u64,
    /// Symbols sent.
    pub channel_uses: u64,
    /// Radiated energy, where the size of a power unit is known.
    pub joules: Option<f64>,
}

/// The uplink of one round.
#[derive(Debug, Clone, PartialEq)]
pub struct Uplink {
    /// In device order.
    pub transmissions: Vec<Transmission>,
    /// How much longer the round lasts than if the band were divided exactly, in seconds;
    /// below zero if the slowest device is one that the rounding favours. `None` if the
    /// band is divided exactly or not at all.
    pub rounding_s: Option<f64>,
}

/// What a round will do to tensors of independent unit-variance entries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Complex entries summed.
    pub symbols: u64,
    /// The mean |ŝ − s|² over them: (7)/L.
    pub error: f64,
}

/// What a round did to the tensors. Powers are means per complex entry after
/// normalisation by the round's scale (two real entries make one complex entry).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Distortion {
    /// Complex entries summed.
    pub symbols: u64,
    /// Mean |ŝ − s|², measured.
    pub error: f64,
    /// Its part from misalignment, Σ_n (M_n − I)s_n, measured; zero for digital schemes.
    pub misalignment: f64,
    /// Its part from noise, Aᴴn, or from quantisation, measured.
    pub noise: f64,
    /// The mean |ŝ − s|² that theory expects: (7)/L, or Δ²/12 per real entry.
    pub analytic: f64,
    /// Whether that is Δ²/12, as links are digital, and (7) does not apply.
    pub quantised: bool,
    /// Σ(ẑ − z)²/Σz² over the real entries of the sum, measured; zero if the sum is.
    pub nmse: f64,
    /// What one normalised complex entry is worth: the round's scale.
    pub scale: f64,
}

/// Checks that all parts are as long as the sum.
pub(super) fn check_lengths(parts: &[&[f32]], expected: usize) -> Result<(), RadioError> {
    match parts.iter().position(|part| part.len() != expected) {
        None => Ok(()),
        Some(device) => Err(RadioError::Shape {
            device,
            entries: parts[device].len(),
            expected,
        }),
    }
}

/// Names the entry of `part` that is no number, given that `summary`, a sum or maximum
/// over all of them, is not finite.
pub(super) fn check_finite(device: usize, part: &[f32], summary: f64) -> Result<(), RadioError> {
    if !summary.is_finite()
        && let Some(entry) = part.iter().position(|x| !x.is_finite())
    {
        return Err(RadioError::NotFinite {
            device,
            entry,
            value: part[entry],
        });
    }
    Ok(())
}

/// The time of one device's part of a round.
pub(super) fn duration_of(device: usize, seconds: f64) -> Result<Duration, RadioError> {
    Duration::from_seconds(seconds).map_err(|source| RadioError::TooLong { device, source })
}
