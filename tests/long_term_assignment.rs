//! The long-term problem of Zhang et al., "Distributed On-Device LLM Inference With
//! Over-the-Air Computation": its gradient against finite differences, its solution
//! against a grid search, and every assignment against equal shares on fresh draws.

use airloom::policy::{Affine, Assignment, AssignmentProblem, Combining, Estimate, StochasticSca};
use airloom::radio::{Matrix, RadioConfig};
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
        let sample = |index: u64| -> Vec<Matrix> {
            (0..devices)
                .map(|n| config.fading.draw(seeds, n, index, 20, 4))
                .collect()
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

fn fleets() -> Vec<Fleet> {
    vec![
        // Budget, demand, seconds: boards of three kinds.
        Fleet::new(&[
            (1.0, 1.0, 1e-3),
            (1.0, 2.0, 2e-3),
            (1.0, 3.0, 4e-3),
            (1.0, 0.5, 0.5e-3),
        ]),
        Fleet::new(&[
            (1.0, 1.0, 1e-3),
            (0.5, 1.0, 1e-3),
            (2.0, 3.0, 4e-3),
            (0.7, 0.5, 0.5e-3),
        ]),
        Fleet::new(&[
            (1.0, 3.0, 1e-3),
            (1.0, 3.0, 1e-3),
            (1.0, 3.0, 4e-3),
            (1.0, 1.0, 0.5e-3),
            (1.0, 1.0, 1e-3),
            (1.0, 1.0, 1e-3),
            (1.0, 6.0, 4e-3),
            (1.0, 6.0, 0.5e-3),
        ]),
        Fleet::new(&[(1.0, 1.8, 1e-3), (1.0, 0.6, 1e-3)]),
    ]
}

#[test]
fn explore() {
    for fleet in fleets() {
        fleet.with(4, |problem| {
            let equal = errors(problem, &assigned(&Assignment::Equal, problem));
            for (assignment, label) in [
                (Assignment::Equal, "equal"),
                (Assignment::ProportionalToCompute, "compute"),
                (Assignment::ProportionalToEnergy, "energy"),
                (Assignment::EqualHeadroom, "headroom"),
                (Assignment::StochasticSca(StochasticSca::default()), "sca"),
                (Assignment::StochasticSca(StochasticSca { cap: 0.4, ..Default::default() }), "sca cap"),
                (Assignment::StochasticSca(StochasticSca { latency_weight: 0.1, ..Default::default() }), "sca lat .1"),
                (Assignment::StochasticSca(StochasticSca { latency_weight: 1.0, ..Default::default() }), "sca lat 1"),
            ] {
                let t = std::time::Instant::now();
                let a = match assignment.method().assign(problem) { Ok(a) => a, Err(e) => { println!("{label}: {e}"); continue } };
                let took = t.elapsed();
                let m = a.shares.as_slice().to_vec();
                let c = problem.compute(&m);
                if c.iter().zip(problem.budgets).any(|(c, p)| c >= p) { println!("{label} infeasible {m:?}"); continue }
                let e = errors(problem, &m);
                let ratio: Vec<f64> = e.iter().zip(&equal).map(|(a, b)| a / b).collect();
                let r = Estimate::of(&ratio);
                println!("{label:10} mse {:.4} ratio of means {:.4} ratio {:.4} ± {:.4} latency {:.2} ms {} its {took:?} {:.3?}",
                    Estimate::of(&e).mean, Estimate::of(&e).mean / Estimate::of(&equal).mean, r.mean, r.half_width, 1e3 * problem.latency([&m, &m]), a.iterates.len(), m);
            }
        });
        println!();
    }
}
