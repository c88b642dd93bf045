use super::*;
use crate::rng::{NO_DEVICE, Streams};
use proptest::prelude::*;

const START: Instant = Instant(7_000_000_000_000);

fn stream(seed: u64) -> Stream {
    Streams { seed, run: 0 }.open("test", NO_DEVICE, 0)
}

fn instants(process: Process, count: u32, seed: u64) -> Vec<f64> {
    let arrivals = process
        .arrivals(0, count, START, &mut stream(seed))
        .unwrap();
    let at = |arrival| match arrival {
        Arrival::At(instant) => instant.since(START).as_seconds(),
        Arrival::After { .. } => panic!("an open process waits for nobody"),
    };
    arrivals.into_iter().map(at).collect()
}

/// Mean and coefficient of variation of the gaps of `count` arrivals.
fn gaps(process: Process, count: u32) -> (f64, f64) {
    let instants = instants(process, count, 1);
    let before = std::iter::once(0.0).chain(instants.iter().copied());
    let gaps: Vec<f64> = instants.iter().zip(before).map(|(x, y)| x - y).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let squares = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
    (mean, (squares / (gaps.len() - 1) as f64).sqrt() / mean)
}

fn rate(rate: f64) -> PerSecond {
    PerSecond(rate)
}

/// Four standard errors: of 200 000 gaps the mean is off by cv/√n of itself, and the cv by less
/// than 1 % for these.
#[test]
fn gaps_have_the_mean_and_the_spread_that_they_are_asked_for() {
    let count = 200_000;
    let poisson = Process::Poisson(Poisson { rate: rate(4.0) });
    let even = Process::Deterministic(Deterministic { gap: Seconds(0.25) });
    let mut cases = vec![(poisson, 0.25, 1.0)];
    for cv in [0.1, 0.5, 1.0, 2.0] {
        let rate = rate(4.0);
        cases.push((Process::Gamma(Gamma { rate, cv }), 0.25, cv));
    }
    for (process, mean, cv) in cases {
        let (found, spread) = gaps(process, count);
        let error = cv / f64::from(count).sqrt();
        assert!(
            (found / mean - 1.0).abs() < 4.0 * error,
            "{process:?}: {found}"
        );
        assert!((spread / cv - 1.0).abs() < 0.02, "{process:?}: {spread}");
    }
    assert_eq!(instants(even, 4, 1), [0.0, 0.25, 0.5, 0.75]);
}

/// The interrupted Poisson process is a renewal process with gaps of mean (on + off)/(λ on) and
/// squared cv 1 + 2λ a/(a + b)², a = 1/on, b = 1/off.
#[test]
fn bursts_have_the_rate_and_the_spread_of_an_interrupted_poisson_process() {
    let bursts = OnOff {
        rate: rate(10.0),
        on: Seconds(2.0),
        off: Seconds(3.0),
    };
    let (mean, cv) = gaps(Process::OnOff(bursts), 400_000);
    let [a, b] = [1.0 / 2.0, 1.0 / 3.0];
    let squared: f64 = 1.0 + 2.0 * 10.0 * a / ((a + b) * (a + b));
    assert!((mean / 0.25 - 1.0).abs() < 0.03, "{mean}");
    assert!((cv / squared.sqrt() - 1.0).abs() < 0.03, "{cv}");
}

/// An exponential variable exceeds x means with probability exp(−x).
#[test]
fn gaps_of_a_poisson_process_are_exponential() {
    let instants = instants(Process::Poisson(Poisson { rate: rate(1.0) }), 100_000, 3);
    let before = std::iter::once(0.0).chain(instants.iter().copied());
    let mut gaps: Vec<f64> = instants.iter().zip(before).map(|(x, y)| x - y).collect();
    gaps.sort_by(f64::total_cmp);
    let count = gaps.len() as f64;
    let off =
        |(number, gap): (usize, &f64)| ((number as f64 + 0.5) / count + (-gap).exp_m1()).abs();
    let distance = gaps.iter().enumerate().map(off).fold(0.0, f64::max);
    assert!(
        distance < 1.63 / count.sqrt(),
        "Kolmogorov-Smirnov at 1 %: {distance}"
    );
}

#[test]
fn twice_the_rate_is_the_same_crowd_in_half_the_time() {
    let at = |per_second| {
        instants(
            Process::Poisson(Poisson {
                rate: rate(per_second),
            }),
            50,
            9,
        )
    };
    for (slow, fast) in at(1.0).into_iter().zip(at(2.0)) {
        assert!((slow / fast - 2.0).abs() < 1e-9);
    }
}

#[test]
fn users_ask_again_after_their_own_answer() {
    let loops = ClosedLoop {
        users: 3,
        think: Seconds(2.0),
        cv: 0.0,
    };
    let arrivals = Process::ClosedLoop(loops)
        .arrivals(10, 5, START, &mut stream(1))
        .unwrap();
    let pause = Duration(2_000_000_000_000);
    let first = Arrival::At(START + pause);
    let after = |request| Arrival::After { request, pause };
    assert_eq!(arrivals, [first, first, first, after(10), after(11)]);
    let once = Process::ClosedLoop(ClosedLoop {
        think: Seconds(0.0),
        ..loops
    });
    let arrivals = once.arrivals(0, 4, START, &mut stream(1)).unwrap();
    assert_eq!(arrivals[0], Arrival::At(START));
}

#[test]
fn what_is_no_process_is_refused_by_its_field() {
    let empty = OnOff {
        rate: rate(1e-300),
        on: Seconds(1.0),
        off: Seconds(1.0),
    };
    for (process, path) in [
        (Process::Poisson(Poisson { rate: rate(0.0) }), "rate"),
        (
            Process::Poisson(Poisson {
                rate: rate(f64::NAN),
            }),
            "rate",
        ),
        (
            Process::Gamma(Gamma {
                rate: rate(1.0),
                cv: 0.0,
            }),
            "cv",
        ),
        (
            Process::Gamma(Gamma {
                rate: rate(1.0),
                cv: f64::NAN,
            }),
            "cv",
        ),
        (
            Process::Deterministic(Deterministic { gap: Seconds(0.0) }),
            "gap",
        ),
        (
            Process::Deterministic(Deterministic { gap: Seconds(1e9) }),
            "gap",
        ),
        (Process::OnOff(empty), "on"),
    ] {
        assert_eq!(process.validate().unwrap_err().path, path);
    }
    let slow = Process::Poisson(Poisson { rate: rate(1e-300) });
    assert!(slow.arrivals(0, 1, START, &mut stream(1)).is_err());
    let late = Process::Deterministic(Deterministic { gap: Seconds(1e6) });
    assert!(late.arrivals(0, 100, START, &mut stream(1)).is_err());
}

proptest! {
    #[test]
    fn instants_never_go_back_and_a_longer_run_begins_with_the_shorter(
        cv in 0.05f64..5.0,
        per_second in 0.1f64..1e4,
        seed in 0u64..1000,
    ) {
        let rate = rate(per_second);
        let bursts = OnOff { rate, on: Seconds(0.1), off: Seconds(cv) };
        for process in [Process::Gamma(Gamma { rate, cv }), Process::OnOff(bursts)] {
            let long = instants(process, 60, seed);
            prop_assert!(long.is_sorted());
            prop_assert_eq!(&long[..20], &instants(process, 20, seed)[..]);
        }
    }
}
