//! Channel state information: what devices and server know of the channel when they design
//! for it, and what learning it costs.
//!
//! The truth is H_n, as [`super::fading`] draws it, whatever is known of it. The channel was
//! measured a delay τ before it is used. Fading has the line-of-sight mean μ and scattering
//! of variance σ² in every entry, and is first-order Gauss–Markov over that delay, with the
//! autocorrelation of Clarke's model (Clarke, "A Statistical Theory of Mobile-Radio
//! Reception", 1968):
//!
//! H'_n = μ + ρ(H_n − μ) + √(1−ρ²) W,  W ~ CN(0, σ²),  ρ = J₀(2π f_D τ),
//!
//! which read backwards or forwards in time is the same law. Where channels are a process in
//! time themselves ([`super::doppler`]), H'_n is that process τ before the block begins, or
//! at the start of the run if that is later, and f_D is the process's own. The measurement
//! adds an error:
//!
//! Ĥ_n = H'_n + E,  E ~ CN(0, σ_e²),  σ_e² = ε E|h|² = ε(|μ|² + σ²).
//!
//! Designs take Ĥ_n for the truth, without shrinking it; tensors then go through H_n. What a
//! zero-forcing design misses by follows from H_n given Ĥ_n, which for w = ρσ²/(σ²+σ_e²) has
//! the mean μ + w(Ĥ_n − μ) and the variance v = σ²(1 − ρw):
//!
//! E[‖AᴴH_nB_n − I‖² | Ĥ_n] = ‖Aᴴ(μ + w(Ĥ_n − μ))B_n − I‖² + v‖A‖²‖B_n‖².
//!
//! Over the air and uncoded schemes feel all of it. A digital link chooses its rate from Ĥ_n,
//! and decodes with pilots of its own: what the estimate promises too little is lost, what it
//! promises too much is made good by ideal incremental redundancy, so that its rate is the
//! smaller of those of Ĥ_n and H_n. The downlink adapts to the truth.
//!
//! Pilots are sent at the power of a channel use. Their energy is the radio's, but no part of
//! what [`super::PowerConvention::EnergyPerVector`] grants a vector: a block's pilots serve
//! all its all-reduces.
//!
//! Randomness: W comes from the stream (`"radio.csi.ageing"`, device, block), E from
//! (`"radio.csi.error"`, device, block).

use super::fading::Moments;
use super::matrix::Matrix;
use crate::rng::{Stream, Streams};
use crate::units::{Duration, FieldFault, Hertz, Instant, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Channel knowledge. By default it is perfect, fresh and free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Csi {
    /// ε = σ_e²/E|h|², the normalised mean squared error of a measured entry. Default 0.
    pub estimation_error: f64,
    /// f_D, the largest Doppler shift: speed times carrier frequency over the speed of light.
    /// Default 0 Hz; where the radio's own `doppler` says it, leave it so.
    pub doppler: Hertz,
    /// τ, from measurement to use. Default 0 s.
    pub delay: Seconds,
    /// Symbols of the whole band that measuring all channels takes, once per coherence block:
    /// they lengthen its first all-reduce by this many times 1/B. Devices take turns, each
    /// radiating its power for its part. Default 0.
    pub pilot_symbols: u32,
}

impl Csi {
    /// Checks every value.
    ///
    /// # Errors
    /// The first that is NaN, infinite or negative.
    pub fn validate(self) -> Result<(), FieldFault> {
        FieldFault::if_negative("estimation_error", self.estimation_error)?;
        FieldFault::if_negative("doppler", self.doppler.0)?;
        FieldFault::if_negative("delay", self.delay.0)
    }

    /// ρ = J₀(2π f_D τ), between the measured channel's scattering and the true one's.
    pub fn correlation(self) -> f64 {
        libm::j0(2.0 * PI * self.doppler.0 * self.delay.0)
    }

    /// Whether what is known is the truth.
    pub(super) fn is_perfect(self) -> bool {
        self.estimation_error == 0.0 && self.doppler.0 * self.delay.0 == 0.0
    }

    /// When the channel of a block that begins at `start` was measured: τ before, or when the
    /// run began; `None` if at once.
    pub(super) fn measured_at(self, start: Instant) -> Option<Instant> {
        let delay = Duration::from_seconds(self.delay.0).ok()?;
        (delay != Duration::ZERO).then(|| Instant(start.0.saturating_sub(delay.0)))
    }

    /// Ĥ_n of `device` in coherence block `block`: H_n is `channel`, whose entries have the
    /// mean μ and variance σ² of `moments`; H'_n is `measured` where channels are a process
    /// in time, else drawn.
    pub(super) fn estimate(
        self,
        streams: Streams,
        device: usize,
        block: u64,
        channel: &Matrix,
        measured: Option<Matrix>,
        moments: Moments,
    ) -> Matrix {
        let Moments { mean, variance } = moments;
        let aged_already = measured.is_some();
        let mut estimate = measured.unwrap_or_else(|| channel.clone());
        let open = |purpose| streams.open(purpose, device as u32, block);
        let rho = self.correlation();
        if rho != 1.0 && !aged_already {
            for entry in estimate.iter_mut() {
                *entry = mean + (*entry - mean) * rho;
            }
            let innovation = variance * (1.0 - rho * rho);
            add_normal(&mut estimate, innovation, open("radio.csi.ageing"));
        }
        if self.estimation_error > 0.0 {
            let error = self.estimation_error * moments.power();
            add_normal(&mut estimate, error, open("radio.csi.error"));
        }
        estimate
    }
}

/// Adds independent CN(0, `variance`) to every entry.
fn add_normal(matrix: &mut Matrix, variance: f64, stream: Stream) {
    let moments = Moments {
        mean: 0.0,
        variance,
    };
    *matrix += moments.draw(stream, matrix.nrows(), matrix.ncols());
}
