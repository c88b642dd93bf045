//! Queueing theory: with one request at a time a node is a single-server queue, whose waits are
//! known in closed form.

use super::{counted, on_one_node, seconds, small_shape};
use airloom::execution::Serves;
use airloom::rng::{NO_DEVICE, Streams};
use airloom::serving::workload::Request;
use airloom::simulation::Simulated;
use rand::RngExt;

/// A draw from the exponential distribution of mean 1.
fn exponential(stream: &mut airloom::rng::Stream) -> f64 {
    -libm::log(1.0 - stream.random::<f64>())
}

/// Waits of many runs: their mean and half of its 99.9 % confidence interval.
fn interval(samples: &[f64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Student's t for 19 degrees of freedom.
    (mean, 3.883 * (variance / n).sqrt())
}

const RUNS: u32 = 20;
const REQUESTS: usize = 2000;

/// Poisson arrivals of requests that generate what `length` draws.
fn stream(run: u32, gap_ps: f64, length: &mut dyn FnMut(f64) -> u32) -> Vec<Request> {
    let streams = Streams { seed: 99, run };
    let mut gaps = streams.open("test.gaps", NO_DEVICE, 0);
    let mut lengths = streams.open("test.lengths", NO_DEVICE, 0);
    let mut now = 0.0;
    let requests = (0..REQUESTS).map(|_| {
        now += gap_ps * exponential(&mut gaps);
        counted(now as u64, 1, length(exponential(&mut lengths)))
    });
    requests.collect()
}

fn served(requests: Vec<Request>) -> Simulated {
    on_one_node(&small_shape(), requests, Serves::default())
}

/// The time of a request of `generate` tokens that is alone, in picoseconds.
fn service(generate: u32) -> f64 {
    let run = served(vec![counted(0, 1, generate)]);
    run.measured.requests[0].end.0 as f64
}

fn mean_wait_s(run: &Simulated) -> f64 {
    let requests = run.measured.requests.iter();
    let waits = requests.map(|request| seconds(request.queueing().unwrap()));
    waits.sum::<f64>() / run.measured.requests.len() as f64
}

#[test]
fn law_13_equal_requests_wait_as_in_m_d_1() {
    let s = service(4) * 1e-12;
    for rho in [0.3, 0.6, 0.9] {
        let waits: Vec<f64> = (0..RUNS)
            .map(|run| mean_wait_s(&served(stream(run, s * 1e12 / rho, &mut |_| 4))))
            .collect();
        let (mean, half) = interval(&waits);
        let expected = rho * s / (2.0 * (1.0 - rho));
        assert!(
            (mean - expected).abs() < half,
            "at ρ = {rho} {mean} ± {half} s, and not {expected} s"
        );
    }
}

#[test]
fn law_13_exponential_requests_wait_as_in_m_m_1() {
    const MEAN: f64 = 20.0;
    // Lengths are whole tokens: exponential ones rounded up are geometric.
    let p = 1.0 - libm::exp(-1.0 / MEAN);
    let token = (service(41) - service(21)) / 20.0 * 1e-12;
    let first = service(1) * 1e-12 - token;
    let s = first + token / p;
    let square = first * first + 2.0 * first * token / p + token * token * (2.0 - p) / (p * p);
    for rho in [0.3, 0.6, 0.9] {
        let waits: Vec<f64> = (0..RUNS)
            .map(|run| {
                let mut length = |x: f64| (x * MEAN).ceil().max(1.0) as u32;
                mean_wait_s(&served(stream(run, s * 1e12 / rho, &mut length)))
            })
            .collect();
        let (mean, half) = interval(&waits);
        // Pollaczek and Khinchine, for any service times.
        let expected = rho / s * square / (2.0 * (1.0 - rho));
        let exponential = rho * s / (1.0 - rho);
        assert!(
            (expected / exponential - 1.0).abs() < 0.05,
            "nearly exponential"
        );
        assert!(
            (mean - expected).abs() < half,
            "at ρ = {rho} {mean} ± {half} s, and not {expected} s"
        );
    }
}

#[test]
fn law_13_a_node_is_busy_for_the_rate_times_the_service_time() {
    let s = service(4);
    for rho in [0.3, 0.6, 0.9] {
        let run = served(stream(0, s / rho, &mut |_| 4));
        let busy = run.measured.totals.per_node[0].compute.0 as f64;
        assert!(
            (busy - REQUESTS as f64 * s).abs() <= REQUESTS as f64,
            "every request takes the same"
        );
        let utilisation = busy / run.makespan.0 as f64;
        assert!(
            (utilisation - rho).abs() < 0.05,
            "{utilisation} at ρ = {rho}"
        );
    }
}
