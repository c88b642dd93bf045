//! The numbers: one row per device, one per lag.

use super::Ensemble;
use crate::radio::{Matrix, Moments, kolmogorov_smirnov, mimo_capacity, singular_values};
use crate::results::folder::{FolderError, Staging};
use crate::results::tables::write_rows;
use num_complex::Complex;
use serde::Serialize;

/// What is known of one device's channels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceStatistics {
    /// Counted from 0.
    pub device: usize,
    /// Entries over all blocks.
    pub entries: usize,
    /// 10 log₁₀ of the mean |h|² drawn; none if nothing arrives.
    pub mean_gain_db: Option<f64>,
    /// 10 log₁₀ (μ² + σ²).
    pub model_gain_db: Option<f64>,
    /// 10 log₁₀ (μ²/σ²); none without a line of sight or without scattering.
    pub rice_factor_db: Option<f64>,
    /// Distance of Kolmogorov and Smirnov from the amplitudes to the model's distribution;
    /// of a trace, to Rice's of its moments.
    pub amplitude_ks: f64,
    /// Mean capacity at the scenario's power and noise, the transmitter not knowing the
    /// channel.
    pub capacity_bit_per_s_hz: f64,
    /// Root mean square of the largest singular value.
    pub largest_singular_value: f64,
    /// Root mean square of the smallest one.
    pub smallest_singular_value: f64,
    /// Mean of 20 log₁₀ of largest over smallest; none if some block has no full rank.
    pub condition_db: Option<f64>,
    /// Whether the device sees the server, where the model draws that.
    pub line_of_sight: Option<bool>,
    /// PL, where the model has one of its own for each device.
    pub path_loss_db: Option<f64>,
    /// SF, likewise.
    pub shadowing_db: Option<f64>,
}

/// The autocorrelation at one lag, normalised by the scattering's variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lag {
    /// τ.
    pub lag_s: f64,
    /// Re E(h(t) − μ)(h(t − τ) − μ)*/σ², over all entries, devices and times.
    pub real: f64,
    /// Its imaginary part.
    pub imaginary: f64,
    /// J₀(2π f_D τ).
    pub theory: f64,
}

/// Everything that is told of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// In device order.
    pub devices: Vec<DeviceStatistics>,
    /// By increasing lag; none without Doppler.
    pub lags: Vec<Lag>,
    /// Per device and rank, the root mean square of that singular value over blocks.
    pub singular_values: Vec<Vec<f64>>,
}

/// 10 log₁₀ of a power; none for nothing.
fn decibels(power: f64) -> Option<f64> {
    (power > 0.0 && power.is_finite()).then(|| 10.0 * libm::log10(power))
}

/// Computes them, unless `poll` says on the way that nobody wants them any more.
///
/// # Errors
/// What `poll` says.
///
/// # Panics
/// If `ensemble` has no block.
pub fn statistics<E>(
    ensemble: &Ensemble,
    poll: impl Fn() -> Result<(), E>,
) -> Result<Statistics, E> {
    let mut devices = Vec::new();
    let mut singular_values = Vec::new();
    for device in 0..ensemble.moments.len() {
        poll()?;
        let (statistics, values) = of_device(ensemble, device);
        devices.push(statistics);
        singular_values.push(values);
    }
    Ok(Statistics {
        devices,
        lags: lags(ensemble, poll)?,
        singular_values,
    })
}

fn of_device(ensemble: &Ensemble, device: usize) -> (DeviceStatistics, Vec<f64>) {
    let model = ensemble.fading.model();
    let moments = ensemble.moments[device];
    let channels: Vec<&Matrix> = ensemble.blocks.iter().map(|block| &block[device]).collect();
    let blocks = channels.len() as f64;
    let amplitudes = sorted_amplitudes(&channels);
    let power = amplitudes.iter().fold(0.0, |sum, x| sum + x * x) / amplitudes.len() as f64;
    let capacities = channels
        .iter()
        .map(|channel| mimo_capacity(channel, ensemble.power.power, ensemble.power.noise));
    let values: Vec<Vec<f64>> = channels
        .iter()
        .map(|channel| singular_values(channel))
        .collect();
    let ranks = values[0].len();
    let root_mean_square = |rank: usize| {
        let squares = values.iter().fold(0.0, |sum, v| sum + v[rank] * v[rank]);
        (squares / blocks).sqrt()
    };
    let conditions = values
        .iter()
        .map(|v| decibels(v[0] / v[ranks - 1]).map(|ratio| 2.0 * ratio))
        .try_fold(0.0, |sum, condition| Some(sum + condition?));
    let singular_values: Vec<f64> = (0..ranks).map(root_mean_square).collect();
    let large_scale = ensemble.large_scale.get(device);
    let statistics = DeviceStatistics {
        device,
        entries: amplitudes.len(),
        mean_gain_db: decibels(power),
        model_gain_db: decibels(moments.power()),
        rice_factor_db: decibels(moments.mean * moments.mean / moments.variance),
        amplitude_ks: kolmogorov_smirnov(&amplitudes, |x| model.amplitude_cdf(moments, x)),
        capacity_bit_per_s_hz: capacities.fold(0.0, |sum, c| sum + c) / blocks,
        largest_singular_value: singular_values[0],
        smallest_singular_value: singular_values[ranks - 1],
        condition_db: conditions.map(|sum| sum / blocks),
        line_of_sight: large_scale.map(|link| link.line_of_sight),
        path_loss_db: large_scale.map(|link| link.path_loss_db),
        shadowing_db: large_scale.map(|link| link.shadowing_db),
    };
    (statistics, singular_values)
}

/// |h| of all entries, in ascending order.
pub fn sorted_amplitudes(channels: &[&Matrix]) -> Vec<f64> {
    let mut amplitudes: Vec<f64> = channels
        .iter()
        .flat_map(|channel| channel.iter().map(|h| h.norm_sqr().sqrt()))
        .collect();
    amplitudes.sort_by(f64::total_cmp);
    amplitudes
}

/// The autocorrelation up to half of the time drawn.
fn lags<E>(ensemble: &Ensemble, poll: impl Fn() -> Result<(), E>) -> Result<Vec<Lag>, E> {
    let (Some(interval), Some(_)) = (ensemble.interval, ensemble.doppler.shift()) else {
        return Ok(Vec::new());
    };
    let blocks = &ensemble.blocks;
    (0..=blocks.len() / 2)
        .map(|lag| {
            poll()?;
            let mut sum = Complex::new(0.0, 0.0);
            let mut count = 0.0;
            for (now, then) in blocks[lag..].iter().zip(blocks) {
                for ((now, then), Moments { mean, variance }) in
                    now.iter().zip(then).zip(&ensemble.moments)
                {
                    if *variance > 0.0 {
                        for (a, b) in now.iter().zip(then) {
                            sum += (a - mean) * (b - mean).conj() / variance;
                        }
                        count += now.len() as f64;
                    }
                }
            }
            let lag_s = lag as f64 * interval;
            Ok(Lag {
                lag_s,
                real: if count > 0.0 { sum.re / count } else { 0.0 },
                imaginary: if count > 0.0 { sum.im / count } else { 0.0 },
                theory: ensemble.doppler.autocorrelation(lag_s),
            })
        })
        .collect()
}

impl Statistics {
    /// Writes `channel.csv` and, with Doppler, `autocorrelation.csv`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn write(&self, staging: &mut Staging) -> Result<(), FolderError> {
        write_rows(staging, "channel.csv", self.devices.iter())?;
        if self.lags.is_empty() {
            return Ok(());
        }
        write_rows(staging, "autocorrelation.csv", self.lags.iter())
    }
}
