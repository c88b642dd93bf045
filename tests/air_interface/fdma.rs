//! Uncoded FDMA: its closed form against other routes, its growth with N, its time and
//! energy, and what whole sub-channels cost.

use crate::{SEEDS, air, config, slices, tensors};
use airloom::policy::{Descent, Design};
use airloom::radio::{
    AirComp, AllReduce, Block, Coding, Digital, LinkPower, LinkRate, Matrix, RadioConfig, Scheme,
    SubchannelPower, TransceiverProblem, UncodedFdma, adjoint_product, eigen, product,
};
use airloom::rng::{BulkDistribution, NO_DEVICE, StandardNormal};
use airloom::units::{Hertz, Instant, Seconds, SpectralEfficiency};
use num_complex::Complex;

fn channels(devices: usize, block: u64) -> Vec<Matrix> {
    let fading = RadioConfig::default().fading;
    let draw = |device| fading.draw(SEEDS, device, block, 20, 4);
    (0..devices).map(draw).collect()
}

/// The analytic error of `scheme` on `channels`, per complex entry.
fn analytic(scheme: &dyn AllReduce, channels: &[Matrix], power: f64, noise: f64) -> f64 {
    let design = Descent::default();
    let block = Block {
        channels,
        powers: &vec![power; channels.len()],
        estimates: channels,
        power: LinkPower {
            power,
            noise,
            watts: None,
        },
        bandwidth: Hertz(10e6),
        coding: Coding::default(),
        round_overhead: Seconds(0.0),
        design: &design,
    };
    let link = scheme.prepare(&block).unwrap();
    let ones = vec![1.0f32; 64];
    let parts = vec![ones.as_slice(); channels.len()];
    let noise = SEEDS.open("radio.noise", NO_DEVICE, 0);
    link.reduce(&parts, noise, &mut [0.0; 64]).unwrap().analytic
}

/// Σ 1/σ_i over the `streams` largest singular values.
fn inverse_singular_values(channel: &Matrix, streams: usize) -> f64 {
    let spectrum = eigen(&adjoint_product(channel, channel)).values;
    spectrum[..streams].iter().map(|x| 1.0 / x.sqrt()).sum()
}

#[test]
fn the_error_is_the_closed_form_of_every_device() {
    for (devices, streams) in [(1, 4), (3, 4), (5, 2), (8, 1)] {
        let channels = channels(devices, 7);
        let scheme = UncodedFdma {
            streams,
            ..UncodedFdma::default()
        };
        let expected: f64 = channels
            .iter()
            .map(|h| 0.3 * inverse_singular_values(h, streams).powi(2) / 2.5)
            .sum();
        let found = analytic(&scheme, &channels, 2.5, 0.3) * streams as f64;
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    }
}

/// One device alone: the descent on the exact problem (13) finds the same error.
#[test]
fn one_device_alone_errs_as_over_the_air() {
    for block in 0..5 {
        let channels = channels(1, block);
        let fdma = analytic(&UncodedFdma::default(), &channels, 1.0, 1.0);
        let descent = analytic(&AirComp::default(), &channels, 1.0, 1.0);
        assert!(
            fdma <= descent * (1.0 + 1e-9) && descent < fdma * 1.001,
            "{fdma} {descent}"
        );
    }
}

/// No other zero-forcing combiner of a lone device does better: random directions.
#[test]
fn no_random_direction_beats_the_closed_form() {
    let channel = &channels(1, 3);
    let best = analytic(&UncodedFdma::default(), channel, 1.0, 1.0) * 4.0;
    let problem = TransceiverProblem {
        channels: channel,
        powers: &[1.0],
        noise: 1.0,
        streams: 4,
    };
    let spread = airloom::radio::Fading::Rician(airloom::radio::Rician {
        mean: 0.0,
        variance: 0.02,
    });
    let spectrum = eigen(&adjoint_product(&channel[0], &channel[0]));
    let optimal = product(
        &channel[0],
        &Matrix::from_fn(4, 4, |row, i| {
            spectrum.vectors[(row, i)] * Complex::from(spectrum.values[i].powf(-0.75))
        }),
    );
    for draw in 0..200 {
        let direction = &optimal + spread.draw(SEEDS, 0, 1000 + draw, 20, 4);
        let other = airloom::radio::Transceiver::zero_forcing(&direction, &problem).unwrap();
        assert!(other.mean_squared_error(&problem).noise > best);
    }
}

/// Spec: linear in N at fixed energy per symbol, flat at constant power.
#[test]
fn errors_add_up_with_the_devices_unless_power_makes_up_for_it() {
    let blocks = 40;
    let mean = |subchannel_power, devices| {
        let scheme = UncodedFdma {
            subchannel_power,
            ..UncodedFdma::default()
        };
        let error = |block| analytic(&scheme, &channels(devices, block), 1.0, 1.0) * 4.0;
        (0..blocks).map(error).sum::<f64>() / f64::from(blocks as u32)
    };
    let one = mean(SubchannelPower::PerSymbol, 1);
    // The mean over many draws of the spec's table: 0.696, 1.427, 2.796, 5.663.
    assert!((one / 0.70 - 1.0).abs() < 0.05, "{one}");
    for devices in [2, 4, 8] {
        let linear = mean(SubchannelPower::PerSymbol, devices) / (one * devices as f64);
        let flat = mean(SubchannelPower::Whole, devices) / one;
        assert!((linear - 1.0).abs() < 0.05, "{devices}: {linear}");
        assert!((flat - 1.0).abs() < 0.05, "{devices}: {flat}");
    }
}

/// The three schemes on the same channels: digital near zero, over the air low, FDMA high.
#[test]
fn the_schemes_stand_in_the_order_of_the_papers_table() {
    let channels = channels(8, 11);
    let error = |scheme: &dyn AllReduce| analytic(scheme, &channels, 1.0, 1.0);
    let [digital, air, fdma] = [
        error(&Digital::default()),
        error(&AirComp::default()),
        error(&UncodedFdma::default()),
    ];
    assert!(
        digital < 0.02 * air && air < 0.5 * fdma,
        "{digital} {air} {fdma}"
    );
}

/// Antenna by antenna: every device sends through its own channel, with its own noise, and
/// the server combines each alone and adds.
#[test]
fn received_errors_are_distributed_as_at_the_antennas() {
    let channels = channels(3, 2);
    let (streams, noise) = (3, 0.4);
    let scheme = UncodedFdma {
        streams,
        ..UncodedFdma::default()
    };
    let design = Design::default().transceiver_design();
    let block = Block {
        channels: &channels,
        powers: &[1.0; 3],
        estimates: &channels,
        power: LinkPower {
            power: 1.0,
            noise,
            watts: None,
        },
        bandwidth: Hertz(10e6),
        coding: Coding::default(),
        round_overhead: Seconds(0.0),
        design: design.as_ref(),
    };
    let uses = 40_000;
    let parts = tensors(3, uses * 2 * streams, 8);
    let mut sum = vec![0.0; uses * 2 * streams];
    let stream = SEEDS.open("radio.noise", NO_DEVICE, 0);
    let link = scheme.prepare(&block).unwrap();
    let distortion = link.reduce(&slices(&parts), stream, &mut sum).unwrap();

    // The literal chain: A_n = √α U diag(σ^{-1/2}), B_n = V diag(σ^{-1/2})/√α.
    let spectra: Vec<_> = channels
        .iter()
        .map(|h| eigen(&adjoint_product(h, h)))
        .collect();
    let mut received = vec![Complex::new(0.0, 0.0); uses * streams];
    let mut white = vec![0.0; 2 * 20 * uses];
    for (device, (channel, spectrum)) in channels.iter().zip(&spectra).enumerate() {
        let sigma: Vec<f64> = spectrum.values.iter().map(|x| x.sqrt()).collect();
        let root = inverse_singular_values(channel, streams).sqrt();
        let v = |row: usize, i: usize| spectrum.vectors[(row, i)];
        let precoder = Matrix::from_fn(4, streams, |row, i| v(row, i) / (sigma[i].sqrt() * root));
        let combiner = product(
            channel,
            &Matrix::from_fn(4, streams, |row, i| {
                v(row, i) * (root / (sigma[i] * sigma[i].sqrt()))
            }),
        );
        let radiated: f64 = precoder.iter().map(|x| x.norm_sqr()).sum();
        assert!((radiated - 1.0).abs() < 1e-12);
        StandardNormal.fill(
            &mut SEEDS.open("test.antennas", device as u32, 0),
            &mut white,
        );
        for u in 0..uses {
            let symbols = Matrix::from_fn(streams, 1, |l, _| {
                let entry = 2 * (u * streams + l);
                let real = |k: usize| f64::from(parts[device][entry + k]) / distortion.scale;
                Complex::new(real(0), real(1))
            });
            let mut antennas = product(channel, &product(&precoder, &symbols));
            for (r, antenna) in antennas.iter_mut().enumerate() {
                let w = &white[2 * (u * 20 + r)..];
                *antenna += Complex::new(w[0], w[1]) * (noise / 2.0f64).sqrt();
            }
            for (l, symbol) in adjoint_product(&combiner, &antennas).iter().enumerate() {
                received[u * streams + l] += symbol;
            }
        }
    }
    let error = |value: Complex<f64>, index: usize| {
        let exact = |k: usize| {
            let sum: f64 = parts
                .iter()
                .map(|part| f64::from(part[2 * index + k]))
                .sum();
            sum / distortion.scale
        };
        value - Complex::new(exact(0), exact(1))
    };
    let of = |sum: &[f32]| -> Vec<Complex<f64>> {
        let pairs = sum.chunks_exact(2);
        let values = pairs.map(|x| Complex::new(f64::from(x[0]), f64::from(x[1])));
        let values = values.map(|x| x / distortion.scale).enumerate();
        values.map(|(index, value)| error(value, index)).collect()
    };
    let ours = of(&sum);
    let theirs: Vec<Complex<f64>> = received
        .iter()
        .enumerate()
        .map(|(index, value)| error(*value, index))
        .collect();
    // Both covariances of a use's errors, entry by entry.
    let covariance = |errors: &[Complex<f64>], i: usize, j: usize| {
        let uses = errors.chunks_exact(streams);
        uses.map(|x| x[i] * x[j].conj()).sum::<Complex<f64>>() / (errors.len() / streams) as f64
    };
    for i in 0..streams {
        for j in 0..streams {
            let scale = (covariance(&ours, i, i).re * covariance(&ours, j, j).re).sqrt();
            let difference = (covariance(&ours, i, j) - covariance(&theirs, i, j)).norm();
            // Two estimates, each with a deviation of 1/√uses.
            assert!(
                difference < 5.0 * scale * (2.0 / uses as f64).sqrt(),
                "{i} {j}"
            );
        }
    }
    assert!((distortion.error / distortion.analytic - 1.0).abs() < 0.03);
    assert_eq!(distortion.misalignment, 0.0);
}

#[test]
fn each_sub_channel_takes_n_times_as_long_at_an_nth_of_the_power() {
    let seconds = 4096.0 / 8.0 / 10e6;
    for (subchannel_power, watts) in [
        (SubchannelPower::PerSymbol, 0.05),
        (SubchannelPower::Whole, 0.2),
    ] {
        let scheme = Scheme::UncodedFdma(UncodedFdma {
            subchannel_power,
            ..UncodedFdma::default()
        });
        let overhead = RadioConfig {
            round_overhead: Seconds(20e-6),
            ..config(20.0)
        };
        let mut air = air(overhead, scheme, 4);
        let plan = air.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
        for sent in &plan.uplink.transmissions {
            assert_eq!((sent.channel_uses, sent.bits), (512, 0));
            assert!((sent.duration.as_seconds() - 4.0 * seconds - 20e-6).abs() < 2e-12);
            assert!((sent.joules.unwrap() - watts * 4.0 * seconds).abs() < 1e-15);
        }
        assert_eq!(plan.uplink.rounding_s, None);
    }
}

/// Eight sub-channels for three devices: 3, 3 and 2.
#[test]
fn whole_sub_channels_cost_the_slowest_device_time() {
    let fixed = LinkRate::Fixed(SpectralEfficiency(10.0));
    let schemes = |subchannels| {
        [
            Scheme::Digital(Digital {
                rate: fixed,
                subchannels,
                ..Digital::default()
            }),
            Scheme::UncodedFdma(UncodedFdma {
                subchannels,
                ..UncodedFdma::default()
            }),
        ]
    };
    let plan = |scheme| {
        let mut air = air(config(20.0), scheme, 3);
        air.round(0, Instant::ZERO).unwrap().plan(4096).unwrap()
    };
    for (whole, exact) in schemes(Some(8)).into_iter().zip(schemes(None)) {
        let (whole, exact) = (plan(whole).uplink, plan(exact).uplink);
        let exact = exact.transmissions[0].duration.as_seconds();
        for (sent, own) in whole.transmissions.iter().zip([3.0, 3.0, 2.0]) {
            let expected = exact / 3.0 * 8.0 / own;
            assert!((sent.duration.as_seconds() - expected).abs() < 2e-12);
        }
        // 8/(3·2) − 1 of the exact time.
        assert!((whole.rounding_s.unwrap() - exact / 3.0).abs() < 3e-12);
    }
    // Where the division comes out even it costs nothing and errs as the exact one.
    let [_, even] = schemes(Some(9));
    assert_eq!(plan(even).uplink.rounding_s, Some(0.0));
}
