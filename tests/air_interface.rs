//! All-reduces through the air: against the antenna-level signal chain written out
//! here, against the analytic error (law 8), against closed forms of time and energy,
//! and the laws of randomness and conservation.

use airloom::policy::Design;
use airloom::radio::{
    Air, AirComp, AllReduce, Block, Coherence, Digital, Downlink, Fading, LinkBudget, LinkPower,
    LinkRate, Matrix, RadioConfig, RadioError, Scheme, SubchannelPower, Transceiver,
    TransceiverDesign, TransceiverProblem, adjoint_product, mimo_capacity, power, product,
};
use airloom::rng::{NO_DEVICE, Streams};
use airloom::units::{Decibels, Hertz, Instant, Seconds, SpectralEfficiency, Watts};
use num_complex::Complex;

const SEEDS: Streams = Streams { seed: 42, run: 0 };

/// Partial outputs of unequal loudness: device n has variance 1/(n + 1).
fn tensors(devices: usize, entries: usize, index: u64) -> Vec<Vec<f32>> {
    (0..devices)
        .map(|device| {
            let mut normals = vec![0.0; entries];
            SEEDS
                .open("test.tensors", device as u32, index)
                .fill_normal(&mut normals);
            let loudness = 1.0 / ((device + 1) as f64).sqrt();
            normals.iter().map(|x| (x * loudness) as f32).collect()
        })
        .collect()
}

fn slices(parts: &[Vec<f32>]) -> Vec<&[f32]> {
    parts.iter().map(Vec::as_slice).collect()
}

fn config(snr: f64) -> RadioConfig {
    RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(snr),
            reference_power: Some(Watts(0.2)),
        },
        ..RadioConfig::default()
    }
}

fn air(config: RadioConfig, scheme: Scheme, devices: usize) -> Air {
    let design = Design::default().transceiver_design();
    Air::new(config, scheme, design, devices, SEEDS).unwrap()
}

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
                let error = Fading::Rician {
                    mean: 0.0,
                    variance: 0.05,
                }
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
            power,
            bandwidth: config.bandwidth,
            round_overhead: Seconds(0.0),
            design: &Misaligned,
        };
        let scheme = AirComp {
            streams,
            reals_per_symbol: reals,
        };
        let link = scheme.prepare(&block).unwrap();
        let mut sum = vec![0.0; entries];
        let mut noise = SEEDS.open("radio.noise", NO_DEVICE, 0);
        let distortion = link.reduce(&slices(&parts), &mut noise, &mut sum).unwrap();

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
    let block = Block {
        channels: &channels,
        power: config.budget.resolve(config.bandwidth),
        bandwidth: config.bandwidth,
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
                SEEDS
                    .open("test.unit", device, index)
                    .fill_normal(&mut normals);
                // Exactly unit mean square, so that the scale is the deviation.
                let rms = (normals.iter().map(|x| x * x).sum::<f64>() / 8192.0).sqrt();
                normals.iter().map(|x| (x / rms) as f32).collect()
            })
            .collect();
        let mut sum = vec![0.0; 8192];
        let mut noise = SEEDS.open("radio.noise", NO_DEVICE, index);
        let distortion = link.reduce(&slices(&parts), &mut noise, &mut sum).unwrap();
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
        power: resolved,
        bandwidth: config.bandwidth,
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
    let mut noise = SEEDS.open("radio.noise", NO_DEVICE, 0);
    let distortion = link.reduce(&[&ones, &ones], &mut noise, &mut sum).unwrap();
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
            let transceiver = Design::default()
                .transceiver_design()
                .design(&problem)
                .unwrap();
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

#[test]
fn air_time_and_energy_follow_the_closed_forms() {
    let config = RadioConfig {
        round_overhead: Seconds(20e-6),
        ..config(20.0)
    };
    // 4096 entries on 4 streams of 2 entries: 512 uses at 10 MHz.
    let mut analog = air(config.clone(), Scheme::default(), 4);
    let plan = analog.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
    assert!(plan.uplink.simultaneous);
    for transmission in &plan.uplink.transmissions {
        assert_eq!(transmission.channel_uses, 512);
        assert_eq!(transmission.bits, 0);
        assert_eq!(transmission.duration.0, 51_200_000 + 20_000_000);
        // At most 0.2 W for 51.2 µs.
        assert!(transmission.joules.unwrap() <= 0.2 * 51.2e-6 * (1.0 + 1e-12));
    }
    let loudest = plan
        .uplink
        .transmissions
        .iter()
        .filter_map(|t| t.joules)
        .fold(0.0, f64::max);
    assert!((loudest - 0.2 * 51.2e-6).abs() < 1e-15);
    assert_eq!(plan.downlink, None);

    // Q·entries/(η B/N), and P/N watts for as long.
    let fixed = Digital {
        rate: LinkRate::Fixed(SpectralEfficiency(13.1)),
        ..Digital::default()
    };
    let mut digital = air(config, Scheme::Digital(fixed), 4);
    let plan = digital.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
    assert!(!plan.uplink.simultaneous);
    let seconds = 8.0 * 4096.0 / (13.1 * 2.5e6);
    for transmission in &plan.uplink.transmissions {
        assert_eq!(transmission.bits, 8 * 4096);
        assert!((transmission.duration.as_seconds() - seconds - 20e-6).abs() < 1e-12);
        assert!((transmission.joules.unwrap() - 0.05 * seconds).abs() < 1e-15);
    }
}

#[test]
fn a_narrow_sub_channel_at_whole_power_is_faster() {
    let rate = |subchannel_power| {
        let scheme = Scheme::Digital(Digital {
            subchannel_power,
            ..Digital::default()
        });
        let mut air = air(config(0.0), scheme, 4);
        let plan = air.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
        4096.0 * 8.0 / plan.uplink.transmissions[2].duration.as_seconds()
    };
    let channel = RadioConfig::default().fading.draw(SEEDS, 2, 0, 20, 4);
    for (power, choice) in [
        (1.0, SubchannelPower::PerSymbol),
        (4.0, SubchannelPower::Whole),
    ] {
        let expected = 2.5e6 * mimo_capacity(&channel, power, 1.0);
        assert!((rate(choice) / expected - 1.0).abs() < 1e-6);
    }
}

#[test]
fn quantisation_error_is_a_twelfth_of_a_squared_step() {
    for bits in [4, 8, 12] {
        let scheme = Scheme::Digital(Digital {
            bits,
            ..Digital::default()
        });
        let mut air = air(config(20.0), scheme, 4);
        let parts = tensors(4, 65_536, 1);
        let mut sum = vec![0.0; 65_536];
        let round = air.round(0, Instant::ZERO).unwrap();
        let distortion = round.reduce(&slices(&parts), &mut sum).unwrap();
        assert!(
            (distortion.error / distortion.analytic - 1.0).abs() < 0.03,
            "{distortion:?}"
        );
        let largest = parts.iter().flatten().fold(0.0f32, |m, x| m.max(x.abs()));
        let step = largest / ((1 << (bits - 1)) - 1) as f32;
        for (entry, sum) in sum.iter().enumerate() {
            let exact: f32 = parts.iter().map(|part| part[entry]).sum();
            assert!((sum - exact).abs() <= 4.0 * 0.5 * step * 1.0001);
        }
    }
}

#[test]
fn at_32_bits_nothing_is_lost() {
    let scheme = Scheme::Digital(Digital {
        bits: 32,
        ..Digital::default()
    });
    let parts = tensors(3, 999, 2);
    let reduce = |scheme| {
        let mut sum = vec![0.0; 999];
        let mut air = air(config(20.0), scheme, 3);
        let round = air.round(0, Instant::ZERO).unwrap();
        let distortion = round.reduce(&slices(&parts), &mut sum).unwrap();
        (sum, distortion.error, distortion.analytic)
    };
    let (ideal, ..) = reduce(Scheme::Ideal);
    assert_eq!(reduce(scheme), (ideal, 0.0, 0.0));
}

#[test]
fn a_multicast_takes_the_weakest_devices_rate_and_its_quantised_tensor() {
    let config = RadioConfig {
        downlink: Downlink::Multicast {
            bits: 16,
            rate: LinkRate::Drawn,
            server_power: Decibels(10.0),
        },
        ..config(0.0)
    };
    let mut air = air(config.clone(), Scheme::default(), 3);
    let channels = air.channels(0);
    let weakest = channels
        .iter()
        .map(|h| mimo_capacity(&h.transpose(), 10.0, 1.0))
        .fold(f64::INFINITY, f64::min);
    let round = air.round(0, Instant::ZERO).unwrap();
    let downlink = round.plan(4096).unwrap().downlink.unwrap();
    let seconds = 4096.0 * 16.0 / (10e6 * weakest);
    assert!((downlink.duration.as_seconds() - seconds).abs() < 2e-12);
    assert_eq!(downlink.bits, 65_536);
    // Ten times 0.2 W.
    assert!((downlink.joules.unwrap() - 2.0 * seconds).abs() < 1e-12);

    let parts = tensors(3, 4096, 3);
    let mut sum = vec![0.0; 4096];
    round.reduce(&slices(&parts), &mut sum).unwrap();
    let largest = sum.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let step = f64::from(largest) / 32_767.0;
    for entry in &sum {
        let levels = f64::from(*entry) / step;
        assert!((levels - levels.round()).abs() < 1e-2, "{levels}");
    }
}

/// Spec: a 16-bit multicast at 12 bit/s/Hz adds 174 ms per token to a 70B model.
#[test]
fn the_downlink_of_a_70b_model_takes_174_ms_per_token() {
    let config = RadioConfig {
        downlink: Downlink::Multicast {
            bits: 16,
            rate: LinkRate::Fixed(SpectralEfficiency(12.0)),
            server_power: Decibels(0.0),
        },
        ..RadioConfig::default()
    };
    let mut air = air(config, Scheme::default(), 4);
    let plan = air.round(0, Instant::ZERO).unwrap().plan(8192).unwrap();
    let per_token = 160.0 * plan.downlink.unwrap().duration.as_seconds();
    assert!((per_token - 0.1747).abs() < 1e-3);
}

#[test]
fn one_device_alone_uses_no_air_unless_asked() {
    let parts = tensors(1, 100, 4);
    let mut sum = vec![0.0; 100];
    let mut alone = air(config(0.0), Scheme::default(), 1);
    assert!(!alone.is_used());
    let round = alone.round(0, Instant::ZERO).unwrap();
    let plan = round.plan(100).unwrap();
    assert_eq!(plan.uplink.transmissions[0].duration.0, 0);
    assert_eq!(plan.uplink.transmissions[0].joules, Some(0.0));
    round.reduce(&slices(&parts), &mut sum).unwrap();
    assert_eq!(sum, parts[0]);

    let asked = RadioConfig {
        lone_device_transmits: true,
        ..config(0.0)
    };
    let mut asked = air(asked, Scheme::default(), 1);
    let round = asked.round(0, Instant::ZERO).unwrap();
    assert!(round.plan(100).unwrap().uplink.transmissions[0].duration.0 > 0);
    round.reduce(&slices(&parts), &mut sum).unwrap();
    assert_ne!(sum, parts[0]);
}

/// Law 6: the noise of an all-reduce depends on its index alone.
#[test]
fn law_6_a_rounds_noise_does_not_depend_on_earlier_rounds() {
    let parts = tensors(2, 512, 5);
    let mut whole = air(config(10.0), Scheme::default(), 2);
    let mut sums = Vec::new();
    for index in 0..4 {
        let mut sum = vec![0.0; 512];
        let round = whole.round(index, Instant::ZERO).unwrap();
        round.reduce(&slices(&parts), &mut sum).unwrap();
        sums.push(sum);
    }
    let mut only_last = vec![0.0; 512];
    let mut fresh = air(config(10.0), Scheme::default(), 2);
    let round = fresh.round(3, Instant::ZERO).unwrap();
    round.reduce(&slices(&parts), &mut only_last).unwrap();
    assert_eq!(sums[3], only_last);
    assert_ne!(sums[2], only_last);
}

#[test]
fn a_silent_round_stays_silent() {
    for scheme in [
        Scheme::Ideal,
        Scheme::default(),
        Scheme::Digital(Digital::default()),
    ] {
        let mut air = air(config(0.0), scheme, 2);
        let zeros = vec![0.0f32; 33];
        let mut sum = vec![1.0; 33];
        let round = air.round(0, Instant::ZERO).unwrap();
        let distortion = round.reduce(&[&zeros, &zeros], &mut sum).unwrap();
        assert!(sum.iter().all(|x| *x == 0.0), "{}", scheme.name());
        assert!(distortion.nmse == 0.0 && distortion.error.is_finite());
    }
}

#[test]
fn bad_tensors_are_named() {
    for scheme in [
        Scheme::Ideal,
        Scheme::default(),
        Scheme::Digital(Digital::default()),
    ] {
        let mut air = air(config(0.0), scheme, 2);
        let good = vec![1.0f32; 10];
        let mut sum = vec![0.0; 10];
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut bad = good.clone();
            bad[7] = value;
            let round = air.round(0, Instant::ZERO).unwrap();
            let error = round.reduce(&[&good, &bad], &mut sum).unwrap_err();
            assert!(error.to_string().starts_with("device 1 sent "), "{error}");
            assert!(error.to_string().contains("as entry 7"), "{error}");
        }
        let round = air.round(0, Instant::ZERO).unwrap();
        let error = round.reduce(&[&good[..9], &good], &mut sum).unwrap_err();
        assert!(
            error.to_string().contains("device 0 sent 9 entries"),
            "{error}"
        );
    }
}

#[test]
fn impossible_fields_are_refused_by_path() {
    let refuse = |config: RadioConfig, scheme: Scheme| {
        let design = Design::default().transceiver_design();
        Air::new(config, scheme, design, 4, SEEDS)
            .unwrap_err()
            .to_string()
    };
    let plain = RadioConfig::default;
    let bandwidth = RadioConfig {
        bandwidth: Hertz(0.0),
        ..plain()
    };
    assert!(refuse(bandwidth, Scheme::Ideal).starts_with("bandwidth: 0 must be"));
    let snr = RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(f64::NAN),
            reference_power: None,
        },
        ..plain()
    };
    assert!(refuse(snr, Scheme::Ideal).starts_with("budget.snr: "));
    let variance = RadioConfig {
        fading: Fading::Rician {
            mean: 1.0,
            variance: -1.0,
        },
        ..plain()
    };
    assert!(refuse(variance, Scheme::Ideal).starts_with("fading.variance: -1 must be"));
    let antennas = RadioConfig {
        device_antennas: 2,
        ..plain()
    };
    assert_eq!(
        refuse(antennas, Scheme::default()),
        "streams: 4 streams, but each device has 2 antennas; use at most 2"
    );
    let bits = Digital {
        bits: 1,
        ..Digital::default()
    };
    assert!(
        refuse(plain(), Scheme::Digital(bits)).starts_with("bits: 1 bits per entry; use 2 to 24")
    );
}

#[test]
fn a_singular_channel_names_its_device() {
    let full = RadioConfig::default().fading.draw(SEEDS, 0, 0, 20, 4);
    let flat = Matrix::from_element(20, 4, Complex::new(1.0, 0.0));
    let design = Design::default().transceiver_design();
    let block = Block {
        channels: &[full, flat],
        power: LinkPower {
            power: 1.0,
            noise: 0.1,
            watts: None,
        },
        bandwidth: Hertz(10e6),
        round_overhead: Seconds(0.0),
        design: design.as_ref(),
    };
    let error = AirComp::default().prepare(&block).unwrap_err();
    assert_eq!(
        error,
        RadioError::SingularChannel {
            device: 1,
            streams: 4
        }
    );
}
