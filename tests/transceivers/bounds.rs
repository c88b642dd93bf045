//! The lower bounds: no design below them, tight for one device, and near the descent.

use crate::{DESCENT, SEEDS, draw, fleet, forces_zero, total_error};
use airloom::policy::{AlternatingMmse, Descent, Design, least_error_bound, zero_forcing_bound};
use airloom::radio::{Fading, Matrix, Transceiver, TransceiverProblem, power};
use airloom::rng::{NO_DEVICE, StandardNormal};
use num_complex::Complex;
use proptest::prelude::*;
use rand::RngExt;

#[test]
fn they_are_tight_for_one_device() {
    for block in 0..10 {
        let channels = draw(1, block);
        for (streams, noise) in [(4, 0.01), (4, 1.0), (3, 1.0), (4, 20.0), (1, 10.0)] {
            let problem = TransceiverProblem {
                channels: &channels,
                powers: &[0.7],
                noise,
                streams,
            };
            let aligned = total_error(DESCENT, &problem) / zero_forcing_bound(&problem).unwrap();
            assert!((0.999_999_999..1.002).contains(&aligned), "{aligned}");
            let design = Design::AlternatingMmse(AlternatingMmse {
                max_turns: 5000,
                tolerance: 1e-9,
            });
            let least = total_error(design, &problem) / least_error_bound(&problem).unwrap();
            assert!((0.999_999_999..1.001).contains(&least), "{least}");
        }
    }
}

/// How far the descent is from the best possible, at L = N_t = 4.
#[test]
fn the_descent_is_near_the_best_possible() {
    for (devices, most) in [(2, 1.01), (4, 1.03), (8, 1.09)] {
        let (mut found, mut bound) = (0.0, 0.0);
        for block in 0..20 {
            let channels = draw(devices, block);
            let powers = vec![1.0; devices];
            let problem = TransceiverProblem {
                channels: &channels,
                powers: &powers,
                noise: 1.0,
                streams: 4,
            };
            found += total_error(Design::Descent(Descent { starts: 2 }), &problem);
            bound += zero_forcing_bound(&problem).unwrap();
        }
        assert!(found < most * bound, "{devices}: {found} {bound}");
    }
}

/// Two devices, two receive antennas, one stream and one antenna each: directions
/// (cos θ, e^{iφ} sin θ) can be tried one by one.
#[test]
fn brute_force_finds_nothing_below_them() {
    for block in 0..10 {
        let channels: Vec<Matrix> = (0..2)
            .map(|n| Fading::default().draw(SEEDS, n, block, 2, 1))
            .collect();
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &[0.5, 2.0],
            noise: 1.0,
            streams: 1,
        };
        let bound = zero_forcing_bound(&problem).unwrap();
        let mut least = f64::INFINITY;
        for i in 0..=60 {
            for j in 0..120 {
                let (theta, phi) = (f64::from(i) * 0.5 / 60.0, f64::from(j) / 120.0);
                let (theta, phi) = (theta * std::f64::consts::PI, phi * std::f64::consts::TAU);
                let direction = Matrix::from_column_slice(
                    2,
                    1,
                    &[
                        Complex::new(theta.cos(), 0.0),
                        Complex::from_polar(theta.sin(), phi),
                    ],
                );
                if let Ok(found) = Transceiver::zero_forcing(&direction, &problem) {
                    least = least.min(found.mean_squared_error(&problem).noise);
                }
            }
        }
        assert!(least >= bound, "{least} {bound}");
        // One stream each: dropping the rank of a 2 × 2 covariance loses nothing here.
        assert!(least < 1.02 * bound, "{least} {bound}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Every design, any fleet, unequal antennas included; and random transceivers within
    /// their power.
    #[test]
    fn nothing_is_below_them(
        block in 0u64..1000,
        antennas in prop::collection::vec(2usize..5, 1..6),
        streams in 1usize..3,
        decibels in -20f64..30.0,
    ) {
        let (channels, powers) = fleet(&antennas, 7, block);
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &powers,
            noise: 10f64.powf(-decibels / 10.0),
            streams,
        };
        let aligned = zero_forcing_bound(&problem).unwrap() * (1.0 - 1e-9);
        let least = least_error_bound(&problem).unwrap() * (1.0 - 1e-9);
        prop_assert!(least <= aligned);
        for design in Design::all() {
            if antennas.iter().any(|count| design.check_streams(streams, *count).is_err()) {
                continue;
            }
            let found = total_error(design, &problem);
            prop_assert!(found >= least, "{} {} {}", design.name(), found, least);
            prop_assert!(!forces_zero(design) || found >= aligned, "{}", design.name());
        }
        let mut stream = SEEDS.open("test.transceivers", NO_DEVICE, block);
        for step in 0..50 {
            let size = f64::powi(0.8, step);
            let mut random = |rows| Matrix::from_fn(rows, streams, |_, _| stream.sample::<Complex<f64>, _>(StandardNormal));
            let combiner = random(7) * Complex::from(size);
            let precoders = antennas.iter().zip(&powers).map(|(count, limit)| {
                let b = random(*count);
                let root = (limit / power(&b)).sqrt();
                b * Complex::from(root)
            }).collect();
            let error = Transceiver { combiner, precoders }.mean_squared_error(&problem);
            prop_assert!(error.misalignment + error.noise >= least);
        }
    }
}
