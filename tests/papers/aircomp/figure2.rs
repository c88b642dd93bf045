//! Fig. 2: what the paper says of it holds for the committed numbers, and these come out
//! again.

use super::{FOLDER, committed};
use crate::publishes_what_is_committed;
use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{RunOptions, prepare, run};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const ACCURACY: &str = "scenarios/papers/aircomp_figure2_accuracy.ron";

/// Our means over N = 1 to 8.
fn line(file: &str, scheme: &str) -> Vec<f64> {
    let text = committed(file);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    let rows = rows.filter(|row| &row[0] == scheme);
    let line: Vec<f64> = rows.map(|row| row[2].parse().unwrap()).collect();
    assert_eq!(line.len(), 8, "{file}: {scheme}");
    line
}

fn lines(file: &str) -> [Vec<f64>; 3] {
    ["AirComp", "Digital", "Uncoded FDMA"].map(|scheme| line(file, scheme))
}

#[test]
fn errors_order_and_grow_as_in_the_paper() {
    let [air, digital, uncoded] = lines("figure2a.csv");
    for devices in 1..=8 {
        let n = devices - 1;
        assert!(
            digital[n] < 0.05 * air[n],
            "digital is nearly without error"
        );
        assert!(air[n] < uncoded[n]);
        // "A near-linear increase in MSE as the number of devices grows".
        let per_device = uncoded[n] / uncoded[0] / devices as f64;
        assert!((per_device - 1.0).abs() < 0.01, "{per_device}");
    }
    assert!(air[7] < 3.5 * air[0]);
}

#[test]
fn perplexities_follow_the_errors() {
    let [air, digital, uncoded] = lines("figure2b.csv");
    let spread = |line: &[f64]| {
        let most = line.iter().copied().fold(0.0, f64::max);
        most / line.iter().copied().fold(f64::INFINITY, f64::min)
    };
    assert!(spread(&digital) < 1.01 && spread(&air) < 1.1);
    assert!(uncoded[7] > 2.0 * uncoded[0]);
    for n in 0..8 {
        assert!(digital[n] < air[n] && air[n] < uncoded[n]);
    }
}

#[test]
fn only_over_the_air_every_device_makes_a_token_faster() {
    let [air, digital, uncoded] = lines("figure2c.csv");
    for n in 0..8 {
        assert!(air[n] <= uncoded[n] && uncoded[n] < digital[n]);
    }
    assert!(air.windows(2).all(|pair| pair[1] < pair[0]));
    assert!(digital[2..].windows(2).all(|pair| pair[1] > pair[0]));
    // "Significant latency increases", "moderate improvements".
    assert!(digital[7] > digital[0] && uncoded[7] < uncoded[0]);
}

#[test]
fn figure_2c_is_published_as_it_is_committed() {
    publishes_what_is_committed("aircomp_figure2_time.ron", FOLDER, &["figure2c.csv"]);
}

/// The whole sweep takes most of a minute: two configurations of it, all their runs.
#[test]
fn errors_and_perplexities_come_out_as_they_are_committed() {
    let resolved = scenario::load(Path::new(ACCURACY), &[]).unwrap();
    let points = scenario::points(&resolved).unwrap();
    for (label, scheme, devices) in [
        ("AirComp, devices=2", "AirComp", 2),
        ("Uncoded FDMA, devices=3", "Uncoded FDMA", 3),
    ] {
        let chosen: Vec<_> = points
            .iter()
            .filter(|point| point.label.contains(&format!("{label},")))
            .collect();
        assert_eq!(chosen.len(), 20, "{label}");
        let mut sums = [0.0; 2];
        for point in chosen {
            let folder = TempDir::new().unwrap();
            let options = RunOptions {
                out: folder.path().join("run"),
                interrupt: &AtomicBool::new(false),
            };
            let streams = Streams {
                seed: resolved.seed(),
                run: point.run,
            };
            let prepared = prepare(&point.resolve().unwrap(), streams, Vec::new()).unwrap();
            let finished = run(prepared, &options, &mut ()).unwrap();
            for (sum, name) in sums.iter_mut().zip(["all_reduce_mse", "perplexity"]) {
                *sum += finished.metrics.get(name).unwrap();
            }
        }
        for (sum, file) in sums.iter().zip(["figure2a.csv", "figure2b.csv"]) {
            let (now, then) = (sum / 20.0, line(file, scheme)[devices - 1]);
            // Committed with six digits.
            assert!((now / then - 1.0).abs() < 1e-5, "{label}: {now} {then}");
        }
    }
}
