//! Fading that is correlated in time against Clarke's theory: autocorrelation, level
//! crossings and marginals in closed form, and access to any time in any order.

use airloom::radio::{
    Channels, Coherence, Doppler, Fading, Matrix, RadioConfig, Rician, Trace, product_adjoint,
};
use airloom::rng::Streams;
use airloom::units::{Hertz, Instant, MetersPerSecond, Seconds};
use num_complex::Complex;

const SEEDS: Streams = Streams { seed: 9, run: 0 };

/// f_D = 50 Hz.
const SHIFT: f64 = 50.0;

const RAYLEIGH: Fading = Fading::Rician(Rician {
    mean: 0.0,
    variance: 1.0,
});

fn config(fading: Fading, server_antennas: usize, device_antennas: usize) -> RadioConfig {
    RadioConfig {
        fading,
        server_antennas,
        device_antennas,
        doppler: Doppler::Shift(Hertz(SHIFT)),
        coherence: Coherence::Time(Seconds(1e-3)),
        ..RadioConfig::default()
    }
}

fn channels(config: &RadioConfig, devices: usize) -> Channels {
    config.validate(devices).unwrap();
    Channels::new(config, devices, SEEDS, None).unwrap()
}

fn seconds(time: f64) -> Instant {
    Instant((time * 1e12).round() as u64)
}

/// Distance of Kolmogorov and Smirnov to `cdf`.
fn distance(mut samples: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    samples.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// Half a million entries: 20 devices, 50 × 50 antennas, ten times 1.7 s = 85/f_D apart.
fn half_a_million(fading: Fading) -> Vec<Complex<f64>> {
    let channels = channels(&config(fading, 50, 50), 20);
    let times = (0..10).map(|k| seconds(1.7 * f64::from(k)));
    times
        .flat_map(|time| (0..20).map(move |device| (device, time)))
        .flat_map(|(device, time)| channels.at(device, time).unwrap().as_slice().to_vec())
        .collect()
}

#[test]
fn rayleigh_power_stays_exponential() {
    let powers = half_a_million(RAYLEIGH)
        .iter()
        .map(Complex::norm_sqr)
        .collect();
    let distance = distance(powers, |x| 1.0 - (-x).exp());
    assert!(distance < 0.01, "{distance}");
}

/// P(|h| ≤ x) = ∫₀ˣ 2r/σ² e^(−(r² + μ²)/σ²) I₀(2rμ/σ²) dr, with I₀ by its integral over the
/// circle: the probability of a disc under a shifted Gaussian, by Simpson's rule.
#[test]
fn rician_amplitudes_stay_rician() {
    let (mean, variance) = (1.0, 0.5);
    let amplitudes: Vec<f64> = half_a_million(Fading::Rician(Rician { mean, variance }))
        .iter()
        .map(|h| h.norm_sqr().sqrt())
        .collect();
    let density = |r: f64| {
        let turns = 64;
        let circle = (0..turns).map(|k| {
            let angle = std::f64::consts::TAU * f64::from(k) / f64::from(turns);
            (-(r * r + mean * mean - 2.0 * r * mean * angle.cos()) / variance).exp()
        });
        2.0 * r / variance * circle.sum::<f64>() / f64::from(turns)
    };
    let step = 1e-3;
    let mut table = vec![0.0];
    for k in 0..6000 {
        let at = f64::from(k) * step;
        let panel = density(at) + 4.0 * density(at + step / 2.0) + density(at + step);
        table.push(table[k as usize] + panel * step / 6.0);
    }
    let distance = distance(amplitudes, |x| {
        let place = (x / step).min(5999.0);
        let low = place.floor() as usize;
        table[low] + (place - place.floor()) * (table[low + 1] - table[low])
    });
    assert!(distance < 0.01, "{distance}");
}

/// E (h(t) − μ)(h(t − τ) − μ)* = σ² J₀(2π f_D τ), and its imaginary part is zero.
#[test]
fn autocorrelation_is_jakes_bessel_function() {
    let (mean, variance, devices) = (0.5, 2.0, 100);
    let channels = channels(
        &config(Fading::Rician(Rician { mean, variance }), 20, 4),
        devices,
    );
    let scattered = |device, time| {
        channels
            .at(device, seconds(time))
            .unwrap()
            .map(|h| h - mean)
    };
    let starts: Vec<f64> = (0..10).map(|k| 3.0 + 1.3 * f64::from(k)).collect();
    for lag in [
        0.0, 0.001, 0.002, 0.004, 0.007_655, 0.012, 0.02, 0.05, 0.21, 1.0,
    ] {
        let mut sum = Complex::new(0.0, 0.0);
        let mut count = 0.0;
        for device in 0..devices {
            for start in &starts {
                let (now, then) = (scattered(device, *start), scattered(device, start - lag));
                sum += now
                    .iter()
                    .zip(&then)
                    .map(|(a, b)| a * b.conj())
                    .sum::<Complex<f64>>();
                count += now.len() as f64;
            }
        }
        let expected = variance * libm::j0(std::f64::consts::TAU * SHIFT * lag);
        let found = sum / count;
        // 80 000 products of deviation σ².
        assert!(
            (found - expected).norm() < 5.0 * variance / count.sqrt(),
            "{lag} s: {found}, not {expected}"
        );
    }
}

/// Downward crossings of the level ρ√(E|g|²) per second: √(2π) f_D ρ e^(−ρ²) (Rice 1945).
#[test]
fn level_crossing_rate_is_rices() {
    let channels = channels(&config(RAYLEIGH, 8, 1), 20);
    let steps_per_cycle = 64;
    let cycles = 60;
    let mut powers: Vec<Vec<f64>> = vec![Vec::new(); 160];
    for step in 0..steps_per_cycle * cycles {
        let time = seconds(f64::from(step) / f64::from(steps_per_cycle) / SHIFT);
        for device in 0..20 {
            for (entry, h) in channels.at(device, time).unwrap().iter().enumerate() {
                powers[8 * device + entry].push(h.norm_sqr());
            }
        }
    }
    for level in [0.5f64, 1.0] {
        let down = |w: &&[f64]| w[0] >= level * level && w[1] < level * level;
        let crossings: usize = powers
            .iter()
            .map(|p| p.windows(2).filter(down).count())
            .sum();
        let rate = crossings as f64 / (160.0 * f64::from(cycles));
        let expected = std::f64::consts::TAU.sqrt() * level * (-level * level).exp();
        // About 8000 crossings, which come in clusters, at 64 samples per 1/f_D.
        assert!(
            (rate / expected - 1.0).abs() < 0.05,
            "{level}: {rate}, not {expected}"
        );
    }
}

/// E g_i g_k* = δ_ik between antennas and devices at one time: 400 devices, 4 × 2 antennas.
#[test]
fn entries_are_uncorrelated_at_one_time() {
    let devices = 400;
    let channels = channels(&config(RAYLEIGH, 4, 2), devices);
    let draws: Vec<Matrix> = (0..100)
        .flat_map(|k| (0..devices).map(move |device| (device, 0.9 * f64::from(k))))
        .map(|(device, time)| {
            channels
                .at(device, seconds(time))
                .unwrap()
                .reshape_generic(nalgebra::Dyn(8), nalgebra::Dyn(1))
        })
        .collect();
    let n = draws.len() as f64;
    let gram = draws
        .iter()
        .map(|h| product_adjoint(h, h))
        .fold(Matrix::zeros(8, 8), |sum, outer| sum + outer)
        / Complex::from(n);
    let neighbours = draws
        .windows(2)
        .flat_map(|w| {
            w[0].iter()
                .zip(&w[1])
                .map(|(a, b)| a * b.conj())
                .collect::<Vec<_>>()
        })
        .sum::<Complex<f64>>()
        / (8.0 * n);
    assert!(neighbours.norm() < 0.01, "{neighbours}");
    for (place, entry) in gram.iter().enumerate() {
        let expected = if place % 9 == 0 { 1.0 } else { 0.0 };
        assert!((entry - expected).norm() < 0.03, "{place}: {entry}");
    }
}

#[test]
fn a_time_has_one_channel_whatever_was_asked_before() {
    let config = config(Fading::default(), 20, 4);
    let (one, other) = (channels(&config, 3), channels(&config, 3));
    let late = one.at(2, seconds(7.25)).unwrap();
    for time in [0.0, 9.0, 1e-12, 3600.0] {
        one.at(2, seconds(time)).unwrap();
    }
    assert_eq!(one.at(2, seconds(7.25)).unwrap(), late);
    assert_eq!(other.at(2, seconds(7.25)).unwrap(), late);
    assert_ne!(one.at(1, seconds(7.25)).unwrap(), late);
    // Block 7250 of 1 ms begins there, whenever it is entered.
    assert_eq!(other.block(2, 7250, seconds(7.2506)).unwrap(), late);
    // More devices, more antennas elsewhere: the same.
    assert_eq!(channels(&config, 9).at(2, seconds(7.25)).unwrap(), late);
    // Where all-reduces make blocks, the process is taken when they happen.
    let per_round = RadioConfig {
        coherence: Coherence::PerAllReduce,
        ..config
    };
    let per_round = channels(&per_round, 3);
    assert_eq!(per_round.block(2, 1, seconds(7.25)).unwrap(), late);
}

/// 3 km/h = 0.8333 m/s at 3.5 GHz: 0.833333 · 3.5e9/299 792 458 = 9.72895 Hz.
#[test]
fn a_speed_and_a_carrier_make_a_doppler_shift() {
    let moving: Doppler = ron::from_str(r#"Moving(speed: "3 km/h", carrier: "3.5 GHz")"#).unwrap();
    assert!((moving.shift().unwrap().0 - 9.728_95).abs() < 1e-5);
    assert_eq!(Doppler::Off.shift(), None);
}

#[test]
fn channels_without_doppler_are_those_of_their_blocks() {
    let config = RadioConfig {
        doppler: Doppler::Off,
        ..config(Fading::default(), 20, 4)
    };
    let channels = channels(&config, 2);
    let block = channels.block(1, 5, seconds(0.0052)).unwrap();
    assert_eq!(block, config.fading.draw(SEEDS, 1, 5, 20, 4));
    assert_eq!(channels.at(1, seconds(0.0052)), None);
}

#[test]
fn a_doppler_that_nothing_can_follow_is_refused() {
    let refuse = |config: RadioConfig| config.validate(2).unwrap_err().to_string();
    let good = config(RAYLEIGH, 2, 2);
    for shift in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = refuse(RadioConfig {
            doppler: Doppler::Shift(Hertz(shift)),
            ..good.clone()
        });
        assert!(message.starts_with("doppler.Shift: "), "{message}");
    }
    let still = Doppler::Moving {
        speed: MetersPerSecond(0.0),
        carrier: Hertz(3.5e9),
    };
    let message = refuse(RadioConfig {
        doppler: still,
        ..good.clone()
    });
    assert!(message.starts_with("doppler.speed: "), "{message}");
    let message = refuse(RadioConfig {
        coherence: Coherence::Static,
        ..good.clone()
    });
    assert!(
        message.starts_with("doppler: channels change with time"),
        "{message}"
    );
    let trace = Trace {
        file: "h.npy".to_owned(),
        past_end: Default::default(),
    };
    let message = refuse(RadioConfig {
        fading: Fading::Trace(trace),
        ..good
    });
    assert!(
        message.starts_with("doppler: a trace has its own"),
        "{message}"
    );
}
