//! Channels of the user's own, as an array [time, device, N_r, N_t].
//!
//! Nothing here opens a file: whoever does hands its bytes over.

use super::error::RadioError;
use super::fading::{FadingModel, Moments};
use super::matrix::Matrix;
use super::npy::{NpyError, NpyHeader, npy_bytes, shape_text};
use crate::rng::Streams;
use crate::units::FieldFault;
use num_complex::Complex;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The fields of [`Fading::Trace`](super::Fading::Trace); `Trace("h.npy")` names the file
/// alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trace {
    /// A NumPy file of complex numbers, [time, device, N_r, N_t]; the path is relative
    /// to the scenario's file. Entry t of the first axis is coherence block t.
    pub file: String,
    /// What happens after the last block of the trace. Default: an error.
    #[schemars(default)]
    pub past_end: PastEnd,
}

/// What comes after a trace's last block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum PastEnd {
    /// The run ends with an error, so that no channel is used twice unnoticed.
    #[default]
    Error,
    /// The trace begins again.
    Wrap,
}

impl<'de> Deserialize<'de> for Trace {
    /// By hand, so that a file name alone will do.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            file: String,
            #[serde(default)]
            past_end: PastEnd,
        }

        struct NameOrFields;

        impl<'de> Visitor<'de> for NameOrFields {
            type Value = Trace;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file name such as \"h.npy\", or fields (file, past_end)")
            }

            fn visit_str<E: de::Error>(self, file: &str) -> Result<Trace, E> {
                Ok(Trace {
                    file: file.to_owned(),
                    past_end: PastEnd::default(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Trace, A::Error> {
                let Fields { file, past_end } =
                    Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Trace { file, past_end })
            }
        }

        deserializer.deserialize_any(NameOrFields)
    }
}

impl FadingModel for Trace {
    /// What its file must hold is known where files are read.
    fn validate(&self, _devices: usize) -> Result<(), FieldFault> {
        Ok(())
    }

    fn moments(&self, _streams: Streams, _device: usize) -> Moments {
        panic!("a trace is read, not drawn")
    }

    fn refuses_doppler(&self) -> Option<&'static str> {
        Some("a trace has its own correlation in time; leave doppler out")
    }

    fn trace(&self) -> Option<&Trace> {
        Some(self)
    }
}

/// What a trace has along its axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceShape {
    /// Coherence blocks.
    pub slots: u64,
    /// N.
    pub devices: u64,
    /// N_r.
    pub server_antennas: u64,
    /// N_t.
    pub device_antennas: u64,
}

impl TraceShape {
    /// Takes a header's axes for time, device, N_r and N_t.
    ///
    /// # Errors
    /// If there are not four, or no block.
    pub fn of(header: &NpyHeader) -> Result<Self, FieldFault> {
        match header.shape[..] {
            [slots, devices, server_antennas, device_antennas] if slots > 0 => Ok(Self {
                slots,
                devices,
                server_antennas,
                device_antennas,
            }),
            [0, ..] if header.shape.len() == 4 => Err(FieldFault::new(
                "file",
                "the trace has no block: the first of its axes [time, device, N_r, N_t] is empty; \
                 record one or more",
            )),
            _ => {
                let help = match header.shape.len() {
                    0..4 => {
                        "put an axis of one entry where one is missing: h[None] if that is time"
                    }
                    _ => {
                        "channels are flat over the band here, so choose one entry of every axis \
                         that is none of these: h[..., 0] takes the first of subcarriers that come \
                         last, h[0] the first of a batch"
                    }
                };
                let shape = shape_text(&header.shape);
                Err(FieldFault::new(
                    "file",
                    format!(
                        "the array has shape {shape}, but four axes [time, device, N_r, N_t] are \
                         needed; {help}"
                    ),
                ))
            }
        }
    }

    /// Checks that the trace fits `devices` devices of `device_antennas` antennas and a
    /// server of `server_antennas`.
    ///
    /// # Errors
    /// What was found, what the scenario expects, and the fix.
    pub fn validate(
        self,
        devices: usize,
        server_antennas: usize,
        device_antennas: usize,
    ) -> Result<(), FieldFault> {
        for (axis, found, expected, what, field) in [
            (1, self.devices, devices, "devices", "their count"),
            (
                2,
                self.server_antennas,
                server_antennas,
                "server antennas",
                "the link's server_antennas",
            ),
            (
                3,
                self.device_antennas,
                device_antennas,
                "device antennas",
                "the link's device_antennas",
            ),
        ] {
            if found != expected as u64 {
                return Err(FieldFault::new(
                    "file",
                    format!(
                        "the trace has {found} {what} (axis {axis} of [time, device, N_r, N_t]), \
                         but the scenario has {expected}; set {field} to {found}, or record \
                         another trace"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Channels of all devices over time.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelTrace {
    shape: TraceShape,
    /// In C order.
    entries: Vec<Complex<f64>>,
}

impl ChannelTrace {
    /// The longest file of channels that is read.
    pub const MOST_BYTES: u64 = 1 << 32;

    /// Reads the bytes of a NumPy file.
    ///
    /// # Errors
    /// If they are no array of complex numbers with four axes, or an entry is NaN or
    /// infinite.
    pub fn from_npy(bytes: &[u8]) -> Result<Self, FieldFault> {
        let header = NpyHeader::parse(bytes, bytes.len() as u64)
            .map_err(|error: NpyError| FieldFault::new("file", error.to_string()))?;
        let trace = Self {
            shape: TraceShape::of(&header)?,
            entries: header.entries_of(bytes),
        };
        match trace.entries.iter().position(|h| !h.is_finite()) {
            None => Ok(trace),
            Some(place) => Err(FieldFault::new(
                "file",
                format!(
                    "h{:?} is {}; every entry must be a finite number",
                    trace.index(place),
                    trace.entries[place]
                ),
            )),
        }
    }

    /// Puts together the channels of every device, in device order, block by block; devices
    /// with fewer antennas than others have zeros in their place.
    ///
    /// # Panics
    /// If there is no block, or blocks have different numbers of devices or server
    /// antennas.
    pub fn of_blocks(blocks: &[Vec<Matrix>]) -> Self {
        let widest = |block: &Vec<Matrix>| block.iter().map(Matrix::ncols).max();
        let first = &blocks[0];
        let (rows, columns) = (first[0].nrows(), widest(first).unwrap_or(0));
        let mut entries = Vec::new();
        for block in blocks {
            assert_eq!(block.len(), first.len(), "devices in every block");
            for channel in block {
                assert_eq!(channel.nrows(), rows, "server antennas in every block");
                for row in 0..rows {
                    entries.extend(
                        (0..columns)
                            .map(|column| channel.get((row, column)).copied().unwrap_or_default()),
                    );
                }
            }
        }
        Self {
            shape: TraceShape {
                slots: blocks.len() as u64,
                devices: first.len() as u64,
                server_antennas: rows as u64,
                device_antennas: columns as u64,
            },
            entries,
        }
    }

    /// The bytes of a NumPy file that holds it.
    pub fn to_npy(&self) -> Vec<u8> {
        let TraceShape {
            slots,
            devices,
            server_antennas,
            device_antennas,
        } = self.shape;
        npy_bytes(
            &[slots, devices, server_antennas, device_antennas],
            &self.entries,
        )
    }

    /// What it has along its axes.
    pub fn shape(&self) -> TraceShape {
        self.shape
    }

    /// Axis indices of the entry at `place`.
    fn index(&self, place: usize) -> [u64; 4] {
        let mut rest = place as u64;
        let mut next = |axis: u64| {
            let index = rest % axis;
            rest /= axis;
            index
        };
        let column = next(self.shape.device_antennas);
        let row = next(self.shape.server_antennas);
        let device = next(self.shape.devices);
        [rest, device, row, column]
    }

    /// The entry of the time axis that coherence block `block` takes.
    pub(super) fn slot(&self, block: u64, past_end: PastEnd) -> Result<usize, RadioError> {
        let slots = self.shape.slots;
        match past_end {
            PastEnd::Wrap => Ok((block % slots) as usize),
            PastEnd::Error if block < slots => Ok(block as usize),
            PastEnd::Error => Err(RadioError::TraceEnded { block, slots }),
        }
    }

    fn entries_per_device(&self) -> usize {
        (self.shape.server_antennas * self.shape.device_antennas) as usize
    }

    /// H_n of `device` in `slot`, of its first `columns` antennas.
    pub(super) fn channel(&self, slot: usize, device: usize, columns: usize) -> Matrix {
        let size = self.entries_per_device();
        let first = (slot * self.shape.devices as usize + device) * size;
        let entries = &self.entries[first..first + size];
        let width = self.shape.device_antennas as usize;
        Matrix::from_fn(
            self.shape.server_antennas as usize,
            columns,
            |row, column| entries[row * width + column],
        )
    }

    /// Mean (its real part) and variance of `device`'s entries over the whole trace.
    pub(super) fn moments(&self, device: usize) -> Moments {
        let size = self.entries_per_device();
        let devices = self.shape.devices as usize;
        let own = || {
            let blocks = self.entries.chunks_exact(size).skip(device);
            blocks.step_by(devices).flatten()
        };
        let count = self.shape.slots as f64 * size as f64;
        let mean = own().fold(0.0, |sum, h| sum + h.re) / count;
        let variance = own().fold(0.0, |sum, h| sum + (h - mean).norm_sqr()) / count;
        Moments { mean, variance }
    }
}
