//! Wrong and aged channel knowledge, and the pilots that it takes: off at zero, and otherwise as
//! its formulas say.

use crate::{air, config, round};
use airloom::policy::Design;
use airloom::radio::{
    Coherence, Csi, Digital, Fading, Matrix, RadioConfig, Rician, Scheme, TransceiverProblem,
    UncodedFdma, mimo_capacity, power,
};
use airloom::units::{Hertz, Instant, Seconds};
use std::f64::consts::PI;

#[test]
fn estimates_are_as_wrong_as_they_say() {
    let (mean, variance) = (1.3, 0.7);
    for (error, turn) in [(0.1, 0.0), (0.0, 0.8), (0.05, 1.5), (0.0, 3.5)] {
        let csi = Csi {
            estimation_error: error,
            doppler: Hertz(100.0),
            // 2π f_D τ = turn.
            delay: Seconds(turn / (2.0 * PI * 100.0)),
            ..Csi::default()
        };
        let config = RadioConfig {
            fading: Fading::Rician(Rician { mean, variance }),
            csi,
            ..config(0.0)
        };
        let air = air(config, Scheme::default(), 4);
        // J₀ by its power series.
        let mut rho = 0.0;
        let mut term = 1.0;
        for k in 1..40 {
            rho += term;
            term *= -(turn * turn / 4.0) / f64::from(k * k);
        }
        assert!((csi.correlation() - rho).abs() < 1e-12);
        let noise = error * (mean * mean + variance);
        let [mut total, mut square, mut cross, mut first] = [0.0; 4];
        let mut count = 0.0;
        for block in 0..60 {
            let channels = air.channels(block, Instant::ZERO).unwrap();
            let estimates = air.estimates(&channels, block, Instant::ZERO).unwrap();
            for (h, g) in channels.iter().zip(&estimates) {
                for (h, g) in h.iter().zip(g.iter()) {
                    total += (g - h).norm_sqr();
                    square += (g - mean).norm_sqr();
                    cross += ((g - mean) * (h - mean).conj()).re;
                    first += g.re;
                    count += 1.0;
                }
            }
        }
        // 19 200 entries: a deviation of a percent, or less, of each moment.
        let near = |found: f64, expected: f64| {
            assert!(
                (found / count - expected).abs() < 0.05,
                "{error} {turn}: {} {expected}",
                found / count
            );
        };
        near(total, noise + 2.0 * variance * (1.0 - rho));
        near(square, variance + noise);
        near(cross, rho * variance);
        near(first, mean);
    }
}

/// The conditional mean of ‖M_n − I‖² given what the design knew, as `radio::csi` states it,
/// against what the drawn truth makes of the same design; both averaged over many blocks.
#[test]
fn wrong_channel_knowledge_misaligns_by_its_formula() {
    let (mean, variance) = (1.0, 1.0);
    for (error, turn) in [(0.01, 0.0), (0.0, 0.3), (0.02, 0.4)] {
        let csi = Csi {
            estimation_error: error,
            doppler: Hertz(100.0),
            delay: Seconds(turn / (2.0 * PI * 100.0)),
            ..Csi::default()
        };
        let config = RadioConfig {
            csi,
            ..config(200.0)
        };
        let mut air = air(config, Scheme::default(), 3);
        let noise = error * (mean * mean + variance);
        let rho = csi.correlation();
        let weight = rho * variance / (variance + noise);
        let left = variance * (1.0 - rho * weight);
        let ones = vec![vec![1.0f32; 8]; 3];
        let (mut found, mut expected, mut differences) = (0.0, 0.0, Vec::new());
        for block in 0..150 {
            let channels = air.channels(block, Instant::ZERO).unwrap();
            let estimates = air.estimates(&channels, block, Instant::ZERO).unwrap();
            let design = Design::default().transceiver_design();
            let transceiver = design
                .design(&TransceiverProblem {
                    channels: &estimates,
                    powers: &[1.0; 3],
                    noise: 1e-20,
                    streams: 4,
                })
                .unwrap();
            let predicted: f64 = (0..3)
                .map(|n| {
                    let likely = estimates[n].map(|g| mean + (g - mean) * weight);
                    let missed = transceiver.effective(n, &likely) - Matrix::identity(4, 4);
                    let blur = power(&transceiver.combiner) * power(&transceiver.precoders[n]);
                    power(&missed) + left * blur
                })
                .sum();
            let (_, distortion, _) = round(&mut air, block, &ones);
            found += distortion.analytic * 4.0;
            expected += predicted;
            differences.push(distortion.analytic * 4.0 - predicted);
        }
        let n = differences.len() as f64;
        let bias = differences.iter().sum::<f64>() / n;
        let spread = differences.iter().map(|d| (d - bias).powi(2)).sum::<f64>() / (n - 1.0);
        assert!(
            bias.abs() < 4.0 * (spread / n).sqrt(),
            "{error} {turn}: {found} {expected}"
        );
        assert!((found / expected - 1.0).abs() < 0.15);
    }
}

/// A coded link runs at what it knows or at what there is, whichever is less.
#[test]
fn a_digital_rate_is_the_smaller_of_known_and_true() {
    let config = RadioConfig {
        csi: Csi {
            doppler: Hertz(300.0),
            delay: Seconds(1e-3),
            ..Csi::default()
        },
        ..config(10.0)
    };
    let mut air = air(config, Scheme::Digital(Digital::default()), 4);
    let mut lower = 0;
    for block in 0..10 {
        let channels = air.channels(block, Instant::ZERO).unwrap();
        let estimates = air.estimates(&channels, block, Instant::ZERO).unwrap();
        let plan = air.round(block, Instant::ZERO).unwrap().plan(512).unwrap();
        for (n, sent) in plan.uplink.transmissions.iter().enumerate() {
            let [known, real] = [&estimates[n], &channels[n]].map(|h| mimo_capacity(h, 1.0, 0.1));
            let seconds = 512.0 * 8.0 / (known.min(real) * 2.5e6);
            assert!((sent.duration.as_seconds() - seconds).abs() < 2e-12);
            lower += u32::from(known < real);
        }
    }
    assert!((1..40).contains(&lower));
}

#[test]
fn pilots_lengthen_the_first_round_of_every_block() {
    let csi = Csi {
        pilot_symbols: 160,
        ..Csi::default()
    };
    let seconds = |coherence, csi, index: &[u64]| -> Vec<(f64, f64)> {
        let config = RadioConfig {
            csi,
            coherence,
            ..config(10.0)
        };
        let mut air = air(config, Scheme::UncodedFdma(UncodedFdma::default()), 4);
        let mut sent = |index| {
            let plan = air.round(index, Instant::ZERO).unwrap().plan(512).unwrap();
            let first = plan.uplink.transmissions[1];
            (first.duration.as_seconds(), first.joules.unwrap())
        };
        index.iter().map(|index| sent(*index)).collect()
    };
    for (coherence, charged) in [
        (Coherence::Static, [true, true, false, false]),
        (Coherence::PerAllReduce, [true, true, true, true]),
    ] {
        // A round may be planned twice.
        let indices = [0, 0, 1, 2];
        let with = seconds(coherence, csi, &indices);
        let without = seconds(coherence, Csi::default(), &indices);
        for ((with, without), charged) in with.iter().zip(&without).zip(charged) {
            let (time, joules) = if charged {
                (16e-6, 0.2 * 4e-6)
            } else {
                (0.0, 0.0)
            };
            assert!((with.0 - without.0 - time).abs() < 1e-12);
            assert!((with.1 - without.1 - joules).abs() < 1e-15);
        }
    }
}
