//! What can go wrong on the air.

use crate::interrupt::Interrupted;
use crate::units::{DurationError, FieldFault, Joules};

/// A fault of the radio: of its configuration, of a channel, or of what was sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RadioError {
    /// A configuration field holds an impossible value.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The work was given up.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// A device's channel cannot carry the streams that a design asks of it.
    #[error(
        "the channel of device {device} cannot carry {streams} streams: AᴴH is singular; use fewer streams or more antennas"
    )]
    SingularChannel {
        /// The device, counted from 0.
        device: usize,
        /// Streams per channel use.
        streams: usize,
    },
    /// A design that needs as many streams as device antennas.
    #[error(
        "the relaxation needs as many streams as device antennas, but {streams} streams meet {antennas} antennas at device {device}; use {antennas} streams or another design"
    )]
    StreamsUnlikeAntennas {
        /// The device, counted from 0.
        device: usize,
        /// Streams per channel use.
        streams: usize,
        /// Its antennas.
        antennas: usize,
    },
    /// More streams than antennas on one side.
    #[error(
        "{streams} streams need at least {streams} antennas, but {side} has {antennas}; lower `streams` or raise its antennas"
    )]
    TooManyStreams {
        /// Streams per channel use.
        streams: usize,
        /// `"each device"` or `"the server"`.
        side: &'static str,
        /// Its antennas.
        antennas: usize,
    },
    /// A device sent something that is not a number.
    #[error(
        "device {device} sent {value} as entry {entry} of its partial output: the model overflowed before the channel, so its input was already distorted beyond use; raise the SNR or check the weights"
    )]
    NotFinite {
        /// The device, counted from 0.
        device: usize,
        /// The entry, counted from 0.
        entry: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// Partial outputs that do not fit together.
    #[error(
        "device {device} sent {entries} entries where {expected} were expected: all partial outputs of one all-reduce have one shape"
    )]
    Shape {
        /// The device, counted from 0; as many as devices are expected if one is missing.
        device: usize,
        /// What it sent.
        entries: usize,
        /// What the sum holds.
        expected: usize,
    },
    /// Compute alone exceeds a device's energy budget: (8) has no solution.
    #[error(
        "device {device} spends {} on computing its part of the model before each all-reduce, but its budget is {}: {} short, and nothing is left to send with; give it a smaller share, or raise `convention.energy` of the link or its offset",
        shown(*needs),
        shown(*has),
        shown(*shortfall)
    )]
    NoEnergy {
        /// The device, counted from 0.
        device: usize,
        /// What its compute takes for each vector.
        needs: Joules,
        /// P_n.
        has: Joules,
        /// What is missing before anything is sent.
        shortfall: Joules,
    },
    /// A link without capacity.
    #[error("the link of device {device} has a rate of {rate} bit/s: nothing can be sent over it")]
    NoRate {
        /// The device, counted from 0.
        device: usize,
        /// Its rate.
        rate: f64,
    },
    /// A run outlasts its channel trace.
    #[error(
        "coherence block {block} lies past the end of the channel trace, which has {slots} of them, counted from 0; record a longer one, or start over with Trace(file: …, past_end: Wrap)"
    )]
    TraceEnded {
        /// The block, counted from 0.
        block: u64,
        /// Blocks in the trace.
        slots: u64,
    },
    /// A transmission too long for the clock.
    #[error(
        "a transmission of device {device} lasts too long: {source}; next to nothing arrives over its link: check `fading` and `budget` of the link, whose Normalised snr holds before any path loss"
    )]
    TooLong {
        /// The device, counted from 0.
        device: usize,
        /// What the clock said.
        source: DurationError,
    },
}

impl RadioError {
    /// The same fault, told of some of all devices: of place n among them is device `devices[n]`.
    pub(super) fn renumbered(mut self, devices: &[usize]) -> Self {
        match &mut self {
            Self::SingularChannel { device, .. }
            | Self::StreamsUnlikeAntennas { device, .. }
            | Self::NotFinite { device, .. }
            | Self::Shape { device, .. }
            | Self::NoEnergy { device, .. }
            | Self::NoRate { device, .. }
            | Self::TooLong { device, .. } => {
                if let Some(number) = devices.get(*device) {
                    *device = *number;
                }
            }
            Self::Field(_)
            | Self::Interrupted(_)
            | Self::TooManyStreams { .. }
            | Self::TraceEnded { .. } => {}
        }
        self
    }
}

/// To four digits, as people read it.
fn shown(energy: Joules) -> Joules {
    format!("{:.3e}", energy.0).parse().map_or(energy, Joules)
}
