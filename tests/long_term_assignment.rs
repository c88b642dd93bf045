//! The long-term problem of Zhang et al., "Distributed On-Device LLM Inference With
//! Over-the-Air Computation": its gradient against finite differences, its solution
//! against a grid search, and every assignment against equal shares on fresh draws.

use airloom::policy::{Affine, Assignment, AssignmentProblem, Combining, Estimate, StochasticSca};
use airloom::radio::RadioConfig;
use airloom::rng::Streams;
use proptest::prelude::*;

/// Samples that no assignment has seen.
const FRESH: std::ops::Range<u64> = 1 << 40..(1 << 40) + 200;

/// A fleet: budgets P_n and demands e_n s_tot/2 in joules, and seconds for the whole model.
#[derive(Debug, Clone)]
struct Fleet {
    budgets: Vec<f64>,
    demands: Vec<f64>,
    times: Vec<Affine>,
}

impl Fleet {
    fn new(devices: &[(f64, f64, f64)]) -> Self {
        let time = |device: &(f64, f64, f64)| Affine {
            constant: 50e-6,
            slope: device.2,
        };
        Self {
            budgets: devices.iter().map(|device| device.0).collect(),
            demands: devices.iter().map(|device| device.1).collect(),
            times: devices.iter().map(time).collect(),
        }
    }

    fn with<T>(&self, streams: usize, body: impl FnOnce(&AssignmentProblem<'_>) -> T) -> T {
        let config = RadioConfig::default();
        let devices = self.budgets.len();
        let seeds = Streams { seed: 3, run: 0 };
        let sample = |index: u64| {
            let channels = (0..devices).map(|n| config.fading.draw(seeds, n, index, 20, 4));
            Ok(channels.collect())
        };
        body(&AssignmentProblem {
            budgets: &self.budgets,
            demands: &self.demands,
            halves: [&self.times, &self.times],
            combining: Some(Combining {
                streams,
                noise: 1.0,
                power: &vec![1.0; devices],
                sample: &sample,
            }),
        })
    }
}

fn assigned(assignment: &Assignment, problem: &AssignmentProblem<'_>) -> Vec<f64> {
    let assigned = assignment.method().assign(problem).unwrap();
    assigned.shares.as_slice().to_vec()
}

/// Errors on fresh draws, sample by sample.
fn errors(problem: &AssignmentProblem<'_>, m: &[f64]) -> Vec<f64> {
    let compute = problem.compute(m);
    FRESH
        .map(|sample| problem.sample_error(&compute, sample).unwrap().error)
        .collect()
}

/// Errors of `m` over those of `other`, sample by sample, so that the channels' spread
/// falls out.
fn ratio(problem: &AssignmentProblem<'_>, m: &[f64], other: &[f64]) -> Estimate {
    let pairs = errors(problem, m).into_iter().zip(errors(problem, other));
    Estimate::of(&pairs.map(|(a, b)| a / b).collect::<Vec<_>>())
}

/// Unlike devices, equal shares feasible: budget, demand, seconds.
fn heterogeneous() -> Vec<Fleet> {
    vec![
        Fleet::new(&[
            (1.0, 1.0, 1e-3),
            (1.0, 1.5, 2e-3),
            (1.0, 2.4, 4e-3),
            (1.0, 0.8, 0.5e-3),
        ]),
        Fleet::new(&[
            (1.0, 1.0, 1e-3),
            (0.5, 1.0, 1e-3),
            (2.0, 3.0, 4e-3),
            (0.7, 0.5, 0.5e-3),
        ]),
        Fleet::new(&[
            (1.0, 3.0, 1e-3),
            (1.2, 1.0, 2e-3),
            (1.0, 3.0, 4e-3),
            (0.8, 1.0, 0.5e-3),
            (1.0, 1.0, 1e-3),
            (1.0, 4.0, 2e-3),
        ]),
    ]
}

/// ζ is the optimum's own derivative: ∂ ln error/∂ ln P'_n = −ζ_n, which the chain rule
/// makes the gradient by m_n.
#[test]
fn the_envelope_gradient_agrees_with_finite_differences() {
    let fleet = Fleet::new(&[(1.0, 1.0, 1.0), (0.8, 1.0, 1.0), (1.5, 1.0, 1.0)]);
    fleet.with(3, |problem| {
        let samples = 60;
        let compute = [0.3, 0.2, 0.9];
        let mut analytic = [0.0; 3];
        let mut numeric = [0.0; 3];
        for sample in 0..samples {
            let at = |compute: &[f64]| problem.sample_error(compute, sample).unwrap();
            let here = at(&compute);
            assert!((here.answerable.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for n in 0..3 {
                let left = problem.budgets[n] - compute[n];
                let moved = |by: f64| {
                    let mut compute = compute;
                    compute[n] += by * left;
                    at(&compute).error
                };
                // ±2 %: well above what the descent leaves undone, well below where
                // another device becomes the weakest on average.
                let slope = (moved(0.02).ln() - moved(-0.02).ln()) / (0.98f64 / 1.02).ln();
                analytic[n] -= here.answerable[n] / samples as f64;
                numeric[n] += slope / samples as f64;
            }
        }
        for n in 0..3 {
            assert!(
                (analytic[n] - numeric[n]).abs() < 0.02,
                "{analytic:?} {numeric:?}"
            );
        }
        // A device with nothing to do is answerable for nothing.
        assert!(analytic.iter().any(|x| *x < -0.1));
    });
}

#[test]
fn the_long_term_solution_beats_equal_shares_and_keeps_up_with_closed_forms() {
    for fleet in heterogeneous() {
        fleet.with(4, |problem| {
            let equal = assigned(&Assignment::Equal, problem);
            let sca = assigned(
                &Assignment::StochasticSca(StochasticSca::default()),
                problem,
            );
            let gain = ratio(problem, &sca, &equal);
            assert!(gain.mean + gain.half_width < 0.9, "{gain:?} {sca:?}");
            for closed in [Assignment::ProportionalToEnergy, Assignment::EqualHeadroom] {
                let loss = ratio(problem, &sca, &assigned(&closed, problem));
                assert!(
                    loss.mean + loss.half_width < 1.02,
                    "{closed:?} {loss:?} {sca:?}"
                );
            }
        });
    }
}

/// Over a grid of all shares, with the same draws for each.
#[test]
fn no_point_of_a_grid_is_much_better() {
    let two = Fleet::new(&[(1.0, 1.5, 1e-3), (1.0, 0.6, 1e-3)]);
    let three = Fleet::new(&[(1.0, 2.0, 1e-3), (0.6, 1.0, 1e-3), (1.4, 1.2, 2e-3)]);
    for fleet in [two, three] {
        fleet.with(4, |problem| {
            let sca = assigned(
                &Assignment::StochasticSca(StochasticSca::default()),
                problem,
            );
            let mean = |m: &[f64]| {
                let compute = problem.compute(m);
                let fits = compute.iter().zip(problem.budgets).all(|(c, p)| c < p);
                let draws = FRESH.start..FRESH.start + 40;
                fits.then(|| problem.mean_error(&compute, draws).unwrap().mean)
            };
            let steps = 20;
            let mut best = f64::INFINITY;
            for i in 0..=steps {
                for j in 0..=(steps - i) {
                    let rest = steps - i - j;
                    let m = match problem.devices() {
                        2 if j == 0 => vec![i, rest],
                        2 => continue,
                        _ => vec![i, j, rest],
                    };
                    let m: Vec<f64> = m.iter().map(|k| *k as f64 / steps as f64).collect();
                    best = mean(&m).map_or(best, |error| error.min(best));
                }
            }
            let found = mean(&sca).unwrap();
            assert!(found < 1.02 * best, "{found} {best} {sca:?}");
        });
    }
}

/// The error alone loads few devices; a cap and a weight on time each hold it back.
#[test]
fn latency_falls_with_its_weight_and_shares_stay_below_the_cap() {
    heterogeneous()[1].with(4, |problem| {
        let solve = |cap: f64, latency_weight: f64| {
            let sca = StochasticSca {
                cap,
                latency_weight,
                ..StochasticSca::default()
            };
            let m = assigned(&Assignment::StochasticSca(sca), problem);
            (problem.latency([&m, &m]), errors(problem, &m), m)
        };
        let outcomes = [0.0, 0.3, 3.0].map(|weight| solve(1.0, weight));
        for pair in outcomes.windows(2) {
            assert!(pair[1].0 < 0.9 * pair[0].0, "{outcomes:?}");
            let means = [&pair[0].1, &pair[1].1].map(|errors| Estimate::of(errors).mean);
            assert!(means[1] > means[0], "{means:?}");
        }
        let balanced = assigned(&Assignment::ProportionalToCompute, problem);
        let fastest = problem.latency([&balanced, &balanced]);
        assert!(outcomes[2].0 < 1.2 * fastest && outcomes[2].0 > 0.99 * fastest);
        let (_, _, capped) = solve(0.3, 0.0);
        assert!(capped.iter().all(|m| *m <= 0.3 + 1e-9), "{capped:?}");
    });
}

/// Runs end early where nothing moves, and from equal shares where those are impossible.
#[test]
fn the_iteration_stops_when_shares_rest_and_starts_where_it_can() {
    let alike = Fleet::new(&[(1.0, 0.5, 1e-3); 4]);
    alike.with(2, |problem| {
        let sca = Assignment::StochasticSca(StochasticSca {
            iterations: 5000,
            tolerance: 1e-3,
            ..StochasticSca::default()
        });
        let found = sca.method().assign(problem).unwrap();
        assert!((11..5000).contains(&found.iterates.len()));
        assert_eq!(found.iterates[0].shares, [0.25; 4]);
        for share in found.shares.as_slice() {
            assert!((share - 0.25).abs() < 0.05, "{share}");
        }
    });
    let weak = Fleet::new(&[(1.0, 9.0, 1e-3), (1.0, 0.9, 1e-3)]);
    weak.with(4, |problem| {
        let sca = Assignment::StochasticSca(StochasticSca::default());
        let found = sca.method().assign(problem).unwrap();
        assert!(found.iterates[0].shares[0] < 1.0 / 9.0);
    });
    let hopeless = Fleet::new(&[(1.0, 3.0, 1e-3), (1.0, 3.0, 1e-3)]);
    hopeless.with(4, |problem| {
        for assignment in [
            Assignment::EqualHeadroom,
            Assignment::ProportionalToEnergy,
            Assignment::StochasticSca(StochasticSca::default()),
        ] {
            let error = assignment.method().assign(problem).unwrap_err();
            // 2 · 0.98/3.
            assert!(
                error.to_string().contains("take 0.653 of the model"),
                "{error}"
            );
        }
    });
}

proptest! {
    /// Who holds a part has the same left, and who holds none has no more than that.
    #[test]
    fn equal_headroom_levels_what_is_left(
        devices in prop::collection::vec((0.1..3.0f64, 0.1..3.0f64), 1..9),
    ) {
        let devices: Vec<_> = devices.into_iter().map(|(p, d)| (p, d, 1e-3)).collect();
        let carried: f64 = devices.iter().map(|(p, d, _)| (0.98 * p / d).min(1.0)).sum();
        prop_assume!(carried >= 1.0);
        Fleet::new(&devices).with(4, |problem| {
            let m = assigned(&Assignment::EqualHeadroom, problem);
            let compute = problem.compute(&m);
            let left: Vec<f64> = problem.budgets.iter().zip(&compute).map(|(p, c)| p - c).collect();
            let level = left.iter().zip(&m).filter(|(_, m)| **m > 0.0).map(|(left, _)| *left);
            let level: Vec<f64> = level.collect();
            let (least, most) = (
                level.iter().copied().fold(f64::INFINITY, f64::min),
                level.iter().copied().fold(0.0, f64::max),
            );
            prop_assert!(least > 0.0 && most - least < 1e-9);
            for (left, m) in left.iter().zip(&m) {
                prop_assert!(*m > 0.0 || *left <= least + 1e-9);
            }
            // Each spends the same fraction with the other rule.
            let m = assigned(&Assignment::ProportionalToEnergy, problem);
            let fractions: Vec<f64> =
                problem.compute(&m).iter().zip(problem.budgets).map(|(c, p)| c / p).collect();
            prop_assert!(fractions.iter().all(|x| (x - fractions[0]).abs() < 1e-12));
            Ok(())
        })?;
    }
}
