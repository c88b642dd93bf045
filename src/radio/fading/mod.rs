//! Small-scale fading on top of path loss: how the entries of a channel are drawn.
//!
//! The models that a scenario may name plug in by [`FadingModel`]; a new one is one line
//! here. In those there are, entries are independent and identically distributed over
//! antennas; correlation in time is [`super::doppler`]'s.

mod nakagami;
mod rayleigh;
mod rician;

pub use nakagami::Nakagami;
pub use rayleigh::{Mean, Rayleigh, path_loss_db};
pub use rician::Rician;

use super::matrix::Matrix;
use super::rice::rician_cdf;
use super::tr38901::{LargeScale, Tr38901};
use super::trace::Trace;
use crate::registry::registry;
use crate::rng::{BulkDistribution, StandardNormal, Stream, Streams};
use crate::units::FieldFault;
use num_complex::Complex;
use rand::Rng;
use rand::distr::Distribution;

/// A model of fading, and what the radio, the checks of a scenario and its results ask of
/// one. What a Gaussian model answers is the default: it has [`moments`](Self::moments) to
/// give, and nothing to draw by itself.
pub trait FadingModel {
    /// Checks the values for `devices` devices.
    ///
    /// # Errors
    /// The first impossible field, by its path within the model.
    fn validate(&self, devices: usize) -> Result<(), FieldFault>;

    /// Mean and variance of an entry of `device`'s channel: the same for the whole run, and
    /// what is drawn for them comes from streams of `device` with index 0.
    ///
    /// # Panics
    /// If the model is a trace, whose entries only [`Channels`](super::Channels) know.
    fn moments(&self, streams: Streams, device: usize) -> Moments;

    /// Draws H ∈ C^{rows×columns} of a device that has these `moments`, column by column
    /// from `stream`, which is this draw's own. An entry's place in it must not depend on
    /// the values of those before: of two draws with other fields, each entry has the same
    /// words.
    fn draw(&self, moments: Moments, stream: Stream, rows: usize, columns: usize) -> Matrix {
        moments.draw(stream, rows, columns)
    }

    /// P(|h| ≤ x) of a device that has these `moments`; of a trace, what it would be if its
    /// entries were Gaussian.
    fn amplitude_cdf(&self, moments: Moments, x: f64) -> f64 {
        rician_cdf(moments, x)
    }

    /// What is drawn once for `device`, where the model has such.
    fn large_scale(&self, _streams: Streams, _device: usize) -> Option<LargeScale> {
        None
    }

    /// Whether its path loss is that of free space, which holds in the far field only and
    /// would amplify nearer.
    fn is_free_space(&self) -> bool {
        false
    }

    /// Why its channels cannot follow a Doppler shift ([`Doppler`](super::Doppler)), whose
    /// scattering is Gaussian; `None` if they can.
    fn refuses_doppler(&self) -> Option<&'static str> {
        None
    }

    /// The file that its channels are read from, if they are not drawn.
    fn trace(&self) -> Option<&Trace> {
        None
    }
}

registry! {
    /// How the entries of an uplink channel H_n ∈ C^{N_r×N_t} are drawn.
    ///
    /// Rayleigh fading of unit power and without path loss is
    /// `Rician(mean: 0.0, variance: 1.0)`.
    enum Fading;
    /// The model itself.
    fn model -> FadingModel;
    without fields {}
    with fields {
        Rician, "a line-of-sight mean plus scattering, without path loss: the same for all devices";
        Rayleigh, "scattering only, with free-space path loss per device";
        Nakagami, "amplitudes milder or more severe than Rayleigh's, as measured ones are; without path loss";
        Tr38901, "3GPP TR 38.901 path loss in UMi, UMa or InH: line of sight, shadowing, Rice factor";
        Trace, "channels of your own, [time, device, N_r, N_t], from a NumPy file";
    }
}

impl Default for Fading {
    fn default() -> Self {
        Self::Rician(Rician::default())
    }
}

impl Fading {
    /// Checks the values for `devices` devices.
    ///
    /// # Errors
    /// The first impossible field, by its path within the model.
    pub fn validate(&self, devices: usize) -> Result<(), FieldFault> {
        self.model().validate(devices)
    }

    /// Draws H ∈ C^{rows×columns} for `device` in coherence block `block`.
    ///
    /// Entries are drawn column by column from the stream (`"radio.fading"`, device,
    /// block).
    ///
    /// # Panics
    /// If this is a trace, which is read, not drawn.
    pub fn draw(
        &self,
        streams: Streams,
        device: usize,
        block: u64,
        rows: usize,
        columns: usize,
    ) -> Matrix {
        let stream = streams.open("radio.fading", device as u32, block);
        let moments = self.model().moments(streams, device);
        self.model().draw(moments, stream, rows, columns)
    }
}

/// Entries that are drawn at once.
const TOGETHER: usize = 128;

/// The first two moments of every entry of one device's channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// E h, real: the line of sight.
    pub mean: f64,
    /// E|h − E h|²: the scattering.
    pub variance: f64,
}

impl Moments {
    /// E|h|² = (E h)² + E|h − E h|².
    pub fn power(self) -> f64 {
        self.mean * self.mean + self.variance
    }

    /// Independent CN(E h, E|h − E h|²) entries of a rows × columns matrix, column by column.
    pub(super) fn draw(self, mut stream: Stream, rows: usize, columns: usize) -> Matrix {
        let mut channel = Matrix::zeros(rows, columns);
        self.fill(&mut stream, channel.as_mut_slice());
        channel
    }
}

/// h ~ CN(E h, E|h − E h|²): its amplitude is Rice's, Rayleigh's without a mean.
impl Distribution<Complex<f64>> for Moments {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Complex<f64> {
        let mut entry = [Complex::ZERO];
        self.fill(rng, &mut entry);
        entry[0]
    }
}

impl BulkDistribution<Complex<f64>> for Moments {
    fn fill<R: Rng + ?Sized>(&self, rng: &mut R, out: &mut [Complex<f64>]) {
        let deviation = (self.variance / 2.0).sqrt();
        let mut normals = [0.0; 2 * TOGETHER];
        for entries in out.chunks_mut(TOGETHER) {
            let normals = &mut normals[..2 * entries.len()];
            StandardNormal.fill(rng, normals);
            for (entry, pair) in entries.iter_mut().zip(normals.chunks_exact(2)) {
                *entry = Complex::new(self.mean + deviation * pair[0], deviation * pair[1]);
            }
        }
    }
}
