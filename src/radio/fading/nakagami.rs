//! Nakagami-m fading, without path loss.

use super::{FadingModel, Moments};
use crate::radio::gamma::Gamma;
use crate::radio::matrix::Matrix;
use crate::rng::{Stream, Streams};
use crate::units::FieldFault;
use num_complex::Complex;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::ops::RangeInclusive;

/// Below, the distribution is not defined; above, a power deviates by less than 3%.
const SHAPES: RangeInclusive<f64> = 0.5..=1000.0;

/// h = √G e^(jφ), with a power G = |h|² ~ Gamma(m, Ω/m) and a phase φ uniform on the circle:
/// E|h|² = Ω, E|h|⁴ = Ω²(1 + 1/m).
///
/// All symbols are dimensionless. m = 1 is Rayleigh fading, m = 1/2 the most severe,
/// one-sided Gaussian; a large m is a constant amplitude. Source: Nakagami, "The
/// m-distribution: a general formula of intensity distribution of rapid fading", 1960; Simon
/// and Alouini, "Digital Communication over Fading Channels", section 2.2.1.4, the phase
/// uniform as there.
///
/// Imperfect channel knowledge goes by mean and variance, as if entries were Gaussian.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nakagami {
    /// m, from 0.5 to 1000: (E|h|²)² over the variance of |h|².
    pub m: f64,
    /// Ω = E|h|², dimensionless.
    pub mean_gain: f64,
}

impl FadingModel for Nakagami {
    fn validate(&self, _devices: usize) -> Result<(), FieldFault> {
        if !SHAPES.contains(&self.m) {
            let (least, most) = (SHAPES.start(), SHAPES.end());
            return Err(FieldFault::new(
                "m",
                format!(
                    "{} is outside the range of m; use {least} to {most}",
                    self.m
                ),
            ));
        }
        FieldFault::unless_positive("mean_gain", self.mean_gain)
    }

    fn moments(&self, _streams: Streams, _device: usize) -> Moments {
        Moments {
            mean: 0.0,
            variance: self.mean_gain,
        }
    }

    /// Two words an entry, whatever m: G by inversion from the first, φ from the second.
    fn draw(&self, moments: Moments, mut stream: Stream, rows: usize, columns: usize) -> Matrix {
        let gamma = Gamma::new(self.m);
        let scale = moments.power() / self.m;
        let entries = (0..rows * columns).map(|_| {
            let power = scale * gamma.quantile(stream.random::<f64>());
            let (sine, cosine) = libm::sincos(TAU * stream.random::<f64>());
            Complex::new(cosine, sine) * power.sqrt()
        });
        Matrix::from_iterator(rows, columns, entries)
    }

    /// P(m, m x²/Ω), the regularised incomplete gamma function.
    fn amplitude_cdf(&self, moments: Moments, x: f64) -> f64 {
        Gamma::new(self.m).tails(self.m * x * x / moments.power()).0
    }

    fn refuses_doppler(&self) -> Option<&'static str> {
        Some(
            "channels that change in time are Rayleigh's or Rice's, whose scattering is Gaussian; \
             leave doppler out, or use the fading Rician or Rayleigh",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{Doppler, Fading, RadioConfig, kolmogorov_smirnov};
    use crate::units::Hertz;

    const SEEDS: Streams = Streams { seed: 11, run: 0 };

    fn entries(m: f64, mean_gain: f64) -> Matrix {
        Fading::Nakagami(Nakagami { m, mean_gain }).draw(SEEDS, 2, 5, 200, 200)
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
        sum / count
    }

    /// E Gᵏ = (Ω/m)ᵏ m(m + 1)…(m + k − 1), and so the deviations of means of G and G².
    #[test]
    fn powers_have_the_moments_of_gamma() {
        for (m, omega) in [
            (0.5, 1.0),
            (0.8, 2.0),
            (1.0, 1.0),
            (1.5, 0.3),
            (4.0, 1.0),
            (60.0, 7.0),
        ] {
            let channel = entries(m, omega);
            let n = channel.len() as f64;
            let moment = |k: u32| {
                let factors = (0..k).map(|i| (m + f64::from(i)) * omega / m);
                factors.product::<f64>()
            };
            assert!((moment(2) - omega * omega * (1.0 + 1.0 / m)).abs() < 1e-12 * moment(2));
            for k in [1, 2] {
                let found = mean(channel.iter().map(|h| h.norm_sqr().powi(k as i32)));
                let deviation = ((moment(2 * k) - moment(k) * moment(k)) / n).sqrt();
                assert!(
                    (found - moment(k)).abs() < 4.0 * deviation,
                    "m {m}, moment {k}: {found}, not {} ± {deviation}",
                    moment(k)
                );
            }
        }
    }

    /// E h = 0 and E h² = 0, each with the real and imaginary parts' deviations.
    #[test]
    fn phases_favour_no_direction() {
        let (m, omega) = (1.5, 1.0);
        let channel = entries(m, omega);
        let n = channel.len() as f64;
        let first = channel.iter().sum::<Complex<f64>>() / n;
        let second = channel.iter().map(|h| h * h).sum::<Complex<f64>>() / n;
        let deviations = [omega, omega * omega * (1.0 + 1.0 / m)].map(|x| (x / 2.0 / n).sqrt());
        for (sum, deviation) in [first, second].into_iter().zip(deviations) {
            assert!(
                sum.re.abs() < 4.0 * deviation && sum.im.abs() < 4.0 * deviation,
                "{sum}"
            );
        }
    }

    /// m = 1 is 1 − e^(−x²/Ω), m = 1/2 the amplitude of a real Gaussian, erf(x/√(2Ω)).
    #[test]
    fn amplitudes_are_distributed_as_said() {
        type Cdf = fn(f64) -> f64;
        let cases: [(f64, Cdf); 2] = [
            (1.0, |x| 1.0 - (-x * x / 2.0).exp()),
            (0.5, |x| libm::erf(x / 2.0)),
        ];
        for (m, cdf) in cases {
            let channel = entries(m, 2.0);
            let mut amplitudes: Vec<f64> = channel.iter().map(|h| h.norm_sqr().sqrt()).collect();
            amplitudes.sort_by(f64::total_cmp);
            let distance = kolmogorov_smirnov(&amplitudes, cdf);
            // The critical value of one in a thousand.
            let critical = 1.95 / (amplitudes.len() as f64).sqrt();
            assert!(distance < critical, "m {m}: {distance} > {critical}");
            let model = Nakagami { m, mean_gain: 2.0 };
            for x in [0.0, 0.01, 0.7, 1.4, 4.0] {
                let said = model.amplitude_cdf(model.moments(SEEDS, 0), x);
                assert!((said - cdf(x)).abs() < 1e-13, "m {m}, x {x}: {said}");
            }
        }
    }

    /// Another m changes every amplitude and no phase.
    #[test]
    fn every_entry_has_its_own_place_in_the_stream() {
        for (mild, severe) in entries(8.0, 1.0).iter().zip(&entries(0.5, 1.0)) {
            let turned = mild * severe.conj();
            let scale = (mild.norm_sqr() * severe.norm_sqr()).sqrt();
            assert!(turned.re >= scale * (1.0 - 1e-12), "{mild} {severe}");
        }
    }

    #[test]
    fn what_no_such_channel_has_is_refused_by_path() {
        let refuse = |m, mean_gain| Nakagami { m, mean_gain }.validate(1).unwrap_err().path;
        for m in [0.49, 1001.0, f64::NAN, f64::INFINITY] {
            assert_eq!(refuse(m, 1.0), "m");
        }
        for gain in [0.0, -1.0, f64::NAN] {
            assert_eq!(refuse(1.0, gain), "mean_gain");
        }
        assert!(
            Nakagami {
                m: 0.5,
                mean_gain: 1.0
            }
            .validate(1)
            .is_ok()
        );
    }

    #[test]
    fn a_doppler_shift_is_refused() {
        let config = RadioConfig {
            fading: Fading::Nakagami(Nakagami {
                m: 1.5,
                mean_gain: 1.0,
            }),
            doppler: Doppler::Shift(Hertz(50.0)),
            ..RadioConfig::default()
        };
        assert_eq!(config.validate(2).unwrap_err().path, "doppler");
    }
}
