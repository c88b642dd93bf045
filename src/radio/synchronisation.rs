//! How far devices are out of step: residual errors of phase and timing.
//!
//! After synchronisation every device is left, in each all-reduce, with a phase error
//! φ_n ~ N(0, σ_φ²) and a timing error t_n ~ N(0, σ_t²), both independent. The waveform is OFDM
//! with [`SUBCARRIERS`] subcarriers and a cyclic prefix that is longer than t_n and whose time
//! belongs to the round's overhead; use u of a round travels on subcarrier u mod 64, and
//! late symbols are turned there and nothing else: with δ_n = t_n B_n the error in symbol times
//! of the device's band B_n (B over the air, its sub-channel in FDMA), M_n becomes
//!
//! M_n exp(j(φ_n − 2π f_u δ_n)),  f_u = (u mod 64 + ½)/64 − ½.
//!
//! Averaged over the band that is the amplitude loss sin(πδ)/(64 sin(πδ/64)) ≈ sinc δ, and the
//! whole error per unit-variance entry of an aligned device, 2(1 − sinc δ · cos φ), is that of
//! a single carrier with sinc pulses too, self-interference included (Parseval). Its mean over
//! φ alone is 2(1 − exp(−σ_φ²/2)).
//!
//! A digital link's receiver tracks every device by itself, and feels neither error.
//!
//! Randomness: the streams (`"radio.phase"`, device, all-reduce) and (`"radio.timing"`, device,
//! all-reduce).

use crate::rng::{StandardNormal, Streams};
use crate::units::{FieldFault, Radians, Seconds};
use num_complex::Complex;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Subcarriers of the waveform, as many as a tile of [`super::superposition`] has uses.
pub(super) const SUBCARRIERS: usize = 64;

/// Residual errors of synchronisation. By default there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Synchronisation {
    /// σ_φ, the standard deviation of each device's phase error. Default 0 rad.
    pub phase_error: Radians,
    /// σ_t, the standard deviation of each device's timing error; a symbol of the whole band
    /// lasts 1/B. Default 0 s.
    pub timing_error: Seconds,
}

/// One device's errors in one all-reduce.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Offset {
    /// φ_n, in radians.
    pub phase: f64,
    /// t_n, in seconds.
    pub time: f64,
}

impl Synchronisation {
    /// Checks both values.
    ///
    /// # Errors
    /// The first that is NaN, infinite or negative.
    pub fn validate(self) -> Result<(), FieldFault> {
        FieldFault::if_negative("phase_error", self.phase_error.0)?;
        FieldFault::if_negative("timing_error", self.timing_error.0)
    }

    /// Every device's errors in the all-reduce number `index`, in device order; `None` if
    /// there are none.
    pub(super) fn draw(self, streams: Streams, devices: usize, index: u64) -> Option<Vec<Offset>> {
        if self == Self::default() {
            return None;
        }
        let normal = |purpose, device| -> f64 {
            streams
                .open(purpose, device as u32, index)
                .sample(StandardNormal)
        };
        let offset = |device| Offset {
            phase: self.phase_error.0 * normal("radio.phase", device),
            time: self.timing_error.0 * normal("radio.timing", device),
        };
        Some((0..devices).map(offset).collect())
    }
}

impl Offset {
    /// exp(j(φ − 2π f_u δ)) on every subcarrier, where a symbol lasts `symbol_time` seconds.
    pub(super) fn turns(self, symbol_time: f64) -> [Complex<f64>; SUBCARRIERS] {
        let delay = self.time / symbol_time;
        std::array::from_fn(|u| {
            let frequency = (u as f64 + 0.5) / SUBCARRIERS as f64 - 0.5;
            let (sine, cosine) = libm::sincos(self.phase - 2.0 * PI * frequency * delay);
            Complex::new(cosine, sine)
        })
    }
}
