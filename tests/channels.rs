//! Channels and link rates against theory: amplitude distributions by Kolmogorov and
//! Smirnov, path loss by hand, capacities in closed form.

use airloom::radio::{
    Distance, Fading, Matrix, Mean, Rayleigh, Rician, eigen, mimo_capacity, path_loss_db,
    product_adjoint, shannon_rate,
};
use airloom::rng::Streams;
use airloom::units::{Hertz, Meters};
use num_complex::Complex;
use proptest::prelude::*;

const SEEDS: Streams = Streams { seed: 5, run: 0 };

/// Amplitudes |h| of half a million entries, a few per draw as a run takes them.
fn amplitudes(fading: &Fading) -> Vec<f64> {
    (0..25_000u64)
        .flat_map(|block| {
            let channel = fading.draw(SEEDS, (block % 4) as usize, block, 5, 4);
            channel
                .iter()
                .map(|h| h.norm_sqr().sqrt())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Largest distance between the empirical distribution of `samples` and `cdf`.
fn kolmogorov_smirnov(mut samples: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    samples
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let p = cdf(x);
            (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
        })
        .fold(0.0, f64::max)
}

/// 1 − Q₁(a, b), Marcum's Q, as the Poisson mixture of Gamma distributions that it is:
/// Σ_k e^(−a²/2)(a²/2)ᵏ/k! · P(k + 1, b²/2), with P by its own finite sum.
fn rician_cdf(a: f64, b: f64) -> f64 {
    let (u, v) = (a * a / 2.0, b * b / 2.0);
    let (mut weight, mut term, mut tail) = ((-u).exp(), (-v).exp(), (-v).exp());
    let mut sum = weight * (1.0 - tail);
    for k in 1..80 {
        weight *= u / f64::from(k);
        term *= v / f64::from(k);
        tail += term;
        sum += weight * (1.0 - tail);
    }
    sum
}

#[test]
fn rayleigh_power_is_exponential() {
    let fading = Fading::Rician(Rician {
        mean: 0.0,
        variance: 1.0,
    });
    let distance = kolmogorov_smirnov(amplitudes(&fading), |x| 1.0 - (-x * x).exp());
    assert!(distance < 0.01, "{distance}");
}

#[test]
fn rayleigh_power_has_the_mean_of_its_path_loss() {
    let fading = Fading::Rayleigh(Rayleigh {
        carrier: Hertz(3.5e9),
        distance: Distance::Each([50.0, 100.0, 200.0, 400.0].map(Meters).to_vec()),
        mean: Mean::Power,
    });
    for (device, metres) in [50.0, 100.0, 200.0, 400.0].into_iter().enumerate() {
        let channel = fading.draw(SEEDS, device, 0, 300, 300);
        let mean = channel.iter().map(Complex::norm_sqr).sum::<f64>() / 90_000.0;
        let decibels = -10.0 * mean.log10();
        // By hand: 32.4 + 20 log10 3.5 = 43.2814 dB; 4.343 dB/√90000 = 0.0145 dB deviation.
        let expected = 43.281_36 + 20.0 * f64::log10(metres);
        assert!(
            (decibels - expected).abs() < 0.06,
            "{metres} m: {decibels} dB"
        );
    }
}

#[test]
fn rician_amplitudes_follow_marcums_q() {
    for (mean, variance) in [(1.0, 1.0), (2.0, 0.5), (0.3, 1.0)] {
        let deviation = f64::sqrt(variance / 2.0);
        let fading = Fading::Rician(Rician { mean, variance });
        let distance = kolmogorov_smirnov(amplitudes(&fading), |x| {
            rician_cdf(mean / deviation, x / deviation)
        });
        assert!(distance < 0.01, "{mean} {variance}: {distance}");
    }
}

#[test]
fn rician_entries_have_their_mean_and_independent_parts() {
    let fading = Fading::Rician(Rician {
        mean: 1.0,
        variance: 1.0,
    });
    let channel = fading.draw(SEEDS, 0, 0, 500, 500);
    let n = channel.len() as f64;
    let mean = channel.iter().sum::<Complex<f64>>() / n;
    assert!((mean - Complex::new(1.0, 0.0)).norm() < 4.0 / n.sqrt());
    // E (h − μ)² = 0: parts of equal power, uncorrelated.
    let pseudo = channel
        .iter()
        .map(|h| (h - 1.0) * (h - 1.0))
        .sum::<Complex<f64>>()
        / n;
    assert!(pseudo.norm() < 5.0 / n.sqrt());
    let neighbours = channel.as_slice().windows(2);
    let lagged = neighbours
        .map(|w| (w[0] - 1.0) * (w[1] - 1.0).conj())
        .sum::<Complex<f64>>()
        / n;
    assert!(lagged.norm() < 4.0 / n.sqrt());
}

#[test]
fn path_loss_is_the_tables_formula() {
    // 32.4 + 20 log10 1 + 20 log10 1; doubling the distance or carrier costs 6.0206 dB.
    assert_eq!(path_loss_db(Hertz(1e9), Meters(1.0)), 32.4);
    assert!((path_loss_db(Hertz(3.5e9), Meters(100.0)) - 83.281_361).abs() < 1e-6);
    let doubled =
        path_loss_db(Hertz(7e9), Meters(200.0)) - path_loss_db(Hertz(3.5e9), Meters(100.0));
    assert!((doubled - 12.041_2).abs() < 1e-4);
}

/// Draws differ between devices and blocks, not between repetitions.
#[test]
fn law_6_a_channel_is_named_by_seed_device_and_block() {
    let draw = |device, block| Fading::default().draw(SEEDS, device, block, 20, 4);
    assert_eq!(draw(1, 7), draw(1, 7));
    assert_ne!(draw(1, 7), draw(2, 7));
    assert_ne!(draw(1, 7), draw(1, 8));
}

#[test]
fn impossible_fading_is_refused_by_path() {
    let refuse = |fading: Fading| fading.validate(2).unwrap_err().path;
    let rician = |mean, variance| Fading::Rician(Rician { mean, variance });
    assert_eq!(refuse(rician(f64::NAN, 1.0)), "mean");
    assert_eq!(refuse(rician(1.0, -0.1)), "variance");
    assert_eq!(refuse(rician(0.0, 0.0)), "variance");
    let rayleigh = |carrier, distance| {
        Fading::Rayleigh(Rayleigh {
            carrier: Hertz(carrier),
            distance,
            mean: Mean::Power,
        })
    };
    assert_eq!(refuse(rayleigh(0.0, Distance::All(Meters(1.0)))), "carrier");
    assert_eq!(
        refuse(rayleigh(1e9, Distance::All(Meters(0.0)))),
        "distance"
    );
    assert_eq!(
        refuse(rayleigh(1e9, Distance::Each(vec![Meters(5.0)]))),
        "distance"
    );
}

#[test]
fn fading_reads_from_a_scenario() {
    let options = ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES);
    let read = |text: &str| options.from_str::<Fading>(text);
    let one = read(r#"Rayleigh(carrier: "3.5 GHz", distance: "100 m")"#).unwrap();
    let each =
        read(r#"Rayleigh(carrier: "3.5 GHz", distance: ["50 m", "0.1 km"], mean: Amplitude)"#)
            .unwrap();
    let carrier = Hertz(3.5e9);
    assert_eq!(
        one,
        Fading::Rayleigh(Rayleigh {
            carrier,
            distance: Distance::All(Meters(100.0)),
            mean: Mean::Power,
        })
    );
    let metres = vec![Meters(50.0), Meters(100.0)];
    assert_eq!(
        each,
        Fading::Rayleigh(Rayleigh {
            carrier,
            distance: Distance::Each(metres),
            mean: Mean::Amplitude,
        })
    );
    for fading in [one, each, Fading::default()] {
        let written = options.to_string(&fading).unwrap();
        assert_eq!(read(&written).unwrap(), fading);
    }
    assert!(read(r#"Rician(mean: 1.0, varianse: 1.0)"#).is_err());
}

/// E log₂(1 + snr·x), x ~ Exp(1), is e^(1/snr) E₁(1/snr)/ln 2; the values are tabulated.
#[test]
fn ergodic_capacity_of_a_single_rayleigh_antenna() {
    let fading = Fading::Rician(Rician {
        mean: 0.0,
        variance: 1.0,
    });
    for (decibels, expected) in [
        (0.0, 0.860_347),
        (10.0, 2.906_515),
        (20.0, 5.884_048),
        (30.0, 9.143_619),
    ] {
        let snr = f64::powf(10.0, decibels / 10.0);
        let gains = fading.draw(SEEDS, 0, 0, 500, 1000);
        let capacities: Vec<f64> = gains
            .iter()
            .map(|h| mimo_capacity(&Matrix::from_element(1, 1, *h), snr, 1.0))
            .collect();
        let n = capacities.len() as f64;
        let mean = capacities.iter().sum::<f64>() / n;
        let variance = capacities.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n;
        assert!(
            (mean - expected).abs() < 4.0 * (variance / n).sqrt(),
            "{decibels} dB: {mean}"
        );
    }
}

/// At high SNR fading costs γ/ln 2 = 0.577216/0.693147 = 0.832746 bit against a constant
/// channel of the same mean power. log₂ of an Exp(1) variable has the deviation
/// π/(√6 ln 2) = 1.850 bit.
#[test]
fn rayleigh_fading_costs_0_8327_bit_at_high_snr() {
    let fading = Fading::Rician(Rician {
        mean: 0.0,
        variance: 1.0,
    });
    let gains = fading.draw(SEEDS, 1, 0, 500, 1000);
    let n = gains.len() as f64;
    let snr = 1e8;
    let capacity = |h: &Complex<f64>| mimo_capacity(&Matrix::from_element(1, 1, *h), snr, 1.0);
    let loss = snr.log2() - gains.iter().map(capacity).sum::<f64>() / n;
    assert!((loss - 0.832_746).abs() < 4.0 * 1.85 / n.sqrt(), "{loss}");
}

/// The other reading of "a mean of 10^(−PL/20)": 83.2814 dB at 100 m and 3.5 GHz make a mean
/// amplitude of 10^(−4.164068) = 6.85381e-5; the mean power is then 4/π times its square.
#[test]
fn a_rayleigh_amplitude_may_have_the_mean_of_its_path_loss() {
    let fading = Fading::Rayleigh(Rayleigh {
        carrier: Hertz(3.5e9),
        distance: Distance::All(Meters(100.0)),
        mean: Mean::Amplitude,
    });
    let channel = fading.draw(SEEDS, 2, 0, 500, 1000);
    let n = channel.len() as f64;
    let amplitude = channel.iter().map(|h| h.norm_sqr().sqrt()).sum::<f64>() / n;
    // Relative deviations: √(4/π − 1)/√n of the amplitude, 1/√n of the power.
    assert!((amplitude / 6.853_81e-5 - 1.0).abs() < 4.0 * 0.523 / n.sqrt());
    let power = channel.iter().map(Complex::norm_sqr).sum::<f64>() / n;
    assert!(
        (power / 5.981_003e-9 - 1.0).abs() < 4.0 / n.sqrt(),
        "{power}"
    );
}

#[test]
fn ergodic_capacity_of_the_papers_antennas_is_12_bits() {
    let draws = 4000;
    let capacities: Vec<f64> = (0..draws)
        .map(|block| mimo_capacity(&Fading::default().draw(SEEDS, 0, block, 20, 4), 1.0, 1.0))
        .collect();
    let mean = capacities.iter().sum::<f64>() / draws as f64;
    let variance = capacities.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / draws as f64;
    let deviation = (variance / draws as f64).sqrt();
    assert!(
        deviation < 0.02 && (mean - 12.04).abs() < 0.005 + 4.0 * deviation,
        "{mean} ± {deviation}"
    );
}

#[test]
fn shannons_rate_has_its_limits() {
    // 1 W at unit gain over 1 W/Hz·1 Hz: one bit per second.
    assert!((shannon_rate(1.0, 1.0, 1.0, 1.0) - 1.0).abs() < 1e-15);
    // B → ∞: P g/(N₀ ln 2).
    let wide = shannon_rate(1e15, 2.0, 0.5, 1e-3);
    assert!((wide / (1000.0 / std::f64::consts::LN_2) - 1.0).abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Second route: Σ log₂(1 + P λ/(N_t σ²)) over the eigenvalues of H Hᴴ; and H, Hᴴ
    /// carry the same at the same power per antenna.
    #[test]
    fn capacity_is_a_sum_over_eigenvalues(rows in 1usize..9, columns in 1usize..9, block in 0u64..1000, snr in 0.01f64..1e4) {
        let channel = Fading::default().draw(SEEDS, 3, block, rows, columns);
        let capacity = mimo_capacity(&channel, snr, 1.0);
        let summed: f64 = eigen(&product_adjoint(&channel, &channel))
            .values
            .iter()
            .map(|value| (1.0 + snr / columns as f64 * value.max(0.0)).log2())
            .sum();
        prop_assert!((capacity - summed).abs() < 1e-9 * (1.0 + capacity));
        let reverse = mimo_capacity(&channel.adjoint(), snr * rows as f64 / columns as f64, 1.0);
        prop_assert!((capacity - reverse).abs() < 1e-9 * (1.0 + capacity));
    }

    #[test]
    fn shannons_rate_is_concave_and_increasing(b in 1e3f64..1e9, gain in 1e-14f64..1e-6) {
        let rate = |b: f64| shannon_rate(b, 0.2, gain, 4e-21);
        prop_assert!(rate(2.0 * b) > rate(b));
        prop_assert!(rate(1.5 * b) >= 0.5 * (rate(b) + rate(2.0 * b)));
    }
}
