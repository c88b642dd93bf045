//! Fading that is correlated in time: Clarke's model of a moving device amid scatterers
//! all around it, whose spectrum is Jakes's.
//!
//! A scattered entry of unit power is a sum of M plane waves (the sum of sinusoids of
//! Zheng and Xiao, "Simulation models with correct statistical properties for Rayleigh fading
//! channels", IEEE Trans. Commun. 51, 2003, in complex form):
//!
//! g(t) = M^(−½) Σ_m e^(j(2π f_D t cos α_m + φ_m)),  α_m = 2π(m + u_m)/M,
//!
//! with u_m uniform on [0, 1) and φ_m uniform on the circle, all independent. Over seeds
//! E g(t) g*(t − τ) = J₀(2π f_D τ) exactly, for any M, as the α_m together are uniform on
//! the circle. The antennas of a device share their directions α_m and have phases φ_m of
//! their own, so that entries are independent at any one time. Of the marginal, a circular
//! Gaussian, only E|g|⁴ = 2 − 1/M is not exact; |g|² is within 0.23/(2M) of Exp(1) in
//! distribution. Over time a single realisation has unit power.
//!
//! The value at a time depends on the time alone, not on which times were asked before.

use super::fading::Moments;
use super::matrix::Matrix;
use crate::rng::Streams;
use crate::units::{FieldFault, Hertz, Instant, MetersPerSecond};
use num_complex::Complex;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// M: marginals within 0.001 of Gaussian.
const PATHS: usize = 128;

/// In m/s, exact.
pub(super) const SPEED_OF_LIGHT: f64 = 299_792_458.0;

const PICOSECONDS_PER_SECOND: f64 = 1e12;

/// Whether, and how fast, channels change with time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Doppler {
    /// Coherence blocks are independent.
    #[default]
    Off,
    /// f_D, the largest Doppler shift.
    Shift(Hertz),
    /// f_D = v f_c/c of devices, or of what surrounds them, at a speed.
    Moving {
        /// v.
        speed: MetersPerSecond,
        /// f_c.
        carrier: Hertz,
    },
}

impl Doppler {
    /// f_D; `None` if blocks are independent.
    pub fn shift(self) -> Option<Hertz> {
        match self {
            Self::Off => None,
            Self::Shift(shift) => Some(shift),
            Self::Moving { speed, carrier } => Some(Hertz(speed.0 * carrier.0 / SPEED_OF_LIGHT)),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first that is not a finite number above zero.
    pub fn validate(self) -> Result<(), FieldFault> {
        match self {
            Self::Off => Ok(()),
            Self::Shift(shift) => FieldFault::unless_positive("Shift", shift.0),
            Self::Moving { speed, carrier } => {
                FieldFault::unless_positive("speed", speed.0)?;
                FieldFault::unless_positive("carrier", carrier.0)
            }
        }
    }

    /// E g(t) g*(t − τ) = J₀(2π f_D τ) of unit scattering, τ = `lag` in seconds; without
    /// Doppler 1, as within a block.
    pub fn autocorrelation(self, lag: f64) -> f64 {
        self.shift()
            .map_or(1.0, |shift| libm::j0(TAU * shift.0 * lag))
    }
}

/// The scatterers around one device.
#[derive(Debug, Clone)]
pub(super) struct Scatterers {
    /// f_D cos α_m in Hz.
    shifts: Vec<f64>,
    /// e^(jφ_m)/√M, entry by entry.
    phasors: Vec<Complex<f64>>,
    rows: usize,
    columns: usize,
}

impl Scatterers {
    /// Draws those of `device`: directions from the stream (`"radio.doppler.directions"`,
    /// device, 0), phases from (`"radio.doppler.phases"`, device, 0), entry by entry and
    /// column by column. They take 2 KiB per entry.
    pub(super) fn draw(
        shift: Hertz,
        streams: Streams,
        device: usize,
        rows: usize,
        columns: usize,
    ) -> Self {
        let open = |purpose| streams.open(purpose, device as u32, 0);
        let mut directions = open("radio.doppler.directions");
        let shifts = (0..PATHS)
            .map(|m| (m as f64 + directions.random::<f64>()) / PATHS as f64)
            .map(|turn| shift.0 * libm::cos(TAU * turn))
            .collect();
        let mut phases = open("radio.doppler.phases");
        let amplitude = 1.0 / (PATHS as f64).sqrt();
        let phasors = (0..rows * columns * PATHS)
            .map(|_| unit(phases.random::<f64>()) * amplitude)
            .collect();
        Self {
            shifts,
            phasors,
            rows,
            columns,
        }
    }

    /// H(t) = μ + σ g(t), entry by entry: the line of sight is at right angles to the
    /// motion and stays.
    pub(super) fn at(&self, moments: Moments, time: Instant) -> Matrix {
        let seconds = time.0 as f64 / PICOSECONDS_PER_SECOND;
        let waves: Vec<Complex<f64>> = self
            .shifts
            .iter()
            // Whole turns go first, where they are exact, so that the angle stays small.
            .map(|shift| unit((shift * seconds).fract()))
            .collect();
        let deviation = moments.variance.sqrt();
        let entries = self.phasors.chunks_exact(PATHS).map(|phasors| {
            let sum = phasors
                .iter()
                .zip(&waves)
                .fold(Complex::new(0.0, 0.0), |sum, (a, b)| sum + a * b);
            sum * deviation + moments.mean
        });
        Matrix::from_iterator(self.rows, self.columns, entries)
    }
}

/// e^(j2π · turn).
fn unit(turn: f64) -> Complex<f64> {
    let (sine, cosine) = libm::sincos(TAU * turn);
    Complex::new(cosine, sine)
}
