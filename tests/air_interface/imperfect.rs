//! What papers leave out, all together: each is off at zero, law 8 holds, and the sum is that of the
//! waveforms.

use crate::{SEEDS, air, config, round, schemes, tensors, unit_tensors};
use airloom::policy::Design;
use airloom::radio::{
    Csi, Matrix, RadioConfig, Scheme, Synchronisation, TransceiverProblem, UncodedFdma,
    adjoint_product, product,
};
use airloom::rng::StandardNormal;
use airloom::units::{Hertz, Instant, Radians, Seconds};
use num_complex::Complex;
use rand::RngExt;
use std::collections::BTreeMap;
use std::f64::consts::PI;

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
        let without = round(&mut air(config(3.0), scheme.clone(), 3), 2, &parts);
        for option in &options {
            let with = round(&mut air(option.clone(), scheme.clone(), 3), 2, &parts);
            assert_eq!(with, without, "{option:?}");
        }
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
        let mut air = air(wrong.clone(), scheme.clone(), 4);
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
    let draw = |purpose, device| -> f64 { SEEDS.open(purpose, device, 1).sample(StandardNormal) };
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
