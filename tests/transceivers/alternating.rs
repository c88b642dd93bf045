//! The alternating design against the descent it starts from, closed forms, and the
//! conditions of its optimum.

use crate::{DESCENT, SEEDS, draw, fleet, total_error};
use airloom::policy::{AlternatingMmse, Design};
use airloom::radio::{Matrix, TransceiverDesign, TransceiverProblem, eigen};
use airloom::radio::{adjoint_product, power, scaled};
use airloom::rng::{NO_DEVICE, StandardNormal};
use num_complex::Complex;
use proptest::prelude::*;
use rand::RngExt;

fn alternating() -> Design {
    Design::AlternatingMmse(AlternatingMmse::default())
}

/// The least error (7) of one device: streams on the strongest singular values h_i with
/// powers q_i as water finds its level,
/// Σ σ²/(σ² + h_i² q_i) with q_i = max(0, σ h_i ν − σ²)/h_i² and Σ q_i = P.
fn single_device(channel: &Matrix, limit: f64, noise: f64, streams: usize) -> f64 {
    let gains = &eigen(&adjoint_product(channel, channel)).values[..streams];
    let share = |gain: f64, level: f64| ((noise * gain).sqrt() * level - noise).max(0.0) / gain;
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..200 {
        let level = 0.5 * (low + high);
        if gains.iter().map(|g| share(*g, level)).sum::<f64>() > limit {
            high = level;
        } else {
            low = level;
        }
    }
    gains
        .iter()
        .map(|g| noise / (noise + g * share(*g, low)))
        .sum()
}

#[test]
fn one_device_reaches_its_closed_form() {
    for block in 0..10 {
        let channels = draw(1, block);
        for (streams, noise) in [(4, 0.01), (4, 1.0), (4, 30.0), (2, 1.0), (1, 10.0)] {
            let problem = TransceiverProblem {
                channels: &channels,
                powers: &[0.7],
                noise,
                streams,
            };
            let found = total_error(alternating(), &problem);
            let optimum = single_device(&channels[0], 0.7, noise, streams);
            assert!(
                found >= optimum * (1.0 - 1e-9) && found < optimum * 1.01,
                "{streams} streams, noise {noise}: {found} {optimum}"
            );
        }
    }
}

/// 17 % below the descent for one device and 9 % for eight at 0 dB, 2 to 1 % at 10 dB,
/// nothing to speak of from 20 dB on.
#[test]
fn the_gain_over_zero_forcing_falls_with_the_signal() {
    for (devices, decibels, least, most) in [
        (1, 0, 0.14, 0.20),
        (8, 0, 0.07, 0.11),
        (1, 10, 0.01, 0.03),
        (8, 10, 0.005, 0.02),
        (4, 20, 0.0, 0.004),
    ] {
        let (mut ours, mut aligned) = (0.0, 0.0);
        for block in 0..30 {
            let channels = draw(devices, block);
            let problem = TransceiverProblem {
                channels: &channels,
                powers: &vec![1.0; devices],
                noise: 10f64.powf(-f64::from(decibels) / 10.0),
                streams: 4,
            };
            ours += total_error(alternating(), &problem);
            aligned += total_error(DESCENT, &problem);
        }
        let gain = 1.0 - ours / aligned;
        assert!(
            (least..most).contains(&gain),
            "{devices} devices, {decibels} dB: {gain}"
        );
    }
}

/// Both halves of the optimum: no change of a precoder within its power and none of the
/// combiner lowers the error.
#[test]
fn no_single_change_lowers_the_error() {
    let design = AlternatingMmse {
        max_turns: 20_000,
        tolerance: 1e-12,
    };
    for block in 0..3 {
        let channels = draw(3, block);
        let powers = [0.5, 1.0, 2.0];
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &powers,
            noise: 1.0,
            streams: 3,
        };
        let found = design.design(&problem).unwrap();
        let error = |t: &airloom::radio::Transceiver| {
            let error = t.mean_squared_error(&problem);
            error.misalignment + error.noise
        };
        let least = error(&found);
        let mut stream = SEEDS.open("test.nudge", NO_DEVICE, block);
        for step in [1e-4, 1e-3, 1e-2, 1e-1, 1.0] {
            for _ in 0..100 {
                for (device, limit) in powers.iter().enumerate() {
                    let mut other = found.clone();
                    let nudged = other.precoders[device]
                        .map(|x| x + stream.sample::<Complex<f64>, _>(StandardNormal) * step);
                    let excess = (power(&nudged) / limit).sqrt().max(1.0);
                    other.precoders[device] = scaled(&nudged, 1.0 / excess);
                    assert!(error(&other) > least * (1.0 - 1e-9));
                }
                let mut other = found.clone();
                other.combiner = other
                    .combiner
                    .map(|x| x + stream.sample::<Complex<f64>, _>(StandardNormal) * step);
                assert!(error(&other) > least * (1.0 - 1e-9));
            }
        }
    }
}

/// A stream that costs more than it tells is left out, and nothing breaks.
#[test]
fn deep_noise_silences_the_weakest_streams() {
    let faint = Matrix::from_fn(6, 2, |i, k| {
        Complex::new(if i == k { [3.0, 0.1][k] } else { 0.0 }, 0.0)
    });
    let channels = [faint];
    let problem = TransceiverProblem {
        channels: &channels,
        powers: &[1.0],
        noise: 4.0,
        streams: 2,
    };
    let design = AlternatingMmse {
        max_turns: 5000,
        tolerance: 0.0,
    };
    let found = total_error(Design::AlternatingMmse(design), &problem);
    // The second stream errs by its whole variance.
    let optimum = 1.0 + 4.0 / (4.0 + 9.0);
    assert!((found / optimum - 1.0).abs() < 1e-3, "{found} {optimum}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the fleet, the antennas of its members, the power and the noise.
    #[test]
    fn it_is_never_worse_than_the_descent(
        block in 0u64..1000,
        antennas in prop::collection::vec(3usize..7, 1..7),
        streams in 1usize..4,
        decibels in -25f64..45.0,
    ) {
        let (channels, powers) = fleet(&antennas, 9, block);
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &powers,
            noise: 10f64.powf(-decibels / 10.0),
            streams,
        };
        let ours = total_error(alternating(), &problem);
        let aligned = total_error(DESCENT, &problem);
        prop_assert!(ours <= aligned, "{} {}", ours, aligned);
        // Silence errs by every entry's variance.
        let silence = (streams * channels.len()) as f64;
        prop_assert!(ours <= silence * (1.0 + 1e-9), "{} {}", ours, silence);
    }
}
