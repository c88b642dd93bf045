//! The relaxation against instances whose optimum is certified elsewhere, its own
//! certificate, closed forms, symmetries, and the errors published for it.

use crate::{DESCENT, SEEDS, draw, total_error};
use airloom::policy::{Design, Randomisation, Relaxation, relax};
use airloom::radio::{
    Fading, Matrix, RadioError, TransceiverProblem, adjoint_product, eigen, inverse, product,
};
use num_complex::Complex;
use proptest::prelude::*;
use serde::Deserialize;

/// One problem whose optimum lies in [`t_lower`, `t_upper`], certified to 1e-10 by a general
/// solver in other hands. `H_re[n][r][c]`, `H_im[n][r][c]`.
#[derive(Deserialize)]
struct Instance {
    id: String,
    p: Vec<f64>,
    t_lower: f64,
    t_upper: f64,
    #[serde(rename = "H_re")]
    re: Vec<Vec<Vec<f64>>>,
    #[serde(rename = "H_im")]
    im: Vec<Vec<Vec<f64>>>,
}

impl Instance {
    fn channels(&self) -> Vec<Matrix> {
        let channel = |(re, im): (&Vec<Vec<f64>>, &Vec<Vec<f64>>)| {
            Matrix::from_fn(re.len(), re[0].len(), |i, j| {
                Complex::new(re[i][j], im[i][j])
            })
        };
        self.re.iter().zip(&self.im).map(channel).collect()
    }
}

fn problem<'a>(channels: &'a [Matrix], powers: &'a [f64]) -> TransceiverProblem<'a> {
    TransceiverProblem {
        channels,
        powers,
        noise: 1.0,
        streams: channels[0].ncols(),
    }
}

/// min_n P_n λ_min(H_nᴴĜH_n).
fn reached(problem: &TransceiverProblem<'_>, covariance: &Matrix) -> f64 {
    problem
        .channels
        .iter()
        .zip(problem.powers)
        .map(|(h, power)| {
            let seen = adjoint_product(h, &product(covariance, h));
            power * eigen(&seen).values.last().unwrap()
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn certified_optima_are_reached_to_the_gap_asked_for() {
    let instances: Vec<Instance> =
        serde_json::from_str(include_str!("sdp_instances.json")).unwrap();
    assert_eq!(instances.len(), 12);
    for instance in &instances {
        let channels = instance.channels();
        let problem = problem(&channels, &instance.p);
        for gap in [1e-3, 1e-6] {
            let found = relax(&problem, gap).unwrap();
            let id = &instance.id;
            assert!(found.gap() <= gap, "{id}: {}", found.gap());
            assert!(found.value <= instance.t_upper, "{id}: {}", found.value);
            assert!(found.bound >= instance.t_lower, "{id}: {}", found.bound);
            assert!(found.value >= instance.t_lower * (1.0 - gap), "{id}");
            assert!(found.bound <= instance.t_upper * (1.0 + gap), "{id}");
            // The solution is feasible at its value.
            let spectrum = eigen(&found.covariance).values;
            let trace: f64 = spectrum.iter().sum();
            assert!((trace - 1.0).abs() < 1e-12, "{id}: {trace}");
            assert!(spectrum.last().unwrap() > &-1e-14, "{id}");
            assert!(reached(&problem, &found.covariance) >= found.value * (1.0 - 1e-10));
        }
    }
}

/// One device: Ĝ ∝ H(HᴴH)⁻²Hᴴ makes HᴴĜH a multiple of I, and t = P/tr[(HᴴH)⁻¹]. There the
/// relaxation is exact for directions with orthonormal columns, and the zero-forcing of all
/// singular values alike, L tr[(HᴴH)⁻¹]/P, is what the paper's algorithm ends with.
#[test]
fn one_device_has_a_closed_form() {
    for block in 0..5 {
        let channels = draw(1, block);
        let problem = problem(&channels, &[0.7]);
        let spectrum = eigen(&adjoint_product(&channels[0], &channels[0])).values;
        let inverses: f64 = spectrum.iter().map(|x| 1.0 / x).sum();
        let found = relax(&problem, 1e-7).unwrap();
        assert!((found.value * inverses / 0.7 - 1.0).abs() < 2e-7);
        let orthonormal = Design::Relaxation(Relaxation {
            gap: 1e-6,
            randomisations: 3,
            kind: Randomisation::Orthonormal,
        });
        let error = total_error(orthonormal, &problem);
        assert!(
            (error / (4.0 * inverses / 0.7) - 1.0).abs() < 1e-4,
            "{error}"
        );
    }
}

#[test]
fn it_asks_for_as_many_streams_as_antennas() {
    let fading = Fading::default();
    let channels = [
        fading.draw(SEEDS, 0, 0, 8, 2),
        fading.draw(SEEDS, 1, 0, 8, 3),
    ];
    let error = relax(&problem(&channels, &[1.0; 2]), 1e-3).unwrap_err();
    assert_eq!(
        error,
        RadioError::StreamsUnlikeAntennas {
            device: 1,
            streams: 2,
            antennas: 3
        }
    );
    assert!(
        error
            .to_string()
            .contains("use 3 streams or another design")
    );
    let relaxation = Design::Relaxation(Relaxation::default());
    assert!(relaxation.check_streams(4, 4).is_ok());
    assert!(relaxation.check_streams(2, 4).is_err());
    assert!(DESCENT.check_streams(2, 4).is_ok());
    // Two equal columns: one of the two streams is never heard.
    let twin = Matrix::from_fn(8, 2, |i, _| Complex::new(1.0 + i as f64, 0.0));
    let singular = [channels[0].clone(), twin];
    let error = relax(&problem(&singular, &[1.0; 2]), 1e-3).unwrap_err();
    assert_eq!(
        error,
        RadioError::SingularChannel {
            device: 1,
            streams: 2
        }
    );
}

#[test]
fn impossible_fields_are_refused_by_name() {
    let refused = |relaxation: Relaxation| relaxation.validate().unwrap_err().path;
    let fine = Relaxation::default();
    assert!(fine.validate().is_ok());
    for gap in [0.0, -1.0, 1e-12, 2.0, f64::NAN] {
        assert_eq!(refused(Relaxation { gap, ..fine }), "gap");
    }
    let none = Relaxation {
        randomisations: 0,
        ..fine
    };
    assert_eq!(refused(none), "randomisations");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// t is linear in power and in the channels' power gain, whoever is who, however a
    /// device's or the server's antennas are turned, and for any antenna counts.
    #[test]
    fn the_optimum_follows_the_symmetries(
        block in 0u64..1000,
        devices in 1usize..6,
        antennas in 1usize..5,
        rows in 5usize..12,
        gain in -5i32..5,
    ) {
        let fading = Fading::default();
        let channels: Vec<Matrix> =
            (0..devices).map(|n| fading.draw(SEEDS, n, block, rows, antennas)).collect();
        let powers: Vec<f64> = (1..=devices).map(|n| 0.4 * n as f64).collect();
        let gap = 1e-5;
        let plain = relax(&problem(&channels, &powers), gap).unwrap();
        let near = |x: f64| (x / plain.value - 1.0).abs() < 2.0 * gap;
        prop_assert!(plain.gap() <= gap, "{}", plain.gap());

        let amplitude = f64::powi(10.0, gain);
        let louder: Vec<Matrix> = channels.iter().map(|h| h * Complex::from(amplitude)).collect();
        let found = relax(&problem(&louder, &powers), gap).unwrap();
        prop_assert!(near(found.value / amplitude.powi(2)), "{}", found.value);

        let order: Vec<usize> = (0..devices).rev().collect();
        let swapped: Vec<Matrix> = order.iter().map(|&n| channels[n].clone()).collect();
        let swapped_powers: Vec<f64> = order.iter().map(|&n| powers[n]).collect();
        prop_assert!(near(relax(&problem(&swapped, &swapped_powers), gap).unwrap().value));

        let hermitian = |size: usize| {
            let h = fading.draw(SEEDS, 99, block, size, size);
            eigen(&adjoint_product(&h, &h)).vectors
        };
        let (inner, outer) = (hermitian(antennas), hermitian(rows));
        let turned: Vec<Matrix> =
            channels.iter().map(|h| product(&outer, &product(h, &inner))).collect();
        prop_assert!(near(relax(&problem(&turned, &powers), gap).unwrap().value));

        // A feasible point of the minimisation side: Ĝ of the device that needs most alone.
        let alone = channels.iter().zip(&powers).map(|(h, p)| {
            let gram = inverse(&adjoint_product(h, h)).unwrap();
            p / (0..antennas).map(|k| gram[(k, k)].re).sum::<f64>()
        });
        prop_assert!(plain.value <= alone.fold(f64::INFINITY, f64::min) * (1.0 + 1e-9));
    }
}
