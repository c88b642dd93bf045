//! What papers leave out: wrong and aged channel knowledge, devices out of step, pilots,
//! unequal antennas. Each is off at zero, and otherwise follows its formula.

use crate::{SEEDS, air, config, slices, tensors};
use airloom::policy::Design;
use airloom::radio::{
    Air, Coherence, Csi, Digital, Distortion, Fading, Matrix, Plan, RadioConfig, Scheme,
    Synchronisation, Transceiver, TransceiverProblem, UncodedFdma, adjoint_product, mimo_capacity,
    power, product,
};
use airloom::units::{Hertz, Instant, Radians, Seconds};
use num_complex::Complex;
use std::collections::BTreeMap;
use std::f64::consts::PI;

fn schemes() -> [Scheme; 3] {
    [
        Scheme::default(),
        Scheme::Digital(Digital::default()),
        Scheme::UncodedFdma(UncodedFdma::default()),
    ]
}

fn round(air: &mut Air, index: u64, parts: &[Vec<f32>]) -> (Vec<f32>, Distortion, Plan) {
    let mut sum = vec![0.0; parts[0].len()];
    let round = air.round(index, Instant::ZERO).unwrap();
    let plan = round.plan(sum.len()).unwrap();
    let distortion = round.reduce(&slices(parts), &mut sum).unwrap();
    (sum, distortion, plan)
}

/// Entries whose root mean square is exactly one, so that the scale is known.
fn unit_tensors(devices: u32, entries: usize, index: u64) -> Vec<Vec<f32>> {
    (0..devices)
        .map(|device| {
            let mut normals = vec![0.0; entries];
            SEEDS
                .open("test.unit", device, index)
                .fill_normal(&mut normals);
            let square = normals.iter().map(|x| x * x).sum::<f64>() / entries as f64;
            normals.iter().map(|x| (x / square.sqrt()) as f32).collect()
        })
        .collect()
}

#[test]
fn options_at_zero_change_no_bit() {
    let csi = |csi| RadioConfig { csi, ..config(3.0) };
    let options = [
        csi(Csi {
            doppler: Hertz(50.0),
            ..Csi::default()
        }),
        csi(Csi {
            delay: Seconds(1e-3),
            ..Csi::default()
        }),
        csi(Csi {
            estimation_error: 0.0,
            pilot_symbols: 0,
            ..Csi::default()
        }),
        RadioConfig {
            synchronisation: Synchronisation {
                phase_error: Radians(0.0),
                timing_error: Seconds(0.0),
            },
            ..config(3.0)
        },
        RadioConfig {
            device_antennas_except: BTreeMap::from([(1, 4)]),
            ..config(3.0)
        },
    ];
    let parts = tensors(3, 5000, 0);
    for scheme in schemes() {
        let without = round(&mut air(config(3.0), scheme, 3), 2, &parts);
        for option in &options {
            let with = round(&mut air(option.clone(), scheme, 3), 2, &parts);
            assert_eq!(with, without, "{option:?}");
        }
    }
}

/// A rotation by nothing is no rotation, on the path that rotates too.
#[test]
fn the_smallest_offset_is_as_good_as_none() {
    let parts = tensors(3, 5000, 1);
    let barely = RadioConfig {
        synchronisation: Synchronisation {
            phase_error: Radians(1e-12),
            timing_error: Seconds(1e-19),
        },
        ..config(3.0)
    };
    for scheme in schemes() {
        let (exact, ..) = round(&mut air(config(3.0), scheme, 3), 0, &parts);
        let (sum, ..) = round(&mut air(barely.clone(), scheme, 3), 0, &parts);
        for (a, b) in exact.iter().zip(&sum) {
            assert!((a - b).abs() <= 1e-6, "{a} {b}");
        }
    }
}

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
            fading: Fading::Rician { mean, variance },
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

/// On independent unit entries the tensors feel what the analytic error says of this very
/// estimate, these phases and these delays.
#[test]
fn law_8_holds_out_of_step_and_on_wrong_estimates() {
    let wrong = RadioConfig {
        csi: Csi {
            estimation_error: 0.01,
            ..Csi::default()
        },
        synchronisation: Synchronisation {
            phase_error: Radians(0.2),
            timing_error: Seconds(20e-9),
        },
        ..config(20.0)
    };
    for scheme in [
        Scheme::default(),
        Scheme::UncodedFdma(UncodedFdma::default()),
    ] {
        let mut air = air(wrong.clone(), scheme, 4);
        let ratios: Vec<f64> = (0..40)
            .map(|index| {
                let parts = unit_tensors(4, 8192, index);
                let (_, distortion, _) = round(&mut air, index, &parts);
                assert!(distortion.misalignment > 0.3 * distortion.noise);
                distortion.error / distortion.analytic
            })
            .collect();
        let mean = ratios.iter().sum::<f64>() / 40.0;
        let variance = ratios.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 39.0;
        let error = (mean - 1.0) / (variance / 40.0f64).sqrt();
        assert!(error.abs() < 3.5, "{scheme:?}: {mean}");
    }
}

#[test]
fn phase_and_timing_errors_cost_what_their_formulas_say() {
    // N·2(1 − E[sinc δ]·exp(−σ_φ²/2)) per entry, on top of noise too small to matter.
    let devices = 5;
    let rounds = 600;
    let ones = vec![vec![1.0f32; 512]; devices];
    let mean = |phase, time| {
        let config = RadioConfig {
            coherence: Coherence::Static,
            synchronisation: Synchronisation {
                phase_error: Radians(phase),
                timing_error: Seconds(time),
            },
            ..config(200.0)
        };
        let mut air = air(config, Scheme::default(), devices);
        let error = |index| round(&mut air, index, &ones).1.analytic;
        (0..rounds).map(error).sum::<f64>() / rounds as f64
    };
    for phase in [0.05, 0.3] {
        let expected = devices as f64 * 2.0 * (1.0 - f64::exp(-phase * phase / 2.0));
        let found = mean(phase, 0.0);
        // A squared normal has a deviation of √2 of its mean; there are 3000 of them.
        assert!((found / expected - 1.0).abs() < 0.1, "{found} {expected}");
    }
    for time in [5e-9, 20e-9] {
        // sinc δ = ∫₀¹ cos(πδx) dx, whose mean over δ ~ N(0, s²) is ∫₀¹ exp(−(πsx)²/2) dx.
        let s = time * 10e6;
        let steps = 1000;
        let sinc = (0..steps)
            .map(|i| {
                let x = (f64::from(i) + 0.5) / f64::from(steps);
                (-(PI * s * x).powi(2) / 2.0).exp()
            })
            .sum::<f64>()
            / f64::from(steps);
        let expected = devices as f64 * 2.0 * (1.0 - sinc);
        let found = mean(0.0, time);
        assert!((found / expected - 1.0).abs() < 0.1, "{found} {expected}");
    }
}

/// On a sub-channel symbols last longer, and a late device is less late.
#[test]
fn a_narrow_sub_channel_forgives_timing() {
    let synchronisation = Synchronisation {
        timing_error: Seconds(10e-9),
        ..Synchronisation::default()
    };
    let config = RadioConfig {
        synchronisation,
        ..config(200.0)
    };
    let ones = vec![vec![1.0f32; 512]; 4];
    let error = |scheme| {
        let mut air = air(config.clone(), scheme, 4);
        round(&mut air, 0, &ones).1.analytic
    };
    // (πδ)²/3 for a small δ, which is four times smaller in a fourth of the band.
    let ratio = error(Scheme::default()) / error(Scheme::UncodedFdma(UncodedFdma::default()));
    assert!((ratio / 16.0 - 1.0).abs() < 0.05, "{ratio}");
    assert!(error(Scheme::Digital(Digital::default())) < 1e-2);
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

#[test]
fn a_device_with_fewer_antennas_sends_from_those_it_has() {
    let config = RadioConfig {
        device_antennas_except: BTreeMap::from([(1, 2), (2, 6)]),
        ..config(10.0)
    };
    let mut air = air(
        config.clone(),
        Scheme::AirComp(airloom::radio::AirComp {
            streams: 2,
            ..Default::default()
        }),
        3,
    );
    let channels = air.channels(0, Instant::ZERO).unwrap();
    assert_eq!(
        channels.iter().map(Matrix::shape).collect::<Vec<_>>(),
        [(20, 4), (20, 2), (20, 6)]
    );
    let parts = unit_tensors(3, 4096, 0);
    let (_, distortion, plan) = round(&mut air, 0, &parts);
    assert_eq!(distortion.misalignment, 0.0);
    // Somebody radiates all of the 0.2 W, and nobody more.
    let joules: Vec<f64> = plan
        .uplink
        .transmissions
        .iter()
        .filter_map(|t| t.joules)
        .collect();
    let most = 0.2 * 1024.0 / 10e6;
    assert!(joules.iter().all(|x| *x <= most * (1.0 + 1e-12)));
    assert!(joules.iter().any(|x| (x / most - 1.0).abs() < 1e-9));
    // Antennas that no one has change nothing: the error is (13) on the channels as they are,
    // at a direction no worse than the leading one.
    let leading = {
        let mut sum = Matrix::zeros(20, 20);
        for h in &channels {
            let gram = adjoint_product(h, h).try_inverse().unwrap();
            sum += product(&product(h, &gram), &h.adjoint());
        }
        let vectors = airloom::radio::eigen(&sum).vectors;
        vectors.columns(0, 2).into_owned()
    };
    let problem = TransceiverProblem {
        channels: &channels,
        powers: &[1.0; 3],
        noise: 0.1,
        streams: 2,
    };
    let start = Transceiver::zero_forcing(&leading, &problem).unwrap();
    let start = start.mean_squared_error(&problem).noise / 2.0;
    assert!(distortion.analytic <= start && distortion.analytic > 0.2 * start);

    let refused = Air::new(
        config.clone(),
        Scheme::default(),
        Design::default().transceiver_design(),
        3,
        SEEDS,
    );
    assert_eq!(
        refused.unwrap_err().to_string(),
        "streams: 4 streams, but device 1 has 2 antennas; use at most 2"
    );
    let fault = config.validate(2).unwrap_err();
    assert_eq!(fault.path, "device_antennas_except[2]");
}

/// The whole chain antenna by antenna and sample by sample: a transceiver designed on wrong
/// channels; OFDM symbols of 64 subcarriers that leave every antenna as a waveform; each
/// device's waveform turned and late; superposed at 20 antennas, demodulated, combined.
#[test]
fn out_of_step_on_wrong_estimates_the_sum_equals_the_waveform_chain() {
    let wrong = RadioConfig {
        csi: Csi {
            estimation_error: 0.02,
            doppler: Hertz(70.0),
            delay: Seconds(1e-3),
            ..Csi::default()
        },
        synchronisation: Synchronisation {
            phase_error: Radians(0.4),
            timing_error: Seconds(60e-9),
        },
        ..config(300.0)
    };
    let devices = 3;
    let parts = tensors(devices, 64 * 8 * 2 + 33, 4);
    let entries = parts[0].len();
    let mut air = air(wrong.clone(), Scheme::default(), devices);
    let channels = air.channels(1, Instant::ZERO).unwrap();
    let estimates = air.estimates(&channels, 1, Instant::ZERO).unwrap();
    let (sum, distortion, _) = round(&mut air, 1, &parts);
    let transceiver = Design::default()
        .transceiver_design()
        .design(&TransceiverProblem {
            channels: &estimates,
            powers: &vec![1.0; devices],
            noise: 1e-30,
            streams: 4,
        })
        .unwrap();
    let draw = |purpose, device| {
        let mut normal = [0.0];
        SEEDS.open(purpose, device, 1).fill_normal(&mut normal);
        normal[0]
    };
    let frequency = |u: usize| (u as f64 - 31.5) / 64.0;
    let turn = |cycles: f64| Complex::from_polar(1.0, 2.0 * PI * cycles);
    let mut worst = 0.0f64;
    for symbol in 0..entries.div_ceil(64 * 8) {
        // antennas[r][t]: sample t at antenna r.
        let mut antennas = vec![[Complex::new(0.0, 0.0); 64]; 20];
        for n in 0..devices {
            let sent: Vec<Matrix> = (0..64)
                .map(|u| {
                    let symbols = Matrix::from_fn(4, 1, |l, _| {
                        let real = |k| {
                            let entry = parts[n].get((symbol * 64 + u) * 8 + 2 * l + k);
                            entry.map_or(0.0, |x| f64::from(*x)) / distortion.scale
                        };
                        Complex::new(real(0), real(1))
                    });
                    product(&transceiver.precoders[n], &symbols)
                })
                .collect();
            let phase = 0.4 * draw("radio.phase", n as u32);
            let late = 0.6 * draw("radio.timing", n as u32);
            for t in 0..64 {
                // Σ_u x_u exp(2πj f_u (t − δ)): the waveform as it was δ earlier.
                let mut leaves = Matrix::zeros(4, 1);
                for (u, x) in sent.iter().enumerate() {
                    leaves += x * turn(frequency(u) * (t as f64 - late));
                }
                let arrives = product(&channels[n], &(leaves * Complex::from_polar(1.0, phase)));
                for (r, antenna) in antennas.iter_mut().enumerate() {
                    antenna[t] += arrives[(r, 0)];
                }
            }
        }
        for u in 0..64 {
            let heard = Matrix::from_fn(20, 1, |r, _| {
                let samples = antennas[r].iter().enumerate();
                let sum = samples.map(|(t, y)| y * turn(-frequency(u) * t as f64));
                sum.sum::<Complex<f64>>() / 64.0
            });
            let combined = adjoint_product(&transceiver.combiner, &heard);
            for (l, received) in combined.iter().enumerate() {
                let entry = (symbol * 64 + u) * 8 + 2 * l;
                for (k, part) in [received.re, received.im].into_iter().enumerate() {
                    if let Some(found) = sum.get(entry + k) {
                        let difference = f64::from(*found) / distortion.scale - part;
                        worst = worst.max(difference.abs());
                    }
                }
            }
        }
    }
    assert!(worst < 1e-5, "{worst}");
    assert!(distortion.misalignment > 0.1);
}
