//! Transceiver designs against closed forms, bounds, symmetries of the problem, and the
//! errors published for it.

use airloom::policy::{Descent, Design};
use airloom::radio::{
    Fading, Matrix, RadioError, Transceiver, TransceiverProblem, adjoint_product, eigen, power,
    product,
};
use airloom::rng::{NO_DEVICE, StandardNormal, Streams};
use num_complex::Complex;
use proptest::prelude::*;
use rand::RngExt;

mod alternating;
mod bounds;
mod published;
mod relaxation;
mod selection;
mod shown;
mod table;

const SEEDS: Streams = Streams { seed: 21, run: 0 };
const DESCENT: Design = Design::Descent(Descent { starts: 1 });

fn draw(devices: usize, block: u64) -> Vec<Matrix> {
    (0..devices)
        .map(|device| Fading::default().draw(SEEDS, device, block, 20, 4))
        .collect()
}

/// Devices with so many antennas each and unequal powers, before a server with `rows`.
fn fleet(antennas: &[usize], rows: usize, block: u64) -> (Vec<Matrix>, Vec<f64>) {
    let devices = antennas.iter().enumerate();
    let channels =
        devices.map(|(device, count)| Fading::default().draw(SEEDS, device, block, rows, *count));
    let powers = (1..=antennas.len()).map(|n| 0.3 * n as f64);
    (channels.collect(), powers.collect())
}

/// Error (7) of a design, which keeps every device within its power.
fn total_error(design: Design, problem: &TransceiverProblem<'_>) -> f64 {
    let transceiver = design.transceiver_design().design(problem).unwrap();
    for (device, limit) in problem.powers.iter().enumerate() {
        assert!(transceiver.radiated(device) <= limit * (1.0 + 1e-12));
    }
    let error = transceiver.mean_squared_error(problem);
    assert!(!forces_zero(design) || error.misalignment < 1e-15 * (1.0 + error.noise));
    error.misalignment + error.noise
}

/// Whether a design leaves no misalignment.
fn forces_zero(design: Design) -> bool {
    !matches!(design, Design::AlternatingMmse(_))
}

/// Error (7) of a design at unit noise.
fn error_of(design: Design, channels: &[Matrix], powers: &[f64], streams: usize) -> f64 {
    let problem = TransceiverProblem {
        channels,
        powers,
        noise: 1.0,
        streams,
    };
    total_error(design, &problem)
}

/// (Σ of the `streams` smallest 1/σ_i)²: by Cauchy and Schwarz the least α of one device.
fn alone(channel: &Matrix, streams: usize) -> f64 {
    let values = eigen(&adjoint_product(channel, channel)).values;
    let sum: f64 = values[..streams].iter().map(|x| 1.0 / x.sqrt()).sum();
    sum * sum
}

#[test]
fn descent_finds_the_optimum_of_one_device() {
    for block in 0..10 {
        let channels = draw(1, block);
        for streams in 1..=4 {
            let found = error_of(DESCENT, &channels, &[0.5], streams);
            let optimum = alone(&channels[0], streams) / 0.5;
            assert!(
                found >= optimum * (1.0 - 1e-12) && found < optimum * 1.002,
                "{found} {optimum}"
            );
        }
    }
}

/// With one stream and one antenna per device, G is a unit vector g and α its smallest
/// 1/(P_n |gᴴh_n|²); two orthogonal channels balance as 1/(P₁‖h₁‖²) + 1/(P₂‖h₂‖²).
#[test]
fn descent_balances_two_orthogonal_devices() {
    let unit = |row: usize, gain: f64| {
        Matrix::from_fn(4, 1, |i, _| {
            Complex::new(if i == row { gain } else { 0.0 }, 0.0)
        })
    };
    let channels = [unit(0, 2.0), unit(2, 0.5)];
    let found = error_of(DESCENT, &channels, &[1.0, 3.0], 1);
    let optimum = 1.0 / 4.0 + 1.0 / (3.0 * 0.25);
    assert!((found / optimum - 1.0).abs() < 5e-3, "{found} {optimum}");
}

#[test]
fn descent_is_never_worse_than_its_start_nor_better_than_the_weakest_device_alone() {
    for block in 0..20 {
        for (devices, streams) in [(2, 4), (5, 2), (8, 4), (12, 3)] {
            let channels = draw(devices, block);
            let powers: Vec<f64> = (0..devices).map(|n| 0.2 + n as f64).collect();
            let found = error_of(DESCENT, &channels, &powers, streams);
            let naive = error_of(Design::DominantEigenvectors, &channels, &powers, streams);
            let bound = (0..devices)
                .map(|n| alone(&channels[n], streams) / powers[n])
                .fold(0.0, f64::max);
            assert!(found <= naive * (1.0 + 1e-12) && found >= bound * (1.0 - 1e-12));
        }
    }
}

/// No small change of the combiner lowers the error by more than the smoothing left.
#[test]
fn descent_ends_in_a_local_minimum() {
    for block in 0..5 {
        let channels = draw(4, block);
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &[1.0; 4],
            noise: 1.0,
            streams: 4,
        };
        let design = DESCENT.transceiver_design();
        let found = design.design(&problem).unwrap();
        let least = found.mean_squared_error(&problem).noise;
        let size = (power(&found.combiner) / 80.0).sqrt();
        let mut stream = SEEDS.open("test.nudge", NO_DEVICE, block);
        for _ in 0..400 {
            for step in [1e-3, 1e-2, 1e-1] {
                let nudged = found
                    .combiner
                    .map(|x| x + stream.sample::<Complex<f64>, _>(StandardNormal) * (step * size));
                let other = Transceiver::zero_forcing(&nudged, &problem).unwrap();
                let error = other.mean_squared_error(&problem).noise;
                assert!(error > least * (1.0 - 4f64.ln() / 300.0), "{error} {least}");
            }
        }
    }
}

#[test]
fn fewer_streams_err_less_per_entry() {
    let channels = draw(8, 0);
    let per_entry: Vec<f64> = [4, 2, 1]
        .map(|streams| error_of(DESCENT, &channels, &[1.0; 8], streams) / streams as f64)
        .to_vec();
    assert!(per_entry.is_sorted_by(|x, y| x > y), "{per_entry:?}");
}

#[test]
fn more_streams_than_antennas_are_refused_by_every_design() {
    let channels = draw(2, 0);
    let narrow: Vec<Matrix> = (0..2)
        .map(|n| Fading::default().draw(SEEDS, n, 0, 3, 4))
        .collect();
    for design in Design::all() {
        let refuse = |channels: &[Matrix], streams| {
            let problem = TransceiverProblem {
                channels,
                powers: &[1.0; 2],
                noise: 1.0,
                streams,
            };
            design.transceiver_design().design(&problem).unwrap_err()
        };
        let message = refuse(&channels, 5).to_string();
        assert!(message.starts_with("5 streams need at least 5 antennas, but each device has 4"));
        let message = refuse(&narrow, 4).to_string();
        assert!(message.contains("but the server has 3"), "{message}");
        if design.check_streams(2, 4).is_err() {
            continue;
        }
        let silent = vec![Matrix::zeros(20, 4); 2];
        assert!(matches!(
            refuse(&silent, 2),
            RadioError::SingularChannel { .. }
        ));
        let rank_one = vec![Matrix::from_element(20, 4, Complex::new(1.0, 0.0)); 2];
        assert!(matches!(
            refuse(&rank_one, 2),
            RadioError::SingularChannel { .. }
        ));
    }
}

/// A rank-one channel still carries one stream.
#[test]
fn streams_up_to_the_rank_are_carried() {
    let rank_one = vec![Matrix::from_element(20, 4, Complex::new(1.0, 0.0)); 2];
    let serving = |design: &Design| forces_zero(*design) && design.check_streams(1, 4).is_ok();
    for design in Design::all().into_iter().filter(serving) {
        // All 80 entries add up in amplitude, |gᴴH|² = 80, or the 4 of one antenna.
        let gain = if design == Design::AntennaSelection {
            4.0
        } else {
            80.0
        };
        let found = error_of(design, &rank_one, &[1.0, 1.0], 1);
        assert!(
            (found - 1.0 / gain).abs() < 1e-9,
            "{} {found}",
            design.name()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Power, gain and noise matter by their ratio alone; nor does it matter who is who or
    /// how a device's antennas are turned.
    #[test]
    fn designs_respect_the_symmetries_of_the_problem(block in 0u64..1000, gain in -6i32..6) {
        let channels = draw(3, block);
        for design in Design::all() {
            if design.check_streams(3, 4).is_err() {
                continue;
            }
            let plain = error_of(design, &channels, &[1.0; 3], 3);
            let amplitude = f64::powi(10.0, gain);
            let louder: Vec<Matrix> = channels.iter().map(|h| h * Complex::from(amplitude)).collect();
            let problem = TransceiverProblem {
                channels: &louder,
                powers: &[2.0; 3],
                noise: 2.0 * amplitude * amplitude,
                streams: 3,
            };
            let scaled = total_error(design, &problem);
            prop_assert!((scaled / plain - 1.0).abs() < 5e-3, "{} {}", scaled, plain);

            let order: Vec<Matrix> = [2, 0, 1].iter().map(|&n| channels[n].clone()).collect();
            let permuted = error_of(design, &order, &[1.0; 3], 3);
            prop_assert!((permuted / plain - 1.0).abs() < 5e-3);

            let turn = eigen(&adjoint_product(&channels[0], &channels[0])).vectors;
            let turned: Vec<Matrix> = channels.iter().map(|h| product(h, &turn)).collect();
            let turned = error_of(design, &turned, &[1.0; 3], 3);
            prop_assert!((turned / plain - 1.0).abs() < 5e-3);
        }
    }
}
