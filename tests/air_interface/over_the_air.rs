//! The over-the-air sum: its signal chain and its error.

use crate::{SEEDS, air, config, slices, tensors};
use airloom::policy::{Descent, Design};
use airloom::radio::{
    AirComp, AllReduce, Block, Coding, Coherence, Fading, Matrix, RadioConfig, RadioError, Rician,
    Scheme, Transceiver, TransceiverDesign, TransceiverProblem, adjoint_product, power, product,
};
use airloom::rng::{BulkDistribution, NO_DEVICE, StandardNormal};
use airloom::units::{Instant, Seconds};
use num_complex::Complex;

/// A design that misaligns on purpose: zero-forcing precoders of another channel.
#[derive(Debug)]
struct Misaligned;

impl TransceiverDesign for Misaligned {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        let believed: Vec<Matrix> = problem
            .channels
            .iter()
            .enumerate()
            .map(|(device, channel)| {
                let error = Fading::Rician(Rician {
                    mean: 0.0,
                    variance: 0.05,
                })
                .draw(SEEDS, device + 100, 0, channel.nrows(), channel.ncols());
                channel + error
            })
            .collect();
        Design::default()
            .transceiver_design()
            .design(&TransceiverProblem {
                channels: &believed,
                ..*problem
            })
    }
}

/// The signal chain of equation (5), antenna by antenna and without noise: pack,
/// normalise, precode, superpose, combine, unpack.
fn literal_chain(
    channels: &[Matrix],
    transceiver: &Transceiver,
    parts: &[Vec<f32>],
    reals: usize,
    scale: f64,
) -> Vec<f64> {
    let entries = parts[0].len();
    let streams = transceiver.combiner.ncols();
    let mut received = Vec::new();
    for start in (0..entries).step_by(streams * reals) {
        let mut at_antennas = Matrix::zeros(channels[0].nrows(), 1);
        for ((channel, precoder), part) in channels.iter().zip(&transceiver.precoders).zip(parts) {
            let symbols = Matrix::from_fn(streams, 1, |l, _| {
                let real = |k: usize| {
                    let entry = part.get(start + l * reals + k);
                    entry.map_or(0.0, |x| f64::from(*x)) / scale
                };
                Complex::new(real(0), if reals == 2 { real(1) } else { 0.0 })
            });
            at_antennas += product(channel, &product(precoder, &symbols));
        }
        for symbol in adjoint_product(&transceiver.combiner, &at_antennas).iter() {
            received.push(symbol.re * scale);
            if reals == 2 {
                received.push(symbol.im * scale);
            }
        }
    }
    received.truncate(entries);
    received
}

#[test]
fn without_noise_the_sum_equals_the_antenna_level_chain() {
    let config = config(300.0);
    for (entries, streams, reals) in [(256, 4, 2), (1001, 3, 2), (77, 4, 1), (1, 2, 2), (8, 1, 1)] {
        let parts = tensors(3, entries, 0);
        let channels: Vec<Matrix> = (0..3)
            .map(|n| config.fading.draw(SEEDS, n, 5, 20, 4))
            .collect();
        let power = config.budget.resolve(config.bandwidth);
        let block = Block {
            channels: &channels,
            powers: &[power.power; 3],
            estimates: &channels,
            power,
            bandwidth: config.bandwidth,
            coding: Coding::default(),
            round_overhead: Seconds(0.0),
            design: &Misaligned,
        };
        let scheme = AirComp {
            streams,
            reals_per_symbol: reals,
        };
        let link = scheme.prepare(&block).unwrap();
        let mut sum = vec![0.0; entries];
        let noise = SEEDS.open("radio.noise", NO_DEVICE, 0);
        let distortion = link.reduce(&slices(&parts), noise, &mut sum).unwrap();

        let transceiver = Misaligned
            .design(&TransceiverProblem {
                channels: &channels,
                powers: &[power.power; 3],
                noise: power.noise,
                streams,
            })
            .unwrap();
        let expected = literal_chain(&channels, &transceiver, &parts, reals, distortion.scale);
        for (received, expected) in sum.iter().zip(&expected) {
            assert!((f64::from(*received) - expected).abs() < 1e-6 * distortion.scale.max(1.0));
        }
        // The misalignment that it reports is the difference to the exact sum.
        let exact = |e: usize| parts.iter().map(|part| f64::from(part[e])).sum::<f64>();
        if reals == 2 && entries % 2 == 0 {
            let squared: f64 = (0..entries).map(|e| (expected[e] - exact(e)).powi(2)).sum();
            let per_symbol = squared / (distortion.scale.powi(2) * distortion.symbols as f64);
            assert!((per_symbol / distortion.misalignment - 1.0).abs() < 1e-9);
        }
    }
}

/// Law 8, noise: its measured power is σ_z² tr(AᴴA)/L per entry on any tensors.
#[test]
fn law_8_noise_power_is_what_the_combiner_lets_through() {
    for snr in [0.0, 10.0, 30.0] {
        let config = RadioConfig {
            coherence: Coherence::Static,
            ..config(snr)
        };
        let mut air = air(config, Scheme::default(), 4);
        let (entries, rounds) = (4096, 40);
        let mut measured = Vec::new();
        let mut analytic = 0.0;
        for index in 0..rounds {
            // Correlated and far from Gaussian, which must not matter to the noise.
            let parts = vec![vec![(index + 1) as f32; entries]; 4];
            let mut sum = vec![0.0; entries];
            let round = air.round(index, Instant::ZERO).unwrap();
            let distortion = round.reduce(&slices(&parts), &mut sum).unwrap();
            measured.push(distortion.noise);
            analytic = distortion.analytic;
        }
        let mean = measured.iter().sum::<f64>() / rounds as f64;
        let variance =
            measured.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (rounds - 1) as f64;
        let error = (mean - analytic) / (variance / rounds as f64).sqrt();
        assert!(error.abs() < 3.5, "{snr} dB: {mean} {analytic} {error}");
    }
}

/// Law 8, total: on independent unit-variance entries the measured error is (7).
#[test]
fn law_8_total_error_is_equation_7_on_independent_entries() {
    let config = config(10.0);
    let channels: Vec<Matrix> = (0..4)
        .map(|n| config.fading.draw(SEEDS, n, 1, 20, 4))
        .collect();
    let power = config.budget.resolve(config.bandwidth);
    let block = Block {
        channels: &channels,
        estimates: &channels,
        powers: &[power.power; 4],
        power,
        bandwidth: config.bandwidth,
        coding: Coding::default(),
        round_overhead: Seconds(0.0),
        design: &Misaligned,
    };
    let link = AirComp::default().prepare(&block).unwrap();
    let rounds = 60;
    let mut ratios = Vec::new();
    for index in 0..rounds {
        let parts: Vec<Vec<f32>> = (0..4)
            .map(|device| {
                let mut normals = vec![0.0; 8192];
                StandardNormal.fill(&mut SEEDS.open("test.unit", device, index), &mut normals);
                // Exactly unit mean square, so that the scale is the deviation.
                let rms = (normals.iter().map(|x| x * x).sum::<f64>() / 8192.0).sqrt();
                normals.iter().map(|x| (x / rms) as f32).collect()
            })
            .collect();
        let mut sum = vec![0.0; 8192];
        let noise = SEEDS.open("radio.noise", NO_DEVICE, index);
        let distortion = link.reduce(&slices(&parts), noise, &mut sum).unwrap();
        assert!(distortion.misalignment > 0.1 * distortion.noise);
        ratios.push(distortion.error / distortion.analytic);
    }
    let mean = ratios.iter().sum::<f64>() / rounds as f64;
    let variance = ratios.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (rounds - 1) as f64;
    let error = (mean - 1.0) / (variance / rounds as f64).sqrt();
    assert!(
        error.abs() < 3.5,
        "{mean} ± {}",
        (variance / rounds as f64).sqrt()
    );
}

/// The combined noise has the covariance of Aᴴn, not only its power.
#[test]
fn combined_noise_is_coloured_like_the_combiner() {
    let config = config(0.0);
    let channels: Vec<Matrix> = (0..2)
        .map(|n| config.fading.draw(SEEDS, n, 3, 20, 4))
        .collect();
    let resolved = config.budget.resolve(config.bandwidth);
    let block = Block {
        channels: &channels,
        powers: &[resolved.power; 2],
        estimates: &channels,
        power: resolved,
        bandwidth: config.bandwidth,
        coding: Coding::default(),
        round_overhead: Seconds(0.0),
        design: &Misaligned,
    };
    let problem = TransceiverProblem {
        channels: &channels,
        powers: &[1.0; 2],
        noise: resolved.noise,
        streams: 4,
    };
    let combiner = Misaligned.design(&problem).unwrap().combiner;
    let expected = adjoint_product(&combiner, &combiner) * Complex::from(resolved.noise);
    let link = AirComp::default().prepare(&block).unwrap();
    // A constant tensor on both devices: subtracting the mean leaves the noise.
    let uses = 100_000;
    let ones = vec![1.0f32; uses * 8];
    let mut sum = vec![0.0; ones.len()];
    let noise = SEEDS.open("radio.noise", NO_DEVICE, 0);
    let distortion = link.reduce(&[&ones, &ones], noise, &mut sum).unwrap();
    let vectors: Vec<[Complex<f64>; 4]> = sum
        .chunks_exact(8)
        .map(|use_| {
            std::array::from_fn(|l| {
                Complex::new(f64::from(use_[2 * l]), f64::from(use_[2 * l + 1])) / distortion.scale
            })
        })
        .collect();
    let mean: [Complex<f64>; 4] =
        std::array::from_fn(|l| vectors.iter().map(|v| v[l]).sum::<Complex<f64>>() / uses as f64);
    for i in 0..4 {
        for j in 0..4 {
            let measured = vectors
                .iter()
                .map(|v| (v[i] - mean[i]) * (v[j] - mean[j]).conj())
                .sum::<Complex<f64>>()
                / uses as f64;
            let deviation = (expected[(i, i)].re * expected[(j, j)].re / uses as f64).sqrt();
            assert!(
                (measured - expected[(i, j)]).norm() < 4.5 * deviation,
                "{i} {j}"
            );
        }
    }
}

/// Law 7 on the air: a channel without noise delivers the exact sum.
#[test]
fn law_7_a_noiseless_aligned_channel_is_the_ideal_sum() {
    let parts = tensors(4, 1024, 0);
    let reduce = |scheme: Scheme| {
        let mut sum = vec![0.0; 1024];
        let mut air = air(config(240.0), scheme, 4);
        let round = air.round(0, Instant::ZERO).unwrap();
        round.reduce(&slices(&parts), &mut sum).unwrap();
        sum
    };
    let ideal = reduce(Scheme::Ideal);
    let over_the_air = reduce(Scheme::default());
    // Sums of a few f32 often lie half-way between two f32, where any error decides:
    // one unit in the last place is the best that can be asked for.
    for (ideal, received) in ideal.iter().zip(&over_the_air) {
        assert!(
            ideal.to_bits().abs_diff(received.to_bits()) <= 1,
            "{ideal} {received}"
        );
    }
}

#[test]
fn no_device_radiates_more_than_its_power() {
    let config = config(20.0);
    for block in 0..20 {
        for devices in [1, 2, 8] {
            let channels: Vec<Matrix> = (0..devices)
                .map(|n| config.fading.draw(SEEDS, n, block, 20, 4))
                .collect();
            let powers: Vec<f64> = (0..devices).map(|n| 0.5 + n as f64).collect();
            let problem = TransceiverProblem {
                channels: &channels,
                powers: &powers,
                noise: 0.01,
                streams: 4,
            };
            let transceiver = Descent::default().design(&problem).unwrap();
            let used: Vec<f64> = (0..devices)
                .map(|n| transceiver.radiated(n) / powers[n])
                .collect();
            assert!(used.iter().all(|share| *share <= 1.0 + 1e-12));
            assert!(used.iter().any(|share| (share - 1.0).abs() < 1e-12));
            let error = transceiver.mean_squared_error(&problem);
            assert!(error.misalignment < 1e-20);
            assert!((error.noise - 0.01 * power(&transceiver.combiner)).abs() < 1e-15);
        }
    }
}

/// Law 1 within a round: neither threads nor what follows change a bit.
#[test]
fn law_1_threads_and_length_do_not_change_a_bit() {
    let reduce = |threads: usize, entries: usize| {
        let ones = vec![1.0f32; entries];
        let mut sum = vec![0.0; entries];
        let mut air = air(config(0.0), Scheme::default(), 3);
        let round = air.round(0, Instant::ZERO).unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let distortion = pool
            .install(|| round.reduce(&[&ones, &ones, &ones], &mut sum))
            .unwrap();
        (sum, distortion)
    };
    let alone = reduce(1, 50_001);
    assert_eq!(alone, reduce(2, 50_001));
    assert_eq!(alone, reduce(5, 50_001));
    // Tensors of ones have one scale at any length: shorter rounds are prefixes, cut at
    // whole tiles because a tile's noise is laid out by its length.
    for entries in [512, 8192, 8704, 16_384] {
        assert_eq!(alone.0[..entries], reduce(2, entries).0);
    }
}
