//! Figures beyond the papers: the committed files are those of the scenarios' sweeps, and obey
//! the closed forms that need no run.

use airloom::scenario::{self, Publication, Sweep};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const SCENARIOS: [&str; 11] = [
    "acceptance",
    "batches",
    "bits",
    "cascade",
    "csi",
    "devices",
    "hierarchy",
    "pareto",
    "phase",
    "snr",
    "speculation",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn committed() -> PathBuf {
    root().join("results/papers/beyond")
}

fn sweep(name: &str) -> Sweep {
    let path = root().join(format!("scenarios/papers/beyond_{name}.ron"));
    let resolved = scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
    resolved.scenario.sweep.unwrap()
}

fn rows(file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(committed().join(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// `ours` by the labels of both axes.
fn numbers(file: &str, axes: [&str; 2], column: &str) -> BTreeMap<(String, String), f64> {
    let cell = |row: &BTreeMap<String, String>| {
        let key = (row[axes[0]].clone(), row[axes[1]].clone());
        Some((key, row[column].parse().ok()?))
    };
    rows(file).iter().filter_map(cell).collect()
}

#[test]
fn every_committed_file_is_published_by_a_scenario_and_has_its_configurations() {
    let mut expected = BTreeSet::from(["README.md".to_owned()]);
    for name in SCENARIOS {
        let sweep = sweep(name);
        let headings = sweep.headings().unwrap();
        for entry in &sweep.publish {
            let file = entry.file();
            // Of a speed-up there is a row for each configuration that is compared with another.
            let told: Vec<usize> = (0..sweep.configurations())
                .filter(|index| match entry {
                    Publication::Figure(_) | Publication::Tradeoff(_) => true,
                    Publication::SpeedUp(gain) => {
                        let along = headings.iter().find(|heading| heading.name == gain.along);
                        let along = along.expect("an axis of the sweep");
                        along.labels[sweep.choice(*index)[along.axis]] != gain.from
                    }
                    _ => panic!("{file}"),
                })
                .collect();
            expected.extend(["svg", "csv"].map(|ending| format!("{file}.{ending}")));
            let rows = rows(&format!("{file}.csv"));
            assert_eq!(rows.len(), told.len(), "{file}");
            for (index, row) in told.into_iter().zip(&rows) {
                let choice = sweep.choice(index);
                for heading in &headings {
                    let label = &heading.labels[choice[heading.axis]];
                    assert_eq!(&row[&heading.name], label, "{file}, row {index}");
                }
            }
        }
    }
    let entries = std::fs::read_dir(committed()).unwrap();
    let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

/// An all-reduce of 8192 real entries is 1024 uses of 4 complex streams, 80 layers have 160 of
/// them, and on a sub-channel of B/N each takes N times as long: without the air's own time,
/// which both share, FDMA takes (N − 1) · 160 · 1024 / 100 MHz more per token.
#[test]
fn fdma_takes_n_minus_one_times_the_airs_time_longer() {
    let times = numbers("devices_time.csv", ["all-reduce", "devices"], "ours_ms");
    for devices in [8u32, 16, 32, 64] {
        let time = |scheme: &str| times[&(scheme.to_owned(), devices.to_string())];
        let longer = time("uncoded FDMA") - time("over the air");
        let expected = f64::from(devices - 1) * 160.0 * 1024.0 / 100e6 * 1e3;
        // The files have six digits, of up to 128 ms.
        assert!(
            (longer - expected).abs() < 1.1e-3,
            "{devices}: {longer} {expected}"
        );
    }
}

/// A digital link decodes with pilots of its own and tracks its device's phase.
#[test]
fn digital_sums_feel_neither_bad_estimates_nor_phase() {
    for (file, axis) in [("csi", "estimation error"), ("phase", "phase error")] {
        for metric in ["perplexity", "mse"] {
            let numbers = numbers(
                &format!("{file}_{metric}.csv"),
                ["all-reduce", axis],
                "ours",
            );
            let digital = numbers
                .iter()
                .filter(|((scheme, _), _)| scheme == "digital 8 bit");
            let values: BTreeSet<String> = digital.map(|(_, value)| value.to_string()).collect();
            assert_eq!(values.len(), 1, "{file} {metric}: {values:?}");
        }
    }
}

/// What a batch shares: digital sums are quantised finely enough for any, sums on analog symbols meet
/// the scale of the largest entries, and energy falls as weights are read once.
#[test]
fn a_batch_costs_analog_sums_alone() {
    let perplexity = numbers("batches_perplexity.csv", ["all_reduce", "batch"], "ours");
    let energy = numbers("batches_energy.csv", ["all_reduce", "batch"], "ours_J");
    let at = |table: &BTreeMap<(String, String), f64>, scheme: &str, batch: &str| {
        table[&(scheme.to_owned(), batch.to_owned())]
    };
    for (scheme, costs) in [
        ("AirComp(streams: 2)", true),
        ("UncodedFdma(streams: 2)", true),
        ("Digital(bits: 8)", false),
    ] {
        let cost = at(&perplexity, scheme, "32") / at(&perplexity, scheme, "1");
        assert_eq!(cost > 1.02, costs, "{scheme}: {cost}");
        let sizes = ["1", "2", "4", "8", "16", "32"];
        let joules = sizes.map(|batch| at(&energy, scheme, batch));
        assert!(joules.is_sorted_by(|more, less| more > less), "{joules:?}");
    }
}

/// 192 entries on 2 streams of 2 are 48 uses; with ⌊√N⌋ clusters in turn a token waits, in each of
/// 12 all-reduces, so many rounds longer than at one hub.
#[test]
fn clusters_in_turn_take_a_round_each() {
    let times = numbers("hierarchy_time.csv", ["all-reduce", "devices"], "ours_ms");
    for devices in [8usize, 16, 32, 64, 128, 256, 512, 1024] {
        let time = |scheme: &str| times[&(scheme.to_owned(), devices.to_string())];
        let longer = time("two levels over the air") - time("one hub");
        let expected = devices.isqrt() as f64 * 12.0 * 48.0 / 10e6 * 1e3;
        // The files have six digits, of up to 2.7 ms.
        assert!(
            (longer - expected).abs() < 2e-5,
            "{devices}: {longer} {expected}"
        );
    }
}

/// Levels are worth it where many are far from one hub: the more of them, the more.
#[test]
fn levels_bear_more_devices_than_one_hub() {
    let perplexity = numbers(
        "hierarchy_perplexity.csv",
        ["all-reduce", "devices"],
        "ours",
    );
    let at = |scheme: &str, devices: u32| perplexity[&(scheme.to_owned(), devices.to_string())];
    let costs = [64, 256, 1024].map(|devices| {
        let levels = at("two levels over the air", devices);
        assert!(at("two levels, heads digital", devices) < levels);
        at("one hub", devices) / levels
    });
    assert!(costs[0] > 1.05 && costs.is_sorted(), "{costs:?}");
}
